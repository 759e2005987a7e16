package session_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
)

// A call that has selected a loudspeaker for itself plays there, as far as it can be
// had, whatever the client selects.
func TestACallSelectsALoudspeakerForItself(t *testing.T) {
	inCallBubble(t, noOptions, func(t *testing.T, b *callBubble) {
		v, plugIn, cones := loudspeakers(t)
		desktop, headphones := cones["desktop"], cones["headphones"]
		ann := b.withDevices(t, v, asUsual)
		recovered, told := taped(t, ann.Devices().ObserveRecovered()), taped(t, ann.Devices().ObserveErrors())
		sink, err := ann.Devices().OpenSelectedOutput(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		k := connected(t, ann.Client, "/public/echo", ann.dialing(session.MediaOptions{AudioSink: sink}))
		plays := func(when string, wanted *cone) { t.Helper(); wantPlayed(t, when, v, cones, wanted) }
		plays("at first", desktop)
		own := media.Device{ID: "headphones", Kind: media.DeviceAudioOutput}
		if err := selfOf(t, k).SelectAudioOutput(t.Context(), &own, session.SelectDeviceOptions{SavePreference: true}); err != nil {
			t.Fatal(err)
		}
		if v.InUse(media.DeviceAudioOutput, "headphones") != 1 {
			t.Error("it returned before the loudspeaker was open")
		}
		if p := ann.Preferences().Get().PreferredAudioOutput; idOf(p) != "headphones" {
			t.Errorf("%v is preferred", p)
		}
		plays("the call selects", headphones)
		for _, d := range []*media.Device{nil, {ID: "desktop", Kind: media.DeviceAudioOutput}} {
			if err := ann.Devices().SelectAudioOutput(d); err != nil {
				t.Error(err)
			}
			plays("the client selects", headphones)
		}
		v.Remove(media.DeviceAudioOutput, "headphones")
		plays("what the call has selected is unplugged", desktop)
		plugIn("headphones", false)
		plays("and plugged in again", headphones)
		r := recovered.take()
		if len(r) != 2 || r[0].CallID != k.ID() || r[1].CallID != k.ID() || r[1].Reason != session.DeviceRecoveryReconnected {
			t.Errorf("recovered %+v", r)
		}
		if f := told.take(); len(f) != 1 || !errors.As(f[0], new(*errs.DeviceNotFoundError)) {
			t.Errorf("told were %v", f)
		}
		if err := selfOf(t, k).SelectAudioOutput(t.Context(), nil, session.SelectDeviceOptions{}); err != nil {
			t.Error(err)
		}
		plays("the call selects none", nil)
		b.over(t, ann, k)
	})
}

// What cannot be selected changes nothing: the call plays where it did.
func TestALoudspeakerThatCannotBeHadChangesNothing(t *testing.T) {
	inCallBubble(t, noOptions, func(t *testing.T, b *callBubble) {
		v, plugIn, cones := loudspeakers(t)
		plugIn("headphones", true)
		ann := b.withDevices(t, v, asUsual)
		sink, err := ann.Devices().OpenSelectedOutput(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		k := connected(t, ann.Client, "/public/echo", ann.dialing(session.MediaOptions{AudioSink: sink}))
		deaf := connected(t, ann.Client, "/public/echo", ann.dialing(session.MediaOptions{}))
		desktop, headphones := media.Device{ID: "desktop", Kind: media.DeviceAudioOutput}, media.Device{ID: "headphones", Kind: media.DeviceAudioOutput}
		choose := func(k *session.Call, d *media.Device) error {
			return selfOf(t, k).SelectAudioOutput(t.Context(), d, session.SelectDeviceOptions{SavePreference: true})
		}
		var access *errs.MediaAccessError
		if err := choose(k, &headphones); !errors.As(err, &access) || access.Denied {
			t.Errorf("one that is busy: %v", err)
		}
		for name, d := range map[string]*media.Device{"a microphone": &desk, "nothing known": {Kind: media.DeviceAudioOutput}} {
			if err := choose(k, d); !errors.As(err, new(*errs.InvalidParamsError)) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err := choose(deaf, &desktop); !errors.As(err, new(*errs.InvalidStateTransitionError)) {
			t.Errorf("a call that plays on none: %v", err)
		}
		over, cancel := context.WithTimeout(t.Context(), 0)
		defer cancel()
		if err := selfOf(t, k).SelectAudioOutput(over, &headphones, session.SelectDeviceOptions{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("when the time is over: %v", err)
		}
		if p := ann.Preferences().Get().PreferredAudioOutput; p != nil {
			t.Errorf("%v is preferred", p)
		}
		wantPlayed(t, "after all that", v, cones, cones["desktop"])
		if err := ann.Devices().SelectAudioOutput(nil); err != nil {
			t.Error(err)
		}
		wantPlayed(t, "the client selects none", v, cones, nil)
		if err := deaf.Hangup(t.Context()); err != nil {
			t.Error(err)
		}
		self := selfOf(t, k)
		b.over(t, ann, k)
		if err := self.SelectAudioOutput(t.Context(), &desktop, session.SelectDeviceOptions{}); !errors.As(err, new(*errs.InvalidStateTransitionError)) {
			t.Errorf("after the end: %v", err)
		}
	})
}

// A loudspeaker that opens when its call has ended meanwhile, or its sink is closed, is
// not left open.
func TestACallEndsWhileItsLoudspeakerOpens(t *testing.T) {
	hangup := func(t *testing.T, b *callBubble, ann lineOf, k *session.Call, _ media.Sink) { b.over(t, ann, k) }
	ended, closed := func(err error) bool { return errors.As(err, new(*errs.CallEndedError)) }, func(err error) bool { return errors.Is(err, errs.ErrClosed) }
	for name, c := range map[string]struct {
		have, sound time.Duration // that it takes to open
		end         func(*testing.T, *callBubble, lineOf, *session.Call, media.Sink)
		told        func(error) bool
	}{
		"had too late":    {time.Second, 0, hangup, ended},
		"sounds too late": {0, time.Second, hangup, func(err error) bool { return err == nil }},
		"had after the sink's end": {time.Second, 0, func(t *testing.T, b *callBubble, ann lineOf, k *session.Call, sink media.Sink) {
			if err := sink.Close(); err != nil {
				t.Error(err)
			}
			pass(time.Second)
			b.over(t, ann, k)
		}, closed},
	} {
		t.Run(name, func(t *testing.T) {
			inCallBubble(t, noOptions, func(t *testing.T, b *callBubble) {
				v, _, cones := loudspeakers(t)
				own := media.Device{ID: "slow", Kind: media.DeviceAudioOutput}
				cones[own.ID] = &cone{pause: c.sound}
				plug(t, v, media.VirtualDevice{Device: own, Sink: func() (media.Sink, error) {
					time.Sleep(c.have)
					return cones[own.ID], nil
				}})
				ann := b.withDevices(t, v, asUsual)
				sink, err := ann.Devices().OpenSelectedOutput(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				k := connected(t, ann.Client, "/public/echo", ann.dialing(session.MediaOptions{AudioSink: sink}))
				self, selected := selfOf(t, k), make(chan error, 1)
				go func() { selected <- self.SelectAudioOutput(t.Context(), &own, session.SelectDeviceOptions{}) }()
				pass(500 * time.Millisecond)
				c.end(t, b, ann, k, sink)
				if err := <-selected; !c.told(err) {
					t.Errorf("selecting it: %v", err)
				}
				pass(3 * time.Second)
				for id := range cones {
					if n := v.InUse(media.DeviceAudioOutput, id); n != 0 {
						t.Errorf("%s is open after the end", id)
					}
				}
			})
		})
	}
}
