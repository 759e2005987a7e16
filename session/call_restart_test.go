package session_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// TestRefusedRestartIsMadeGood: the old paths are gone with it.
func TestRefusedRestartIsMadeGood(t *testing.T) {
	inRecoveryBubble(t, session.MediaOptions{}, "/public/echo", func(t *testing.T, p *casualty) {
		refuseModify(p.b.srv)
		if err := p.RestartICE(t.Context()); !errors.As(err, new(*errs.JSONRPCError)) {
			t.Errorf("RestartICE: %v", err)
		}
		pass(second)
		p.wantActions(t, session.RecoveryCallRecovering, session.RecoveryReinviteStarted, session.RecoveryReinviteFailed, // the program's
			session.RecoveryReinviteStarted, session.RecoveryReinviteFailed,
			session.RecoveryReinviteStarted, session.RecoveryReinviteSucceeded, session.RecoveryCallRecovered)
		p.wantRecoveryErrors(t, 1)
		p.wantFlow(t)
	})
}

// TestManualRestartIsOneOfThem: it is refused while another is under way, and
// followed by a pause.
func TestManualRestartIsOneOfThem(t *testing.T) {
	inRecoveryBubble(t, session.MediaOptions{}, "/public/echo", func(t *testing.T, p *casualty) {
		if err := p.RestartICE(t.Context()); err != nil {
			t.Fatal(err)
		}
		if p.RecoveryState() != session.RecoveryCooldown || p.Status() != session.CallStatusConnected {
			t.Errorf("afterwards %v, %v", p.RecoveryState(), p.Status())
		}
		pass(second)
		events := p.events.all()
		actions, _ := p.actions()
		want := []session.RecoveryAction{session.RecoveryCallRecovering, session.RecoveryReinviteStarted,
			session.RecoveryReinviteSucceeded, session.RecoveryCallRecovered}
		if !slices.Equal(actions, want) || events[1].Means != session.RecoveryNewPaths || events[1].Attempt != 0 || events[1].Reason != "" {
			t.Errorf("told %+v, want %v", events, want)
		}
		recorded := recoveryNotes(p.line.ExportDiagnostics())
		if want := []string{
			"state map[callId:%s from:idle on:taken to:recovering]", "call_recovering map[callId:%s]",
			"reinvite_started map[callId:%s means:new_paths]", "reinvite_succeeded map[callId:%s means:new_paths]",
			"state map[callId:%s from:recovering on:returned to:cooldown]", "call_recovered map[callId:%s]",
		}; strings.Join(recorded, "\n") != strings.ReplaceAll(strings.Join(want, "\n"), "%s", string(p.ID())) {
			t.Errorf("recorded %q", recorded)
		}
		pass(10 * second)
		if p.RecoveryState() != session.RecoveryIdle {
			t.Errorf("later %v", p.RecoveryState())
		}
		p.b.cut.Store(true)
		pass(8 * second)
		var wrong *errs.InvalidStateTransitionError
		if err := p.RestartICE(t.Context()); !errors.As(err, &wrong) {
			t.Errorf("while recovering: %v", err)
		}
		p.b.cut.Store(false)
		pass(10 * second)
		p.wantFlow(t)
	})
}

func recoveryNotes(d session.SessionDiagnostics) (notes []string) {
	for _, e := range d.Events {
		if e.Category == session.DiagnosticRecovery {
			notes = append(notes, fmt.Sprint(e.Event, " ", e.Details))
		}
	}
	return notes
}

// TestManualRestartFindsNoPath: it says so in its time, and the call's own recovery
// goes on with it.
func TestManualRestartFindsNoPath(t *testing.T) {
	inRecoveryBubble(t, session.MediaOptions{}, "/public/echo", func(t *testing.T, p *casualty) {
		p.b.cut.Store(true)
		began := time.Now()
		var failed *errs.RecoveryError
		if err := p.RestartICE(t.Context()); !errors.As(err, &failed) || failed.Attempt != 0 {
			t.Errorf("RestartICE: %v", err)
		}
		if took := time.Since(began); took < 5*second || took > 7*second {
			t.Errorf("after %v", took)
		}
		p.b.cut.Store(false)
		pass(20 * second)
		if p.Status() != session.CallStatusConnected || p.RecoveryState() == session.RecoveryRecovering {
			t.Errorf("later %v, %v", p.Status(), p.RecoveryState())
		}
		actions, _ := p.actions()
		if len(actions) < 4 || actions[2] != session.RecoveryReinviteTimeout || slices.Contains(actions[:4], session.RecoveryCallRecoveryFailed) {
			t.Errorf("told %v", actions)
		}
		p.wantFlow(t)
	})
}

// Media that is well outlives a restart that cannot be agreed on, as the service is not
// reached (behaviour.md 6.4, GO flow 6: while signaling is down nothing is attempted).
func TestRestartWhileTheServiceIsAwayLeavesMediaAlone(t *testing.T) {
	inRecoveryBubble(t, session.MediaOptions{}, "/public/echo", func(t *testing.T, p *casualty) {
		refused := p.b.srv.RefuseConnections(503, 0)
		p.b.srv.Drop("ann")
		pass(second)
		ctx, cancel := context.WithTimeout(t.Context(), 3*second)
		defer cancel()
		if err := p.RestartICE(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("without the service: %v", err)
		}
		pass(10 * second)
		before := p.Stats().Audio.PacketsReceived
		pass(10 * second)
		if n := p.Stats().Audio.PacketsReceived - before; n < 400 || p.Status() != session.CallStatusConnected {
			t.Errorf("in ten seconds %d packets came, call %v, recovery %v", n, p.Status(), p.RecoveryState())
		}
		refused.Remove()
		pass(20 * second)
		p.wantFlow(t)
	})
}

// A call that is attached to another session has recovered, whatever failed before.
func TestAttachAfterAFailedRestartIsToldAsRecovered(t *testing.T) {
	inRecoveryBubble(t, session.MediaOptions{}, "/public/echo", func(t *testing.T, p *casualty) {
		refuseResume(p.b.srv)
		p.b.cut.Store(true)
		p.b.srv.Inject(sessiontest.Fault{
			Match: sessiontest.Match{Verto: "verto.modify"}, Action: sessiontest.Action{Kind: sessiontest.FaultSlow, Delay: time.Minute},
		})
		restarted := make(chan error, 1)
		go func() { restarted <- p.RestartICE(t.Context()) }()
		pass(second)
		refused := p.b.srv.RefuseConnections(503, 0)
		p.b.srv.Drop("ann")
		if err := <-restarted; err == nil {
			t.Error("it has restarted without the service")
		}
		p.b.cut.Store(false)
		refused.Remove()
		pass(20 * second)
		actions, at := p.actions()
		if len(actions) == 0 || slices.Contains(actions, session.RecoveryCallRecoveryFailed) || actions[len(actions)-1] != session.RecoveryCallRecovered {
			t.Errorf("told %v at %v, call %v", actions, at, p.Status())
		}
		p.wantFlow(t)
	})
}

// What is given up before anything was done is no recovery that failed, and no pause
// follows.
func TestRestartThatIsGivenUpBeforehandIsNoRecovery(t *testing.T) {
	inRecoveryBubble(t, session.MediaOptions{}, "/public/echo", func(t *testing.T, p *casualty) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := p.RestartICE(ctx); err == nil {
			t.Error("nil")
		}
		pass(100 * time.Millisecond)
		p.wantActions(t)
		if s := p.RecoveryState(); s != session.RecoveryIdle {
			t.Errorf("recovery %v", s)
		}
		p.wantFlow(t)
	})
}

// Restarts that were spent on a far end that keeps silent do not count when the path
// breaks: after a restart of the program's that fails, the call's own recovery begins
// (RestartICE), and does not give the call up.
func TestFailedRestartOfASilentCallDoesNotEndIt(t *testing.T) {
	for name, c := range map[string]struct {
		action sessiontest.Action
		limit  time.Duration
	}{
		"refused":                {sessiontest.Action{Kind: sessiontest.FaultVertoError, Code: -32600}, time.Hour},
		"given up by its caller": {sessiontest.Action{Kind: sessiontest.FaultSlow, Delay: 2 * second}, second},
	} {
		t.Run(name, func(t *testing.T) {
			inRecoveryBubble(t, session.MediaOptions{}, "/public/echo", func(t *testing.T, p *casualty) {
				p.b.srv.DropMedia(p.ID(), true)
				pass(2 * time.Minute)
				actions, _ := p.actions()
				if !slices.Contains(actions, session.RecoveryMaxAttemptsReached) || p.RecoveryState() != session.RecoveryIdle || p.Status() != session.CallStatusConnected {
					t.Fatalf("told %v, recovery %v, call %v", actions, p.RecoveryState(), p.Status())
				}
				p.events.take()
				p.b.srv.Inject(sessiontest.Fault{Match: sessiontest.Match{Verto: "verto.modify"}, Action: c.action})
				ctx, cancel := context.WithTimeout(t.Context(), c.limit)
				defer cancel()
				_ = p.RestartICE(ctx)
				pass(15 * second)
				if p.Status() != session.CallStatusConnected {
					actions, _ := p.actions()
					t.Fatalf("told %v, the call is %v: %v", actions, p.Status(), p.Err())
				}
				p.b.srv.DropMedia(p.ID(), false)
				p.wantFlow(t)
			})
		})
	}
}

// A restart of the program's costs no attempt (RestartICE), nor the pause between two
// of the call's own: a call that outlives a cut without it does so with it.
func TestRestartInAPauseDoesNotShortenTheLifeOfACall(t *testing.T) {
	for name, restart := range map[string]bool{"without": false, "with": true} {
		t.Run(name, func(t *testing.T) {
			inCallBubble(t, sessiontest.Options{MediaTimeout: time.Hour}, func(t *testing.T, b *callBubble) {
				p := examined(t, b, b.client(t, "ann"), session.MediaOptions{}, "/public/echo")
				p.b.cut.Store(true)
				pass(18500 * time.Millisecond)
				if p.RecoveryState() != session.RecoveryCooldown {
					t.Fatalf("recovery %v", p.RecoveryState())
				}
				if restart && p.RestartICE(t.Context()) == nil {
					t.Error("there is a path in a cut")
				}
				pass(29*second - time.Since(p.began))
				p.b.cut.Store(false)
				pass(15 * second)
				if p.Status() != session.CallStatusConnected {
					t.Fatalf("the call is %v: %v", p.Status(), p.Err())
				}
				p.wantFlow(t)
			})
		})
	}
}
