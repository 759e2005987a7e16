package session_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
)

// deaf is a provider that ignores its context, as long as it is to.
type deaf struct {
	*media.VirtualDevices
	waiting chan struct{} // one for each that has not returned
	hold    chan struct{} // nil: it answers
	opened  int
}

func newDeaf(t *testing.T, devices ...media.Device) *deaf {
	return &deaf{VirtualDevices: virtual(t, devices...), waiting: make(chan struct{}, 1000), hold: make(chan struct{})}
}

func (d *deaf) Devices(context.Context) ([]media.Device, error) {
	d.waiting <- struct{}{}
	<-d.hold
	<-d.waiting
	return d.VirtualDevices.Devices(context.Background())
}

func (d *deaf) OpenInput(_ context.Context, kind media.DeviceKind, c media.Constraints) (media.Source, error) {
	d.opened++
	return d.VirtualDevices.OpenInput(context.Background(), kind, c)
}

func (d *deaf) OpenOutput(_ context.Context, id string) (media.Sink, error) {
	d.opened++
	return d.VirtualDevices.OpenOutput(context.Background(), id)
}

func (d *deaf) Inspect(_ context.Context, device media.Device) (media.DeviceCapabilities, error) {
	d.opened++
	return d.VirtualDevices.Inspect(context.Background(), device)
}

func TestAProviderThatIgnoresItsContextIsNotAskedAgainMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newDeaf(t, desk)
		c := idle(t, session.Options{Devices: p, Preferences: preferring(func(p *session.PreferenceValues) { p.DevicePollingInterval = time.Second })})
		defer c.Close()
		if err := c.Devices().EnableMonitoring(); err != nil {
			t.Fatal(err)
		}
		pass(time.Hour)
		if n := len(p.waiting); n != 1 {
			t.Errorf("%d of an hour's polls have not returned", n)
		}
		if err := c.Devices().Enumerate(t.Context()); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Enumerate meanwhile: %v", err)
		}
		close(p.hold)
		pass(10 * time.Second)
		if got := deviceIDs(c.Devices().AudioInputs()); len(got) != 1 || len(p.waiting) != 0 {
			t.Errorf("when it answers again, the list is %v", got)
		}
	})
}

func TestNoDeviceIsOpenedAfterClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newDeaf(t, desk, speaker)
		close(p.hold)
		c := idle(t, session.Options{Devices: p})
		if err := c.Devices().Enumerate(t.Context()); err != nil {
			t.Fatal(err)
		}
		pass(2 * time.Second)
		_ = c.Close()
		d, ctx := c.Devices(), t.Context()
		_, capabilities := d.Capabilities(ctx, desk)
		_, output := d.OpenSelectedOutput(ctx)
		_, probe := d.Probe(ctx)
		for name, err := range map[string]error{
			"Capabilities": capabilities, "OpenSelectedOutput": output, "Probe": probe,
			"Enumerate": d.Enumerate(ctx), "SelectAudioInput": d.SelectAudioInput(&desk), "ClearState": d.ClearState(ctx),
		} {
			if !errors.Is(err, errs.ErrClosed) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if d.Valid(ctx, &desk) || p.opened != 0 {
			t.Errorf("%d times asked", p.opened)
		}
	})
}
