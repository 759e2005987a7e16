package soundcard

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
)

const (
	// outputFrames is how much sound the loudspeaker may be behind: 120 ms.
	outputFrames = 6
	// outputLead is how much has to be there before it begins, and begins again
	// after a hole: 60 ms, because neither clock ticks evenly.
	outputLead = 3
)

// An Output is a loudspeaker in use, the [media.Sink] that [Provider.OpenOutput]
// gives. Packets are put in order as by any [media.PCMSink]. What is missing is
// silence.
type Output struct {
	*media.PCMSink
	stream
	ring    ring
	holes   atomic.Uint64
	closing chan struct{} // the program has no more to play
	closed  sync.Once

	// What follows belongs to the thread of the sound system.
	frame   []int16
	rest    []int16 // of frame
	leading bool    // nothing is played until there is enough
}

// OpenOutput opens a loudspeaker, which is silent until the call is connected; see
// [media.OutputOpener]. One that may not be used is an [*errs.MediaAccessError].
func (p *Provider) OpenOutput(ctx context.Context, id string) (media.Sink, error) {
	o, err := do(ctx, p, func() (*Output, error) { return p.output(id) }, func(o *Output) { p.end(&o.stream, errs.ErrClosed) })
	if err != nil {
		return nil, err
	}
	return o, nil
}

func (p *Provider) output(id string) (*Output, error) {
	e, err := p.find(media.DeviceAudioOutput, id)
	if err != nil {
		return nil, err
	}
	const channels = 2 // the sound system makes what the device has of them
	o, err := newOutput(e.Device, channels)
	if err != nil {
		return nil, err
	}
	return o, p.open(&o.stream, e.native, o.give)
}

func newOutput(d media.Device, channels int) (o *Output, err error) {
	o = &Output{
		stream: stream{device: d, channels: channels}, ring: newRing(outputFrames, outputFrames, channels),
		closing: make(chan struct{}), leading: true,
	}
	o.PCMSink, err = media.NewPCMSink(rate, channels, o.queue)
	return o, err
}

// queue waits for room, so that the device and not this machine's clock says how
// fast time goes.
func (o *Output) queue(pcm []int16) error {
	select {
	case frame := <-o.ring.spare:
		copy(frame, pcm)
		o.ring.push(frame)
		return nil
	case <-o.closing: // the sound system may take nothing any more, nor say so
		return nil
	case <-o.ended:
		if o.err == errs.ErrClosed {
			return nil
		}
		return o.err
	}
}

// give fills what the device plays next.
func (o *Output) give(pcm []int16) {
	for len(pcm) > 0 {
		if len(o.rest) == 0 && !o.next() {
			return
		}
		n := copy(pcm, o.rest)
		pcm, o.rest = pcm[n:], o.rest[n:]
	}
}

// next takes the next frame up, if there is one and enough behind it.
func (o *Output) next() bool {
	if o.frame != nil {
		o.ring.spare <- o.frame
		o.frame = nil
	}
	if o.leading && len(o.ring.queued) < outputLead {
		return false
	}
	select {
	case o.frame = <-o.ring.queued:
		o.rest, o.leading = o.frame, false
		return true
	default:
		o.leading = true
		o.holes.Add(1)
		return false
	}
}

// Device is the loudspeaker.
func (o *Output) Device() media.Device { return o.device }

// Underruns is how often there was nothing to play.
func (o *Output) Underruns() uint64 { return o.holes.Load() }

// Open lets the loudspeaker play.
func (o *Output) Open() error {
	ctx, cancel := context.WithTimeoutCause(context.Background(), patience,
		failure("start "+o.device.Label, context.DeadlineExceeded))
	defer cancel()
	if err := o.start(ctx); err != nil {
		return err
	}
	return o.PCMSink.Open()
}

// WritePacket puts a packet where it belongs. It returns an
// [*errs.DeviceNotFoundError] when the device has vanished, and [errs.ErrClosed]
// after Close.
func (o *Output) WritePacket(packet media.Packet) error {
	select {
	case <-o.ended:
		return o.err
	default:
		return o.PCMSink.WritePacket(packet)
	}
}

// Close gives the loudspeaker back. What was not played by then is not heard. It is
// an [*errs.MediaAccessError] if the sound system hangs for five seconds.
func (o *Output) Close() error {
	o.closed.Do(func() {
		close(o.closing)
		_ = o.PCMSink.Close() // which has nobody to fail for
	})
	return o.close()
}
