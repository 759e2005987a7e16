package session

import (
	"context"
	"sync"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
)

// A callInput is what a call captures one kind of media with, if the program has
// given it no source.
type callInput struct {
	k      *Call
	kind   media.Kind
	device media.DeviceKind
	turn   slot // what the program wants of it is done one after the other

	// The client's loop owns these.
	given       bool               // the program's source is sent, or nothing yet
	own         *deviceChoice      // what the call itself has selected; nil: what the client has
	left        *deviceChoice      // what it had in an earlier process, until it captures
	constraints media.Constraints  // without device
	told        *media.Constraints // how it has captured so far; nil: it has not begun
	now         *capture           // what is sent; nil: nothing is captured
	target      *media.Device      // what is to be captured from; nil: nothing
	aimed       bool               // there is a target
	version     uint64             // counts targets
	short       int                // captures in a row that were lost at once
	switching   bool
	cancel      context.CancelFunc // of what is being opened
	failures    int                // to open the target, in a row
	retry       *time.Timer        // until it is tried again; nil: it is not
}

func newCallInputs(k *Call) [2]*callInput {
	of := func(kind media.Kind) *callInput {
		return &callInput{k: k, kind: kind, device: inputOf(kind), turn: newSlot(), given: true}
	}
	return [2]*callInput{of(media.KindAudio), of(media.KindVideo)}
}

func (k *Call) input(kind media.Kind) *callInput {
	if kind == media.KindVideo {
		return k.inputs[1]
	}
	return k.inputs[0]
}

// A capture is an open device.
type capture struct {
	askedSource
	constraints media.Constraints // that it was opened with, without device
	device      *media.Device     // that it is; nil: not known
	meant       *media.Device     // that was asked for; nil: any
	began       time.Time
	ended       func(*capture, error)
	once        sync.Once
	over        bool // it has ended by itself; the loop owns this
}

// Send tells of an end that nobody asked for.
func (c *capture) Send(ctx context.Context, out *media.Output) error {
	err := c.Source.Send(ctx, out)
	if ctx.Err() == nil {
		c.ended(c, err)
	}
	return err
}

// Close releases the device, once.
func (c *capture) Close() (err error) {
	c.once.Do(func() { err = c.askedSource.Close() })
	return err
}

// noMicrophone stands for a microphone that is not there yet: it wants the codecs
// that samples can be encoded to.
type noMicrophone struct{ media.Source }

func (noMicrophone) Codecs() []string { return []string{media.PCM} }

// opened makes a capture of an open device.
func (i *callInput) opened(in media.Input, wanted *media.Device, with media.Constraints) *capture {
	c := &capture{
		askedSource: askedSource{in.Source, in.Source.Codecs()}, constraints: with,
		device: in.Device, meant: wanted, began: time.Now(), ended: i.lost,
	}
	if in.Level != media.ConstraintExact {
		i.k.c.devices.fallbacks.Publish(ConstraintFallback{
			CallID: i.k.id, Kind: i.device, Requested: copyOf(wanted), Actual: copyOf(in.Device), Level: in.Level,
		})
	}
	return c
}

// begin takes over what the call captures from when it begins. On the loop, like
// what follows.
func (i *callInput) begin(b inputBegin) {
	i.given, i.own, i.constraints, i.now = b.given, b.own, b.constraints, b.capture
	i.left, i.aimed, i.version, i.failures = nil, false, i.version+1, 0
	i.tell(b.capture)
	i.interrupt()
	if b.capture == nil || b.capture.meant != nil { // else it was too early to choose, and it stays
		i.follow() // another may have been selected meanwhile
	}
	i.k.rewrite()
}

// begun is what the call could begin with to be as it is.
func (i *callInput) begun() inputBegin {
	b := inputBegin{kind: i.kind, capture: i.now, given: i.given, own: i.own, constraints: i.constraints}
	if b.capture != nil && b.capture.over { // nobody needs it
		b.capture = nil
	}
	return b
}

// record is the device that the call has selected for itself, without ID if it wants
// none; nil: it has not.
func (i *callInput) record() *storedDevice {
	own := i.own
	if i.left != nil {
		own = i.left
	}
	if own == nil || i.given && i.left == nil {
		return nil
	}
	r := storedDevice{Kind: i.device}
	if own.selected != nil {
		r = stored(*own.gone())
	}
	return &r
}

// recall takes up what an earlier process has recorded.
func (i *callInput) recall(r *storedDevice) {
	switch {
	case r == nil:
	case r.ID == "":
		i.left = &deviceChoice{none: true}
	default:
		i.left = &deviceChoice{selected: &media.Device{ID: r.ID, Label: r.Label, GroupID: r.GroupID, Kind: i.device}}
	}
}

// interrupt ends what is under way, or is to be.
func (i *callInput) interrupt() {
	if i.cancel != nil {
		i.cancel()
	}
	if i.retry != nil {
		i.retry.Stop()
		i.retry = nil
	}
}

// choice is what is selected for the call, by itself or for all.
func (i *callInput) choice() deviceChoice {
	if i.own != nil {
		return *i.own
	}
	return i.k.c.devices.slots[i.device].choice
}

// follow has the call capture from what is selected.
func (i *callInput) follow() {
	choice := i.choice()
	switch {
	case i.given || i.k.state.status.ended() || i.k.media() == nil:
	case i.k.c.devices.slots[i.device].off || choice.none:
		i.aim(nil)
	case choice.selected != nil && !choice.missing:
		i.aim(choice.selected)
	}
}

// aim changes what is to be captured from. The latest wins.
func (i *callInput) aim(at *media.Device) {
	same := i.aimed && (at == nil && i.target == nil || at != nil && i.target != nil && at.ID == i.target.ID)
	if i.switching && same {
		return
	}
	if !same {
		i.failures = 0
	}
	i.target, i.aimed = copyOf(at), true
	i.version++
	i.interrupt()
	if !i.switching && !i.captures(at) {
		i.switching = true
		i.k.c.workers.Go(i.run)
	}
}

// captures reports whether that is what is being captured from.
func (i *callInput) captures(device *media.Device) bool {
	if device == nil || i.now == nil {
		return device == nil && i.now == nil
	}
	is := func(d *media.Device) bool { return d != nil && d.ID == device.ID }
	return !i.now.over && (is(i.now.device) || i.now.device == nil && is(i.now.meant))
}

// run opens what is to be captured from, puts it in the place of what is, and closes
// that, until there is nothing more to change.
func (i *callInput) run() {
	ask := func(do func()) bool { return i.k.c.ask(context.Background(), do) == nil }
	for again := true; again; {
		var next inputWish
		if !ask(func() { next = i.next() }) || next.ctx == nil {
			return
		}
		c, err := i.open(next)
		var old *capture
		if !ask(func() { old, again = i.arrived(c, err, next.version) }) {
			old, again = c, false
		}
		if old != nil {
			i.k.c.shut(old)
		}
	}
}

// An inputWish is what to capture from.
type inputWish struct {
	ctx         context.Context // nil: as it is
	device      *media.Device
	constraints media.Constraints
	version     uint64
}

func (i *callInput) next() inputWish {
	if i.given || !i.aimed || i.k.state.status.ended() || i.captures(i.target) {
		i.switching = false
		i.k.grant()
		return inputWish{}
	}
	w := inputWish{device: i.target, constraints: i.constraints, version: i.version}
	w.ctx, i.cancel = context.WithCancel(i.k.ctx)
	return w
}

// open opens a device, that one and no other. Not on the loop.
func (i *callInput) open(w inputWish) (*capture, error) {
	if w.device == nil {
		return nil, nil
	}
	r := media.InputRequest{Kind: i.device, Constraints: w.constraints, KeepDevice: true}
	r.Constraints.DeviceID, r.Constraints.PreferDeviceID = w.device.ID, ""
	in, err := i.k.c.devices.open(w.ctx, r)
	if err != nil {
		return nil, err
	}
	return i.opened(in, w.device, w.constraints), nil
}

// arrived takes in what was opened, unless there is another wish by now. It returns
// what is to be closed. What fails changes nothing.
func (i *callInput) arrived(c *capture, err error, version uint64) (old *capture, again bool) {
	i.cancel()
	i.cancel = nil
	if version != i.version {
		return c, true
	}
	i.switching = false
	defer i.k.grant()
	if i.k.state.status.ended() {
		return c, false
	}
	if err != nil {
		i.failed(err)
		return c, false
	}
	if err = i.send(c); err != nil {
		i.report(err)
		return c, false
	}
	i.failures = 0
	old, i.now = i.now, c
	i.tell(c)
	return old, false
}

func (i *callInput) report(err error) {
	i.k.report(&errs.MediaTrackError{Operation: "update selected input device", Kind: i.kind.String(), OriginalError: err}, false)
}

// send has the leg send what is captured, or nothing.
func (i *callInput) send(c *capture) error {
	var source media.Source
	if c != nil {
		source = c
	}
	err := i.k.media().Replace(i.kind, source)
	if err == nil {
		i.k.sends(i.k.id, "replaced", input(i.kind), source)
	}
	return err
}
