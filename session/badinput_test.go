package session_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

const strangeEvent = `{"jsonrpc":"2.0","id":"e1","method":"signalwire.event","params":{"event_type":"never.heard.of","timestamp":1,"params":{"x":[1,2]}}}`

// What a service may send that it should not, and what becomes of it.
var badFrames = []struct {
	name   string
	frames []string
	stats  session.Stats // what is counted
	events int           // what is delivered
}{
	{"not JSON", []string{"hello"}, session.Stats{Malformed: 1}, 0},
	{"nothing", []string{"", " \n"}, session.Stats{Malformed: 2}, 0},
	{"half an object", []string{strangeEvent[:len(strangeEvent)/2], strangeEvent[:len(strangeEvent)-1], "{"}, session.Stats{Malformed: 3}, 0},
	{"more than one object", []string{strangeEvent + strangeEvent, "{} {}", "{}x"}, session.Stats{Malformed: 3}, 0},
	{"not UTF-8", []string{"\xff\xfe{}", "\x00"}, session.Stats{Malformed: 2}, 0},
	{"scalars", []string{"42", `"text"`, "null", "true", "-0.1e5"}, session.Stats{Ignored: 5}, 0},
	{"a batch", []string{"[]", "[" + strangeEvent + "]"}, session.Stats{Ignored: 2}, 0},
	{"numeric ids", []string{
		`{"jsonrpc":"2.0","id":7,"method":"signalwire.ping","params":{}}`, `{"jsonrpc":"2.0","id":7,"result":{}}`,
		`{"jsonrpc":"2.0","id":1e400,"result":{}}`, `{"jsonrpc":"2.0","id":{},"result":{}}`, `{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"x"}}`,
	}, session.Stats{Ignored: 5}, 0},
	{"no id", []string{`{"jsonrpc":"2.0","method":"signalwire.event","params":{"event_type":"x"}}`, `{"jsonrpc":"2.0","result":1}`}, session.Stats{Ignored: 2}, 0},
	{"another version", []string{`{"jsonrpc":"1.0","id":"a","result":1}`, `{"id":"a","result":1}`, `{}`}, session.Stats{Ignored: 3}, 0},
	{"answers nobody waits for", []string{
		`{"jsonrpc":"2.0","id":"nobody","result":{}}`, `{"jsonrpc":"2.0","id":"nobody","error":{"code":-32002,"message":"no"}}`, `{"jsonrpc":"2.0","id":"","result":{}}`,
	}, session.Stats{Ignored: 3}, 0},
	{"unknown requests", []string{
		`{"jsonrpc":"2.0","id":"r1","method":"signalwire.unheard"}`, `{"jsonrpc":"2.0","id":"r2","method":"signalwire.connect","params":{}}`,
		`{"jsonrpc":"2.0","id":"r3","method":""}`,
	}, session.Stats{Ignored: 3}, 0},
	{"events without a type", []string{
		`{"jsonrpc":"2.0","id":"r4","method":"signalwire.event"}`, `{"jsonrpc":"2.0","id":"r5","method":"signalwire.event","params":[]}`,
		`{"jsonrpc":"2.0","id":"r6","method":"signalwire.event","params":{"event_type":7}}`,
	}, session.Stats{Ignored: 3}, 0},
	{"an unknown event, twice", []string{strangeEvent, strangeEvent}, session.Stats{Duplicates: 1}, 1},
	{"an event for another session", []string{
		`{"jsonrpc":"2.0","id":"e2","method":"signalwire.event","params":{"event_type":"call.joined","event_channel":"signalwire_other","params":{}}}`,
	}, session.Stats{Stale: 1}, 0},
	{"events with odd members", []string{
		`{"jsonrpc":"2.0","id":"e3","method":"signalwire.event","params":{"event_type":"odd","timestamp":"soon","params":null}}`,
		`{"jsonrpc":"2.0","id":"e4","method":"signalwire.event","params":{"event_type":"odd","timestamp":{},"project_id":7,"params":"text"}}`,
		`{"jsonrpc":"2.0","id":"e5","method":"signalwire.event","params":{"event_type":"odd","event_type":"odder"}}`,
	}, session.Stats{}, 3},
}

func TestBadFramesAreCountedAndHarmNothing(t *testing.T) {
	for _, c := range badFrames {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, sessiontest.Options{}, func(r *rig) {
				t := r.t
				r.connect(session.StaticCredentials(r.sat(time.Hour, "")))
				events := r.events()
				for _, frame := range c.frames {
					r.srv.SendRaw("ann", []byte(frame))
				}
				synctest.Wait()
				if got := r.c.Stats(); got != c.stats {
					t.Errorf("counted %+v, want %+v", got, c.stats)
				}
				if got := len(events()); got != c.events {
					t.Errorf("delivered %d events, want %d", got, c.events)
				}
				parse := allErrors[*errs.MessageParseError](r)
				if len(parse) != int(c.stats.Malformed) || len(r.errors) != len(parse) {
					t.Errorf("reported %v, want %d parse errors", r.errors, c.stats.Malformed)
				}
				for _, e := range parse {
					var syntax *json.SyntaxError
					if !errors.As(e, &syntax) {
						t.Errorf("%v does not hold the syntax error", e)
					}
				}
				r.wantUnharmed()
			})
		})
	}
}

// events watches signalling events.
func (r *rig) events() func() []*session.Event {
	var mu sync.Mutex
	var seen []*session.Event
	r.c.ObserveSignalingEvents().Subscribe(context.Background(), func(e *session.Event) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, e)
	})
	return func() []*session.Event {
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		return seen
	}
}

// wantUnharmed checks that the session is the first one and answers.
func (r *rig) wantUnharmed() {
	r.t.Helper()
	r.wantOnline("after bad input")
	var refused *errs.JSONRPCError
	if err := r.c.Execute(r.t.Context(), "test.unknown", nil, nil); !errors.As(err, &refused) || refused.Code != errs.CodeMethodNotFound {
		r.t.Errorf("Execute = %v", err)
	}
	if n := len(r.srv.Journal().RPC(rpcConnect)); n != 1 {
		r.t.Errorf("%d connects, want the connection to survive", n)
	}
}

func TestFramesBeyondTheLimitAreSkipped(t *testing.T) {
	const size = 10 << 20
	large := []byte(`{"jsonrpc":"2.0","id":"big","method":"signalwire.event","params":{"event_type":"big","params":"` + strings.Repeat("x", size) + `"}}`)
	for name, c := range map[string]struct {
		limit int64
		fits  bool
	}{"standard limit": {0, false}, "a higher limit": {16 << 20, true}, "exactly the limit": {int64(len(large)), true}, "one byte less": {int64(len(large)) - 1, false}} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, sessiontest.Options{}, func(r *rig) {
				t := r.t
				r.opts.MaxFrame = c.limit
				r.connect(session.StaticCredentials(r.sat(time.Hour, "")))
				events := r.events()
				r.srv.SendRaw("ann", large)
				synctest.Wait()
				delivered := events()
				if (len(delivered) == 1) != c.fits || c.fits && len(delivered[0].Payload) != size+2 {
					t.Errorf("delivered %d events", len(delivered))
				}
				parse := allErrors[*errs.MessageParseError](r)
				if (len(parse) == 0) != c.fits || !c.fits && (parse[0].Size != len(large) || r.c.Stats().Malformed != 1) {
					t.Errorf("errors %v, stats %+v", parse, r.c.Stats())
				}
				r.wantUnharmed()
			})
		})
	}
}

func TestDeepNestingIsNoDanger(t *testing.T) {
	const depth = 1_000_000
	deep := append(bytes.Repeat([]byte("["), depth), bytes.Repeat([]byte("]"), depth)...)
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		t := r.t
		r.connect(session.StaticCredentials(r.sat(time.Hour, "")))
		for _, frame := range [][]byte{
			deep, deep[:depth], bytes.Repeat([]byte(`{"a":`), depth/2),
			[]byte(`{"jsonrpc":"2.0","id":"d1","method":"signalwire.ping","params":` + string(deep) + `}`),
			[]byte(`{"jsonrpc":"2.0","id":"d2","method":"signalwire.event","params":{"event_type":"signalwire.authorization.state","params":` + string(deep) + `}}`),
		} {
			r.srv.SendRaw("ann", frame)
		}
		synctest.Wait()
		if got := r.c.Stats(); got.Malformed < 2 {
			t.Errorf("counted %+v, want the unfinished frames at least", got)
		}
		r.wantUnharmed()
	})
}

func TestSpoiltAuthorizationStateIsReported(t *testing.T) {
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		t := r.t
		r.connect(session.StaticCredentials(r.sat(time.Hour, "")))
		events := r.events()
		for _, params := range []string{`null`, `7`, `[]`, `{"authorization_state":7}`, `{}`} {
			if _, err := r.srv.SendEvent("ann", "signalwire.authorization.state", nil, json.RawMessage(params)); err != nil {
				t.Fatal(err)
			}
		}
		if f := allErrors[*errs.AuthStateError](r); len(f) != 5 || len(r.errors) != 5 {
			t.Errorf("errors %v, want one for each", r.errors)
		}
		if n := len(events()); n != 0 {
			t.Errorf("%d of them were shown as events", n)
		}
		r.wantUnharmed()
		r.srv.Drop("ann")
		r.to(time.Minute)
		r.wantOnline("after a drop: the good state is still there")
		connects := r.srv.Journal().RPC(rpcConnect)
		if len(connects) != 2 || connects[1].Session != connects[0].Session {
			t.Errorf("connects %+v, want the session to be resumed", connects)
		}
	})
}

func TestStatsOutliveTheSession(t *testing.T) {
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		t := r.t
		r.open(session.StaticCredentials(r.sat(time.Hour, "")))
		if got := r.c.Stats(); got != (session.Stats{}) {
			t.Errorf("before: %+v", got)
		}
		r.mustConnect()
		r.srv.SendRaw("ann", []byte("42"))
		synctest.Wait()
		r.srv.Drop("ann")
		r.to(time.Second)
		r.srv.SendRaw("ann", []byte("43"))
		synctest.Wait()
		want := session.Stats{Ignored: 2}
		if got := r.c.Stats(); got != want {
			t.Errorf("after a reconnect: %+v", got)
		}
		_ = r.c.Disconnect(t.Context())
		if got := r.c.Stats(); got != want {
			t.Errorf("after the end: %+v", got)
		}
		r.mustConnect()
		if got := r.c.Stats(); got != (session.Stats{}) {
			t.Errorf("of the next session: %+v", got)
		}
	})
}
