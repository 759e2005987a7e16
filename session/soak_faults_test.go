package session_test

import (
	"time"

	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session/sessiontest"
)

// faultAfterFault has something go wrong every half second or so.
func (s *soak) faultAfterFault() {
	for !s.over() {
		s.mark()
		fault := pick(s, soakFaults...)
		n, _ := s.faults.LoadOrStore(fault.kind, 0)
		s.faults.Store(fault.kind, n.(int)+1)
		fault.happens(s, pick(s, s.users...).name)
		s.rest(s.between(100*time.Millisecond, time.Second))
	}
}

// mark sends everybody the next numbered event.
func (s *soak) mark() {
	s.marks++
	for _, u := range s.users {
		if _, err := s.srv.SendEvent(u.name, markEvent, nil, map[string]any{"n": s.marks}); err != nil {
			s.t.Error(err)
		}
	}
}

// soakFaults are what can happen to a user. Those that last are over when they
// return, but for media that is lost: it comes back while other things happen.
var soakFaults = []struct {
	kind    string
	happens func(s *soak, user string)
}{
	{"socket cut", func(s *soak, user string) { s.srv.Drop(user) }},
	{"all sockets cut", func(s *soak, _ string) { s.srv.Drop("") }},
	{"socket closed", func(s *soak, user string) { s.srv.CloseSockets(user, 1012, "service restart") }},
	{"node going away", func(s *soak, user string) {
		s.srv.AnnounceDisconnect(user)
		s.srv.Drop(user)
	}},
	{"half-open", func(s *soak, user string) {
		s.srv.Stall(user, pick(s, sessiontest.StallDeaf, sessiontest.StallMute))
		s.rest(s.between(200*time.Millisecond, 4*time.Second))
		s.srv.Stall(user, sessiontest.StallNone)
	}},
	{"service away", func(s *soak, _ string) {
		f := s.srv.RefuseConnections(503, 0)
		s.srv.Drop("")
		s.rest(s.between(200*time.Millisecond, 2*time.Second))
		f.Remove()
	}},
	{"session replaced", func(s *soak, user string) {
		f := s.spoil(sessiontest.Match{RPC: rpcConnect}, sessiontest.Action{Kind: sessiontest.FaultRPCError, Code: -32002})
		s.mu.Lock()
		s.replaced = append(s.replaced, f)
		s.mu.Unlock()
		s.srv.Drop(user)
	}},
	{"request refused", func(s *soak, _ string) {
		s.spoil(sessiontest.Match{RPC: "webrtc.verto"}, sessiontest.Action{Kind: sessiontest.FaultVertoError, Code: -32002})
	}},
	{"request swallowed", func(s *soak, _ string) {
		s.spoil(sessiontest.Match{RPC: "webrtc.verto"}, sessiontest.Action{Kind: sessiontest.FaultRPCSilent})
	}},
	{"answer late", func(s *soak, _ string) {
		s.spoil(sessiontest.Match{RPC: "*"}, sessiontest.Action{Kind: sessiontest.FaultSlow, Delay: s.between(100*time.Millisecond, 3*time.Second)})
	}},
	{"refresh refused", func(s *soak, _ string) {
		s.spoil(sessiontest.Match{RPC: rpcReauthenticate}, sessiontest.Action{Kind: sessiontest.FaultRPCError, Code: -32000})
	}},
	{"garbage", func(s *soak, user string) { s.srv.SendRaw(user, []byte(`{"jsonrpc":"2.0",`)) }},
	{"hung up", func(s *soak, _ string) {
		if legs := s.liveLegs(); len(legs) > 0 {
			s.srv.HangupCall(pick(s, legs...).CallID, "NORMAL_CLEARING", 16)
		}
	}},
	{"device unplugged", func(s *soak, user string) { s.unplug(user, media.VirtualDevice{}) }},
	{"device busy", func(s *soak, user string) { s.unplug(user, media.VirtualDevice{Device: headset, Busy: true}) }},
	{"media lost", func(s *soak, _ string) {
		legs := s.liveLegs()
		if len(legs) == 0 {
			return
		}
		id := pick(s, legs...).CallID
		s.srv.DropMedia(id, true)
		s.rest(s.between(200*time.Millisecond, 3*time.Second))
		s.srv.DropMedia(id, false)
	}},
}

// unplug takes a user's headset away for a while, in which there may be another like
// it.
func (s *soak) unplug(user string, meanwhile media.VirtualDevice) {
	for _, u := range s.users {
		if u.name != user {
			continue
		}
		u.mics.Remove(headset.Kind, headset.ID)
		if meanwhile.ID != "" {
			plug(s.t, u.mics, meanwhile)
		}
		s.rest(s.between(50*time.Millisecond, 2*time.Second))
		plug(s.t, u.mics, media.VirtualDevice{Device: headset})
	}
}

// spoil has the next request that matches fail, if there is one soon.
func (s *soak) spoil(m sessiontest.Match, a sessiontest.Action) *sessiontest.InjectedFault {
	f := s.srv.Inject(sessiontest.Fault{Match: m, Action: a})
	time.AfterFunc(2*time.Second, f.Remove)
	return f
}
