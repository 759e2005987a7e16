package session_test

import (
	"context"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// The microphones of the tests, which tell themselves apart by their tone.
var (
	desk    = media.Device{ID: "desk", Label: "Desk", Kind: media.DeviceAudioInput}
	headset = media.Device{ID: "headset", Label: "Headset", GroupID: "g-headset", Kind: media.DeviceAudioInput}
	speaker = media.Device{ID: "speaker", Label: "Speaker", Kind: media.DeviceAudioOutput}
	webcam  = media.Device{ID: "webcam", Label: "Webcam", Kind: media.DeviceVideoInput}
)

const deskHz, headsetHz, micLevel = 420, 520, -12

// plugged makes a virtual device of one of the devices of the tests.
func plugged(t testing.TB, d media.Device) media.VirtualDevice {
	t.Helper()
	v := media.VirtualDevice{Device: d}
	if hz := map[string]float64{desk.ID: deskHz, headset.ID: headsetHz}[d.ID]; hz > 0 {
		v.Source = func(media.Constraints) (media.Source, error) { return media.NewTone(hz, micLevel) }
	}
	return v
}

func virtual(t testing.TB, devices ...media.Device) *media.VirtualDevices {
	t.Helper()
	v, err := media.NewVirtualDevices()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range devices {
		plug(t, v, plugged(t, d))
	}
	return v
}

func plug(t testing.TB, v *media.VirtualDevices, d media.VirtualDevice) {
	t.Helper()
	if err := v.Add(d); err != nil {
		t.Fatal(err)
	}
}

// counting is a provider that counts what it is asked, and can fail.
type counting struct {
	media.DeviceProvider // hides what else the devices can do

	mu     sync.Mutex
	lists  int
	opened []media.Constraints
	fail   error
	hold   chan struct{} // opening waits for it
}

func (c *counting) Devices(ctx context.Context) ([]media.Device, error) {
	c.mu.Lock()
	c.lists++
	err := c.fail
	c.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return c.DeviceProvider.Devices(ctx)
}

func (c *counting) OpenInput(ctx context.Context, kind media.DeviceKind, k media.Constraints) (media.Source, error) {
	c.mu.Lock()
	c.opened = append(c.opened, k)
	hold := c.hold
	c.mu.Unlock()
	if hold != nil {
		select {
		case <-hold:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	return c.DeviceProvider.OpenInput(ctx, kind, k)
}

// asked returns how often devices were listed and opened since the last time.
func (c *counting) asked() (lists int, opened []media.Constraints) {
	c.mu.Lock()
	defer c.mu.Unlock()
	lists, opened = c.lists, c.opened
	c.lists, c.opened = 0, nil
	return lists, opened
}

func (c *counting) set(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f()
}

// withDevices opens ann with a provider of devices.
func (b *callBubble) withDevices(t *testing.T, p media.DeviceProvider, f func(*session.PreferenceValues)) lineOf {
	t.Helper()
	return b.open(t, "ann", session.Options{Devices: p, Preferences: preferring(f)})
}

func asUsual(*session.PreferenceValues) {}

// echoed dials the echo and returns what comes back of what the call sends.
func (b *callBubble) echoed(t *testing.T, l lineOf, o session.MediaOptions) (*session.Call, *media.Listener) {
	t.Helper()
	heard := newListener(t)
	o.AudioSink = heard
	return connected(t, l.Client, "/public/echo", l.dialing(o)), heard
}

// nowTone checks what is heard by now, after what a listener has kept. A window that
// a jitter buffer has cut is no window.
func nowTone(t *testing.T, heard *media.Listener, hz float64) {
	t.Helper()
	hear(t, heard, 1200*time.Millisecond)
	var gotHz, level float64
	for range 4 {
		gotHz, level = loudest(hear(t, heard, 200*time.Millisecond), 16000)
		if math.Abs(gotHz-hz) <= 5 && math.Abs(level-micLevel) <= 1.5 {
			return
		}
	}
	t.Errorf("%.1f Hz is heard at %.1f dBFS, want %v at %v", gotHz, level, hz, float64(micLevel))
}

// nowSilence checks that nothing is heard.
func nowSilence(t *testing.T, heard *media.Listener) {
	t.Helper()
	hear(t, heard, 1200*time.Millisecond)
	if _, level := loudest(hear(t, heard, 200*time.Millisecond), 16000); level > -90 {
		t.Errorf("something is heard at %.1f dBFS", level)
	}
}

var noOptions = sessiontest.Options{}

func idOf(d *media.Device) string {
	if d == nil {
		return ""
	}
	return d.ID
}

func deviceIDs(list []media.Device) (ids []string) {
	for _, d := range list {
		ids = append(ids, d.ID)
	}
	return ids
}
