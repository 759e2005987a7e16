package session_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
	"github.com/google/go-cmp/cmp"
)

func newTone(t testing.TB, hz, dBFS float64) media.Source {
	t.Helper()
	tone, err := media.NewTone(hz, dBFS)
	if err != nil {
		t.Fatal(err)
	}
	return tone
}

func newListener(t testing.TB) *media.Listener {
	t.Helper()
	l, err := media.NewListener(16000, 1)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// audioAt is what the gateway has counted of a call's audio.
func audioAt(srv *sessiontest.Server, k *session.Call) sessiontest.SectionInfo {
	info, _ := srv.Call(k.ID())
	return info.Section("audio")
}

// TestHoldStopsMediaBothWays: for the side that holds; the other one sends on,
// and is not heard.
func TestHoldStopsMediaBothWays(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		heard := newListener(t)
		ann, _, out, in := b.call(t, "/private/bob",
			session.MediaOptions{AudioSource: newTone(t, 440, -12), AudioSink: heard},
			session.MediaOptions{AudioSource: newTone(t, 500, -12)})
		pass(time.Second)
		if level := heard.Level(); level < -20 {
			t.Fatalf("before hold ann hears %.1f dBFS", level)
		}
		for range 2 { // holding what is held changes nothing
			if err := out.Hold(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if info, _ := b.srv.Call(out.ID()); !out.Held() || in.Held() || !info.Held {
			t.Errorf("held: %t, at the far end %t, at the gateway %+v", out.Held(), in.Held(), info)
		}
		pass(time.Second) // what was under way has arrived
		before, packets, far := audioAt(b.srv, out), out.Stats().Audio, in.Stats().Audio
		pass(2 * time.Second)
		after := audioAt(b.srv, out)
		if after.PacketsIn != before.PacketsIn || after.PacketsOut != before.PacketsOut {
			t.Errorf("media on hold: %+v, then %+v", before, after)
		}
		if now := out.Stats().Audio; now.PacketsReceived != packets.PacketsReceived || now.PacketsSent != packets.PacketsSent {
			t.Errorf("media on hold: %+v, then %+v", packets, now)
		}
		if now := in.Stats().Audio; now.PacketsReceived != far.PacketsReceived || now.PacketsSent == far.PacketsSent {
			t.Errorf("at the far end: %+v, then %+v", far, now)
		}
		if level := heard.Level(); level > -60 {
			t.Errorf("on hold ann hears %.1f dBFS", level)
		}
		if out.Status() != session.CallStatusConnected {
			t.Errorf("on hold the call is %v", out.Status())
		}
		if err := out.Unhold(t.Context()); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		if level := heard.Level(); out.Held() || level < -20 || audioAt(b.srv, out).PacketsIn < after.PacketsIn+40 {
			t.Errorf("after hold: held %t, ann hears %.1f dBFS, gateway %+v", out.Held(), level, audioAt(b.srv, out))
		}
		b.over(t, ann, out)
	})
}

func TestHeldIsAStateStream(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		ann := b.client(t, "ann")
		k := connected(t, ann.Client, "/public/echo", ann.dialing(session.MediaOptions{}))
		var seen []bool
		done := make(chan struct{})
		held := k.ObserveHeld()
		go func() {
			defer close(done)
			for h := range held.Seq(t.Context()) {
				seen = append(seen, h)
			}
		}()
		pass(0)
		for _, change := range []bool{true, true, false, true} {
			var err error
			if change {
				err = k.Hold(t.Context())
			} else {
				err = k.Unhold(t.Context())
			}
			if err != nil {
				t.Error(err)
			}
			pass(0)
		}
		b.over(t, ann, k)
		<-done
		if diff := cmp.Diff([]bool{false, true, false, true}, seen); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// TestRefusedRequestLeavesTheCallAlone: the caller gets the error, and nobody
// else does; audio goes on. So it is when the service does not answer.
func TestRefusedRequestLeavesTheCallAlone(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		ann := b.client(t, "ann")
		k := connected(t, ann.Client, "/public/echo", ann.dialing(session.MediaOptions{}))
		h := watch(k)
		failures := k.ObserveErrors()
		for _, tc := range []struct {
			name, verto string
			do          func() error
		}{
			{"hold", "verto.modify", func() error { return k.Hold(t.Context()) }},
			{"unhold", "verto.modify", func() error { return k.Unhold(t.Context()) }},
			{"transfer", "verto.modify", func() error { return k.Transfer(t.Context(), "/private/bob") }},
			{"digits", "verto.info", func() error { return k.SendDigits(t.Context(), "1") }},
			{"subscribe", "verto.subscribe", func() error { _, err := k.Subscribe(t.Context(), "user_event"); return err }},
			{"directions", "verto.modify", func() error { return k.SetDirections(t.Context(), media.Directions{Audio: media.SendOnly}) }},
			{"screen", "verto.invite", func() error {
				_, err := k.ShareScreen(t.Context(), media.NewTestPattern(), ann.media(session.MediaOptions{}))
				return err
			}},
			{"camera", "verto.invite", func() error {
				_, err := k.AddVideo(t.Context(), media.NewTestPattern(), ann.media(session.MediaOptions{}))
				return err
			}},
		} {
			for _, kind := range []sessiontest.FaultKind{sessiontest.FaultVertoError, sessiontest.FaultRPCError, sessiontest.FaultRPCSilent} {
				b.srv.Inject(sessiontest.Fault{
					Match:  sessiontest.Match{Verto: tc.verto},
					Action: sessiontest.Action{Kind: kind, Code: -32603, Message: "NOT NOW"},
				})
				var refused *errs.JSONRPCError
				var silent *errs.RPCTimeoutError
				switch err := tc.do(); {
				case kind == sessiontest.FaultRPCSilent && errors.As(err, &silent) && silent.Method == "webrtc.verto":
				case errors.As(err, &refused) && refused.Code == -32603 && refused.Message == "NOT NOW":
				default:
					t.Errorf("%s, %s: %v", tc.name, kind, err)
				}
			}
		}
		if byes := b.srv.Journal().Filter(received("verto.bye")); len(byes) != 2 { // only if the service may have taken it
			t.Errorf("%d byes for screens and cameras that were refused", len(byes))
		}
		// the service's own refusal: there is nobody to transfer
		var refused *errs.JSONRPCError
		if err := k.Transfer(t.Context(), "/private/bob"); !errors.As(err, &refused) {
			t.Errorf("transfer of an echo: %v", err)
		}
		if k.Held() || k.Directions().Audio != media.SendRecv {
			t.Errorf("held %t, directions %v", k.Held(), k.Directions())
		}
		before := k.Stats().Audio.PacketsReceived
		pass(time.Second)
		if k.Status() != session.CallStatusConnected || k.Stats().Audio.PacketsReceived < before+40 {
			t.Errorf("afterwards the call is %v with %+v", k.Status(), k.Stats().Audio)
		}
		b.over(t, ann, k)
		if seen := h.all(t); slices.Contains(seen, session.CallStatusFailed) {
			t.Errorf("statuses %v", seen)
		}
		for err := range failures.Seq(t.Context()) {
			t.Errorf("on the error stream: %v", err)
		}
	})
}

// TestTransferConnectsTheFarEndElsewhere and ends the call that asked for it.
func TestTransferConnectsTheFarEndElsewhere(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		heard := newListener(t)
		ann, bob, out, in := b.call(t, "/private/bob", session.MediaOptions{}, session.MediaOptions{AudioSink: heard})
		if err := out.Transfer(t.Context(), ""); !errors.As(err, new(*errs.InvalidParamsError)) {
			t.Errorf("transfer to nowhere: %v", err)
		}
		if err := out.Transfer(t.Context(), "/public/tone"); err != nil {
			t.Fatal(err)
		}
		wantEnd(t, out, errs.EndedByRemote, errs.CauseNormalClearing)
		pass(2 * time.Second)
		if level := heard.Level(); in.Status() != session.CallStatusConnected || level < -20 {
			t.Errorf("bob's call is %v and he hears %.1f dBFS", in.Status(), level)
		}
		if len(ann.Calls()) != 0 {
			t.Errorf("ann has %v", ann.Calls())
		}
		b.over(t, bob, in)
	})
}

func TestEndedCallRefusesEverything(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		ann := b.client(t, "ann")
		k := connected(t, ann.Client, "/public/echo", ann.dialing(session.MediaOptions{}))
		b.over(t, ann, k)
		for name, do := range map[string]func() error{
			"Hold":     func() error { return k.Hold(t.Context()) },
			"Unhold":   func() error { return k.Unhold(t.Context()) },
			"Transfer": func() error { return k.Transfer(t.Context(), "/private/bob") },
			"digits":   func() error { return k.SendDigits(t.Context(), "1") },
			"Execute":  func() error { return k.Execute(t.Context(), "call.mute", nil, nil) },
			"events":   func() error { _, err := k.Subscribe(t.Context(), "user_event"); return err },
			"Answer":   func() error { return k.Answer(t.Context(), session.MediaOptions{}) },
			"Reject":   func() error { return k.Reject(t.Context()) },
		} {
			var wrong *errs.InvalidStateTransitionError
			if err := do(); !errors.As(err, &wrong) || wrong.From != "destroyed" {
				t.Errorf("%s of a call that is over: %v", name, err)
			}
		}
	})
}
