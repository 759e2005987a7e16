package wire

import (
	"strings"
	"unicode/utf8"
)

// Raw is the JSON text of one value, not yet decoded. It points into its frame.
type Raw string

// IsNull reports whether r is absent or the literal null.
func (r Raw) IsNull() bool { return r == "" || r == "null" }

// Kind classifies a frame.
type Kind int

const (
	// Ignored is a JSON text that is neither request nor response: a batch, a
	// notification, another version. Receivers count and drop it.
	Ignored Kind = iota
	// Request has a string id and a method, and may want a reply.
	Request
	// Response answers the request with the same id.
	Response
)

// A Frame is one decoded JSON-RPC object.
type Frame struct {
	Kind   Kind
	ID     string
	Method string // of a Request
	Params Raw    // of a Request; "" when absent
	Result Raw    // of a Response without Err
	Err    *Error // the error member of a Response
	Event  Event  // when Method is MethodEvent
}

// IsEvent reports whether f is an event that must be acknowledged.
func (f *Frame) IsEvent() bool { return f.Method == MethodEvent && f.Event.Type != "" }

// An Event is the header of what signalwire.event carries.
type Event struct {
	Type      string // event_type
	Channel   Raw    // event_channel: absent, null, a string or an array of strings
	Timestamp Raw    // number or string; its unit depends on Type
	ProjectID string
	NodeID    string
	Params    Raw // the payload
}

// OnChannel reports whether the event is meant for the session named by
// protocol. Events without a channel and conversation events always are; so is
// everything before a protocol is known.
func (e *Event) OnChannel(protocol string) bool {
	if protocol == "" || e.Channel.IsNull() || e.Channel == `""` || strings.HasPrefix(e.Type, "conversation.") {
		return true
	}
	channel := string(e.Channel)
	if strings.IndexByte(channel, '\\') >= 0 { // escapes stand in its strings only
		channel = unescape(channel)
	}
	return strings.Contains(channel, protocol)
}

// Decode reads one frame. Text that is not JSON gives a *SyntaxError; JSON that
// is not a message of this protocol gives a Frame of kind Ignored.
func Decode(text string) (Frame, error) {
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, "\uFFFD")
	}
	p := scanner{s: text}
	var d decoder
	var err error
	if p.peek() == '{' {
		err = d.envelope(&p)
	} else {
		err = p.skip()
	}
	if err != nil {
		return Frame{}, err
	}
	if p.peek(); p.i < len(text) {
		return Frame{}, p.fail("the end of the text")
	}
	return d.classify(), nil
}

type decoder struct {
	f                      Frame
	version                string
	idIsString, idIsNumber bool
	hasMethod, hasReply    bool
}

func (d *decoder) envelope(p *scanner) error {
	if err := p.open('{'); err != nil {
		return err
	}
	for first := true; ; first = false {
		key, more, err := p.key(first)
		if !more || err != nil {
			return err
		}
		if err = d.member(p, key); err != nil {
			return err
		}
	}
}

func (d *decoder) member(p *scanner, key string) (err error) {
	switch key {
	case "jsonrpc":
		d.version, _, err = text(p)
	case "id":
		err = d.id(p)
	case "method":
		d.f.Method, d.hasMethod, err = text(p)
	case "params":
		d.f.Params, d.f.Event, err = params(p)
	case "result":
		d.hasReply = true
		d.f.Result, err = p.raw()
	case "error":
		d.hasReply = true
		d.f.Err, err = decodeError(p)
	default:
		err = p.skip()
	}
	return err
}

func (d *decoder) id(p *scanner) error {
	c := p.peek()
	if c == '"' {
		s, err := p.str()
		d.f.ID, d.idIsString, d.idIsNumber = s, true, false
		return err
	}
	raw, err := p.raw()
	d.f.ID, d.idIsString, d.idIsNumber = string(raw), false, c == '-' || '0' <= c && c <= '9'
	return err
}

// classify: requests need a string id; responses may carry a number, which some
// servers send back.
func (d *decoder) classify() Frame {
	switch {
	case d.version != "2.0":
	case d.hasMethod && d.idIsString:
		d.f.Kind = Request
	case d.hasReply && !d.hasMethod && (d.idIsString || d.idIsNumber):
		d.f.Kind = Response
	}
	return d.f
}

// params keeps the whole value and, in the same pass, the event header if it is
// an object.
func params(p *scanner) (raw Raw, e Event, err error) {
	if p.peek() != '{' {
		raw, err = p.raw()
		return raw, e, err
	}
	start := p.i
	if err = p.open('{'); err != nil {
		return "", e, err
	}
	for first := true; ; first = false {
		key, more, err := p.key(first)
		if err != nil {
			return "", e, err
		}
		if !more {
			return Raw(p.s[start:p.i]), e, nil
		}
		if err = e.member(p, key); err != nil {
			return "", e, err
		}
	}
}

func (e *Event) member(p *scanner, key string) (err error) {
	switch key {
	case "event_type":
		e.Type, _, err = text(p)
	case "event_channel":
		e.Channel, err = p.raw()
	case "timestamp":
		e.Timestamp, err = p.raw()
	case "project_id":
		e.ProjectID, _, err = text(p)
	case "node_id":
		e.NodeID, _, err = text(p)
	case "params":
		e.Params, err = p.raw()
	default:
		err = p.skip()
	}
	return err
}

// text reads a string, or skips a value of another kind and reports false.
func text(p *scanner) (string, bool, error) {
	if p.peek() == '"' {
		s, err := p.str()
		return s, err == nil, err
	}
	return "", false, p.skip()
}
