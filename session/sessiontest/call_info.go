package sessiontest

import (
	"cmp"
	"slices"
	"time"

	"github.com/pion/webrtc/v4"
)

const maxEndedCalls = 256 // ended legs that are remembered

// CallInfo describes a leg, which is one client's connection to a call, at one moment.
type CallInfo struct {
	CallID       string        `json:"call_id"`
	MemberID     string        `json:"member_id"`
	Kind         string        `json:"kind"`                // "member", "screen" or "device"
	ParentCallID string        `json:"parent_id,omitempty"` // of a screen or device, the call it belongs to
	SubscriberID string        `json:"subscriber_id"`
	Session      string        `json:"session"` // protocol string
	Inbound      bool          `json:"inbound"` // the client dialled; otherwise it was rung
	Destination  string        `json:"destination"`
	State        CallState     `json:"state"`
	Room         string        `json:"room,omitempty"` // id of its room session
	Held         bool          `json:"held"`
	DTMF         string        `json:"dtmf,omitempty"`       // digits from the client, by telephone event and by verto.info
	Subscribed   []string      `json:"subscribed,omitempty"` // event types that the client asked for
	Sections     []SectionInfo `json:"sections"`
	Created      time.Time     `json:"created"`
	Answered     time.Time     `json:"answered,omitzero"`
	Ended        time.Time     `json:"ended,omitzero"`
	EndedBy      string        `json:"ended_by,omitempty"` // "client", "peer", "server" or "timeout"
	Cause        string        `json:"cause,omitempty"`    // why it ended, such as NORMAL_CLEARING
	CauseCode    int           `json:"cause_code,omitempty"`
}

// SectionInfo describes one media section of a leg. In and out are the gateway's: in is what the client sent.
type SectionInfo struct {
	Kind       string `json:"kind"`  // "audio" or "video"
	Codec      string `json:"codec"` // such as "opus/48000"
	Connected  bool   `json:"connected"`
	PacketsIn  uint64 `json:"packets_in"`
	BytesIn    uint64 `json:"bytes_in"` // of payload
	PacketsOut uint64 `json:"packets_out"`
	BytesOut   uint64 `json:"bytes_out"`
}

// Calls returns the live legs and the newest 256 ended ones, in the order of their creation.
func (s *Server) Calls() []CallInfo {
	t := s.calls
	t.mu.Lock()
	infos := slices.Clone(t.ended)
	for _, l := range t.legs {
		infos = append(infos, l.infoLocked())
	}
	t.mu.Unlock()
	slices.SortStableFunc(infos, func(a, b CallInfo) int {
		return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.CallID, b.CallID))
	})
	return infos
}

// Call returns the leg with that call id, false when there is none or it is forgotten.
func (s *Server) Call(callID string) (CallInfo, bool) {
	for _, info := range slices.Backward(s.Calls()) {
		if info.CallID == callID {
			return info, true
		}
	}
	return CallInfo{}, false
}

// Section returns the first section of a kind, "audio" or "video", zero if there is none.
func (c CallInfo) Section(kind string) SectionInfo {
	for _, s := range c.Sections {
		if s.Kind == kind {
			return s
		}
	}
	return SectionInfo{}
}

func (l *leg) infoLocked() CallInfo {
	info := CallInfo{
		CallID: l.callID, MemberID: l.memberID, Kind: l.kind, SubscriberID: l.subject, Session: l.session.protocol,
		Inbound: l.inbound, Destination: l.dest.address, State: l.state, Held: l.held, DTMF: l.digitString(), Subscribed: slices.Clone(l.subscribed),
		Created: l.createdAt, Answered: l.answeredAt, Ended: l.endedAt,
		EndedBy: l.ending.by, Cause: l.ending.cause, CauseCode: l.ending.code,
	}
	if l.parent != nil {
		info.ParentCallID = l.parent.callID
	}
	if l.room != nil {
		info.Room = l.room.sessionID
	}
	for _, sec := range l.sections() {
		info.Sections = append(info.Sections, sec.info())
	}
	return info
}

func (sec *section) info() SectionInfo {
	info := SectionInfo{
		Kind: sec.kind.String(), PacketsIn: sec.packets.Load(), BytesIn: sec.bytes.Load(),
		Connected: sec.pc.ConnectionState() == webrtc.PeerConnectionStateConnected,
	}
	if codecs := sec.agreed(); len(codecs) > 0 {
		info.Codec = codecs[0].name
	}
	if out := sec.out.Load(); out != nil {
		info.PacketsOut, info.BytesOut = out.packets.Load(), out.bytes.Load()
	}
	return info
}

// forgetLocked takes an ended leg out of the table and keeps its description.
func (t *callTable) forgetLocked(l *leg) {
	delete(t.legs, l.callID)
	if len(t.ended) >= maxEndedCalls {
		t.ended = slices.Delete(t.ended, 0, 1)
	}
	t.ended = append(t.ended, l.infoLocked())
}
