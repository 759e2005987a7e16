package sessiontest

import (
	"net/http"
	"slices"
	"strings"
)

// joinConversation begins the conversation between an address of the caller and another one, or finds it.
func (s *Server) joinConversation(r *request) response {
	var body struct {
		From    string   `json:"from_fabric_address_id"`
		Members []string `json:"fabric_address_ids"`
	}
	if resp, ok := r.decode(&body); !ok {
		return resp
	}
	if body.From != s.ownAddress(r) {
		return invalid("from_fabric_address_id", "invalid_parameter", "from_fabric_address_id is not an address of the caller")
	}
	others := slices.DeleteFunc(body.Members, func(id string) bool { return id == body.From })
	if len(others) != 1 || s.registry.address(others[0]) == nil {
		return invalid("fabric_address_ids", "invalid_parameter", "want the caller's address and one other")
	}
	c := s.conversations.between(body.From, others[0], s.now())
	return answer(http.StatusOK, map[string]any{"group_id": c.group})
}

// listConversations lists those of the caller.
func (s *Server) listConversations(r *request) response {
	own := s.ownAddress(r)
	list := []map[string]any{}
	for _, c := range s.conversations.of(own) {
		other := c.members[0]
		if other == own {
			other = c.members[1]
		}
		item := map[string]any{
			"id": c.group, "group_id": c.group, "from_fabric_address_id": own,
			"name": s.displayNameOf(other), "created_at": isoTime(c.created), "metadata": map[string]any{},
		}
		if all := s.conversations.newestFirst(c); len(all) > 0 {
			item["last_message_at"] = all[0].TS
		}
		list = append(list, item)
	}
	return paginate(s, r, list)
}

// listMessages pages through a conversation, newest first.
func (s *Server) listMessages(r *request) response {
	c := s.conversations.find(r.PathValue("group_id"), s.ownAddress(r))
	if c == nil {
		return failure(http.StatusNotFound)
	}
	return paginate(s, r, s.conversations.newestFirst(c))
}

// createMessage adds the caller's text.
func (s *Server) createMessage(r *request) response {
	var body struct {
		Group string `json:"group_id"`
		From  string `json:"from_fabric_address_id"`
		Text  string `json:"text"`
	}
	if resp, ok := r.decode(&body); !ok {
		return resp
	}
	c := s.conversations.find(body.Group, s.ownAddress(r))
	switch {
	case c == nil:
		return failure(http.StatusNotFound)
	case body.From != s.ownAddress(r):
		return invalid("from_fabric_address_id", "invalid_parameter", "from_fabric_address_id is not an address of the caller")
	case strings.TrimSpace(body.Text) == "":
		return invalid("text", "missing_required_parameter", "text is required")
	}
	m := &message{From: body.From, Subtype: "chat", Kind: "text", Text: &body.Text}
	s.say(c, m)
	return answer(http.StatusCreated, m)
}

// ownAddress is the id of the caller's address.
func (s *Server) ownAddress(r *request) string {
	if sub := s.registry.subscriber(r.claims.Subject); sub != nil {
		return sub.Address
	}
	return ""
}
