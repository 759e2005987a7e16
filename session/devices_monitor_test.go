package session_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
)

func TestDevicesAreListedAsOftenAsPreferred(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &counting{DeviceProvider: virtual(t, desk)}
		c := idle(t, session.Options{Devices: p})
		defer c.Close()
		lists := func() int { n, _ := p.asked(); return n }
		if err := c.Devices().EnableMonitoring(); err != nil {
			t.Fatal(err)
		}
		pass(time.Hour)
		if n := lists(); n != 1 {
			t.Errorf("listed %d times without a preference", n)
		}
		change(t, c, func(p *session.PreferenceValues) { p.DevicePollingInterval = 10 * time.Second })
		for range 2 { // enabling it again begins anew
			if err := c.Devices().EnableMonitoring(); err != nil {
				t.Fatal(err)
			}
			pass(0)
		}
		lists()
		pass(time.Minute)
		if n := lists(); n != 6 {
			t.Errorf("listed %d times in a minute", n)
		}
		if err := c.Devices().DisableMonitoring(); err != nil {
			t.Fatal(err)
		}
		pass(time.Minute)
		if n := lists(); n != 0 {
			t.Errorf("listed %d times although nobody asks", n)
		}
	})
}

// A list that is polled more often than devices take to settle does not keep one from
// being selected: what counts is that it is the same.
func TestDevicesAreChosenWhenTheyHaveBeenTheSameAsLongAsPreferred(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := virtual(t, desk)
		c := idle(t, session.Options{Devices: v, Preferences: preferring(func(p *session.PreferenceValues) {
			p.DeviceDebounce, p.DevicePollingInterval = 5*time.Second, time.Second
		})})
		defer c.Close()
		if err := c.Devices().EnableMonitoring(); err != nil {
			t.Fatal(err)
		}
		pass(3 * time.Second)
		plug(t, v, plugged(t, headset))
		pass(4999 * time.Millisecond)
		if d := c.Devices().SelectedAudioInput(); d != nil {
			t.Errorf("%v is selected too early", d)
		}
		pass(2 * time.Millisecond)
		if d := c.Devices().SelectedAudioInput(); idOf(d) != "desk" {
			t.Errorf("%v is selected", d)
		}
	})
}

// D62: nothing is listed after Close, nor when the program does not want it.
func TestMonitoringBeginsWithConnectAndEndsWithClose(t *testing.T) {
	inCallBubble(t, noOptions, func(t *testing.T, b *callBubble) {
		often := preferring(func(p *session.PreferenceValues) { p.DevicePollingInterval = time.Second })
		p, skipped := &counting{DeviceProvider: virtual(t, desk)}, &counting{DeviceProvider: virtual(t, desk)}
		ann := b.open(t, "ann", session.Options{Devices: p, Preferences: often})
		bob := b.open(t, "bob", session.Options{Devices: skipped, Preferences: often, SkipDeviceMonitoring: true})
		pass(2500 * time.Millisecond)
		if n, _ := p.asked(); n != 3 {
			t.Errorf("listed %d times", n)
		}
		if n, _ := skipped.asked(); n != 1 || len(bob.Devices().AudioInputs()) != 1 {
			t.Errorf("listed %d times without monitoring", n)
		}
		_ = ann.Close()
		p.asked()
		pass(time.Minute)
		if n, _ := p.asked(); n != 0 {
			t.Errorf("listed %d times after Close", n)
		}
	})
}

func TestAListThatGoesOnFailingIsToldOnce(t *testing.T) {
	broken := errors.New("no sound server")
	synctest.Test(t, func(t *testing.T) {
		p := &counting{DeviceProvider: virtual(t, desk), fail: broken}
		c := idle(t, session.Options{Devices: p, Preferences: preferring(func(p *session.PreferenceValues) { p.DevicePollingInterval = time.Second })})
		defer c.Close()
		failures, told := taped(t, c.Devices().ObserveErrors()), taped(t, c.ObserveErrors())
		if err := c.Devices().EnableMonitoring(); err != nil {
			t.Fatal(err)
		}
		pass(time.Minute)
		var access *errs.MediaAccessError
		if f, all := failures.take(), told.take(); len(f) != 1 || len(all) != 1 || !errors.Is(f[0], broken) || !errors.As(all[0], &access) {
			t.Errorf("told %v, and to the client %v", f, all)
		}
		if err := c.Devices().Enumerate(t.Context()); !errors.Is(err, broken) {
			t.Errorf("Enumerate: %v", err)
		}
		p.set(func() { p.fail = nil })
		pass(5 * time.Second)
		if idOf(c.Devices().SelectedAudioInput()) != "desk" {
			t.Error("it does not get well")
		}
		p.set(func() { p.fail = broken })
		pass(5 * time.Second)
		if f := failures.take(); len(f) != 2 { // Enumerate's, and again
			t.Errorf("told %v", f)
		}
	})
}

func TestTheSelectionOutlivesTheProcessIfPreferred(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		storage := session.NewMemoryStorage()
		process := func(persist bool, do func(*session.Devices)) (selected string, reasons []session.DeviceRecoveryReason) {
			c := idle(t, session.Options{
				Devices: virtual(t, desk, headset), Storage: storage,
				Preferences: preferring(func(p *session.PreferenceValues) { p.PersistDeviceSelection = persist }),
			})
			defer c.Close()
			recovered := taped(t, c.Devices().ObserveRecovered())
			if err := c.Devices().Enumerate(t.Context()); err != nil {
				t.Fatal(err)
			}
			pass(2 * time.Second)
			selected = idOf(c.Devices().SelectedAudioInput())
			do(c.Devices())
			pass(2 * time.Second)
			for _, r := range recovered.take() {
				reasons = append(reasons, r.Reason)
			}
			return selected, reasons
		}
		nothing := func(*session.Devices) {}
		choose := func(d *media.Device) func(*session.Devices) {
			return func(all *session.Devices) {
				if err := all.SelectAudioInput(d); err != nil {
					t.Fatal(err)
				}
			}
		}
		stored := func() map[string]any {
			text, ok, err := storage.Get(t.Context(), session.ScopePersistent, "sw:device:audioinput")
			if err != nil {
				t.Fatal(err)
			}
			var v map[string]any
			if ok {
				if err := json.Unmarshal(text, &v); err != nil {
					t.Error(err)
				}
			}
			return v
		}
		process(true, nothing)
		if stored() != nil {
			t.Errorf("an automatic choice is stored: %v", stored())
		}
		process(true, choose(&headset))
		if s := stored(); s["deviceId"] != "headset" || s["label"] != "Headset" || s["kind"] != "audioinput" || s["groupId"] != "g-headset" {
			t.Errorf("stored is %v", s)
		}
		if got, why := process(true, nothing); got != "headset" || len(why) != 1 || why[0] != session.DeviceRecoveryRestored {
			t.Errorf("restored is %s for %v", got, why)
		}
		if got, _ := process(false, choose(&desk)); got != "desk" || stored()["deviceId"] != "headset" {
			t.Errorf("not preferred, and restored is %s, stored %v", got, stored())
		}
		process(true, func(d *session.Devices) {
			if err := d.ClearState(t.Context()); err != nil || d.SelectedAudioInput() != nil {
				t.Errorf("cleared, and %v is selected: %v", d.SelectedAudioInput(), err)
			}
			pass(2 * time.Second)
			if idOf(d.SelectedAudioInput()) != "desk" {
				t.Errorf("after that %v is selected", d.SelectedAudioInput())
			}
		})
		if got, _ := process(true, choose(&headset)); got != "desk" || stored() == nil {
			t.Errorf("after that %s is restored, stored %v", got, stored())
		}
		process(true, choose(nil))
		if stored() != nil {
			t.Errorf("none is selected, and stored is %v", stored())
		}
	})
}

func TestTheSelectionIsKeptInAnotherStorage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		usual, other := session.NewMemoryStorage(), session.NewMemoryStorage()
		stored := func(s session.Storage) string {
			text, _, err := s.Get(t.Context(), session.ScopePersistent, "sw:device:audioinput")
			if err != nil {
				t.Error(err)
			}
			var v map[string]any
			_ = json.Unmarshal(text, &v)
			id, _ := v["deviceId"].(string)
			return id
		}
		process := func(own session.Storage, then func(*session.Client)) (selected string) {
			c := idle(t, session.Options{Devices: virtual(t, desk, headset), Storage: usual})
			defer c.Close()
			d := c.Devices()
			if err := errors.Join(d.Enumerate(t.Context()), d.SetStorage(own)); err != nil {
				t.Fatal(err)
			}
			pass(2 * time.Second)
			selected = idOf(d.SelectedAudioInput())
			then(c)
			return selected
		}
		choose := func(c *session.Client) {
			if err := c.Devices().SelectAudioInput(&headset); err != nil {
				t.Error(err)
			}
		}
		process(other, choose)
		if stored(usual) != "" || stored(other) != "headset" {
			t.Errorf("stored are %q and, in the other, %q", stored(usual), stored(other))
		}
		if got := process(nil, choose); got != "desk" || stored(usual) != "" {
			t.Errorf("without a storage %s is selected, stored %q", got, stored(usual))
		}
		got := process(other, func(c *session.Client) {
			if err := errors.Join(c.ResetToDefaults(t.Context()), c.Close()); err != nil {
				t.Error(err)
			}
			if err := c.Devices().SetStorage(usual); !errors.Is(err, errs.ErrClosed) {
				t.Errorf("after Close: %v", err)
			}
		})
		if got != "headset" || stored(other) != "" {
			t.Errorf("%s is selected; after a reset %q is stored", got, stored(other))
		}
	})
}

func TestAStoredSelectionThatCannotBeIsToldAndForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		storage := session.NewMemoryStorage()
		for key, text := range map[string]string{
			"sw:device:audioinput": "rubbish", "sw:device:videoinput": `{"deviceId":"desk","kind":"audioinput"}`, "sw:device:audiooutput": `{"kind":"audiooutput"}`,
		} {
			if err := storage.Set(t.Context(), session.ScopePersistent, key, []byte(text)); err != nil {
				t.Fatal(err)
			}
		}
		c := idle(t, session.Options{Devices: virtual(t, desk, speaker, webcam), Storage: storage})
		defer c.Close()
		told := taped(t, c.ObserveErrors())
		if err := c.Devices().Enumerate(t.Context()); err != nil {
			t.Fatal(err)
		}
		pass(2 * time.Second)
		all := told.take()
		if len(all) != 3 || !errors.Is(all[0], errs.ErrDamaged) || !strings.Contains(all[0].Error(), "sw:device:") {
			t.Errorf("told were %v", all)
		}
		if idOf(c.Devices().SelectedVideoInput()) != "webcam" {
			t.Errorf("%v is selected", c.Devices().SelectedVideoInput())
		}
	})
}

func TestPreferredDevicesAreChosen(t *testing.T) {
	second := func(d media.Device) media.Device {
		d.ID, d.Label, d.GroupID = d.ID+"-2", d.Label+" 2", ""
		return d
	}
	mic, out, cam := second(desk), second(speaker), second(webcam)
	synctest.Test(t, func(t *testing.T) {
		v := virtual(t, desk, speaker, webcam, mic, out, cam)
		c := idle(t, session.Options{Devices: v, Preferences: preferring(func(p *session.PreferenceValues) {
			p.PreferredAudioInput = &mic
			p.PreferredAudioOutput = &media.Device{Label: out.Label, Kind: out.Kind}
			p.PreferredVideoInput = &media.Device{ID: cam.ID, Kind: cam.Kind}
		})})
		defer c.Close()
		d := c.Devices()
		if err := d.EnableMonitoring(); err != nil {
			t.Fatal(err)
		}
		pass(2 * time.Second)
		if idOf(d.SelectedAudioInput()) != "desk-2" || idOf(d.SelectedAudioOutput()) != "speaker-2" || idOf(d.SelectedVideoInput()) != "webcam-2" {
			t.Errorf("selected are %v, %v, %v", d.SelectedAudioInput(), d.SelectedAudioOutput(), d.SelectedVideoInput())
		}
	})
}
