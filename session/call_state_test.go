package session

import (
	"slices"
	"testing"
)

// A callRow is one rule of a call: in these statuses, on this event, if the
// media is as said, it goes there.
type callRow struct {
	from  []CallStatus
	event callEvent
	media mediaGuard
	to    CallStatus
	rule  string
}

// A mediaGuard is what a rule asks of the media.
type mediaGuard int

const (
	anyMedia mediaGuard = iota
	withMedia
	withoutMedia
)

func (g mediaGuard) holds(s callState) bool {
	return g == anyMedia || (g == withMedia) == s.media
}

// stays is the target of rules that change no status.
const stays CallStatus = -1

// at makes the status lists of the table readable.
func at(s ...CallStatus) []CallStatus { return s }

var (
	unanswered = at(CallStatusNew, CallStatusTrying, CallStatusRinging)
	talking    = at(CallStatusConnecting, CallStatusConnected, CallStatusRecovering)
	liveCall   = slices.Concat(unanswered, talking)
	notOver    = append(slices.Clone(liveCall), CallStatusDisconnecting)
	undead     = append(slices.Clone(notOver), CallStatusDisconnected, CallStatusFailed)
)

// callRules are all the legal transitions. Whatever is not here changes nothing.
var callRules = []callRow{
	{undead, callReleased, anyMedia, CallStatusDestroyed, "releasing is possible at any time, once"},
	{notOver, callFailed, anyMedia, CallStatusFailed, "an error ends whatever there is"},
	{notOver, callOver, anyMedia, CallStatusDisconnected, "so does a bye, also one that crosses our own"},
	{liveCall, hangupBegun, anyMedia, CallStatusDisconnecting, "the program hangs up, once"},

	{at(CallStatusNew), inviteAccepted, anyMedia, CallStatusTrying, "the service took the call"},
	{at(CallStatusNew, CallStatusTrying), earlyMedia, anyMedia, CallStatusRinging, "early media means that the far end rings"},
	{at(CallStatusNew, CallStatusTrying), inviteReceived, anyMedia, CallStatusRinging, "an inbound call rings"},

	{unanswered, callAnswered, withoutMedia, CallStatusConnecting, "answered, media is on its way"},
	{unanswered, callAnswered, withMedia, CallStatusConnected, "answered after early media was up"},
	{unanswered, mediaUp, withoutMedia, stays, "early media alone connects nothing"},
	{unanswered, mediaLost, withMedia, stays, "and its loss loses nothing"},
	{at(CallStatusConnecting), mediaUp, anyMedia, CallStatusConnected, "answered first, then the media"},
	{at(CallStatusConnected), mediaLost, anyMedia, CallStatusRecovering, "media that flowed is gone"},
	{at(CallStatusRecovering), mediaUp, anyMedia, CallStatusConnected, "and is back"},
}

// after is the state that the rule leads to.
func (r callRow) after(s callState) callState {
	if r.to != stays {
		s.status = r.to
	}
	switch r.event {
	case callAnswered:
		s.answered = true
	case mediaUp, mediaLost:
		s.media = r.event == mediaUp
	}
	return s
}

// everyCall visits all states that make sense and all events. Before its end a
// call is answered from connecting on, and connected when it has media as well.
func everyCall(visit func(callState, callEvent)) {
	for status := range callStatusNumber {
		for bits := range 4 {
			s := callState{status: status, answered: bits&1 != 0, media: bits&2 != 0}
			if !sensible(s) {
				continue
			}
			for e := range callEventsNumber {
				visit(s, e)
			}
		}
	}
}

func sensible(s callState) bool {
	if s.status.ended() {
		return true
	}
	return s.answered == slices.Contains(talking, s.status) &&
		(s.status == CallStatusConnected) == (s.answered && s.media)
}

func TestCallStateMachineIsItsTable(t *testing.T) {
	reached := make([]map[CallStatus]bool, len(callRules))
	everyCall(func(s callState, e callEvent) {
		want, found := s, -1
		for i, r := range callRules {
			if r.event != e || !slices.Contains(r.from, s.status) || !r.media.holds(s) {
				continue
			}
			if found >= 0 {
				t.Errorf("rules %q and %q both hold for %+v", callRules[found].rule, r.rule, s)
			}
			want, found = r.after(s), i
			if reached[i] == nil {
				reached[i] = map[CallStatus]bool{}
			}
			reached[i][s.status] = true
		}
		got, ok := nextCall(s, e)
		if got != want || ok != (found >= 0) {
			rule := "no rule, so nothing may happen"
			if found >= 0 {
				rule = callRules[found].rule
			}
			t.Errorf("%v (answered %t, media %t) on %q: %+v, %t; want %+v: %s", s.status, s.answered, s.media, e, got, ok, want, rule)
		}
	})
	for i, r := range callRules {
		if len(reached[i]) != len(r.from) {
			t.Errorf("rule %q was reached in %v, want each of %v", r.rule, reached[i], r.from)
		}
	}
}

// TestCallReachesAllStatesThatMakeSense and no others, from the only beginning.
func TestCallReachesAllStatesThatMakeSense(t *testing.T) {
	seen := map[callState]bool{{}: true}
	for queue := []callState{{}}; len(queue) > 0; queue = queue[1:] {
		for e := range callEventsNumber {
			next, _ := nextCall(queue[0], e)
			if !sensible(next) {
				t.Fatalf("%+v on %q is %+v", queue[0], e, next)
			}
			if !seen[next] {
				seen[next] = true
				queue = append(queue, next)
			}
		}
	}
	everyCall(func(s callState, _ callEvent) {
		if !seen[s] {
			t.Errorf("nothing leads to %+v", s)
		}
	})
}

func TestCallNeverGoesBackButToRecover(t *testing.T) {
	everyCall(func(s callState, e callEvent) {
		next, _ := nextCall(s, e)
		if next.status < s.status && (s.status != CallStatusRecovering || next.status != CallStatusConnected) {
			t.Errorf("%v on %q goes back to %v", s.status, e, next.status)
		}
	})
}

func TestCallThatIsOverOnlyGetsReleased(t *testing.T) {
	everyCall(func(s callState, e callEvent) {
		if s.status < CallStatusDisconnected {
			return
		}
		next, ok := nextCall(s, e)
		switch {
		case s.status == CallStatusDestroyed && (ok || next != s):
			t.Errorf("a destroyed call on %q: %+v, %t", e, next, ok)
		case ok != (e == callReleased && s.status != CallStatusDestroyed):
			t.Errorf("%v on %q: %v", s.status, e, next.status)
		}
	})
}

func TestCallConnectsWhenAnsweredAndMediaUpInEitherOrder(t *testing.T) {
	for _, order := range [][]callEvent{
		{inviteAccepted, callAnswered, mediaUp},
		{inviteAccepted, mediaUp, callAnswered},
		{inviteAccepted, earlyMedia, mediaUp, callAnswered},
		{earlyMedia, callAnswered, inviteAccepted, mediaUp}, // the invite's answer was overtaken
		{inviteReceived, mediaUp, callAnswered},
		{inviteReceived, callAnswered, mediaUp, mediaLost, mediaUp},
	} {
		var s callState
		for i, e := range order {
			if s.status == CallStatusConnected && e != mediaLost {
				t.Errorf("%v: connected before %q", order, e)
			}
			s, _ = nextCall(s, e)
			if last := i == len(order)-1; last && s.status != CallStatusConnected {
				t.Errorf("%v ends %v", order, s.status)
			}
		}
	}
}

func TestCallStatusesAndEventsHaveNames(t *testing.T) {
	names := map[string]bool{}
	for s := range callStatusNumber {
		names[s.String()] = true
		if ended := s.ended(); ended != slices.Contains(at(CallStatusDisconnecting, CallStatusDisconnected, CallStatusFailed, CallStatusDestroyed), s) {
			t.Errorf("%v: ended %t", s, ended)
		}
	}
	events := map[string]bool{}
	for e := range callEventsNumber {
		events[e.String()] = true
	}
	if len(names) != int(callStatusNumber) || len(events) != int(callEventsNumber) || names[""] || events[""] {
		t.Errorf("statuses %v, events %v", names, events)
	}
}
