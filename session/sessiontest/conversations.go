package sessiontest

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/callrx/callrx/internal/wire"
)

// message is one entry of a conversation in its wire form.
type message struct {
	ID      string         `json:"id"`
	From    string         `json:"from_fabric_address_id"`
	Group   string         `json:"group_id"`
	TS      int64          `json:"ts"` // milliseconds since 1970
	Type    string         `json:"type"`
	Subtype string         `json:"subtype"`
	Kind    string         `json:"kind,omitempty"`
	Text    *string        `json:"text"`
	Details map[string]any `json:"details"`
}

// conversation is what two addresses have told each other, oldest first.
type conversation struct {
	group    string
	members  [2]string // ids of addresses
	created  time.Time
	messages []*message
}

// conversations are those of a gateway.
type conversations struct {
	mu      sync.Mutex
	byGroup map[string]*conversation
}

func newConversations() *conversations { return &conversations{byGroup: map[string]*conversation{}} }

// between returns the conversation of two addresses, made if there is none. Its name is made of both, the one that was
// joined from last.
func (t *conversations) between(from, to string, now time.Time) *conversation {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, group := range [...]string{to + "_" + from, from + "_" + to} {
		if c := t.byGroup[group]; c != nil {
			return c
		}
	}
	c := &conversation{group: to + "_" + from, members: [2]string{from, to}, created: now}
	t.byGroup[c.group] = c
	return c
}

// find returns the conversation if the address takes part in it.
func (t *conversations) find(group, address string) *conversation {
	t.mu.Lock()
	defer t.mu.Unlock()
	if c := t.byGroup[group]; c != nil && slices.Contains(c.members[:], address) {
		return c
	}
	return nil
}

// of returns the conversations that an address takes part in, newest first.
func (t *conversations) of(address string) []*conversation {
	t.mu.Lock()
	defer t.mu.Unlock()
	var found []*conversation
	for _, c := range t.byGroup {
		if slices.Contains(c.members[:], address) {
			found = append(found, c)
		}
	}
	slices.SortFunc(found, func(a, b *conversation) int { return b.created.Compare(a.created) })
	return found
}

// newestFirst is a snapshot of the messages.
func (t *conversations) newestFirst(c *conversation) []*message {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := slices.Clone(c.messages)
	slices.Reverse(all)
	return all
}

// say adds a message and tells the sessions of everybody in the conversation.
func (s *Server) say(c *conversation, m *message) {
	m.ID, m.Group, m.Type, m.TS = newUUID(), c.group, "message", s.now().UnixMilli()
	if m.Details == nil {
		m.Details = map[string]any{}
	}
	s.conversations.mu.Lock()
	if n := len(c.messages); n > 0 {
		m.TS = max(m.TS, c.messages[n-1].TS+1) // so that their order can be told
	}
	c.messages = append(c.messages, m)
	s.conversations.mu.Unlock()
	name := s.displayNameOf(m.From)
	event := wire.EventParams{
		EventType: "conversation.message", Timestamp: s.timestamp(),
		Params: mustJSON(struct {
			*message
			Hidden           bool           `json:"hidden"`
			Metadata         map[string]any `json:"metadata"`
			ConversationName string         `json:"conversation_name"`
			UserName         string         `json:"user_name"`
		}{m, false, map[string]any{}, name, name}),
	}
	for _, id := range c.members {
		a := s.registry.address(id)
		if a == nil {
			continue // deleted meanwhile
		}
		for _, x := range s.sessions.match(func(x *session) bool { return x.subject == a.ResourceID }) {
			// The official SDK takes an event that does not name its session for one of another.
			event.EventChannel = []string{"conversation." + c.group, x.protocol}
			s.deliver(x, event, label{event: event.EventType})
		}
	}
}

func (s *Server) displayNameOf(address string) string {
	if a := s.registry.address(address); a != nil {
		return a.DisplayName
	}
	return ""
}

// SendText has one subscriber write to another, both named by reference or id. It fails when one of them is unknown.
func (s *Server) SendText(from, to, text string) error {
	return s.sayBetween(from, to, &message{Subtype: "chat", Kind: "text", Text: &text})
}

// LogCall notes in the conversation of two subscribers that one has called the other. A zero end means that the call
// goes on.
func (s *Server) LogCall(from, to, status string, started, ended time.Time) error {
	details := map[string]any{"status": status, "start_time": started.UnixMilli()}
	kind := "call_started"
	if !ended.IsZero() {
		kind, details["end_time"] = "call_ended", ended.UnixMilli()
	}
	return s.sayBetween(from, to, &message{Subtype: "log", Kind: kind, Details: details})
}

func (s *Server) sayBetween(from, to string, m *message) error {
	a, b := s.registry.find(from), s.registry.find(to)
	if a == nil || b == nil || a == b || a.Guest || b.Guest {
		return fmt.Errorf("no conversation between %q and %q: want two subscribers", from, to)
	}
	m.From = a.Address
	s.say(s.conversations.between(a.Address, b.Address, s.now()), m)
	return nil
}
