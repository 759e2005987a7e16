package session_test

import (
	"errors"
	"testing"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// inExtraBubble has a call in a room that sends a screen and a camera besides,
// each from a host of its own, so that paths can be cut one by one.
func inExtraBubble(t *testing.T, o sessiontest.Options, test func(t *testing.T, b *callBubble, p *casualty, extras []*session.ExtraLeg)) {
	t.Helper()
	inCallBubble(t, o, func(t *testing.T, b *callBubble) {
		line := b.client(t, "ann")
		change(t, line.Client, func(v *session.PreferenceValues) { v.AutoMuteVideoOnSuspend = true })
		k := connected(t, line.Client, "/public/stage", line.dialing(session.MediaOptions{}))
		var extras []*session.ExtraLeg
		for i, add := range []func() (*session.ExtraLeg, error){
			func() (*session.ExtraLeg, error) {
				return k.ShareScreen(t.Context(), media.NewTestPattern(), lineOf{line.Client, b.hosts[2]}.media(session.MediaOptions{}))
			},
			func() (*session.ExtraLeg, error) {
				return k.AddVideo(t.Context(), media.NewTestPattern(), lineOf{line.Client, b.hosts[3]}.media(session.MediaOptions{}))
			},
		} {
			x, err := add()
			if err != nil {
				t.Fatalf("leg %d: %v", i, err)
			}
			extras = append(extras, x)
		}
		test(t, b, watched(t, b, line, k), extras)
	})
}

// hostOfScreen is where the screen of inExtraBubble is.
const hostOfScreen = "10.0.0.3"

// arrives is how many packets of a leg the gateway gets in two seconds.
func arrives(t *testing.T, b *callBubble, x *session.ExtraLeg) uint64 {
	t.Helper()
	count := func() (n uint64) {
		info, ok := b.srv.Call(x.ID())
		if !ok {
			t.Fatal("the gateway has no such leg")
		}
		for _, s := range info.Sections {
			n += s.PacketsIn
		}
		return n
	}
	before := count()
	pass(2 * second)
	return count() - before
}

// TestScreenWhosePathsAreLostFindsNewOnes, and its call does not hear of it.
func TestScreenWhosePathsAreLostFindsNewOnes(t *testing.T) {
	inExtraBubble(t, sessiontest.Options{MediaTimeout: time.Hour}, func(t *testing.T, b *callBubble, p *casualty, extras []*session.ExtraLeg) {
		b.gone.Store(hostOfScreen, true)
		pass(35 * second) // in the pause before the last attempt
		b.gone.Delete(hostOfScreen)
		pass(5 * second)
		for i, x := range extras {
			if arrives(t, b, x) == 0 || x.Err() != nil {
				t.Errorf("nothing comes of leg %d: %v", i, x.Err())
			}
		}
		if p.Self().ScreenShareStatus() != session.ScreenShareStarted {
			t.Errorf("the screen is %v", p.Self().ScreenShareStatus())
		}
		p.wantStatuses(t, session.CallStatusConnected)
		b.over(t, p.line, p.Call)
	})
}

// TestScreenWhosePathsStayLostEnds, and says why; the rest of the call goes on.
func TestScreenWhosePathsStayLostEnds(t *testing.T) {
	inExtraBubble(t, sessiontest.Options{MediaTimeout: time.Hour}, func(t *testing.T, b *callBubble, p *casualty, extras []*session.ExtraLeg) {
		b.gone.Store(hostOfScreen, true)
		began := time.Now()
		<-extras[0].Done()
		var ended *errs.CallEndedError
		var recovery *errs.RecoveryError
		if err := extras[0].Err(); !errors.As(err, &ended) || ended.By != errs.EndedByNetwork || !ended.Retryable ||
			!errors.As(err, &recovery) || recovery.Attempt != 3 {
			t.Errorf("the screen ended: %#v", err)
		}
		if took := time.Since(began); took < 40*second || took > 50*second {
			t.Errorf("after %v", took)
		}
		pass(second)
		if _, ok := b.srv.Call(extras[0].ID()); !ok || p.Self().ScreenShareStatus() != session.ScreenShareNone {
			t.Errorf("the screen is %v", p.Self().ScreenShareStatus())
		}
		for method, want := range map[string]int{"verto.modify": 3, "verto.bye": 1} {
			if n := len(b.srv.Journal().Call(extras[0].ID()).Verto(method)); n != want {
				t.Errorf("%d times %s", n, method)
			}
		}
		if arrives(t, b, extras[1]) == 0 || p.Status() != session.CallStatusConnected {
			t.Errorf("the call is %v", p.Status())
		}
		b.over(t, p.line, p.Call)
	})
}

// TestScreenWaitsForTheService: what cannot be asked is not tried, and does not count.
func TestScreenWaitsForTheService(t *testing.T) {
	inExtraBubble(t, sessiontest.Options{MediaTimeout: time.Hour}, func(t *testing.T, b *callBubble, p *casualty, extras []*session.ExtraLeg) {
		refused := b.srv.RefuseConnections(503, 0)
		b.srv.Drop("ann")
		b.gone.Store(hostOfScreen, true)
		pass(50 * second) // else it would have been given up
		b.gone.Delete(hostOfScreen)
		refused.Remove()
		pass(10 * second)
		if arrives(t, b, extras[0]) == 0 || extras[0].Err() != nil {
			t.Errorf("nothing comes of the screen: %v", extras[0].Err())
		}
		b.over(t, p.line, p.Call)
	})
}

// TestScreenMovesWithTheMachine: at once, not when its old paths are missed.
func TestScreenMovesWithTheMachine(t *testing.T) {
	inRoamingBubbleTo(t, "/public/stage", session.Options{}, func(t *testing.T, m *roamer) {
		x, err := m.AddVideo(t.Context(), media.NewTestPattern(), session.MediaOptions{SettingEngine: m.engine})
		if err != nil {
			t.Fatal(err)
		}
		m.move(t)
		pass(3 * second)
		if arrives(t, m.b, x) == 0 {
			t.Error("nothing comes from the new address")
		}
		m.b.over(t, m.line, m.Call)
	})
}

// TestSuspendStopsThePicturesOfEveryLeg, and Resume has them sent again.
func TestSuspendStopsThePicturesOfEveryLeg(t *testing.T) {
	inExtraBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble, p *casualty, extras []*session.ExtraLeg) {
		p.line.Suspend()
		pass(second)
		for i, x := range extras {
			if n := arrives(t, b, x); n != 0 {
				t.Errorf("suspended: %d packets of leg %d", n, i)
			}
		}
		if err := p.line.Resume(t.Context()); err != nil {
			t.Error(err)
		}
		pass(second)
		for i, x := range extras {
			if arrives(t, b, x) == 0 {
				t.Errorf("resumed: nothing comes of leg %d", i)
			}
		}
		b.over(t, p.line, p.Call)
	})
}
