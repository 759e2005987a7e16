package session_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
	"github.com/pion/webrtc/v4"
)

// wantDecided checks that it is too late to answer or reject.
func wantDecided(t *testing.T, in *session.Call) {
	t.Helper()
	status := in.Status().String()
	for name, err := range map[string]error{
		"answer": in.Answer(t.Context(), session.MediaOptions{}),
		"reject": in.Reject(t.Context()),
	} {
		var wrong *errs.InvalidStateTransitionError
		if !errors.As(err, &wrong) || wrong.From != status || wrong.To != name {
			t.Errorf("%s in %s: %v", name, status, err)
		}
	}
}

func TestAnswerIsOnceOnly(t *testing.T) {
	srv := sessiontest.NewServer(t)
	_, bob, out, in := callBob(t, srv, dialing(), onLoop(session.MediaOptions{}))
	wantDecided(t, in)
	if in.Status() != session.CallStatusConnected {
		t.Errorf("the call is %v", in.Status())
	}
	wantDecided(t, out) // and outbound calls are not for answering
	if err := in.Hangup(t.Context()); err != nil {
		t.Error(err)
	}
	wantEnd(t, out, errs.EndedByRemote, errs.CauseNormalClearing)
	wantOver(t, srv, bob, in)
}

// TestCallCanBeRejectedAsSoonAsItIsSeen, which is before ObserveIncoming shows it.
func TestCallCanBeRejectedAsSoonAsItIsSeen(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		ann, bob := b.client(t, "ann"), b.open(t, "bob", session.Options{RingTimeout: time.Minute})
		rejected := make(chan error, 1)
		go func() {
			calls, err := bob.ObserveCalls().Wait(context.Background(), func(calls []*session.Call) bool { return len(calls) > 0 })
			if err == nil {
				_, err = calls[0].ObserveStatus().Wait(context.Background(), func(s session.CallStatus) bool { return s == session.CallStatusRinging })
			}
			if err == nil {
				err = calls[0].Reject(context.Background())
			}
			rejected <- err
		}()
		out, err := ann.Dial(t.Context(), "/private/bob", ann.dialing(session.MediaOptions{}))
		if err := <-rejected; err != nil {
			t.Error(err)
		}
		if err != nil { // it was rejected before Dial had the service's word
			wantNoCall(t, err, errs.CallBusy)
			return
		}
		wantOver(t, b.srv, ann.Client, out)
	})
}

func TestAnswersAtOnceAreOneAnswer(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		ann, bob := b.client(t, "ann"), b.client(t, "bob")
		incoming := bob.ObserveIncoming()
		mustDial(t, ann.Client, "/private/bob", ann.dialing(session.MediaOptions{}))
		in := next(t, incoming)
		var answered, late int
		var mu sync.Mutex
		var all sync.WaitGroup
		for range 5 {
			all.Go(func() {
				err := in.Answer(t.Context(), bob.media(session.MediaOptions{}))
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					answered++
				case errors.As(err, new(*errs.InvalidStateTransitionError)):
					late++
				default:
					t.Error(err)
				}
			})
		}
		all.Wait()
		if answered != 1 || late != 4 {
			t.Errorf("%d answers, %d too late", answered, late)
		}
		awaitStatus(t, in, session.CallStatusConnected)
		b.over(t, bob, in)
	})
}

// A waitingSource is asked for its codecs before there is any media.
type waitingSource struct {
	media.Source
	wait func()
}

func (s waitingSource) Codecs() []string {
	s.wait()
	return s.Source.Codecs()
}

// TestCallCancelledWhileItIsAnswered: its media is released all the same, as far
// as it has come.
func TestCallCancelledWhileItIsAnswered(t *testing.T) {
	for name, waiting := range map[string]func(wait func()) session.MediaOptions{
		"before there is media": func(wait func()) session.MediaOptions {
			return onLoop(session.MediaOptions{AudioSource: waitingSource{media.NewSilence(), wait}})
		},
		"while candidates are gathered": func(wait func()) session.MediaOptions {
			return session.MediaOptions{SettingEngine: func(s *webrtc.SettingEngine) { loopbackMedia(s); wait() }}
		},
	} {
		t.Run(name, func(t *testing.T) {
			srv := sessiontest.NewServer(t)
			_, bob, out, in := ringBob(t, srv, dialing())
			answering, goOn := make(chan struct{}), make(chan struct{})
			var once sync.Once
			failed := make(chan error, 1)
			go func() {
				failed <- in.Answer(t.Context(), waiting(func() { once.Do(func() { close(answering); <-goOn }) }))
			}()
			<-answering
			if err := out.Hangup(t.Context()); err != nil {
				t.Error(err)
			}
			wantEnd(t, in, errs.EndedByRemote, errs.CauseOriginatorCancel)
			close(goOn)
			var ended *errs.CallEndedError
			if err := <-failed; !errors.As(err, &ended) || ended != in.EndReason() || ended.Code != errs.CauseOriginatorCancel {
				t.Errorf("Answer: %v", err)
			}
			wantOver(t, srv, bob, in)
			if answers := srv.Journal().Filter(received("verto.answer")); len(answers) != 0 {
				t.Errorf("it was answered all the same: %v", answers)
			}
		})
	}
}

func TestAnswerThatIsRefusedEndsTheCall(t *testing.T) {
	srv := sessiontest.NewServer(t)
	_, bob, out, in := ringBob(t, srv, dialing())
	h := watch(in)
	failures := in.ObserveErrors()
	srv.Inject(sessiontest.Fault{
		Match:  sessiontest.Match{Verto: "verto.answer"},
		Action: sessiontest.Action{Kind: sessiontest.FaultVertoError, Code: -32002, Message: "WRONG CALL STATE"},
	})
	var refused *errs.JSONRPCError
	if err := in.Answer(t.Context(), onLoop(session.MediaOptions{})); !errors.As(err, &refused) {
		t.Errorf("Answer: %v", err)
	}
	wantOver(t, srv, bob, in)
	if r := in.EndReason(); r.By != errs.EndedByRemote || !errors.As(r, &refused) {
		t.Errorf("the call ended %v", r)
	}
	var failure *errs.CallError
	if err := next(t, failures); !errors.As(err, &failure) || !failure.Fatal || failure.Kind != errs.CallErrorSignaling {
		t.Errorf("on the error stream: %v", err)
	}
	if seen := h.all(t); !slices.Contains(seen, session.CallStatusFailed) {
		t.Errorf("statuses %v", seen)
	}
	wantEnd(t, out, errs.EndedByRemote, errs.CauseCallRejected) // bob's client has told
}

// TestInviteThatMakesNoSense is reported, and no call.
func TestInviteThatMakesNoSense(t *testing.T) {
	srv := sessiontest.NewServer(t)
	_, bob, _, in := ringBob(t, srv, dialing())
	failures := bob.ObserveErrors()
	for _, params := range []map[string]any{{"callID": "x"}, {"sdp": "v=0"}, {}} {
		srv.SendVerto(in.ID(), "verto.invite", params)
		var invite *errs.InviteError
		if err := next(t, failures); !errors.As(err, &invite) {
			t.Errorf("invite %v: %v", params, err)
		}
	}
	if calls := bob.Calls(); len(calls) != 1 {
		t.Errorf("calls %v", calls)
	}
	_ = in.Reject(t.Context())
	wantOver(t, srv, bob, in)
}

// TestRingingCallHearsOnlyWhatConcernsIt: neither a second invite nor messages
// for the other direction change it.
func TestRingingCallHearsOnlyWhatConcernsIt(t *testing.T) {
	srv := sessiontest.NewServer(t)
	_, bob, _, in := ringBob(t, srv, dialing())
	h := watch(in)
	incoming := bob.ObserveIncoming()
	for _, m := range []string{"verto.invite", "verto.answer", "verto.media", "verto.display", "verto.punt"} {
		srv.SendVerto(in.ID(), m, map[string]any{"callID": in.ID(), "sdp": "v=0\r\n"})
	}
	srv.SendVerto(in.ID(), "verto.bye", map[string]any{"callID": "another"})
	srv.SendVerto(in.ID(), "verto.ping", map[string]any{"dialogParams": map[string]any{"callID": in.ID()}})
	journal(t, srv, received("verto.pong")) // the last one: all have been heard
	if in.Status() != session.CallStatusRinging || len(bob.Calls()) != 1 {
		t.Errorf("the call is %v, there are %v", in.Status(), bob.Calls())
	}
	if err := in.Answer(t.Context(), onLoop(session.MediaOptions{})); err != nil {
		t.Fatal(err)
	}
	awaitStatus(t, in, session.CallStatusConnected)
	if err := in.Hangup(t.Context()); err != nil {
		t.Error(err)
	}
	wantOver(t, srv, bob, in)
	forward(t, h.all(t))
	_ = bob.Close()
	for k := range incoming.Seq(t.Context()) {
		t.Errorf("another call: %v", k.ID())
	}
}

// TestAnswerWithNonsenseEndsTheCall with the reason, and the service is told.
func TestAnswerWithNonsenseEndsTheCall(t *testing.T) {
	srv := sessiontest.NewServer(t)
	c := onLoopback(t, srv, "ann")
	srv.ScriptCalls(sessiontest.CallScript{AnswerSDP: "no description"})
	failures, calls := c.ObserveErrors(), c.ObserveCalls()
	failed := dialAside(t, t.Context(), c, "/public/echo", dialing())
	live, err := calls.Wait(t.Context(), func(l []*session.Call) bool { return len(l) == 1 })
	if err != nil {
		t.Fatal(err)
	}
	k := live[0]
	select {
	case <-k.Done():
	case <-time.After(soon):
		t.Fatalf("the call is %v", k.Status())
	}
	if err := <-failed; err != nil && !errors.Is(err, k.Err()) { // Dial may have returned before
		t.Errorf("Dial: %v", err)
	}
	var track *errs.MediaTrackError
	if r := k.EndReason(); r.By != errs.EndedByLocal || r.Cause != "media" || !errors.As(r, &track) {
		t.Errorf("the call ended %v", r)
	}
	journal(t, srv, received("verto.bye"))
	wantOver(t, srv, c, k)
	if k.Stats().State != media.StateClosed {
		t.Errorf("the media is %v", k.Stats().State)
	}
	_ = c.Close()
	for err := range failures.Seq(t.Context()) {
		t.Errorf("the client's errors have the call's: %v", err)
	}
}

// TestAnswerWithoutOptionsShowsNoPicture: whoever answers a video call and says
// nothing of a camera hears, speaks and sees, and is not seen.
func TestAnswerWithoutOptionsShowsNoPicture(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		_, bob, _, in := b.call(t, "/private/bob?channel=video",
			session.MediaOptions{VideoSource: media.NewTestPattern()}, session.MediaOptions{})
		if d := in.Directions(); d.Audio != media.SendRecv || d.Video != media.RecvOnly {
			t.Errorf("directions %v", d)
		}
		pass(time.Second)
		if s := in.Stats(); s.Video.PacketsSent != 0 || s.Video.PacketsReceived == 0 || s.Audio.PacketsSent == 0 {
			t.Errorf("figures %+v", s)
		}
		b.over(t, bob, in)
	})
}

// TestCallCancelledAtOnceDoesNotRing, however fast the cancelling follows, and
// the far end may tell its invite twice.
func TestCallCancelledAtOnceDoesNotRing(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		bob := b.client(t, "bob")
		incoming := bob.ObserveIncoming()
		for _, m := range []string{"verto.invite", "verto.invite", "verto.bye", "verto.bye"} {
			params := map[string]any{"callID": "c-1", "sdp": "v=0\r\n", "cause": "ORIGINATOR_CANCEL", "causeCode": "487"}
			if _, err := b.srv.SendEvent("bob", "webrtc.message", nil, map[string]any{"method": m, "params": params}); err != nil {
				t.Fatal(err)
			}
		}
		in := next(t, incoming)
		wantOutcome(t, in, farEnd("ORIGINATOR_CANCEL", errs.CauseOriginatorCancel, ""))
		wantDecided(t, in)
		wantOver(t, b.srv, bob.Client, in)
		_ = bob.Close()
		n := 0
		for range incoming.Seq(t.Context()) {
			n++
		}
		if n != 1 {
			t.Errorf("%d calls", n)
		}
	})
}
