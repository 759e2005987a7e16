package session

import (
	"context"
	"slices"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/internal/program"
	"github.com/callrx/callrx/media"
)

const (
	theProvider   = "the device provider" // as errors call it
	deviceTimeout = 5 * time.Second       // what listing devices, or opening one, may take
)

// Enumerate lists the devices now. What it returns is on ObserveErrors too.
func (d *Devices) Enumerate(ctx context.Context) error {
	if d.c.ctx.Err() != nil {
		return errs.ErrClosed
	}
	d.c.begun()
	err := d.list(ctx)
	if err != nil && ctx.Err() == nil {
		d.errors.Publish(err)
	}
	return err
}

// list asks the provider and takes the answer in.
func (d *Devices) list(ctx context.Context) error {
	if d.provider == nil {
		return nil
	}
	ctx, cancel := joined(ctx, d.c.ctx)
	defer cancel()
	if err := d.listing.take(ctx); err != nil {
		return err
	}
	defer d.listing.give()
	d.load(ctx)
	all, err := askDevices(ctx, d, d.enumerate, program.Forget[[]media.Device])
	if err != nil {
		return causeOf(ctx, &errs.MediaAccessError{Operation: "list devices", OriginalError: err})
	}
	return d.c.ask(ctx, func() { d.take(all) })
}

// enumerate asks when the provider has answered the time before: one that ignores its
// context is not asked once more meanwhile.
func (d *Devices) enumerate(ctx context.Context) ([]media.Device, error) {
	if err := d.asking.take(ctx); err != nil {
		return nil, err
	}
	defer d.asking.give()
	return d.provider.Devices(ctx)
}

// take shows the lists. When they have changed, devices are chosen in a while. On
// the loop.
func (d *Devices) take(all []media.Device) {
	changed := !d.listed
	d.listed, d.failing = true, false
	for _, kind := range deviceKinds {
		var list []media.Device
		for _, device := range all {
			if device.Kind == kind {
				list = append(list, device)
			}
		}
		s := d.slots[kind]
		changed = changed || !slices.Equal(s.list.Get(), list)
		s.list.Set(list)
	}
	if changed {
		d.schedule()
	}
}

// schedule has devices chosen when nothing has changed for a while. On the loop.
func (d *Devices) schedule() {
	if d.debounce != nil {
		d.debounce.Stop()
	}
	var mine *time.Timer
	mine = time.AfterFunc(d.c.preferred().DeviceDebounce, func() {
		d.c.post(func() {
			if d.debounce == mine {
				d.resolve()
			}
		})
	})
	d.debounce = mine
}

// ready sees to it that devices have been chosen, if they can be listed.
func (d *Devices) ready(ctx context.Context) {
	resolved, listed := false, false
	if d.ask(func() { resolved, listed = d.resolved, d.listed }) != nil || resolved {
		return
	}
	if !listed && !d.look(ctx) {
		return
	}
	_ = d.ask(func() {
		if !d.resolved {
			d.resolve()
		}
	})
}

// look lists the devices for nobody in particular, and reports whether it could.
func (d *Devices) look(ctx context.Context) bool {
	err := d.list(ctx)
	if err != nil {
		d.failed(ctx, err)
	}
	return err == nil
}

// failed tells what nobody was told, once in a row.
func (d *Devices) failed(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	d.c.post(func() {
		if !d.failing {
			d.failing = true
			d.errors.Publish(err)
			d.c.report(err)
		}
	})
}

// start begins with the first Connect what the program has not decided. On the
// loop.
func (d *Devices) start() {
	switch {
	case d.started || d.provider == nil:
	case d.c.opts.SkipDeviceMonitoring:
		d.started = true
		d.refresh()
	default:
		d.monitor()
	}
}

// refresh lists the devices anew, beside the loop. On the loop.
func (d *Devices) refresh() {
	d.c.workers.Go(func() { d.look(d.c.ctx) })
}

// resumed lists the devices anew, if that is preferred and changes are wanted to be
// noticed. On the loop.
func (d *Devices) resumed() {
	if d.unwatch != nil && d.c.preferred().RefreshDevicesOnResume {
		d.refresh()
	}
}

// recover looks for what has become of a device that a call captured from. On the
// loop.
func (d *Devices) recover() {
	d.c.workers.Go(func() {
		d.look(d.c.ctx)
		d.c.post(func() {
			if d.debounce == nil { // the list has not changed: the device is back already
				d.schedule()
			}
		})
	})
}

// EnableMonitoring lists the devices, and again whenever the provider says that they
// may have changed, and at each preference DevicePollingInterval, as it is now. The
// first Connect does so too, unless Options.SkipDeviceMonitoring is set. Enabling it
// again begins anew.
func (d *Devices) EnableMonitoring() error { return d.ask(d.monitor) }

// DisableMonitoring has changes go unnoticed until Enumerate, or until a device
// vanishes while a call captures from it.
func (d *Devices) DisableMonitoring() error {
	return d.ask(func() {
		d.started = true
		d.stopMonitoring()
	})
}

func (d *Devices) stopMonitoring() {
	if d.unwatch != nil {
		d.unwatch()
		d.unwatch = nil
	}
}

// monitor starts what EnableMonitoring says. On the loop.
func (d *Devices) monitor() {
	if d.provider == nil {
		return
	}
	d.started = true
	d.stopMonitoring()
	ctx, cancel := context.WithCancel(d.c.ctx)
	d.unwatch = cancel
	changed := make(chan struct{}, 1)
	if w, ok := d.provider.(media.DeviceWatcher); ok {
		d.c.workers.Go(func() { d.watch(ctx, w, changed) })
	}
	interval := d.c.preferred().DevicePollingInterval
	d.c.workers.Go(func() { d.poll(ctx, interval, changed) })
}

// watch has the provider tell of changes.
func (d *Devices) watch(ctx context.Context, w media.DeviceWatcher, changed chan<- struct{}) {
	_, err := program.Ask(ctx, theProvider, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, w.WatchDevices(ctx, func() {
			select {
			case changed <- struct{}{}:
			default:
			}
		})
	}, program.Forget[struct{}])
	if err != nil {
		d.failed(ctx, &errs.MediaAccessError{Operation: "watch devices", OriginalError: err})
	}
}

// poll lists the devices whenever there is reason to.
func (d *Devices) poll(ctx context.Context, interval time.Duration, changed <-chan struct{}) {
	var ticks <-chan time.Time
	if interval > 0 {
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		ticks = ticker.C
	}
	for {
		d.look(ctx)
		select {
		case <-changed:
		case <-ticks:
		case <-ctx.Done():
			return
		}
	}
}
