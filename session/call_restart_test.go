package session_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/session"
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
