package session_test

import (
	"testing"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/observable"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// A pair is a call from ann to bob, and what belongs to it.
type pair struct {
	b        *callBubble
	ann, bob lineOf
	out, in  *session.Call
	other    lineOf // another phone of bob's
	ring     observable.Of[*session.Call]
}

// An inboundEnding is a way for a call between two to end, and how that looks at
// the called and at the calling end.
type inboundEnding struct {
	name     string
	answered bool // by bob
	twice    bool // bob has two phones that ring
	options  session.Options
	end      func(*testing.T, pair)
	in, out  outcome
}

// farEnd is what one end hears of what the other did.
func farEnd(cause string, code int, fatal errs.CallErrorKind) outcome {
	return outcome{by: errs.EndedByRemote, cause: cause, code: code, fatal: fatal, status: session.CallStatusDisconnected}
}

// again is the outcome when calling again may help.
func (o outcome) again() outcome { o.retry = true; return o }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

const cleared = errs.CauseNormalClearing

var inboundEndings = []inboundEnding{
	{
		name: "rejected", end: func(t *testing.T, p pair) { must(t, p.in.Reject(t.Context())) },
		in: local("USER_BUSY", errs.CauseUserBusy, ""), out: farEnd("USER_BUSY", errs.CauseUserBusy, errs.CallErrorRejected).again(),
	}, {
		name: "hung up by the callee before the answer", end: func(t *testing.T, p pair) { must(t, p.in.Hangup(t.Context())) },
		in: local("NORMAL_CLEARING", cleared, ""), out: farEnd("CALL_REJECTED", errs.CauseCallRejected, errs.CallErrorRejected),
	}, {
		name: "cancelled by the caller", end: func(t *testing.T, p pair) { must(t, p.out.Hangup(t.Context())) },
		in: farEnd("ORIGINATOR_CANCEL", errs.CauseOriginatorCancel, ""), out: local("NORMAL_CLEARING", cleared, ""),
	}, {
		name: "answered by nobody", end: func(*testing.T, pair) { pass(time.Minute) },
		in: farEnd("NO_ANSWER", errs.CauseNoAnswer, "").again(), out: farEnd("NO_ANSWER", errs.CauseNoAnswer, errs.CallErrorRejected).again(),
	}, {
		name: "rung for as long as bob allows", options: session.Options{RingTimeout: 20 * time.Second}, end: func(t *testing.T, p pair) {
			if pass(19 * time.Second); p.in.Status() != session.CallStatusRinging {
				t.Errorf("too soon the call is %v", p.in.Status())
			}
			pass(time.Second)
		},
		in: local("NO_ANSWER", errs.CauseNoAnswer, "").again(), out: farEnd("NO_ANSWER", errs.CauseNoAnswer, errs.CallErrorRejected).again(),
	}, {
		name: "answered elsewhere", twice: true, end: func(t *testing.T, p pair) {
			must(t, next(t, p.ring).Answer(t.Context(), p.other.media(session.MediaOptions{})))
			awaitStatus(t, p.out, session.CallStatusConnected)
			must(t, p.out.Hangup(t.Context()))
		},
		in: farEnd("LOSE_RACE", errs.CauseAnsweredElsewhere, ""), out: local("NORMAL_CLEARING", cleared, ""),
	}, {
		name: "ended by the service while it rings", end: func(_ *testing.T, p pair) { p.b.srv.HangupCall(p.in.ID(), "REJECT_ALL", 0) },
		in: farEnd("REJECT_ALL", errs.CauseRejectedEverywhere, ""), out: farEnd("REJECT_ALL", errs.CauseRejectedEverywhere, errs.CallErrorRejected),
	}, {
		name: "closed before the answer", end: func(_ *testing.T, p pair) { _ = p.bob.Close() },
		in: local("closed", 0, ""), out: farEnd("CALL_REJECTED", errs.CauseCallRejected, errs.CallErrorRejected),
	}, {
		name: "disconnected before the answer", end: func(t *testing.T, p pair) { must(t, p.bob.Disconnect(t.Context())) },
		in: local("disconnected", 0, ""), out: farEnd("CALL_REJECTED", errs.CauseCallRejected, errs.CallErrorRejected),
	}, {
		name: "hung up by the callee", answered: true, end: func(t *testing.T, p pair) { must(t, p.in.Hangup(t.Context())) },
		in: local("NORMAL_CLEARING", cleared, ""), out: farEnd("NORMAL_CLEARING", cleared, ""),
	}, {
		name: "hung up by the caller", answered: true, end: func(t *testing.T, p pair) { must(t, p.out.Hangup(t.Context())) },
		in: farEnd("NORMAL_CLEARING", cleared, ""), out: local("NORMAL_CLEARING", cleared, ""),
	}, {
		name: "hung up by the caller while the callee holds", answered: true, end: func(t *testing.T, p pair) {
			must(t, p.in.Hold(t.Context()))
			must(t, p.out.Hangup(t.Context()))
		},
		in: farEnd("NORMAL_CLEARING", cleared, ""), out: local("NORMAL_CLEARING", cleared, ""),
	}, {
		name: "closed by the callee", answered: true, end: func(_ *testing.T, p pair) { _ = p.bob.Close() },
		in: local("closed", 0, ""), out: farEnd("NORMAL_CLEARING", cleared, ""),
	},
}

// TestEveryEndOfACallBetweenTwo looks the same from both ends: who, why and
// whether calling again may help.
func TestEveryEndOfACallBetweenTwo(t *testing.T) {
	for _, e := range inboundEndings {
		t.Run(e.name, func(t *testing.T) {
			inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
				p := pair{b: b, ann: b.client(t, "ann"), bob: b.open(t, "bob", e.options)}
				incoming := p.bob.ObserveIncoming()
				if e.twice {
					p.other = b.client(t, "bob")
					p.ring = p.other.ObserveIncoming()
				}
				p.out = mustDial(t, p.ann.Client, "/private/bob", p.ann.dialing(session.MediaOptions{}))
				p.in = next(t, incoming)
				if e.answered {
					must(t, p.in.Answer(t.Context(), p.bob.media(session.MediaOptions{})))
					awaitStatus(t, p.in, session.CallStatusConnected)
					awaitStatus(t, p.out, session.CallStatusConnected)
				}
				in, out := watch(p.in), watch(p.out)
				e.end(t, p)
				wantOutcome(t, p.in, e.in)
				wantOutcome(t, p.out, e.out)
				forward(t, in.all(t))
				forward(t, out.all(t))
				wantOver(t, b.srv, p.ann.Client, p.out)
				wantOver(t, b.srv, p.bob.Client, p.in)
				wantDecided(t, p.in)
				for k, want := range map[*session.Call]int{p.in: e.in.byes, p.out: e.out.byes} {
					if byes := b.srv.Journal().Call(k.ID()).Filter(received("verto.bye")); len(byes) != want {
						t.Errorf("%d byes of the %s call, want %d", len(byes), k.Direction(), want)
					}
				}
			})
		})
	}
}
