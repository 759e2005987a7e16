package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/observable"
	"github.com/callrx/callrx/session"
)

// Act 7: ann calls bob. She sends a tone, so that what he hears can be measured.

const (
	toneHz    = 440.0
	toneLevel = -20.0 // dBFS

	listenFor = 500 * time.Millisecond

	annsDigits = "12#"
	bobsDigits = "90*"
)

// A conversation is a call between two, with both of its ends.
type conversation struct {
	s          *story
	ann, bob   *caller
	out, in    *session.Call // ann's end and bob's
	bobHears   *ear
	annsDigits *keys // pressed by ann, heard by bob
	bobsDigits *keys // the other way round
}

// callTwo plays act 7.
func (s *story) callTwo(ctx context.Context) error {
	t := &conversation{s: s}
	defer t.end()
	var err error
	if t.ann, err = s.caller(ctx, "ann", ann); err != nil {
		return err
	}
	if t.bob, err = s.caller(ctx, "bob", bob); err != nil {
		return err
	}
	steps := []struct {
		what step
		wait func(context.Context) (string, error)
	}{
		{stepBobAnswers, t.connect},
		{stepToneHeard, t.tone},
		{stepDigitsThere, t.annPresses},
		{stepDigitsBack, t.bobPresses},
		{stepHeld, t.hold},
		{stepUnheld, t.unhold},
		{stepBothEnded, t.hangUp},
	}
	for _, next := range steps {
		if err := s.observe(ctx, next.what, patience, next.wait); err != nil {
			return err
		}
	}
	return nil
}

// connect has ann dial and bob answer.
func (t *conversation) connect(ctx context.Context) (string, error) {
	tone, err := media.NewTone(toneHz, toneLevel)
	if err != nil {
		return "", err
	}
	if t.bobHears, err = newEar(); err != nil {
		return "", err
	}
	incoming := t.bob.ObserveIncoming()
	t.s.tl.say("app", "ann: client.Dial(ctx, \"/private/bob\", …) with a tone of %.0f Hz at %.0f dBFS", toneHz, toneLevel)
	t.out, err = t.ann.Dial(ctx, "/private/bob", session.DialOptions{MediaOptions: session.MediaOptions{
		AudioSource: tone, SettingEngine: onLoopback,
	}})
	if err != nil {
		return "", err
	}
	t.ann.watchCall(t.out)
	if t.in, err = incoming.Wait(ctx, nil); err != nil {
		return "", fmt.Errorf("bob's phone does not ring: %w", err)
	}
	t.bob.watchCall(t.in)
	t.annsDigits, t.bobsDigits = heardBy(t.in), heardBy(t.out)
	t.s.tl.say("app", "bob: call.Answer(ctx, …), from %s", t.in.From().Name)
	err = t.in.Answer(ctx, session.MediaOptions{AudioSink: t.bobHears, SettingEngine: onLoopback})
	return "both ends are connected", errors.Join(err,
		reach(ctx, t.out, session.CallStatusConnected), reach(ctx, t.in, session.CallStatusConnected))
}

// tone measures what bob hears.
func (t *conversation) tone(ctx context.Context) (string, error) {
	heard, err := t.bobHears.hear(ctx, listenFor, func(frame sound) bool { return math.Abs(frame.level()-toneLevel) < 0.5 })
	if err != nil {
		return "", err
	}
	hz := heard[len(heard)/5:].pitch() // without the edge of the silence before it
	if math.Abs(hz-toneHz) > 5 {
		return "", fmt.Errorf("bob hears %.0f Hz", hz)
	}
	return fmt.Sprintf("%.0f Hz at %.1f dBFS", hz, heard.level()), nil
}

// annPresses sends digits from ann to bob.
func (t *conversation) annPresses(ctx context.Context) (string, error) {
	return t.press(ctx, "ann", t.out, annsDigits, t.annsDigits)
}

func (t *conversation) bobPresses(ctx context.Context) (string, error) {
	return t.press(ctx, "bob", t.in, bobsDigits, t.bobsDigits)
}

// press sends digits and makes sure that the gateway saw them and the other end
// heard them.
func (t *conversation) press(ctx context.Context, who string, k *session.Call, digits string, heard *keys) (string, error) {
	t.s.tl.say("app", "%s: call.SendDigits(ctx, %q)", who, digits)
	if err := k.SendDigits(ctx, digits); err != nil {
		return "", err
	}
	if leg, _ := t.s.gw.Call(k.ID()); leg.DTMF != digits {
		return "", fmt.Errorf("the gateway noted %q", leg.DTMF)
	}
	got, err := heard.pressed.Observe().Wait(ctx, func(all string) bool { return len(all) >= len(digits) })
	if err == nil && got != digits {
		err = errors.New("they were not the same")
	}
	return fmt.Sprintf("%q, by the gateway and by the far end", got), err
}

// hold makes sure that nothing comes through any more.
func (t *conversation) hold(ctx context.Context) (string, error) {
	t.s.tl.say("app", "ann: call.Hold(ctx)")
	if err := t.out.Hold(ctx); err != nil {
		return "", err
	}
	heard, err := t.bobHears.hear(ctx, listenFor, func(frame sound) bool { return frame.level() < silence })
	if err != nil {
		return "", err
	}
	if leg, _ := t.s.gw.Call(t.out.ID()); !leg.Held || !t.out.Held() {
		return "", fmt.Errorf("held is %t at the gateway and %t here", leg.Held, t.out.Held())
	}
	return fmt.Sprintf("%s without a sound", heard.duration()), nil
}

// unhold makes sure that it does again.
func (t *conversation) unhold(ctx context.Context) (string, error) {
	t.s.tl.say("app", "ann: call.Unhold(ctx)")
	if err := t.out.Unhold(ctx); err != nil {
		return "", err
	}
	return t.tone(ctx)
}

// hangUp ends the call at ann's end and looks at both.
func (t *conversation) hangUp(ctx context.Context) (string, error) {
	t.s.tl.say("app", "ann: call.Hangup(ctx)")
	if err := t.out.Hangup(ctx); err != nil {
		return "", err
	}
	select {
	case <-t.in.Done():
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
	return "nothing is left of the call", errors.Join(
		t.ann.showEnd(t.out, errs.EndedByLocal), t.bob.showEnd(t.in, errs.EndedByRemote), t.nothingLeft())
}

func (t *conversation) nothingLeft() error {
	if n := len(t.ann.Calls()) + len(t.bob.Calls()); n > 0 {
		return fmt.Errorf("%d calls are left", n)
	}
	return nil
}

// end leaves nothing running.
func (t *conversation) end() {
	for _, c := range []*caller{t.ann, t.bob} {
		if c != nil {
			c.end()
		}
	}
	for _, k := range []*keys{t.annsDigits, t.bobsDigits} {
		if k != nil {
			<-k.listening.Done()
		}
	}
}

// Keys are the digits that one end of a call has heard, all of them so far.
type keys struct {
	pressed   *observable.State[string]
	listening *observable.Subscription
}

func heardBy(k *session.Call) *keys {
	d := &keys{pressed: observable.NewState("")}
	var all strings.Builder
	d.listening = k.ObserveDigits().Subscribe(context.Background(), func(digit media.Digit) {
		all.WriteByte(digit.Value)
		d.pressed.Set(all.String())
	})
	return d
}
