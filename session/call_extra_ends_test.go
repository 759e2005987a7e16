package session_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// A closingSource says that it was closed, and does something when it is first
// asked, which is when its leg is made.
type closingSource struct {
	media.Source
	once   sync.Once
	asked  func()
	closed chan struct{}
}

func newClosingSource(asked func()) *closingSource {
	return &closingSource{Source: media.NewTestPattern(), asked: asked, closed: make(chan struct{})}
}

func (s *closingSource) Codecs() []string {
	s.once.Do(s.asked)
	return s.Source.Codecs()
}

func (s *closingSource) Close() error {
	close(s.closed)
	return nil
}

func (s *closingSource) wantClosed(t *testing.T) {
	t.Helper()
	pass(time.Second)
	select {
	case <-s.closed:
	default:
		t.Error("the source was not closed")
	}
}

func TestScreenOfACallThatEndsMeanwhileLeavesNothing(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		ann := b.client(t, "ann")
		k := connected(t, ann.Client, "/public/stage", ann.dialing(session.MediaOptions{}))
		source := newClosingSource(func() { _ = k.Hangup(context.Background()) })
		if _, err := k.ShareScreen(t.Context(), source, ann.media(session.MediaOptions{})); !errors.As(err, new(*errs.CallEndedError)) {
			t.Errorf("ShareScreen: %v", err)
		}
		source.wantClosed(t)
		wantOver(t, b.srv, ann.Client, k)
	})
}

func TestScreenThatIsRefusedHereIsClosed(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		ann := b.client(t, "ann")
		k := connected(t, ann.Client, "/public/stage", ann.dialing(session.MediaOptions{}))
		b.over(t, ann, k)
		source := newClosingSource(func() {})
		if _, err := k.ShareScreen(t.Context(), source, session.MediaOptions{}); !errors.As(err, new(*errs.InvalidStateTransitionError)) {
			t.Errorf("ShareScreen: %v", err)
		}
		source.wantClosed(t)
	})
}

// TestScreenThatTheServiceIgnoresIsGivenUp within six seconds, and two for the
// goodbye; another screen can follow.
func TestScreenThatTheServiceIgnoresIsGivenUp(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		ann := b.client(t, "ann")
		k := connected(t, ann.Client, "/public/stage", ann.dialing(session.MediaOptions{}))
		b.srv.Inject(sessiontest.Fault{
			Match:  sessiontest.Match{Verto: "verto.bye"},
			Action: sessiontest.Action{Kind: sessiontest.FaultRPCSilent},
		})
		nowhere := session.MediaOptions{SettingEngine: b.unreachable(t)}
		began, source := time.Now(), newClosingSource(func() {})
		if _, err := k.ShareScreen(context.Background(), source, nowhere); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("ShareScreen: %v", err)
		}
		if took := time.Since(began); took > 9*time.Second {
			t.Errorf("it took %v", took)
		}
		source.wantClosed(t)
		screen, err := k.ShareScreen(t.Context(), media.NewTestPattern(), ann.media(session.MediaOptions{}))
		if err != nil {
			t.Fatal(err)
		}
		b.over(t, ann, k)
		<-screen.Done()
	})
}
