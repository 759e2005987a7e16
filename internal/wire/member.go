package wire

import "strconv"

// A MemberField names one thing that the service tells of a member.
type MemberField uint8

// The texts of a member.
const (
	MemberID MemberField = iota
	MemberCallID
	MemberNodeID
	MemberRoomID
	MemberRoomSessionID
	MemberName
	MemberType
	MemberParentID
	MemberSubscriberID
	MemberAddressID
	MemberRequestedPosition
	// MemberTexts is how many there are.
	MemberTexts
)

// What is true or false of a member.
const (
	MemberAudioMuted MemberField = MemberTexts + iota
	MemberVideoMuted
	MemberDeaf
	MemberVisible
	MemberHandRaised
	MemberTalking
	MemberEchoCancellation
	MemberAutoGain
	MemberNoiseSuppression
	MemberLowBitrate
	MemberDenoise
	MemberAudience
	memberFlagsEnd
)

// The numbers of a member.
const (
	MemberInputVolume MemberField = memberFlagsEnd + iota
	MemberOutputVolume
	MemberInputSensitivity
	memberNumbersEnd
)

const (
	memberMeta MemberField = memberNumbersEnd + iota
	memberUpdated
	noMemberField
)

const memberNumbers = memberNumbersEnd - memberFlagsEnd

// A Member is what one message tells of a member, or all that is known of one.
type Member struct {
	Texts   [MemberTexts]string
	numbers [memberNumbers]float64
	known   uint32 // a bit for each field that was told
	flags   uint32 // a bit for each flag that is true
	Meta    Raw    // a JSON object; "" when it was not told
	Updated Raw    // a JSON array of the names of what changed
}

// ID names the member.
func (m *Member) ID() string { return m.Texts[MemberID] }

// Known reports whether the field was told.
func (m *Member) Known(f MemberField) bool { return m.known&(1<<f) != 0 }

// Flag is the value of a flag; false when it was not told.
func (m *Member) Flag(f MemberField) bool { return m.flags&(1<<f) != 0 }

// Number is the value of a number; 0 when it was not told.
func (m *Member) Number(f MemberField) float64 { return m.numbers[f-memberFlagsEnd] }

// Merge overlays what other tells. Texts go through own, which is given the field,
// the old text and the new.
func (m *Member) Merge(other *Member, own func(f MemberField, old, new string) string) {
	for f := range MemberTexts {
		if other.Known(f) {
			m.Texts[f] = own(f, m.Texts[f], other.Texts[f])
		}
	}
	for i := range other.numbers {
		if other.Known(memberFlagsEnd + MemberField(i)) {
			m.numbers[i] = other.numbers[i]
		}
	}
	if other.Known(memberMeta) && m.Meta != other.Meta {
		m.Meta = Raw(own(memberMeta, string(m.Meta), string(other.Meta)))
	}
	m.flags = m.flags&^other.known | other.flags
	m.known |= other.known &^ (1 << memberUpdated)
}

// memberField finds a field by its name on the wire.
func memberField(key string) MemberField {
	switch key {
	case "member_id":
		return MemberID
	case "call_id":
		return MemberCallID
	case "node_id":
		return MemberNodeID
	case "room_id":
		return MemberRoomID
	case "room_session_id":
		return MemberRoomSessionID
	case "name":
		return MemberName
	case "type":
		return MemberType
	case "parent_id":
		return MemberParentID
	case "subscriber_id":
		return MemberSubscriberID
	case "address_id":
		return MemberAddressID
	case "requested_position":
		return MemberRequestedPosition
	case "input_volume":
		return MemberInputVolume
	case "output_volume":
		return MemberOutputVolume
	case "input_sensitivity":
		return MemberInputSensitivity
	case "meta":
		return memberMeta
	case "updated":
		return memberUpdated
	}
	return memberFlag(key)
}

func memberFlag(key string) MemberField {
	switch key {
	case "audio_muted":
		return MemberAudioMuted
	case "video_muted":
		return MemberVideoMuted
	case "deaf":
		return MemberDeaf
	case "visible":
		return MemberVisible
	case "handraised":
		return MemberHandRaised
	case "talking":
		return MemberTalking
	case "echo_cancellation":
		return MemberEchoCancellation
	case "auto_gain":
		return MemberAutoGain
	case "noise_suppression":
		return MemberNoiseSuppression
	case "lowbitrate":
		return MemberLowBitrate
	case "denoise":
		return MemberDenoise
	case "isAudience", "is_audience":
		return MemberAudience
	}
	return noMemberField
}

// decode reads a member object over m, which is empty. A field of the wrong kind
// was not told.
func (m *Member) decode(p *scanner) error {
	return p.object(func(p *scanner, key string) (err error) {
		f := memberField(key)
		told := false
		switch {
		case f < MemberTexts:
			var s string
			if s, told, err = text(p); told {
				m.Texts[f] = s
			}
		case f < memberFlagsEnd:
			var set bool
			if set, told, err = boolean(p); set {
				m.flags |= 1 << f
			}
		case f < memberNumbersEnd:
			m.numbers[f-memberFlagsEnd], told, err = number(p)
		case f == memberMeta:
			m.Meta, told, err = composite(p, '{')
		case f == memberUpdated:
			m.Updated, told, err = composite(p, '[')
		default:
			err = p.skip()
		}
		if told {
			m.known |= 1 << f
		}
		return err
	})
}

// boolean reads true or false, or skips a value of another kind and reports that
// nothing was told.
func boolean(p *scanner) (set, told bool, err error) {
	c := p.peek()
	return c == 't', c == 't' || c == 'f', p.skip()
}

// number reads a number; see boolean.
func number(p *scanner) (n float64, told bool, err error) {
	c := p.peek()
	raw, err := p.raw()
	if err != nil || c != '-' && (c < '0' || c > '9') {
		return 0, false, err
	}
	if n, failed := strconv.ParseFloat(string(raw), 64); failed == nil {
		return n, true, nil
	}
	return 0, false, nil // beyond what fits
}

// composite keeps the text of an object or array, whichever opens with c; see
// boolean.
func composite(p *scanner, c byte) (Raw, bool, error) {
	if p.peek() != c {
		return "", false, p.skip()
	}
	raw, err := p.raw()
	return raw, err == nil, err
}
