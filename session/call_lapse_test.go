package session_test

import (
	"testing"
	"time"

	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// hungUp has the gateway hang up, while nothing it says arrives: its media is closed
// and its bye is under way until Stall(StallNone).
func (p *casualty) hungUp(t *testing.T) {
	t.Helper()
	p.b.srv.Stall("ann", sessiontest.StallMute)
	if !p.b.srv.HangupCall(p.ID(), "NORMAL_CLEARING", 16) {
		t.Fatal("there is no such call")
	}
	pass(100 * time.Millisecond)
	if s := p.Stats().State; s != media.StateDisconnected {
		t.Fatalf("the media is %v", s)
	}
}

func TestMediaThatIsClosedBeforeTheByeIsNoTrouble(t *testing.T) {
	inRecoveryBubble(t, session.MediaOptions{}, "/public/echo", func(t *testing.T, p *casualty) {
		p.hungUp(t)
		p.b.srv.Stall("ann", sessiontest.StallNone)
		<-p.Done()
		pass(5 * second)
		p.wantStatuses(t, session.CallStatusConnected, session.CallStatusDisconnected, session.CallStatusDestroyed)
		p.wantActions(t)
		wantOver(t, p.b.srv, p.line.Client, p.Call)
	})
}

func TestMediaThatIsClosedWithoutAByeIsLostAfterAGrace(t *testing.T) {
	inRecoveryBubble(t, session.MediaOptions{}, "/public/echo", func(t *testing.T, p *casualty) {
		p.hungUp(t)
		pass(800 * time.Millisecond)
		p.wantStatuses(t, session.CallStatusConnected)
		pass(200 * time.Millisecond)
		p.wantStatuses(t, session.CallStatusConnected, session.CallStatusRecovering)
		p.wantActions(t)
		pass(2500 * time.Millisecond) // three seconds in all, as when a path is lost
		p.wantActions(t, session.RecoveryCallRecovering, session.RecoveryReinviteStarted, session.RecoveryReinviteFailed,
			session.RecoveryReinviteStarted) // what is closed has no new paths
		p.b.srv.Stall("ann", sessiontest.StallNone) // the bye, at last
		<-p.Done()
		pass(second)
		p.wantStatuses(t, session.CallStatusConnected, session.CallStatusRecovering,
			session.CallStatusDisconnected, session.CallStatusDestroyed)
		wantOver(t, p.b.srv, p.line.Client, p.Call)
	})
}

// A path that is found, but on which nothing comes, is replaced after the pause: that
// is no second loss of media.
func TestTransportsThatWorkAreReplacedWithoutASign(t *testing.T) {
	inRecoveryBubble(t, session.MediaOptions{}, "/public/echo", func(t *testing.T, p *casualty) {
		refuseModify(p.b.srv)
		p.b.srv.DropMedia(p.ID(), true)
		p.cutFor(9 * second)
		pass(time.Minute)
		p.wantStatuses(t, session.CallStatusConnected, session.CallStatusRecovering, session.CallStatusConnected)
		p.b.srv.DropMedia(p.ID(), false)
		pass(5 * second)
		p.wantFlow(t)
	})
}

// A call that begins to look for new paths before its transports notice that the old
// ones are gone shows that, too: they say nothing of it while they look.
func TestPathThatIsLookedForInVainShows(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		ann := b.client(t, "ann")
		if err := ann.Preferences().Update(func(p *session.PreferenceValues) {
			p.RecoveryDebounce, p.StatsNoPacketThreshold = time.Millisecond, second
		}); err != nil {
			t.Fatal(err)
		}
		p := examined(t, b, ann, session.MediaOptions{}, "/public/echo")
		b.cut.Store(true)
		pass(4500 * time.Millisecond) // less than it takes pion to notice
		p.wantActions(t, session.RecoveryCallRecovering, session.RecoveryReinviteStarted)
		pass(1500 * time.Millisecond)
		p.wantStatuses(t, session.CallStatusConnected, session.CallStatusRecovering)
		b.cut.Store(false)
		pass(10 * second)
		p.wantStatuses(t, session.CallStatusConnected, session.CallStatusRecovering, session.CallStatusConnected)
		p.wantFlow(t)
	})
}

// The old path comes back while candidates of the transports that are to take its
// place are gathered: that is not the end of the trouble yet.
func TestPathThatComesBackWhileTheCallIsAttachedDoesNotShow(t *testing.T) {
	nobody := []media.ICEServer{{URLs: []string{"stun:10.0.0.99:3478"}}}
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		ann := b.client(t, "ann")
		if err := ann.Preferences().Update(func(p *session.PreferenceValues) { p.ICECandidateTimeout = 4 * second }); err != nil {
			t.Fatal(err)
		}
		p := examined(t, b, ann, session.MediaOptions{ICEServers: nobody}, "/public/echo")
		b.cut.Store(true)
		pass(6 * second)
		replaceSession(t, b.srv, ann.Client, "ann")
		b.cut.Store(false)
		pass(10 * second)
		p.wantStatuses(t, session.CallStatusConnected, session.CallStatusRecovering, session.CallStatusConnected)
		p.wantFlow(t)
	})
}

// A section that takes its time beside one that works is no loss of media.
func TestVideoThatIsAddedOverASlowNetworkIsNoTrouble(t *testing.T) {
	inFaultBubble(t, &fault{name: "slow network"}, func(v *victim) {
		v.jitter.Store(int64(1500 * time.Millisecond))
		both := media.Directions{Audio: media.SendRecv, Video: media.RecvOnly}
		if err := v.SetDirections(v.t.Context(), both); err != nil {
			v.t.Fatal(err)
		}
		pass(20 * second)
		v.wantStatuses(v.t, session.CallStatusConnected)
		v.jitter.Store(0)
		pass(5 * second)
		v.wantStatuses(v.t, session.CallStatusConnected)
		v.b.over(v.t, v.line, v.Call)
	})
}
