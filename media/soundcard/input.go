package soundcard

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
)

// inputFrames is how much sound waits for a slow sender: 200 ms. What is older has
// come too late for a conversation.
const inputFrames = 10

// An Input is a microphone in use, the [media.Source] that [Provider.OpenInput]
// gives.
type Input struct {
	stream
	ring    ring
	sending atomic.Bool
	lost    atomic.Int64 // frames

	// What follows belongs to the thread of the sound system.
	frame  []int16
	filled int
}

// OpenInput opens a microphone, without listening yet: 48,000 samples per second,
// mono, or stereo if Constraints.Extra has "channelCount" 2 and the device has
// them. There is no processing here: a constraint that wants some is an
// [*errs.OverconstrainedError]. A camera is an [*errs.MediaAccessError] around an
// [*errs.DeviceNotFoundError]. For the rest see [media.DeviceProvider].
func (p *Provider) OpenInput(ctx context.Context, kind media.DeviceKind, c media.Constraints) (media.Source, error) {
	if err := check(kind, c); err != nil {
		return nil, err
	}
	i, err := do(ctx, p, func() (*Input, error) { return p.input(c) }, func(i *Input) { p.end(&i.stream, errs.ErrClosed) })
	if err != nil {
		return nil, err
	}
	return i, nil
}

// check refuses what no microphone can satisfy.
func check(kind media.DeviceKind, c media.Constraints) error {
	switch kind {
	case media.DeviceAudioInput:
	case media.DeviceVideoInput:
		return &errs.MediaAccessError{Operation: "open a camera", Media: "video",
			OriginalError: fmt.Errorf("a sound system has none: %w", &errs.DeviceNotFoundError{DeviceID: c.DeviceID})}
	default:
		return &errs.ConfigError{Field: "kind", Problem: fmt.Sprintf("%q is no input", kind)}
	}
	if err := c.Validate(); err != nil {
		return err
	}
	for _, wanted := range []struct {
		name string
		media.Toggle
	}{{"EchoCancellation", c.EchoCancellation}, {"NoiseSuppression", c.NoiseSuppression}, {"AutoGainControl", c.AutoGainControl}} {
		if wanted.Toggle == media.On {
			return &errs.OverconstrainedError{Constraint: wanted.name, Problem: "sound is captured as it is"}
		}
	}
	return nil
}

// input opens the device that the constraints ask for.
func (p *Provider) input(c media.Constraints) (*Input, error) {
	e, err := p.find(media.DeviceAudioInput, c.DeviceID)
	if err != nil {
		return nil, err
	}
	if c.DeviceID == "" && c.PreferDeviceID != "" {
		if preferred, err := p.find(media.DeviceAudioInput, c.PreferDeviceID); err == nil {
			e = preferred
		}
	}
	i := &Input{stream: stream{device: e.Device, channels: 1}}
	if wanted := c.Extra["channelCount"]; wanted == 2 || wanted == 2.0 {
		if n, err := p.channels(e); err == nil && n == 2 {
			i.channels = 2
		}
	}
	i.ring = newRing(inputFrames, inputFrames+2, i.channels) // one more on each side
	i.frame = <-i.ring.spare
	return i, p.open(&i.stream, e.native, i.take)
}

// take cuts what is captured into frames.
func (i *Input) take(pcm []int16) {
	for len(pcm) > 0 {
		n := copy(i.frame[i.filled:], pcm)
		pcm, i.filled = pcm[n:], i.filled+n
		if i.filled < len(i.frame) {
			return
		}
		if !i.ring.push(i.frame) && i.sending.Load() {
			i.lost.Add(1)
		}
		i.frame, i.filled = <-i.ring.spare, 0
	}
}

// Device is the microphone.
func (i *Input) Device() media.Device { return i.device }

// Dropped is how much sound was captured and not sent because the leg was slow.
func (i *Input) Dropped() time.Duration { return time.Duration(i.lost.Load()) * 20 * time.Millisecond }

// Codecs is [media.PCM].
func (*Input) Codecs() []string { return []string{media.PCM} }

// Send sends what is captured from now on, at the pace of the device, until ctx is
// done. It returns an [*errs.DeviceNotFoundError] when the device vanishes, and
// [errs.ErrClosed] after Close.
func (i *Input) Send(ctx context.Context, out *media.Output) error {
	return i.capture(ctx, func(pcm []int16) error { return out.WritePCM(pcm, rate, i.channels) })
}

// capture hands each frame to use.
func (i *Input) capture(ctx context.Context, use func(pcm []int16) error) error {
	i.ring.empty() // of what was said during a pause, and to nobody
	i.sending.Store(true)
	defer i.sending.Store(false)
	if err := i.start(ctx); err != nil {
		return quiet(ctx, err)
	}
	for {
		select {
		case frame := <-i.ring.queued:
			err := use(frame)
			i.ring.spare <- frame
			if err != nil {
				return err
			}
		case <-i.ended:
			return i.err
		case <-ctx.Done():
			return nil
		}
	}
}

// Close gives the microphone back.
func (i *Input) Close() error { return i.close() }
