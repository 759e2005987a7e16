package session

import (
	"bytes"
	"cmp"
	"encoding/json"
	"math"
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

// messageOnTheWire is a message as pages and events have it. What an update does
// not mention is nil.
type messageOnTheWire struct {
	ID      json.RawMessage `json:"id"`
	Group   json.RawMessage `json:"group_id"`
	From    json.RawMessage `json:"from_fabric_address_id"`
	TS      json.RawMessage `json:"ts"`
	Subtype json.RawMessage `json:"subtype"`
	Kind    json.RawMessage `json:"kind"`
	Text    json.RawMessage `json:"text"`
	Details json.RawMessage `json:"details"`
}

type detailsOnTheWire struct {
	Status json.RawMessage `json:"status"`
	Start  json.RawMessage `json:"start_time"`
	End    json.RawMessage `json:"end_time"`
}

// decodeMessage reads a message; false means that it is none.
func decodeMessage(raw []byte) (Message, bool) { return Message{}.with(raw) }

// with is the message with what raw mentions. What makes no sense is not
// mentioned.
func (m Message) with(raw []byte) (Message, bool) {
	var w messageOnTheWire
	if json.Unmarshal(raw, &w) != nil {
		return m, false
	}
	var d detailsOnTheWire
	_ = json.Unmarshal(w.Details, &d) // an empty list stands for none
	readText(w.ID, &m.ID)
	readText(w.Group, &m.ConversationID)
	readText(w.From, &m.FromAddressID)
	readTime(w.TS, &m.SentAt)
	readText(w.Subtype, &m.Subtype)
	readText(w.Kind, &m.Kind)
	readText(w.Text, &m.Text)
	readText(d.Status, &m.Status)
	readTime(d.Start, &m.StartedAt)
	readTime(d.End, &m.EndedAt)
	return m, m.ID != ""
}

// readText reads a text, or a number as one; null is the empty text.
func readText(raw json.RawMessage, into *string) {
	var s string
	var n json.Number
	switch {
	case len(raw) == 0:
	case json.Unmarshal(raw, &s) == nil:
		*into = s
	case json.Unmarshal(raw, &n) == nil:
		*into = string(n)
	}
}

func readTime(raw json.RawMessage, into *time.Time) {
	if len(raw) > 0 {
		*into = instant(raw)
	}
}

// instant reads a time that the API writes as a number or in ISO 8601. Numbers
// below 1e11 are seconds, the others milliseconds (rest.md 3.6). What is no time,
// or after the year 5000, is zero.
func instant(raw json.RawMessage) time.Time {
	text := string(bytes.Trim(raw, `"`))
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || !(n > 0 && n < 1e14) {
		return time.Time{}
	}
	if n < 1e11 {
		n *= 1000
	}
	return time.UnixMilli(int64(math.Round(n)))
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
