package media

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/pion/rtp"
)

const (
	toneLength  = 100 * time.Millisecond // of a digit, as ITU-T Q.24 asks for and more
	toneGap     = 100 * time.Millisecond // between digits
	tonePause   = time.Second            // of a "w"
	toneVolume  = 10                     // -10 dBm0
	endsOfEvent = 3                      // the last packet goes out three times
)

var (
	errNoEvents   = errors.New("the far end takes no telephone events")
	errNotSending = errors.New("the leg does not send audio")
)

// SendDTMF sends digits as telephone events (RFC 4733), 100 ms each with 100 ms
// between, in the stream of the audio, whose source is not heard meanwhile. Digits
// are 0 to 9, *, #, A to D in either case; a w is a pause of a second and counts as
// no digit. It returns when the last tone has left.
//
// It returns an [*errs.InvalidParamsError] for other characters, an
// [*errs.MediaTrackError] if the far end takes no telephone events or the leg does
// not send audio, and the cause of ctx, after the digit under way.
func (l *Leg) SendDTMF(ctx context.Context, digits string) error {
	for i := range len(digits) {
		if _, ok := eventOf(digits[i]); !ok && !strings.ContainsRune("wW", rune(digits[i])) {
			return &errs.InvalidParamsError{Param: "digits", Reason: "only 0-9, *, #, A-D and w"}
		}
	}
	s := l.section(KindAudio)
	if s == nil || !s.player.isSending() {
		return trackError("send DTMF", KindAudio, errNotSending)
	}
	select {
	case s.outlet.keypad <- struct{}{}: // one string of digits at a time
		defer func() { <-s.outlet.keypad }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	for i := range len(digits) {
		if err := l.press(ctx, s.outlet, digits[i]); err != nil {
			return err
		}
	}
	return nil
}

func (l *Leg) press(ctx context.Context, o *outlet, digit byte) error {
	code, ok := eventOf(digit)
	if !ok {
		return l.pause(ctx, tonePause)
	}
	if err := l.tone(o, code); err != nil {
		return trackError("send DTMF", KindAudio, err)
	}
	return l.pause(ctx, toneGap)
}

func (l *Leg) pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-l.ctx.Done():
		return errs.ErrClosed
	}
}

// tone sends one event: a packet every 20 ms that says how long it has lasted, all
// with the time at which it began.
func (l *Leg) tone(o *outlet, code uint8) error {
	format, start, err := o.startTone()
	if err != nil {
		return err
	}
	defer o.endTone()
	steps := int(toneLength / frameLength)
	n := 0
	return paceN(l.ctx, steps, func() error {
		n++
		event := telephoneEventPayload{
			code: code, volume: toneVolume, end: n == steps,
			duration: uint16(n * format.ClockRate / framesPerSecond),
		}
		repeats := 1
		if event.end {
			repeats = endsOfEvent
		}
		for range repeats {
			if err := o.writeTone(format, start, n == 1, event.marshal()); err != nil {
				return err
			}
		}
		return nil
	})
}

// startTone silences the source and returns the format for the event and its time.
func (o *outlet) startTone() (Codec, uint32, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.bound == nil || len(o.events) == 0 {
		return Codec{}, 0, errNoEvents
	}
	format := o.events[0]
	for _, e := range o.events {
		if e.ClockRate == o.sent.clock() {
			format = e
		}
	}
	o.keying = true
	o.resyncLocked(time.Now(), format.ClockRate)
	return format, o.next, nil
}

func (o *outlet) endTone() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.keying = false
	o.marked = true
}

func (o *outlet) writeTone(format Codec, start uint32, first bool, payload []byte) error {
	o.mu.Lock()
	if o.bound == nil {
		o.mu.Unlock()
		return errNotSending
	}
	header := rtp.Header{
		Version: 2, PayloadType: format.PayloadType, Marker: first,
		SequenceNumber: o.seq, Timestamp: start,
	}
	o.seq++
	o.base.seq++
	return o.sendUnlock(Codec{}, header, payload)
}
