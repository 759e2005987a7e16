package session_test

import (
	"errors"
	"testing"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// replaceSession has the service refuse to resume a session, so that the client
// opens another, and waits until it has.
func replaceSession(t *testing.T, srv *sessiontest.Server, c *session.Client, who string) {
	t.Helper()
	srv.Inject(sessiontest.Fault{
		Match:  sessiontest.Match{RPC: rpcConnect},
		Action: sessiontest.Action{Kind: sessiontest.FaultRPCError, Code: -32003},
	})
	before := len(srv.Sessions())
	srv.Drop(who)
	eventually(t, "the client has another session", func() bool { return len(srv.Sessions()) == before+1 })
	if _, err := c.ObserveStatus().Wait(t.Context(), func(s session.Status) bool { return s == session.StatusOnline }); err != nil {
		t.Fatal(err)
	}
}

// reinvites are the invites by which a call was attached again.
func reinvites(srv *sessiontest.Server, k *session.Call) int {
	return len(srv.Journal().Call(k.ID()).Verto("verto.invite"))
}

// TestCallsOutliveTheirSession on both sides of a call: the same handles, sources
// and sinks, and one recording as long as the call.
func TestCallsOutliveTheirSession(t *testing.T) {
	for _, side := range []string{"ann", "bob"} {
		t.Run(side, func(t *testing.T) {
			inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
				file := t.TempDir() + "/heard.wav"
				annHears := newListener(t)
				ann, bob, out, in := b.call(t, "/private/bob",
					session.MediaOptions{AudioSource: newTone(t, 440, -12), AudioSink: annHears},
					session.MediaOptions{AudioSource: newTone(t, 520, -24), AudioSink: recorder(t, file)})
				began, id := time.Now(), in.ID()
				h := watch(map[string]*session.Call{"ann": out, "bob": in}[side])
				pass(3 * time.Second)
				before := in.Stats().Audio
				line := map[string]lineOf{"ann": ann, "bob": bob}[side]
				replaceSession(t, b.srv, line.Client, side)
				for _, k := range []*session.Call{out, in} {
					awaitStatus(t, k, session.CallStatusConnected)
				}
				pass(5 * time.Second)
				wantTone(t, "ann", annHears, 520, -24)
				if now := in.Stats().Audio; now.PacketsReceived < before.PacketsReceived+150 || now.PacketsSent < before.PacketsSent+200 {
					t.Errorf("bob's figures %+v, before %+v", now, before)
				}
				if in.ID() != id || in.Direction() != errs.DirectionInbound || len(bob.Calls()) != 1 || len(ann.Calls()) != 1 {
					t.Errorf("call %s, %v; ann has %d, bob %d", in.ID(), in.Direction(), len(ann.Calls()), len(bob.Calls()))
				}
				if err := out.SendDigits(t.Context(), "12"); err != nil {
					t.Error(err)
				}
				took := time.Since(began)
				b.over(t, ann, out)
				wantOver(t, b.srv, bob.Client, in)
				wantLength(t, "bob's recording", wavLength(t, file), took)
				wantStatuses(t, h.all(t), session.CallStatusConnected, session.CallStatusRecovering, session.CallStatusConnected)
			})
		})
	}
}

// wantStatuses checks how a history begins.
func wantStatuses(t *testing.T, seen []session.CallStatus, want ...session.CallStatus) {
	t.Helper()
	if len(seen) < len(want) {
		t.Fatalf("statuses %v, want %v first", seen, want)
	}
	for i := range want {
		if seen[i] != want[i] {
			t.Fatalf("statuses %v, want %v first", seen, want)
		}
	}
}

func TestCallOnHoldIsOnHoldAfterItsSession(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		bobHears := newListener(t)
		ann, _, out, in := b.call(t, "/private/bob",
			session.MediaOptions{AudioSource: newTone(t, 440, -12)}, session.MediaOptions{AudioSink: bobHears})
		if err := out.Hold(t.Context()); err != nil {
			t.Fatal(err)
		}
		replaceSession(t, b.srv, ann.Client, "ann")
		awaitStatus(t, out, session.CallStatusConnected)
		pass(time.Second)
		before := in.Stats().Audio.PacketsReceived
		pass(time.Second)
		if n := in.Stats().Audio.PacketsReceived - before; n > 5 || !out.Held() {
			t.Errorf("%d packets in a second; held: %v", n, out.Held())
		}
		if err := out.Unhold(t.Context()); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		wantTone(t, "bob", bobHears, 440, -12)
		b.over(t, ann, out)
	})
}

// TestCallThatCannotBeAttachedEnds: the service no longer has it, or never
// answers.
func TestCallThatCannotBeAttachedEnds(t *testing.T) {
	for name, tc := range map[string]struct {
		prepare func(b *callBubble, k *session.Call)
		invites int
		within  time.Duration
		is      func(error) bool
	}{
		"refused": {func(b *callBubble, _ *session.Call) {
			b.srv.Inject(sessiontest.Fault{
				Match:  sessiontest.Match{Verto: "verto.invite"},
				Action: sessiontest.Action{Kind: sessiontest.FaultVertoError, Code: -32002},
			})
		}, 2, time.Second, func(err error) bool { return errors.As(err, new(*errs.JSONRPCError)) }},
		"no answer": {func(b *callBubble, _ *session.Call) { unanswered(b.srv) },
			2, 11 * time.Second, func(err error) bool { return errors.As(err, new(*errs.AttachError)) }},
		"failing three times": {func(b *callBubble, _ *session.Call) {
			b.srv.Inject(sessiontest.Fault{
				Match: sessiontest.Match{Verto: "verto.invite"}, Times: -1,
				Action: sessiontest.Action{Kind: sessiontest.FaultRPCError, Code: -32603},
			})
		}, 4, 6 * time.Second, func(err error) bool { return errors.As(err, new(*errs.JSONRPCError)) }},
	} {
		t.Run(name, func(t *testing.T) {
			inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
				ann := b.client(t, "ann")
				k := connected(t, ann.Client, "/public/echo", ann.dialing(session.MediaOptions{}))
				failures := k.ObserveErrors()
				tc.prepare(b, k)
				replaceSession(t, b.srv, ann.Client, "ann")
				began := time.Now()
				<-k.Done()
				if took := time.Since(began); took > tc.within {
					t.Errorf("it took %v", took)
				}
				why := k.EndReason()
				var attach *errs.AttachError
				if why.By != errs.EndedByNetwork || !why.Retryable || !errors.As(why, &attach) || !tc.is(why) {
					t.Errorf("ended %#v: %v", why, why)
				}
				for err := range failures.Seq(t.Context()) {
					var fatal *errs.CallError
					if !errors.As(err, &fatal) || !fatal.Fatal || fatal.Kind != errs.CallErrorNetwork || !errors.Is(err, why) {
						t.Errorf("reported %v", err)
					}
				}
				if n := reinvites(b.srv, k); n != tc.invites {
					t.Errorf("%d invites, want %d", n, tc.invites)
				}
			})
		})
	}
}

func TestCallIsAttachedToTheNewestSession(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		ann, heard := b.client(t, "ann"), newListener(t)
		k := connected(t, ann.Client, "/public/tone", ann.dialing(session.MediaOptions{AudioSink: heard}))
		for range 3 {
			replaceSession(t, b.srv, ann.Client, "ann")
		}
		awaitStatus(t, k, session.CallStatusConnected)
		pass(time.Second)
		wantTone(t, "ann", heard, 440, -6)
		b.over(t, ann, k)
	})
}

// TestCallEndsWhileItIsAttached by its program or with its client.
func TestCallEndsWhileItIsAttached(t *testing.T) {
	for name, end := range map[string]func(*testing.T, *session.Client, *session.Call){
		"Hangup": func(t *testing.T, _ *session.Client, k *session.Call) {
			if err := k.Hangup(t.Context()); err != nil {
				t.Error(err)
			}
		},
		"Close": func(_ *testing.T, c *session.Client, _ *session.Call) { _ = c.Close() },
		"Disconnect": func(t *testing.T, c *session.Client, _ *session.Call) {
			if err := c.Disconnect(t.Context()); err != nil {
				t.Error(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
				ann := b.client(t, "ann")
				k := connected(t, ann.Client, "/public/echo", ann.dialing(session.MediaOptions{}))
				unanswered(b.srv)
				replaceSession(t, b.srv, ann.Client, "ann")
				journal(t, b.srv, func(e sessiontest.Entry) bool {
					return received("verto.invite")(e) && reinvites(b.srv, k) == 2
				})
				end(t, ann.Client, k)
				wantOver(t, b.srv, ann.Client, k)
				if why := k.EndReason(); why.By != errs.EndedByLocal || errors.As(why, new(*errs.AttachError)) {
					t.Errorf("ended %v", why)
				}
			})
		})
	}
}

// TestCallsThatWereNotTakenEndWithTheirSession: there is nothing to attach.
func TestCallsThatWereNotTakenEndWithTheirSession(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		ann, bob := b.client(t, "ann"), b.client(t, "bob")
		incoming := bob.ObserveIncoming()
		out := mustDial(t, ann.Client, "/private/bob", ann.dialing(session.MediaOptions{}))
		in := next(t, incoming)
		replaceSession(t, b.srv, bob.Client, "bob")
		<-in.Done()
		wantEnd(t, in, errs.EndedByNetwork, 0)
		if s := out.Status(); s.String() != "trying" && s.String() != "ringing" {
			t.Errorf("ann's call is %v", s)
		}
		b.over(t, ann, out)
	})
}

// pushAttach has the service offer to attach a call.
func pushAttach(t *testing.T, srv *sessiontest.Server, k *session.Call) {
	t.Helper()
	_, err := srv.SendEvent("ann", "webrtc.message", nil, map[string]any{
		"jsonrpc": "2.0", "id": 1, "method": "verto.attach", "params": map[string]any{
			"callID": k.ID(), "sdp": "v=0", "callee_id_number": "/public/echo", "display_direction": "outbound",
		},
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestServiceThatOffersToAttachAWellCallChangesNothing(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		ann := b.client(t, "ann")
		k := connected(t, ann.Client, "/public/echo", ann.dialing(session.MediaOptions{}))
		pushAttach(t, b.srv, k)
		pass(time.Second)
		if n := reinvites(b.srv, k); n != 1 || k.Status() != session.CallStatusConnected {
			t.Errorf("%d invites, call %v", n, k.Status())
		}
		b.over(t, ann, k)
	})
}

// TestServiceThatOffersToAttachIsTakenAtItsWord: the next try does not wait.
func TestServiceThatOffersToAttachIsTakenAtItsWord(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		ann := b.client(t, "ann")
		k := connected(t, ann.Client, "/public/echo", ann.dialing(session.MediaOptions{}))
		b.srv.Inject(sessiontest.Fault{
			Match:  sessiontest.Match{Verto: "verto.invite"},
			Action: sessiontest.Action{Kind: sessiontest.FaultRPCError, Code: -32603},
		})
		replaceSession(t, b.srv, ann.Client, "ann")
		eventually(t, "the first try has failed", func() bool { return reinvites(b.srv, k) == 2 })
		began := time.Now()
		pushAttach(t, b.srv, k)
		awaitStatus(t, k, session.CallStatusConnected)
		if took := time.Since(began); took > time.Second {
			t.Errorf("it took %v", took)
		}
		b.over(t, ann, k)
	})
}
