package session_test

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// A casualty is a call whose recovery is watched.
type casualty struct {
	*session.Call
	b        *callBubble
	line     lineOf
	began    time.Time
	statuses *tape[session.CallStatus]
	states   *tape[session.RecoveryState]
	events   *tape[session.RecoveryEvent]
	errors   *tape[error]
}

// inRecoveryBubble has a call in good health for 15 seconds.
func inRecoveryBubble(t *testing.T, o session.MediaOptions, to string, test func(t *testing.T, p *casualty)) {
	t.Helper()
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		test(t, examined(t, b, b.client(t, "ann"), o, to))
	})
}

// examined is a call that was well for 15 seconds.
func examined(t *testing.T, b *callBubble, line lineOf, o session.MediaOptions, to string) *casualty {
	t.Helper()
	return watched(t, b, line, connected(t, line.Client, to, line.dialing(o)))
}

// watched has a call be well for 15 seconds.
func watched(t *testing.T, b *callBubble, line lineOf, k *session.Call) *casualty {
	t.Helper()
	p := &casualty{
		Call: k, b: b, line: line, statuses: taped(t, k.ObserveStatus()), states: taped(t, k.ObserveRecoveryState()),
		events: taped(t, k.ObserveRecoveryEvents()), errors: taped(t, k.ObserveErrors()),
	}
	pass(15 * second)
	p.began = time.Now()
	return p
}

// actions are the events so far, in words, and when they were.
func (p *casualty) actions() (actions []session.RecoveryAction, at []time.Duration) {
	for _, e := range p.events.all() {
		actions, at = append(actions, e.Action), append(at, e.Time.Sub(p.began))
	}
	return actions, at
}

func (p *casualty) wantActions(t *testing.T, want ...session.RecoveryAction) {
	t.Helper()
	if got, at := p.actions(); !slices.Equal(got, want) {
		t.Errorf("recovery did %v at %v, want %v", got, at, want)
	}
}

func (p *casualty) wantStatuses(t *testing.T, want ...session.CallStatus) {
	t.Helper()
	if got := p.statuses.all(); !slices.Equal(got, want) {
		t.Errorf("statuses %v, want %v", got, want)
	}
}

// wantFlow checks that media flows, and that nothing is left of the trouble.
func (p *casualty) wantFlow(t *testing.T) {
	t.Helper()
	before := p.Stats().Audio
	pass(5 * second)
	now := p.Stats().Audio
	if now.PacketsReceived < before.PacketsReceived+200 || now.PacketsSent < before.PacketsSent+200 {
		t.Errorf("in five seconds %d packets came and %d went", now.PacketsReceived-before.PacketsReceived, now.PacketsSent-before.PacketsSent)
	}
	if p.Status() != session.CallStatusConnected || !p.NetworkHealthy() {
		t.Errorf("the call is %v, issues %v", p.Status(), p.NetworkIssues())
	}
	p.b.over(t, p.line, p.Call)
}

// wantRecoveryErrors checks that so many steps were reported as failed, and that
// nothing else was.
func (p *casualty) wantRecoveryErrors(t *testing.T, n int) {
	t.Helper()
	all := p.errors.all()
	for i, err := range all {
		var call *errs.CallError
		var recovery *errs.RecoveryError
		if !errors.As(err, &call) || call.Fatal || call.Kind != errs.CallErrorNetwork || !errors.As(err, &recovery) || recovery.Attempt != i+1 {
			t.Errorf("error %d: %v", i, err)
		}
	}
	if len(all) != n {
		t.Errorf("errors %v, want %d", all, n)
	}
}

// cutFor is a blackhole for packets.
func (p *casualty) cutFor(d time.Duration) {
	p.b.cut.Store(true)
	pass(d)
	p.b.cut.Store(false)
}

// TestBlackholeOfThreeSeconds is over before anybody does anything.
func TestBlackholeOfThreeSeconds(t *testing.T) {
	inRecoveryBubble(t, session.MediaOptions{}, "/public/echo", func(t *testing.T, p *casualty) {
		p.cutFor(3 * second)
		pass(10 * second)
		p.wantActions(t)
		p.wantStatuses(t, session.CallStatusConnected)
		if len(p.errors.all()) != 0 {
			t.Errorf("errors %v", p.errors.all())
		}
		p.wantFlow(t)
	})
}

// TestBlackholeOfFifteenSeconds: new paths cannot be found, then new transports
// find them.
func TestBlackholeOfFifteenSeconds(t *testing.T) {
	inRecoveryBubble(t, session.MediaOptions{}, "/public/echo", func(t *testing.T, p *casualty) {
		p.cutFor(15 * second)
		pass(second)
		p.wantActions(t, session.RecoveryCallRecovering, session.RecoveryReinviteStarted, session.RecoveryReinviteTimeout,
			session.RecoveryReinviteStarted, session.RecoveryReinviteSucceeded, session.RecoveryCallRecovered)
		p.wantStatuses(t, session.CallStatusConnected, session.CallStatusRecovering, session.CallStatusConnected)
		if _, at := p.actions(); at[1] < 4*second || at[1] > 8*second || at[3] != at[2] || at[2]-at[1] != 5*second {
			t.Errorf("at %v", at)
		}
		p.wantRecoveryErrors(t, 1)
		var means []session.RecoveryMeans
		for _, e := range p.events.all() {
			means = append(means, e.Means)
		}
		if want := []session.RecoveryMeans{"", session.RecoveryNewPaths, session.RecoveryNewPaths,
			session.RecoveryNewTransports, session.RecoveryNewTransports, ""}; !slices.Equal(means, want) {
			t.Errorf("by %q", means)
		}
		if e := p.events.all()[1]; e.Attempt != 1 || e.MaxAttempts != 3 || e.Reason != "no_inbound_audio" {
			t.Errorf("%+v", e)
		}
		pass(10 * second)
		p.wantFlow(t)
	})
}

// TestBlackholeForGood ends the call, and says why.
func TestBlackholeForGood(t *testing.T) {
	patient := sessiontest.Options{MediaTimeout: time.Hour} // or the service may be the first to give up
	inCallBubble(t, patient, func(t *testing.T, b *callBubble) {
		p := examined(t, b, b.client(t, "ann"), session.MediaOptions{}, "/public/echo")
		p.b.cut.Store(true)
		<-p.Done()
		took := time.Since(p.began)
		synctest.Wait() // the observers have caught up
		p.wantActions(t, session.RecoveryCallRecovering,
			session.RecoveryReinviteStarted, session.RecoveryReinviteTimeout, session.RecoveryReinviteStarted, session.RecoveryReinviteTimeout,
			session.RecoveryCallRecoveryFailed, session.RecoveryCallRecovering,
			session.RecoveryReinviteStarted, session.RecoveryReinviteTimeout, session.RecoveryMaxAttemptsReached)
		p.wantStatuses(t, session.CallStatusConnected, session.CallStatusRecovering, session.CallStatusFailed, session.CallStatusDestroyed)
		var recovery *errs.RecoveryError
		why := p.EndReason()
		if why.By != errs.EndedByNetwork || !why.Retryable || why.Cause != "media lost" || !errors.As(why, &recovery) || recovery.Attempt != 3 {
			t.Errorf("ended %#v: %v", why, why)
		}
		if took > 35*second {
			t.Errorf("it took %v", took)
		}
		wantOver(t, p.b.srv, p.line.Client, p.Call)
	})
}

// refuseModify has the gateway refuse exchanges of descriptions.
func refuseModify(srv *sessiontest.Server) {
	srv.Inject(sessiontest.Fault{
		Match: sessiontest.Match{Verto: "verto.modify"}, Times: -1,
		Action: sessiontest.Action{Kind: sessiontest.FaultVertoError, Code: -32600},
	})
}

// TestBothAreLost: while the service is not reached nothing is tried, and then at
// once.
func TestBothAreLost(t *testing.T) {
	inRecoveryBubble(t, session.MediaOptions{}, "/public/echo", func(t *testing.T, p *casualty) {
		refused := p.b.srv.RefuseConnections(503, 0)
		p.b.srv.Drop("ann")
		p.b.cut.Store(true)
		pass(14 * second)
		if p.Status() != session.CallStatusRecovering || p.RecoveryState() != session.RecoveryRecovering {
			t.Errorf("the call is %v, recovery %v", p.Status(), p.RecoveryState())
		}
		p.wantActions(t, session.RecoveryCallRecovering)
		refused.Remove()
		pass(3500 * time.Millisecond) // it is tried every three seconds
		p.b.cut.Store(false)
		pass(10 * second)
		p.wantActions(t, session.RecoveryCallRecovering, session.RecoveryFullReconnect,
			session.RecoveryReinviteStarted, session.RecoveryReinviteSucceeded, session.RecoveryCallRecovered)
		p.wantStatuses(t, session.CallStatusConnected, session.CallStatusRecovering, session.CallStatusConnected)
		p.wantFlow(t)
	})
}

// TestMediaHealsWhileTheServiceIsLost: then there is nothing to recover.
func TestMediaHealsWhileTheServiceIsLost(t *testing.T) {
	inRecoveryBubble(t, session.MediaOptions{}, "/public/echo", func(t *testing.T, p *casualty) {
		refused := p.b.srv.RefuseConnections(503, 0)
		p.b.srv.Drop("ann")
		p.cutFor(10 * second)
		pass(10 * second)
		if p.Status() != session.CallStatusConnected || p.RecoveryState() != session.RecoveryIdle {
			t.Errorf("the call is %v, recovery %v", p.Status(), p.RecoveryState())
		}
		refused.Remove()
		pass(10 * second)
		p.wantActions(t, session.RecoveryCallRecovering, session.RecoveryCallRecovered, session.RecoverySignalReconnect)
		p.wantFlow(t)
	})
}

// TestUnansweredRestartEscalates: the old paths are gone with the offer.
func TestUnansweredRestartEscalates(t *testing.T) {
	inRecoveryBubble(t, session.MediaOptions{}, "/public/echo", func(t *testing.T, p *casualty) {
		p.b.srv.Inject(sessiontest.Fault{
			Match: sessiontest.Match{Verto: "verto.modify"}, Times: -1,
			Action: sessiontest.Action{Kind: sessiontest.FaultRPCSilent},
		})
		p.b.srv.DropMedia(p.ID(), true)
		pass(8 * second)
		p.b.srv.DropMedia(p.ID(), false)
		pass(8 * second)
		p.wantActions(t, session.RecoveryCallRecovering, session.RecoveryReinviteStarted, session.RecoveryReinviteTimeout,
			session.RecoveryReinviteStarted, session.RecoveryReinviteSucceeded, session.RecoveryCallRecovered)
		p.wantRecoveryErrors(t, 1)
		p.wantFlow(t)
	})
}

// TestOneOwnerAtATime: a new session attaches the call, whatever recovery was at.
func TestOneOwnerAtATime(t *testing.T) {
	for name, at := range map[string]time.Duration{
		"before recovery": 3 * second, "in the first step": 8 * second, "in the second": 13 * second, "in the pause": 20 * second,
	} {
		t.Run(name, func(t *testing.T) {
			inRecoveryBubble(t, session.MediaOptions{}, "/public/echo", func(t *testing.T, p *casualty) {
				p.cutFor(at)
				replaceSession(t, p.b.srv, p.line.Client, "ann")
				pass(5 * second)
				started := 0
				for _, e := range p.events.all() {
					if e.Action == session.RecoveryReinviteStarted {
						started++
					}
				}
				attached := reinvites(p.b.srv, p.Call)
				restarts := len(p.b.srv.Journal().Call(p.ID()).Verto("verto.modify"))
				// each step sent one of either, attaching one invite, dialling another
				if attached+restarts != started+2 {
					t.Errorf("%d invites, %d restarts for %d steps", attached, restarts, started)
				}
				p.wantFlow(t)
			})
		})
	}
}

// TestKeyframesAreRationed: three in a row, then none for ten seconds.
func TestKeyframesAreRationed(t *testing.T) {
	_, pattern := patternSource(t)
	inRecoveryBubble(t, session.MediaOptions{VideoSource: pattern}, "/public/echo?channel=video", func(t *testing.T, p *casualty) {
		passed := 0
		for range 14 {
			if p.RequestKeyframe() == nil {
				passed++
			}
			pass(second)
		}
		if passed != 5 { // at 0, 1, 2, 12 and 13 s
			t.Errorf("%d passed", passed)
		}
		p.b.over(t, p.line, p.Call)
	})
	inRecoveryBubble(t, session.MediaOptions{}, "/public/echo", func(t *testing.T, p *casualty) {
		var track *errs.MediaTrackError
		if err := p.RequestKeyframe(); !errors.As(err, &track) || !errors.Is(err, errs.ErrUnsupported) {
			t.Errorf("of a call without video: %v", err)
		}
		p.b.over(t, p.line, p.Call)
	})
}

// TestSilenceDoesNotEndACall: a far end that sends nothing is asked again and then
// left in peace.
func TestSilenceDoesNotEndACall(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		ann, _, out, in := b.call(t, "/private/bob", session.MediaOptions{}, session.MediaOptions{})
		if err := out.Hold(t.Context()); err != nil {
			t.Fatal(err)
		}
		pass(3 * time.Minute)
		issues := issueTypes(in.NetworkIssues())
		if n := len(b.srv.Journal().Call(in.ID()).Verto("verto.modify")); n != 3 { // and then it is left alone
			t.Errorf("%d restarts", n)
		}
		if in.Status() != session.CallStatusConnected || !slices.Equal(issues, []media.NetworkIssueType{media.IssueNoInboundAudio}) {
			t.Errorf("bob's call is %v, issues %v", in.Status(), issues)
		}
		if err := out.Unhold(t.Context()); err != nil {
			t.Fatal(err)
		}
		pass(5 * second)
		if !in.NetworkHealthy() || in.RecoveryState() != session.RecoveryIdle {
			t.Errorf("issues %v, recovery %v", in.NetworkIssues(), in.RecoveryState())
		}
		b.over(t, ann, out)
	})
}
