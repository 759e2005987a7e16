package session_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
	"github.com/google/go-cmp/cmp"
)

// W25, and 2 of B3: the Browser SDK takes an event for what its fields look like, and
// delivers no layout event at all.
func TestAnEventIsWhatItsTypeSays(t *testing.T) {
	inTestRoom(t, func(r *roomRig) {
		layouts, joins := keep(r.k.ObserveLayoutUpdates(), func(e *session.LayoutEvent) string { return e.Layout }), r.k.ObserveCallJoined()
		types := keep(r.k.ObserveEvents(), func(e *session.Event) string { return e.Type })
		joined := keep(joins, func(e *session.RoomEvent) string { return e.RoomSessionID })
		r.tell("layout.changed", layoutOf("6x6", "m-ann"))
		r.tell("room.painted", layoutOf("1x1", "m-bob"))
		looksLikeAJoin := joinedRoom("rs-1", member("m-eve", "c-eve"))
		r.tell("call.inspected", looksLikeAJoin)
		if r.k.Layout() != "6x6" || idsOf(r.k.Participants()) != "m-ann m-bob" {
			t.Errorf("the layout is %s, in the room are %s", r.k.Layout(), idsOf(r.k.Participants()))
		}
		for what, c := range map[string][2][]string{
			"layouts": {{"6x6"}, layouts.so()},
			"joins":   {nil, joined.so()},
			"types":   {{"layout.changed", "room.painted", "call.inspected"}, types.so()},
		} {
			if diff := cmp.Diff(c[0], c[1]); diff != "" {
				t.Errorf("%s (-want +got):\n%s", what, diff)
			}
		}
	})
}

// W45, and 22 of B3: the Browser SDK believes that a call is held because it has asked.
func TestWhetherACallIsHeldIsForTheServiceToSay(t *testing.T) {
	inTestRoom(t, func(r *roomRig) {
		held := keep(r.k.ObserveHeld(), printed)
		for _, state := range []string{"active", "held"} {
			r.answering(func(method string, _ map[string]any) string {
				if method != "webrtc.verto" {
					return ""
				}
				return `"result":{"code":"200","result":{"jsonrpc":"2.0","id":"v","result":{"action":"hold","callID":"c-ann","holdState":"` + state + `"}}}`
			})
			if err := r.k.Hold(r.t.Context()); err != nil {
				t.Fatal(err)
			}
			if r.k.Held() != (state == "held") {
				t.Errorf("the service says %s, the call that it is held: %t", state, r.k.Held())
			}
		}
		if diff := cmp.Diff([]string{"false", "true"}, held.so()); diff != "" {
			t.Errorf("held (-want +got):\n%s", diff)
		}
	})
}

// filmed is a source of pictures that ends when the film does.
type filmed struct {
	media.Source
	over chan struct{}
}

func (f filmed) Send(ctx context.Context, out *media.Output) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		defer cancel()
		select {
		case <-f.over:
		case <-ctx.Done():
		}
	}()
	if err := f.Source.Send(ctx, out); ctx.Err() == nil {
		return err
	}
	return nil
}

// D27, W48, and 14 of B3: whoever stops sharing in the window that is shared goes on
// sharing a frozen picture in the Browser SDK; and for ever, if the service refuses the
// goodbye.
func TestAScreenWhoseSourceEndsIsNoLongerShared(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		ann, bob := b.client(t, "ann"), b.client(t, "bob")
		k := connected(t, ann.Client, "/public/stage", ann.dialing(session.MediaOptions{}))
		seen := connected(t, bob.Client, "/public/stage", bob.dialing(session.MediaOptions{}))
		self := selfOf(t, k)
		for i, end := range []func(filmed, *session.ExtraLeg) error{
			func(f filmed, _ *session.ExtraLeg) error { close(f.over); return nil },
			func(_ filmed, x *session.ExtraLeg) error {
				b.srv.Inject(sessiontest.Fault{
					Match:  sessiontest.Match{Verto: "verto.bye"},
					Action: sessiontest.Action{Kind: sessiontest.FaultVertoError, Code: -32603},
				})
				return x.Stop(t.Context())
			},
		} {
			film := filmed{media.NewTestPattern(), make(chan struct{})}
			x, err := self.StartScreenShare(t.Context(), film, ann.media(session.MediaOptions{}))
			if err != nil {
				t.Fatal(err)
			}
			pass(time.Second)
			if n := len(seen.Participants()); n != 3 {
				t.Fatalf("%d participants while it is shared", n)
			}
			if err := end(film, x); err != nil {
				t.Error(err)
			}
			<-x.Done()
			pass(time.Second)
			if s := self.ScreenShareStatus(); s != session.ScreenShareNone || x.Err() != nil {
				t.Errorf("the screen share is %s, %v", s, x.Err())
			}
			if n := len(seen.Participants()); i == 0 && n != 2 { // who is refused the goodbye may be seen for a while
				t.Errorf("bob sees %d participants", n)
			}
		}
		if err := seen.Hangup(t.Context()); err != nil {
			t.Error(err)
		}
		b.over(t, ann, k)
	})
}

// D22: the Browser SDK stops the microphone before it has another one, and says that
// all is well when there is none.
func TestAnInputThatCannotBeSentLeavesTheOneBefore(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		heard := newListener(t)
		ann, _, out, _ := b.call(t, "/private/bob",
			session.MediaOptions{AudioSource: newTone(t, 440, -12)}, session.MediaOptions{AudioSink: heard})
		pass(time.Second)
		var bad *errs.MediaTrackError
		if err := selfOf(t, out).AddAudioInputDevice(t.Context(), media.NewRTPSource(media.Opus)); !errors.As(err, &bad) {
			t.Errorf("Opus in a call of G.711: %v", err)
		}
		pass(time.Second)
		wantTone(t, "bob", heard, 440, -12)
		b.over(t, ann, out)
	})
}

// 20 of B3, D70: what is observed before there is media ends at once in the Browser SDK,
// and looking at it changes how audio is sent.
func TestMetersThatAreWatchedBeforeThereIsMediaComeAlive(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		ann, bob := b.client(t, "ann"), b.client(t, "bob")
		incoming := bob.ObserveIncoming()
		out := mustDial(t, ann.Client, "/private/bob", ann.dialing(session.MediaOptions{AudioSource: newTone(t, 440, -12)}))
		in := next(t, incoming)
		speaking, level, far := in.ObserveLocalSpeaking(), in.ObserveLocalAudioLevel(), in.ObserveRemoteAudioLevel()
		if in.LocalAudioLevel() != 0 || in.RemoteAudioLevel() != 0 || in.LocalSpeaking() || in.LocalMicrophoneGain() != 100 {
			t.Error("something is measured while it rings")
		}
		if err := in.Answer(t.Context(), bob.media(session.MediaOptions{AudioSource: newTone(t, 500, -12)})); err != nil {
			t.Fatal(err)
		}
		loud := func(v float64) bool { return v > 0.1 }
		_, err1 := speaking.Wait(t.Context(), func(s bool) bool { return s })
		_, err2 := level.Wait(t.Context(), loud)
		_, err3 := far.Wait(t.Context(), loud)
		if err := errors.Join(err1, err2, err3); err != nil {
			t.Error(err)
		}
		b.over(t, ann, out)
	})
}

// D77: whoever takes the camera away in the Browser SDK no longer sees the others.
func TestACameraThatIsSwitchedOffLeavesThePictureOfTheOthers(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		films := session.MediaOptions{VideoSource: media.NewTestPattern()}
		ann, _, out, in := b.call(t, "/private/bob", films, session.MediaOptions{VideoSource: media.NewTestPattern()})
		pass(time.Second)
		if err := out.SetDirections(t.Context(), media.Directions{Audio: media.SendRecv, Video: media.RecvOnly}); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		sees, seen := out.Stats().Video.PacketsReceived, in.Stats().Video.PacketsReceived
		pass(2 * time.Second)
		if out.Stats().Video.PacketsReceived < sees+10 || in.Stats().Video.PacketsReceived > seen {
			t.Errorf("ann received %d, then %d; bob %d, then %d", sees, out.Stats().Video.PacketsReceived, seen, in.Stats().Video.PacketsReceived)
		}
		b.over(t, ann, out)
	})
}
