package session

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/internal/program"
	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/observable"
)

// OpenSelectedOutput opens the selected loudspeaker as a sink, for example the AudioSink
// of a call, which then closes it. The sink follows the selection: when another one is
// selected, or takes the place of one that was unplugged, what arrives is played there,
// and with none selected nowhere. It tells on ObserveErrors when it has to do without
// its loudspeaker, and tries that one again. After Client.Close it stays where it is.
// A call has it play elsewhere by SelfParticipant.SelectAudioOutput.
//
// It is an *errs.DeviceNotFoundError when none is selected or it has vanished, an
// *errs.MediaAccessError when it may not be used, and errs.ErrUnsupported when the
// provider has no outputs.
func (d *Devices) OpenSelectedOutput(ctx context.Context) (media.Sink, error) {
	device, sink, err := d.openSelectedOutput(ctx)
	if err != nil {
		return nil, err
	}
	o := &selectedOutput{
		d: d, codecs: sink.Codecs(), over: make(chan struct{}), wake: make(chan struct{}, 1),
		turn: newSlot(), playing: newSlot(), now: sink, device: device,
	}
	var follow context.Context
	follow, o.stop = joined(context.Background(), d.c.ctx)
	if err := d.ask(func() { d.c.workers.Go(func() { o.run(follow) }) }); err != nil {
		o.stop()
		d.c.shut(sink)
		return nil, err
	}
	return o, nil
}

func (d *Devices) openSelectedOutput(ctx context.Context) (*media.Device, media.Sink, error) {
	if _, ok := d.provider.(media.OutputOpener); !ok {
		return nil, nil, errs.ErrUnsupported
	}
	d.ready(ctx)
	selected := d.slots[media.DeviceAudioOutput].selected.Get()
	if selected == nil {
		return nil, nil, &errs.DeviceNotFoundError{}
	}
	sink, err := d.openOutput(ctx, selected.ID)
	return selected, sink, err
}

func (d *Devices) openOutput(ctx context.Context, id string) (media.Sink, error) {
	return askDevices(ctx, d, func(ctx context.Context) (media.Sink, error) {
		return d.provider.(media.OutputOpener).OpenOutput(ctx, id)
	}, func(late media.Sink) { d.c.shut(late) })
}

// A selectedOutput is the loudspeaker that is selected, whichever that is.
type selectedOutput struct {
	d      *Devices
	codecs []string
	stop   context.CancelFunc
	over   chan struct{} // closed when run has returned
	wake   chan struct{} // something has changed

	turn    slot // it is changed by one at a time
	playing slot // the methods of a loudspeaker are called one at a time

	mu      sync.Mutex    // guards the rest
	own     *deviceChoice // what its call has selected for itself; nil: what the client has
	closed  bool
	now     media.Sink    // nil: none
	device  *media.Device // that now plays on
	opened  bool          // time counts
	lost    error         // now plays no more, for this reason
	started time.Time     // now did
}

// Codecs are those of the loudspeaker that was opened first.
func (o *selectedOutput) Codecs() []string { return o.codecs }

// Open lets time count, here and for every loudspeaker that follows.
func (o *selectedOutput) Open() error {
	_ = o.playing.take(context.Background())
	defer o.playing.give()
	o.mu.Lock()
	o.opened, o.started = true, time.Now()
	now := o.now
	o.mu.Unlock()
	if now == nil {
		return nil
	}
	return now.Open()
}

// WritePacket plays a packet if there is a loudspeaker. One that fails is left.
func (o *selectedOutput) WritePacket(p media.Packet) error {
	_ = o.playing.take(context.Background())
	defer o.playing.give()
	o.mu.Lock()
	now := o.now
	if o.lost != nil {
		now = nil
	}
	o.mu.Unlock()
	if now == nil {
		return nil
	}
	if err := now.WritePacket(p); err != nil {
		o.mu.Lock()
		if o.now == now { // and not another by now
			o.lost = err
		}
		o.mu.Unlock()
		o.changed()
	}
	return nil
}

// Close ends following, and closes the loudspeaker.
func (o *selectedOutput) Close() error {
	o.stop()
	<-o.over
	o.mu.Lock()
	o.closed = true
	o.mu.Unlock()
	now, _ := o.take(nil, nil)
	return program.Close(now)
}

// Original is what to name if it does not close.
func (o *selectedOutput) Original() any {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.now
}

func (o *selectedOutput) changed() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// run follows what is selected until it is told to stop. A loudspeaker that cannot be
// opened is tried again with the next change of devices, and before that if it may be
// free by then.
func (o *selectedOutput) run(ctx context.Context) {
	defer close(o.over)
	s := o.d.slots[media.DeviceAudioOutput]
	selected := s.selected.Observe().Subscribe(ctx, func(*media.Device) { o.changed() }, observable.Latest())
	listed := s.list.Observe().Subscribe(ctx, func([]media.Device) { o.changed() }, observable.Latest())
	defer func() { <-selected.Done(); <-listed.Done() }()
	failures := 0
	retry := time.NewTimer(0)
	defer retry.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-o.wake:
		case <-retry.C:
		}
		err := o.update(ctx)
		if err == nil {
			failures = 0
			continue
		}
		if failures++; failures == 1 && ctx.Err() == nil {
			o.d.errors.Publish(&errs.MediaTrackError{Operation: "play on selected output", Kind: media.KindAudio.String(), OriginalError: err})
		}
		if mayPass(err) {
			retry.Reset(reopenAfter(failures))
		}
	}
}

// update plays on what is selected.
func (o *selectedOutput) update(ctx context.Context) error {
	if o.turn.take(ctx) != nil {
		return nil // it is being closed
	}
	defer o.turn.give()
	return o.follow(ctx, o.selected())
}

// follow plays on a device from now on; nil: on none. What cannot be opened changes
// nothing. The error of one that is lost is returned once, for it is to be tried again
// in a while.
func (o *selectedOutput) follow(ctx context.Context, device *media.Device) error {
	o.mu.Lock()
	at, lost, brief := o.device, o.lost, time.Since(o.started) < steadyCapture
	none := o.now == nil
	o.mu.Unlock()
	same := device == nil && none || device != nil && !none && at.ID == device.ID
	switch {
	case same && lost == nil:
		return nil
	case lost != nil: // which may be all that keeps it from being opened
		gone, _ := o.take(nil, nil)
		o.d.c.shut(gone)
		if same && brief {
			return lost
		}
	}
	var next media.Sink
	var err error
	if device != nil {
		if next, err = o.d.openOutput(ctx, device.ID); err != nil {
			return errors.Join(lost, err)
		}
	}
	old, err := o.take(next, device)
	if old != nil {
		o.d.c.shut(old)
	}
	return err
}

// take puts a loudspeaker in the place of what there is, which it returns. It waits for
// the packet that is being played, but not for ever.
func (o *selectedOutput) take(next media.Sink, device *media.Device) (media.Sink, error) {
	within, cancel := context.WithTimeout(context.Background(), program.Patience)
	defer cancel()
	if o.playing.take(within) == nil {
		defer o.playing.give()
	}
	o.mu.Lock()
	opened := o.opened
	o.mu.Unlock()
	if opened && next != nil {
		if err := next.Open(); err != nil {
			return next, err
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed && next != nil {
		return next, errs.ErrClosed
	}
	old := o.now
	o.now, o.device, o.lost, o.started = next, device, nil, time.Now()
	return old, nil
}
