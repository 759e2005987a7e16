package sessiontest

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"time"
)

// handleRooms adds what concerns rooms to the admin API.
func (a *adminServer) handleRooms(mux *http.ServeMux) {
	mux.HandleFunc("PATCH /rooms", a.updateRoom)
	mux.HandleFunc("POST /roles", a.setRole)
	mux.HandleFunc("POST /bots", a.addBot)
	mux.HandleFunc("POST /calls/{id}/capabilities", a.setCapabilities)
	mux.HandleFunc("POST /calls/{id}/connect", a.connectCall)
	mux.HandleFunc("POST /calls/{id}/return", func(w http.ResponseWriter, r *http.Request) {
		found(w, a.s.ReturnCall(r.PathValue("id")))
	})
}

// updateRoom changes the fields of a room's state that the body names.
func (a *adminServer) updateRoom(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err == nil {
		err = json.Unmarshal(body, new(RoomState))
	}
	if err == nil {
		err = a.s.UpdateRoom(r.URL.Query().Get("address"), func(s *RoomState) { _ = json.Unmarshal(body, s) })
	}
	done(w, err)
}

func (a *adminServer) setRole(w http.ResponseWriter, r *http.Request) {
	var b struct {
		Address string `json:"address"`
		Who     string `json:"who"`
		Role    Role   `json:"role"`
	}
	if readBody(w, r, &b) {
		a.s.SetRole(b.Address, b.Who, b.Role)
		done(w, nil)
	}
}

// addBot brings in a bot that sounds a tone and leaves, or one that stays until its call is hung up.
func (a *adminServer) addBot(w http.ResponseWriter, r *http.Request) {
	var b struct {
		Address string  `json:"address"`
		Name    string  `json:"name"`
		Role    Role    `json:"role"`
		Hertz   float64 `json:"hertz"`
		MS      int64   `json:"ms"`
	}
	if !readBody(w, r, &b) {
		return
	}
	o := BotOptions{Name: b.Name, Role: b.Role}
	if b.MS > 0 {
		o.Script = func(ctx context.Context, bot *Bot) { _ = bot.Tone(ctx, b.Hertz, time.Duration(b.MS)*time.Millisecond) }
	}
	bot, err := a.s.Join(b.Address, o)
	if err != nil {
		done(w, err)
		return
	}
	reply(w, http.StatusCreated, map[string]string{"call_id": bot.CallID(), "member_id": bot.MemberID()})
}

func (a *adminServer) setCapabilities(w http.ResponseWriter, r *http.Request) {
	var capabilities []string
	if readBody(w, r, &capabilities) {
		found(w, a.s.SetCapabilities(r.PathValue("id"), capabilities...))
	}
}

func (a *adminServer) connectCall(w http.ResponseWriter, r *http.Request) {
	done(w, a.s.ConnectCall(r.PathValue("id"), r.URL.Query().Get("to")))
}

// readBody reads a body in JSON, and answers the request when it is none.
func readBody(w http.ResponseWriter, r *http.Request, into any) bool {
	err := json.NewDecoder(r.Body).Decode(into)
	if err != nil {
		done(w, err)
	}
	return err == nil
}

// done answers a request that had an effect, or none because of err.
func done(w http.ResponseWriter, err error) {
	if err != nil {
		reply(w, http.StatusBadRequest, map[string]string{"error": err.Error()})
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// found answers a request about a call that may not be there.
func found(w http.ResponseWriter, ok bool) {
	if !ok {
		reply(w, http.StatusNotFound, map[string]string{"error": "no such call"})
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
