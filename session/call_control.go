package session

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/internal/wire"
	"github.com/callrx/callrx/media"
)

// Hangup ends the call: media stops at once, the service is told, and
// everything is released when Hangup returns. It takes two seconds at most and
// is nil also when the call was over already; only the end of ctx is an error.
func (k *Call) Hangup(ctx context.Context) error {
	return k.hangup(ctx, "", &errs.CallEndedError{By: errs.EndedByLocal, Cause: "NORMAL_CLEARING", Code: errs.CauseNormalClearing})
}

// hangup ends the call for why, and tells the service cause, if that is not the
// usual one.
func (k *Call) hangup(ctx context.Context, cause string, why *errs.CallEndedError) error {
	err := k.c.ask(ctx, func() {
		if k.move(hangupBegun) {
			k.leaving = why
			k.pause(true)
			k.unkeep()
			k.c.workers.Go(func() {
				if cause == "" {
					k.bye("", 0)
				} else {
					k.bye(cause, why.Code)
				}
				k.c.post(func() { k.over(why) })
			})
		}
	})
	if err != nil && !errors.Is(err, errs.ErrClosed) {
		return err
	}
	select {
	case <-k.done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Hold pauses the call: neither side hears the other. Unhold resumes it. Both
// change nothing when the service refuses, and then return its error.
func (k *Call) Hold(ctx context.Context) error { return k.hold(ctx, wire.ModifyHold, true) }

// Unhold resumes a call on hold.
func (k *Call) Unhold(ctx context.Context) error { return k.hold(ctx, wire.ModifyUnhold, false) }

// ToggleHold holds the call, or resumes it, whichever the service has not told last.
func (k *Call) ToggleHold(ctx context.Context) error {
	if k.Held() {
		return k.Unhold(ctx)
	}
	return k.Hold(ctx)
}

func (k *Call) hold(ctx context.Context, action string, held bool) error {
	if err := k.alive(action); err != nil {
		return err
	}
	reply, err := k.verto(ctx, wire.VertoModify, wire.VertoParams{SessID: k.id, Dialog: k.short(), Action: action})
	if err != nil {
		return err
	}
	if state := reply.Result.Result.HoldState; state != "" {
		held = state == "held" // the service knows better
	}
	return k.c.ask(ctx, func() {
		if !k.state.status.ended() {
			if held != k.held.Get() {
				what := map[bool]string{true: "held", false: "unheld"}[held]
				k.c.past.add(note{category: DiagnosticCall, what: what, callID: k.id})
			}
			k.setHeld(held)
			k.rewrite()
		}
	})
}

func (k *Call) setHeld(held bool) {
	k.pause(held)
	k.held.Set(held)
}

// pause stops the media both ways, or lets it flow as before.
func (k *Call) pause(held bool) {
	if leg := k.media(); leg != nil {
		leg.Pause(held)
		k.showDirections()
	}
}

// Transfer connects the far end to another destination; the service then ends
// this call. A refusal is returned and leaves the call as it was.
func (k *Call) Transfer(ctx context.Context, to string) error {
	if _, err := parseDestination(to); err != nil {
		return err
	}
	if err := k.alive("transfer"); err != nil {
		return err
	}
	_, err := k.verto(ctx, wire.VertoModify, wire.VertoParams{Destination: to, Dialog: k.dialog(), Action: wire.ModifyTransfer})
	return err
}

// SendDigits presses keys: 0-9, *, #, A-D, and w or W for a pause of half a
// second or a second. The service plays the tones.
func (k *Call) SendDigits(ctx context.Context, digits string) error {
	if err := checkDigits(digits); err != nil {
		return err
	}
	if err := k.alive("send digits"); err != nil {
		return err
	}
	_, err := k.verto(ctx, wire.VertoInfo, wire.VertoParams{SessID: k.id, Dialog: k.short(), DTMF: digits})
	return err
}

func checkDigits(digits string) error {
	if digits == "" {
		return &errs.InvalidParamsError{Param: "digits", Reason: "are empty"}
	}
	for _, d := range digits {
		switch {
		case '0' <= d && d <= '9', 'A' <= d && d <= 'D', 'a' <= d && d <= 'd', d == '*', d == '#', d == 'w', d == 'W':
		default:
			return &errs.InvalidParamsError{Param: "digits", Reason: fmt.Sprintf("hold %q: want 0-9, *, #, A-D, w or W", d)}
		}
	}
	return nil
}

// Execute sends any request of the protocol about this call's own leg: self and
// target are filled in, params are added. See Client.Execute for the errors.
func (k *Call) Execute(ctx context.Context, method string, params map[string]any, result any) error {
	if err := k.alive(method); err != nil {
		return err
	}
	self := k.self()
	full := map[string]any{"self": self, "target": self}
	maps.Copy(full, params)
	return k.c.Execute(ctx, method, full, result)
}

// alive refuses operations on a call that is over.
func (k *Call) alive(operation string) error {
	if s := k.Status(); s.ended() {
		return &errs.InvalidStateTransitionError{From: s.String(), To: operation}
	}
	return nil
}

// Stats are the media's figures so far; zero before there is media.
func (k *Call) Stats() media.Stats {
	if leg := k.media(); leg != nil {
		return leg.Stats()
	}
	return media.Stats{}
}

func (k *Call) media() *media.Leg {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.leg
}

func (k *Call) isAttached() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.attached
}

// attach notes that the first exchange of descriptions is done, and reports
// whether that is news.
func (k *Call) attach() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	first := !k.attached
	k.attached = true
	return first
}
