package wire

// Events of a call and of the rooms it is in.
const (
	EventCallJoined    = "call.joined"
	EventCallLeft      = "call.left"
	EventCallUpdated   = "call.updated"
	EventCallState     = "call.state"
	EventCallPlay      = "call.play"
	EventCallConnect   = "call.connect"
	EventRoomUpdated   = "room.updated"
	EventMemberJoined  = "member.joined"
	EventMemberUpdated = "member.updated"
	EventMemberTalking = "member.talking"
	EventMemberLeft    = "member.left"
	EventLayoutChanged = "layout.changed"
)

// A CallEvent is the payload of an event of a call: which call and room it
// belongs to, and what it tells, of which the long parts are left as they are.
type CallEvent struct {
	CallID        string // of the leg
	OriginCallID  string // of the leg's first segment
	RoomID        string
	RoomSessionID string
	MemberID      string
	NodeID        string
	Reason        string
	Member        Member // of a member event
	RoomSession   Raw    // for DecodeRoomSession
	Layout        Raw    // for DecodeLayout
	Capabilities  Raw    // for DecodeTexts; "" when not told
}

// DecodeCallEvent reads an event payload.
func DecodeCallEvent(payload Raw) (CallEvent, error) {
	p := scanner{s: string(payload)}
	var e CallEvent
	err := p.object(func(p *scanner, key string) (err error) {
		switch key {
		case "call_id":
			e.CallID, _, err = text(p)
		case "origin_call_id":
			e.OriginCallID, _, err = text(p)
		case "room_id":
			e.RoomID, _, err = text(p)
		case "room_session_id":
			e.RoomSessionID, _, err = text(p)
		case "member_id":
			e.MemberID, _, err = text(p)
		case "node_id":
			e.NodeID, _, err = text(p)
		case "reason":
			e.Reason, _, err = text(p)
		case "member":
			err = e.Member.decode(p)
		case "room_session":
			e.RoomSession, _, err = composite(p, '{')
		case "layout":
			e.Layout, _, err = composite(p, '{')
		case "capabilities":
			e.Capabilities, _, err = composite(p, '[')
		default:
			err = p.skip()
		}
		return err
	})
	return e, err
}

// A RoomFlag is true or false of a room.
type RoomFlag uint8

// The flags of a room.
const (
	RoomRecording RoomFlag = 1 << iota
	RoomStreaming
	RoomPrioritizeHandRaise
	RoomHideVideoMuted
	RoomLocked
)

// A RoomSession is what one message tells of a room, but its members.
type RoomSession struct {
	ID, RoomID, EventChannel, Name, DisplayName, LayoutName string

	Known RoomFlag // what was told
	Flags RoomFlag // and is true

	Meta                           Raw // a JSON object; "" when not told
	Recordings, Streams, Playbacks Raw // JSON arrays; "" when not told
}

// DecodeRoomSession reads a room, and gives each of its members to each, in
// order, unless that is nil. The member is valid during the call only.
func DecodeRoomSession(raw Raw, each func(*Member)) (RoomSession, error) {
	p := scanner{s: string(raw)}
	var r RoomSession
	err := p.object(func(p *scanner, key string) error {
		if key == "members" && each != nil {
			return eachMember(p, each)
		}
		return r.member(p, key)
	})
	return r, err
}

func (r *RoomSession) member(p *scanner, key string) (err error) {
	switch key {
	case "room_session_id":
		r.ID, _, err = text(p)
	case "room_id":
		r.RoomID, _, err = text(p)
	case "event_channel":
		r.EventChannel, _, err = text(p)
	case "name":
		r.Name, _, err = text(p)
	case "display_name":
		r.DisplayName, _, err = text(p)
	case "layout_name":
		r.LayoutName, _, err = text(p)
	case "recording":
		err = r.flag(p, RoomRecording)
	case "streaming":
		err = r.flag(p, RoomStreaming)
	case "prioritize_handraise":
		err = r.flag(p, RoomPrioritizeHandRaise)
	case "hide_video_muted":
		err = r.flag(p, RoomHideVideoMuted)
	case "locked":
		err = r.flag(p, RoomLocked)
	case "meta":
		r.Meta, _, err = composite(p, '{')
	case "recordings":
		r.Recordings, _, err = composite(p, '[')
	case "streams":
		r.Streams, _, err = composite(p, '[')
	case "playbacks":
		r.Playbacks, _, err = composite(p, '[')
	default:
		err = p.skip()
	}
	return err
}

func (r *RoomSession) flag(p *scanner, f RoomFlag) error {
	set, told, err := boolean(p)
	if told {
		r.Known |= f
	}
	if set {
		r.Flags |= f
	}
	return err
}

// eachMember reads an array of members into one Member again and again.
func eachMember(p *scanner, each func(*Member)) error {
	var m Member
	return p.array(func(p *scanner) error {
		if p.peek() != '{' {
			return p.skip()
		}
		m = Member{}
		if err := m.decode(p); err != nil {
			return err
		}
		each(&m)
		return nil
	})
}

// DecodeTexts reads an array of strings; other elements are left out.
func DecodeTexts(raw Raw) (texts []string, err error) {
	p := scanner{s: string(raw)}
	if raw == "" {
		return nil, nil
	}
	err = p.array(func(p *scanner) error {
		s, told, err := text(p)
		if told {
			texts = append(texts, s)
		}
		return err
	})
	return texts, err
}
