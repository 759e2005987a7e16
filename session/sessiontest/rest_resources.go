package sessiontest

import (
	"encoding/json"
	"maps"
	"net/http"
)

// createRoom makes a conference room, dialable at /public/{name} at once. The name alone is enough.
func (s *Server) createRoom(r *request) response {
	settings, name, resp, ok := namedBody(r, "name")
	if !ok {
		return resp
	}
	room := map[string]any{
		"id": newUUID(), "name": name, "display_name": name, "description": "",
		"max_members": 30, "quality": "720p", "fps": 20, "layout": "grid-responsive",
		"join_from": nil, "join_until": nil, "remove_at": nil, "remove_after_seconds_elapsed": nil,
		"record_on_start": false, "enable_room_previews": false, "tone_on_entry_and_exit": false,
		"room_join_video_off": false, "user_join_video_off": false, "sync_audio_video": nil,
		"meta": map[string]any{}, "prioritize_handraise": false,
	}
	for key := range room {
		if v, given := settings[key]; given && key != "id" {
			room[key] = v
		}
	}
	x := &resource{Kind: "video_room", Detail: "conference_room", Display: displayName(settings, name), Details: room}
	s.registry.addResource(x, "room", name, "public")
	return answer(http.StatusOK, x.body(s.opts.ProjectID))
}

// createScript makes a SWML script, given as an object or as a string of JSON.
func (s *Server) createScript(r *request) response {
	settings, name, resp, ok := namedBody(r, "name")
	if !ok {
		return resp
	}
	contents := settings["contents"]
	if contents == nil {
		return invalid("contents", "missing_required_parameter", "contents is required")
	}
	if text, isText := contents.(string); isText && !json.Valid([]byte(text)) {
		return invalid("contents", "not_json_or_yaml", "contents is neither JSON nor YAML")
	}
	script := map[string]any{
		"id": newUUID(), "display_name": name, "script_type": "calling", "contents": contents,
		"request_url": s.APIURL() + "/api/fabric/resources/swml_scripts/" + newUUID(), "status_callback_url": nil,
	}
	for _, key := range []string{"script_type", "status_callback_url", "display_name"} {
		if v, given := settings[key]; given {
			script[key] = v
		}
	}
	x := &resource{Kind: "swml_script", Detail: "swml_script", Display: displayName(settings, name), Details: script}
	s.registry.addResource(x, "app", name, "public", "private")
	return answer(http.StatusOK, x.body(s.opts.ProjectID))
}

// createSubscriber makes an account, as the first token for an unknown reference does too.
func (s *Server) createSubscriber(r *request) response {
	settings, email, resp, ok := namedBody(r, "email")
	if !ok {
		return resp
	}
	if password, given := settings["password"].(string); given && (len(password) < 8 || len(password) > 72) {
		return invalid("password", "invalid_parameter", "password must have 8 to 72 characters")
	}
	var p profile
	if resp, ok := r.decode(&p); !ok {
		return resp
	}
	sub := s.registry.upsert(email, p)
	details := maps.Clone(settings)
	delete(details, "password")
	details["id"] = sub.ID
	x := &resource{
		ID: sub.ID, Kind: "subscriber", Detail: "subscriber", Display: sub.Profile.DisplayName, Details: details,
	}
	s.registry.addResource(x, "", "")
	return answer(http.StatusCreated, x.body(s.opts.ProjectID))
}

func (s *Server) listResources(*request) response {
	list := []map[string]any{}
	for _, x := range s.registry.allResources() {
		list = append(list, x.body(s.opts.ProjectID))
	}
	return answer(http.StatusOK, map[string]any{"data": list, "links": map[string]string{}})
}

func (s *Server) showResource(r *request) response {
	x := s.registry.resource(r.PathValue("id"))
	if x == nil {
		return failure(http.StatusNotFound)
	}
	return answer(http.StatusOK, x.body(s.opts.ProjectID))
}

func (s *Server) deleteResource(r *request) response {
	if !s.registry.removeResource(r.PathValue("id")) {
		return failure(http.StatusNotFound)
	}
	return response{status: http.StatusNoContent, header: http.Header{}}
}

func (s *Server) listResourceAddresses(r *request) response {
	if s.registry.resource(r.PathValue("id")) == nil {
		return failure(http.StatusNotFound)
	}
	return paginate(s, r, s.registry.addressesOf(r.PathValue("id")))
}

// namedBody reads a body whose one required member is a string.
func namedBody(r *request, required string) (body map[string]any, name string, resp response, ok bool) {
	if resp, ok := r.decode(&body); !ok {
		return nil, "", resp, false
	}
	name, _ = body[required].(string)
	if name == "" {
		return nil, "", invalid(required, "missing_required_parameter", required+" is required"), false
	}
	return body, name, response{}, true
}

func displayName(settings map[string]any, name string) string {
	if given, _ := settings["display_name"].(string); given != "" {
		return given
	}
	return name
}
