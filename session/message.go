package session

import (
	"bytes"
	"cmp"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/callrx/callrx/observable"
)

const (
	eventMessage        = "conversation.message"
	eventMessageUpdated = "conversation.message.updated"
)

// The subtypes of a [Message]; later ones may follow.
const (
	SubtypeChat = "chat" // a text
	SubtypeLog  = "log"  // a note about a call
)

// A Message is one entry of a conversation: a text, or a note about a call.
type Message struct {
	ID             string
	ConversationID string // the service's group id
	FromAddressID  string
	SentAt         time.Time
	Subtype        string // SubtypeChat, SubtypeLog, or one of a later time
	Kind           string // of a note, such as "call_started"
	Text           string

	// Of a note about a call.
	Status             string
	StartedAt, EndedAt time.Time // zero: not told
}

// messageOnTheWire is a message as pages and events have it.
type messageOnTheWire struct {
	ID      string          `json:"id"`
	Group   string          `json:"group_id"`
	From    string          `json:"from_fabric_address_id"`
	TS      json.RawMessage `json:"ts"`
	Subtype string          `json:"subtype"`
	Kind    string          `json:"kind"`
	Text    string          `json:"text"`
	Details struct {
		Status string          `json:"status"`
		Start  json.RawMessage `json:"start_time"`
		End    json.RawMessage `json:"end_time"`
	} `json:"details"`
}

// decodeMessage reads a message; false means that it is none.
func decodeMessage(raw []byte) (Message, bool) {
	var m messageOnTheWire
	if json.Unmarshal(raw, &m) != nil || m.ID == "" {
		return Message{}, false
	}
	return Message{
		ID: m.ID, ConversationID: m.Group, FromAddressID: m.From, SentAt: instant(m.TS),
		Subtype: m.Subtype, Kind: m.Kind, Text: m.Text,
		Status: m.Details.Status, StartedAt: instant(m.Details.Start), EndedAt: instant(m.Details.End),
	}, true
}

// instant reads a time that the API writes as a number or in ISO 8601. Numbers
// below 1e11 are seconds, the others milliseconds (rest.md 3.6).
func instant(raw json.RawMessage) time.Time {
	text := string(bytes.Trim(raw, `"`))
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at
	}
	n, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil || n <= 0:
		return time.Time{}
	case n < 1e11:
		return time.UnixMilli(int64(n * 1000))
	}
	return time.UnixMilli(int64(n))
}

// compareMessages orders by time, then by id.
func compareMessages(a, b Message) int {
	return cmp.Or(a.SentAt.Compare(b.SentAt), strings.Compare(a.ID, b.ID))
}

// ObserveMessages delivers every message that arrives, of any conversation, the
// client's own among them: an event stream without replay. What the service does
// not deliver after the connection was away is not in it; an open [Conversation]
// asks for that, and History has it all.
func (c *Client) ObserveMessages() observable.Of[Message] {
	ours := observable.Filter(c.ObserveSignalingEvents(), func(e *Event) bool { return e.Type == eventMessage })
	type read struct {
		Message
		ok bool
	}
	all := observable.Map(ours, func(e *Event) read {
		m, ok := decodeMessage(e.Payload)
		return read{m, ok}
	})
	good := observable.Filter(all, func(r read) bool { return r.ok })
	return observable.Map(good, func(r read) Message { return r.Message })
}
