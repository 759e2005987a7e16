package session_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/internal/relay"
	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// recovering dials and takes the media away.
func (b *callBubble) recovering(t *testing.T, l lineOf, o session.MediaOptions) *session.Call {
	t.Helper()
	k := connected(t, l.Client, "/public/tone", l.dialing(o))
	b.loss.Store(100)
	awaitStatus(t, k, session.CallStatusRecovering)
	return k
}

// giveUp has the service hang up for want of media, and keep the call.
func giveUp(t *testing.T, srv *sessiontest.Server, k *session.Call) {
	t.Helper()
	if !srv.SendVerto(k.ID(), "verto.bye", map[string]any{"callID": k.ID(), "cause": "MEDIA_TIMEOUT", "causeCode": 804}) {
		t.Fatal("the gateway has no such call")
	}
}

func TestCallThatTheServiceGivesUpForWantOfMediaIsAttachedOnce(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		ann, heard := b.client(t, "ann"), newListener(t)
		k := b.recovering(t, ann, session.MediaOptions{AudioSink: heard})
		h := watch(k)
		b.loss.Store(0)
		giveUp(t, b.srv, k)
		awaitStatus(t, k, session.CallStatusConnected)
		if n := reinvites(b.srv, k); n != 2 {
			t.Errorf("%d invites", n)
		}
		pass(time.Second)
		wantTone(t, "ann", heard, 440, -6)
		b.over(t, ann, k)
		wantStatuses(t, h.all(t), session.CallStatusRecovering, session.CallStatusConnected)
	})
}

func TestCallThatTheServiceWillNotHaveBackEndsForItsReason(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		ann := b.client(t, "ann")
		k := b.recovering(t, ann, session.MediaOptions{})
		b.srv.HangupCall(k.ID(), "MEDIA_TIMEOUT", 0)
		<-k.Done()
		why := k.EndReason()
		var attach *errs.AttachError
		if why.By != errs.EndedByRemote || why.Code != errs.CauseMediaTimeout || !why.Retryable || !errors.As(why, &attach) {
			t.Errorf("it ended %+v", why)
		}
		if n := reinvites(b.srv, k); n != 2 {
			t.Errorf("%d invites, want one to attach", n)
		}
		wantOver(t, b.srv, ann.Client, k)
	})
}

// TestServiceHangupIsTakenAtItsWord when it is preferred so, when the media is
// well, when it is said twice, and for another cause.
func TestServiceHangupIsTakenAtItsWord(t *testing.T) {
	for name, c := range map[string]struct {
		off, well bool
		cause     string
		again     bool
		invites   int
	}{
		"preferred":     {off: true, cause: "MEDIA_TIMEOUT", invites: 1},
		"media is well": {well: true, cause: "MEDIA_TIMEOUT", invites: 1},
		"other cause":   {cause: "NORMAL_CLEARING", invites: 1},
		"said twice":    {cause: "MEDIA_TIMEOUT", again: true, invites: 2},
	} {
		t.Run(name, func(t *testing.T) {
			inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
				ann, _ := b.preferring(t, "ann", func(p *session.PreferenceValues) { p.EnableServerHangupInterception = !c.off })
				var k *session.Call
				if c.well {
					k = connected(t, ann.Client, "/public/tone", ann.dialing(session.MediaOptions{}))
				} else {
					k = b.recovering(t, ann, session.MediaOptions{})
				}
				if c.again {
					unanswered(b.srv)
					giveUp(t, b.srv, k)
					eventually(t, "the call is offered", func() bool { return reinvites(b.srv, k) == 2 })
				}
				b.srv.HangupCall(k.ID(), c.cause, 0)
				<-k.Done()
				if why := k.EndReason(); why.Cause != c.cause || why.By != errs.EndedByRemote || errors.As(why, new(*errs.AttachError)) {
					t.Errorf("it ended %+v", why)
				}
				if n := reinvites(b.srv, k); n != c.invites {
					t.Errorf("%d invites, want %d", n, c.invites)
				}
				wantOver(t, b.srv, ann.Client, k)
			})
		})
	}
}

// modifies is when the gateway was sent descriptions for a call, since began.
func modifies(srv *sessiontest.Server, k *session.Call, began time.Time) (at []time.Duration) {
	for _, e := range srv.Journal().Call(k.ID()).Verto("verto.modify") {
		if e.Direction == "in" {
			at = append(at, e.Time.Sub(began).Round(100*time.Millisecond))
		}
	}
	return at
}

// A losing socket loses the next replies to new descriptions.
type losing struct {
	relay.Socket
	replies *atomic.Int64 // how many

	mu   sync.Mutex
	lost map[string]bool // by the ids of their requests
}

func (l *losing) Write(ctx context.Context, message []byte) error {
	var m struct{ ID string }
	if bytes.Contains(message, []byte(`"updateMedia"`)) && json.Unmarshal(message, &m) == nil && l.replies.Add(-1) >= 0 {
		l.mu.Lock()
		l.lost[m.ID] = true
		l.mu.Unlock()
	}
	return l.Socket.Write(ctx, message)
}

func (l *losing) Read(ctx context.Context, buf []byte) ([]byte, error) {
	for {
		frame, err := l.Socket.Read(ctx, buf)
		var m struct{ ID string }
		_ = json.Unmarshal(frame[len(buf):], &m)
		l.mu.Lock()
		lost := l.lost[m.ID]
		l.mu.Unlock()
		if !lost || err != nil {
			return frame, err
		}
	}
}

// losing opens a client with preferences whose socket loses as many replies to new
// descriptions as the counter says.
func (b *callBubble) losing(t *testing.T, f func(*session.PreferenceValues)) (lineOf, *atomic.Int64) {
	t.Helper()
	replies := &atomic.Int64{}
	dial := func(ctx context.Context, url string) (session.Socket, error) {
		s, _, err := relay.DialWebSocket(ctx, b.srv.Client(), url, 1<<20)
		if err != nil {
			return nil, err
		}
		return &losing{Socket: s, replies: replies, lost: map[string]bool{}}, nil
	}
	return b.open(t, "ann", session.Options{DialSocket: dial, Preferences: preferring(f)}), replies
}

// TestBothSidesAgreeAgainAfterAChangeOfWhichNobodyKnows: the answer is awaited as
// long as preferred, and after the preferred pause the call is as it was, at the
// service too.
func TestBothSidesAgreeAgainAfterAChangeOfWhichNobodyKnows(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		ann, replies := b.losing(t, func(p *session.PreferenceValues) {
			p.ReinviteTimeout, p.ReinviteDebounce = 2*time.Second, 7*time.Second
			p.RecoveryDebounce = time.Minute // it would agree, too, and earlier
		})
		k := connected(t, ann.Client, "/public/echo", ann.dialing(session.MediaOptions{AudioSource: newTone(t, 440, -12)}))
		began := time.Now()
		replies.Store(1)
		var late *errs.RPCTimeoutError
		if err := k.SetDirections(t.Context(), media.Directions{Audio: media.SendOnly}); !errors.As(err, &late) || late.After != 2*time.Second {
			t.Fatalf("SetDirections: %v", err)
		}
		pass(time.Second)
		quiet := audioAt(b.srv, k).PacketsOut
		pass(time.Second)
		if n := audioAt(b.srv, k).PacketsOut - quiet; n != 0 { // or there is nothing to mend
			t.Errorf("the gateway has not made the change: it sent %d packets", n)
		}
		pass(20 * time.Second)
		if at := modifies(b.srv, k, began); len(at) != 2 || at[1] < 9*time.Second || at[1] > 9500*time.Millisecond {
			t.Errorf("descriptions were sent after %v, want at once and 7 s after the first was given up", at)
		}
		echoed := audioAt(b.srv, k).PacketsOut
		pass(time.Second)
		if audioAt(b.srv, k).PacketsOut < echoed+40 || k.Directions().Audio != media.SendRecv || k.Status() != session.CallStatusConnected {
			t.Errorf("afterwards %d packets, %v, %v", audioAt(b.srv, k).PacketsOut-echoed, k.Directions(), k.Status())
		}
		b.over(t, ann, k)
	})
}

// TestAgreeingIsTriedAsOftenAsPreferred, then told, and the call goes on.
func TestAgreeingIsTriedAsOftenAsPreferred(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		ann, replies := b.losing(t, func(p *session.PreferenceValues) {
			p.ReinviteTimeout, p.ReinviteDebounce, p.ReinviteMaxAttempts = time.Second, 5*time.Second, 2
		})
		k := connected(t, ann.Client, "/public/echo", ann.dialing(session.MediaOptions{}))
		failures := k.ObserveErrors()
		began := time.Now()
		replies.Store(100)
		if err := k.SetDirections(t.Context(), media.Directions{Audio: media.SendOnly}); err == nil {
			t.Fatal("SetDirections worked")
		}
		pass(time.Minute)
		if at := modifies(b.srv, k, began); len(at) != 3 {
			t.Errorf("descriptions were sent after %v, want three times", at)
		}
		var told *errs.CallError
		if err := next(t, failures); !errors.As(err, &told) || told.Fatal || !errors.As(err, new(*errs.RPCTimeoutError)) {
			t.Errorf("error %v", err)
		}
		if k.Status() != session.CallStatusConnected {
			t.Errorf("the call is %v", k.Status())
		}
		b.over(t, ann, k)
	})
}

// TestNothingIsAgreedAgainWhenThatIsClear: the service has refused, or the program
// has agreed on something else since.
func TestNothingIsAgreedAgainWhenThatIsClear(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		ann, replies := b.losing(t, func(p *session.PreferenceValues) { p.ReinviteTimeout = time.Second })
		k := connected(t, ann.Client, "/public/echo", ann.dialing(session.MediaOptions{}))
		began := time.Now()
		b.srv.Inject(sessiontest.Fault{
			Match: sessiontest.Match{Verto: "verto.modify"}, Action: sessiontest.Action{Kind: sessiontest.FaultVertoError, Code: -32603},
		})
		if err := k.SetDirections(t.Context(), media.Directions{Audio: media.SendOnly}); err == nil {
			t.Fatal("SetDirections worked")
		}
		pass(time.Minute)
		if at := modifies(b.srv, k, began); len(at) != 1 {
			t.Errorf("after a refusal descriptions were sent after %v", at)
		}
		replies.Store(1)
		if err := k.SetDirections(t.Context(), media.Directions{Audio: media.SendOnly}); err == nil {
			t.Fatal("SetDirections worked")
		}
		if err := k.SetDirections(t.Context(), media.Directions{Audio: media.SendOnly}); err != nil {
			t.Fatal(err)
		}
		pass(time.Minute)
		if at := modifies(b.srv, k, began); len(at) != 3 || k.Directions().Audio != media.SendOnly {
			t.Errorf("descriptions were sent after %v, directions %v", at, k.Directions())
		}
		b.over(t, ann, k)
	})
}
