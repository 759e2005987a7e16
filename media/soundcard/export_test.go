package soundcard

import (
	"context"
	"unsafe"

	"github.com/callrx/callrx/media"
	"github.com/gen2brain/malgo"
)

// Capture is Send without the encoder.
func (i *Input) Capture(ctx context.Context, use func(pcm []int16) error) error {
	return i.capture(ctx, use)
}

// UnconnectedInput is a microphone that hears what Take is given.
func UnconnectedInput() *Input {
	i := &Input{ring: newRing(inputFrames, inputFrames+2, 1)}
	i.frame = <-i.ring.spare
	i.sending.Store(true)
	return i
}

// Take is the callback of a microphone, Queued how much waits.
func (i *Input) Take(pcm []int16) { i.take(pcm) }
func (i *Input) Queued() int      { return len(i.ring.queued) }
func (i *Input) Next() []int16    { return <-i.ring.queued }

// UnconnectedOutput is a loudspeaker that plays into Give.
func UnconnectedOutput() *Output {
	return &Output{stream: stream{ended: make(chan struct{})}, ring: newRing(outputFrames, outputFrames, 2), leading: true}
}

// HungOutput is a loudspeaker of a sound system that does nothing any more.
func HungOutput() (*Output, error) {
	o, err := newOutput(media.Device{Label: "hung"}, 2)
	if err != nil {
		return nil, err
	}
	o.provider, o.ended = &Provider{jobs: make(chan func()), done: make(chan struct{})}, make(chan struct{})
	return o, nil
}

// Queue is what the jitter buffer plays, Give the callback of a loudspeaker.
func (o *Output) Queue(pcm []int16) error { return o.queue(pcm) }
func (o *Output) Give(pcm []int16)        { o.give(pcm) }

// Text is what an id looks like that the library gives as these bytes.
func Text(raw string) string {
	var id malgo.DeviceID
	copy(unsafe.Slice(&id[0], len(id)), raw)
	return text(id)
}

// Failure is what the program gets for what the library says.
func Failure(err error) error { return failure("open", err) }

// Those that a session looks for.
var (
	_ media.DeviceProvider  = (*Provider)(nil)
	_ media.DeviceWatcher   = (*Provider)(nil)
	_ media.OutputOpener    = (*Provider)(nil)
	_ media.DeviceInspector = (*Provider)(nil)
)
