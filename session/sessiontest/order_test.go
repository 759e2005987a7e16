package sessiontest_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/callrx/callrx/session/sessiontest"
)

// runs are written as "sequence type room" for each event; the room is the whole
// payload but for events that begin with call., which name the call as well.
var runs = []struct {
	name string
	text string
	late bool
	rule int // 0: in order
	at   int
}{
	{"nothing", "", false, 0, 0},
	{"a usual run", "1 call.state -;3 call.joined r;4 member.joined r;9 layout.changed r;10 call.left r;12 call.state r", false, 0, 0},
	{"a room in a room", "1 call.joined r;2 call.joined s;3 member.left r;4 member.talking s;5 call.left s;6 member.talking r", false, 0, 0},
	{"early events after their join", "5 call.joined r;2 member.joined r;4 member.talking r;6 member.left r", false, 0, 0},
	{"a snapshot again", "1 call.joined r;2 member.left r;3 call.joined r;4 member.left r", false, 0, 0},
	{"left and joined again", "1 call.joined r;2 call.left r;3 call.joined r;4 member.left r", false, 0, 0},
	{"a late observer", "7 member.joined r;8 member.left r", true, 0, 0},
	{"an event of no room", "1 call.joined r;2 whatever -", false, 0, 0},
	{"back in time", "1 call.joined r;3 member.joined r;2 member.left r", false, 2, 2},
	{"early events of another room", "1 call.joined r;5 call.joined s;4 member.left r", false, 2, 2},
	{"early events out of order", "5 call.joined r;4 member.joined r;3 member.left r", false, 2, 2},
	{"early events too late", "5 call.joined r;6 member.joined r;3 member.left r", false, 2, 2},
	{"twice", "1 call.joined r;2 member.joined r;2 member.joined r", false, 3, 2},
	{"before joining", "1 member.joined r;2 call.joined r", false, 5, 0},
	{"after leaving", "1 call.joined r;2 call.left r;3 member.joined r", false, 5, 2},
	{"after leaving, late", "7 member.joined r;8 call.left r;9 layout.changed r", true, 5, 2},
	{"the first break counts", "1 call.joined r;3 member.joined r;2 member.left r;2 member.left r", false, 2, 2},
}

func TestCallOrderNamesTheFirstBreak(t *testing.T) {
	for _, r := range runs {
		t.Run(r.name, func(t *testing.T) {
			o := &sessiontest.CallOrder{Late: r.late}
			each(r.text, o.Saw)
			check(t, o.Err(), r.rule, r.at)
			if want := strings.Count(r.text, ";") + 1; r.rule == 0 && r.text != "" && o.Count() != want {
				t.Errorf("%d events counted, want %d", o.Count(), want)
			}
		})
	}
}

func TestSessionOrderWantsEveryNumber(t *testing.T) {
	for text, want := range map[string][2]int{
		"":                      {0, 0},
		"7 a -;8 b -;9 c -":     {0, 0}, // an observer may come late
		"1 a -;3 b -":           {1, 1},
		"1 a -;2 b -;2 c -":     {1, 2},
		"5 a -;4 b -;9 c -":     {1, 1},
		"1 a -;2 b -;1 a -;9 b": {1, 2},
	} {
		var o sessiontest.SessionOrder
		each(text, o.Saw)
		check(t, o.Err(), want[0], want[1])
	}
}

// Runs of rule 4: what the getters say of m when the observer gets each event.
func TestStateOrderNamesTheEventThatGettersDidNotKnow(t *testing.T) {
	gone, muted, open := map[string]any(nil), map[string]any{"audio_muted": true}, map[string]any{"audio_muted": false}
	type step struct {
		event string
		told  map[string]any
		read  map[string]any
	}
	joined := step{"call.joined", nil, gone}
	for name, c := range map[string]struct {
		steps []step
		at    int // 0: in order
	}{
		"in step":                   {[]step{joined, {"member.joined", open, open}, {"member.updated", muted, muted}, {"member.left", nil, gone}}, 0},
		"ahead":                     {[]step{joined, {"member.joined", open, muted}, {"member.updated", muted, muted}}, 0},
		"ahead, and gone":           {[]step{joined, {"member.joined", open, gone}, {"member.left", nil, gone}}, 0},
		"ahead, and back":           {[]step{joined, {"member.left", nil, open}, {"member.joined", open, open}}, 0},
		"a snapshot says so":        {[]step{joined, {"member.joined", open, gone}, joined}, 0},
		"talking of nobody":         {[]step{joined, {"member.talking", muted, gone}}, 0},
		"behind":                    {[]step{joined, {"member.joined", open, open}, {"member.updated", muted, open}}, 2},
		"behind with who comes":     {[]step{joined, {"member.joined", open, gone}}, 1},
		"behind with who goes":      {[]step{joined, {"member.joined", open, open}, {"member.left", nil, open}}, 2},
		"ahead of nothing":          {[]step{joined, {"member.joined", open, muted}, {"member.updated", open, open}}, 1},
		"the first of two is named": {[]step{joined, {"member.joined", open, muted}, {"member.updated", open, muted}}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			var read map[string]any
			o := &sessiontest.StateOrder{Read: func(string) map[string]any { return read }}
			for i, s := range c.steps {
				member := map[string]any{"member_id": "m"}
				maps.Copy(member, s.told)
				payload, _ := json.Marshal(map[string]any{"room_session_id": "r", "member": member})
				read = s.read
				o.Saw(uint64(i+1), s.event, payload)
			}
			rule := 4
			if c.at == 0 {
				rule = 0
			}
			check(t, o.Err(), rule, c.at)
		})
	}
}

func TestListOrderNamesTheListThatIsTooEarlyOrTooLate(t *testing.T) {
	type list = []sessiontest.ListedMember
	ann, bob := sessiontest.ListedMember{ID: "ann", Known: true, Listed: true}, sessiontest.ListedMember{ID: "bob", Known: true, Listed: true}
	unknown, ended, gone := bob, bob, bob
	unknown.Known = false
	ended.Ended = true
	gone.Ended, gone.Listed = true, false
	for name, c := range map[string]struct {
		lists []list
		at    int // -1: in order
	}{
		"in order":                     {[]list{nil, {ann}, {ann, bob}, {ann, gone}, {ann}}, -1},
		"told of before it is known":   {[]list{{ann}, {ann, unknown}}, 1},
		"ended before it is taken out": {[]list{{ann, bob}, {ann, bob}, {ended}}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			var o sessiontest.ListOrder
			for _, l := range c.lists {
				o.Saw(l)
			}
			rule := 6
			if c.at < 0 {
				rule = 0
			}
			check(t, o.Err(), rule, c.at)
		})
	}
}

func each(text string, saw func(uint64, string, json.RawMessage)) {
	for e := range strings.SplitSeq(text, ";") {
		var sequence uint64
		var eventType, room string
		if n, _ := fmt.Sscan(e, &sequence, &eventType, &room); n == 0 {
			continue
		}
		body := map[string]string{"room_session_id": strings.TrimPrefix(room, "-")}
		if strings.HasPrefix(eventType, "call.") {
			body["call_id"] = "c"
		}
		payload, _ := json.Marshal(body)
		saw(sequence, eventType, payload)
	}
}

func check(t *testing.T, err error, rule, at int) {
	t.Helper()
	var broken *sessiontest.OrderError
	switch {
	case rule == 0 && err != nil:
		t.Errorf("in order, but: %v", err)
	case rule != 0 && (!errors.As(err, &broken) || broken.Rule != rule || broken.Index != at):
		t.Errorf("want rule %d broken by event %d, got %v", rule, at, err)
	case rule != 0 && !strings.Contains(err.Error(), fmt.Sprintf("order rule %d: event %d (", rule, at)):
		t.Errorf("it says %q", err)
	}
}
