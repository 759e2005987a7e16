package session_test

import (
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
)

// A cone is the sounding part of a virtual loudspeaker, opened at most once at a time.
type cone struct {
	packets        atomic.Int32
	opened, closed atomic.Int32
	pause          time.Duration // that Open takes
	hold           chan struct{} // WritePacket waits for it
}

func (c *cone) Codecs() []string { return media.Discard().Codecs() }
func (c *cone) Close() error     { c.closed.Add(1); return nil }

func (c *cone) Open() error {
	c.opened.Add(1)
	time.Sleep(c.pause)
	return nil
}

func (c *cone) WritePacket(media.Packet) error {
	c.packets.Add(1)
	if c.hold != nil {
		<-c.hold
	}
	return nil
}

// sounds reports whether something was played within the last half second.
func (c *cone) sounds() bool {
	before := c.packets.Load()
	pass(500 * time.Millisecond)
	return c.packets.Load() > before
}

// loudspeakers are two virtual ones, of which the first is selected.
func loudspeakers(t *testing.T) (v *media.VirtualDevices, plugIn func(id string, busy bool), cones map[string]*cone) {
	t.Helper()
	v = virtual(t, desk)
	cones = map[string]*cone{"desktop": {}, "headphones": {}}
	plugIn = func(id string, busy bool) {
		plug(t, v, media.VirtualDevice{
			Device: media.Device{ID: id, Label: id, Kind: media.DeviceAudioOutput}, Busy: busy, Exclusive: true,
			Sink: func() (media.Sink, error) { return cones[id], nil },
		})
	}
	plugIn("desktop", false)
	plugIn("headphones", false)
	return v, plugIn, cones
}

// wantPlayed checks that one loudspeaker is open and sounds, and no other; nil: none.
func wantPlayed(t *testing.T, when string, v *media.VirtualDevices, cones map[string]*cone, wanted *cone) {
	t.Helper()
	pass(2500 * time.Millisecond)
	for id, c := range cones {
		inUse := v.InUse(media.DeviceAudioOutput, id)
		if c.sounds() != (c == wanted) || inUse > 1 || inUse == 1 != (c == wanted) {
			t.Errorf("%s: %s sounds: %v, open: %d", when, id, c != wanted, inUse)
		}
	}
}

// A call is played where the program wants to hear it, wherever that is by now, and
// goes on without a loudspeaker.
func TestSelectedOutputFollowsTheSelectionAndWhatIsPlugged(t *testing.T) {
	inCallBubble(t, noOptions, func(t *testing.T, b *callBubble) {
		v, plugIn, cones := loudspeakers(t)
		desktop, headphones := cones["desktop"], cones["headphones"]
		ann := b.withDevices(t, v, asUsual)
		told := taped(t, ann.Devices().ObserveErrors())
		sink, err := ann.Devices().OpenSelectedOutput(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		k := connected(t, ann.Client, "/public/echo", ann.dialing(session.MediaOptions{AudioSink: sink}))
		history := watch(k)
		plays := func(when string, wanted *cone) { t.Helper(); wantPlayed(t, when, v, cones, wanted) }
		choose := func(id string) {
			t.Helper()
			if err := ann.Devices().SelectAudioOutput(&media.Device{ID: id, Kind: media.DeviceAudioOutput}); err != nil {
				t.Error(err)
			}
		}
		plays("at first", desktop)
		choose("headphones")
		plays("the others are selected", headphones)
		v.Remove(media.DeviceAudioOutput, "headphones")
		plays("those are unplugged", desktop)
		plugIn("headphones", false)
		plays("and plugged in again", headphones)
		if f := told.take(); len(f) != 1 || !errors.As(f[0], new(*errs.MediaTrackError)) || !errors.As(f[0], new(*errs.DeviceNotFoundError)) {
			t.Errorf("told were %v", f)
		}
		if err := ann.Devices().SelectAudioOutput(nil); err != nil {
			t.Error(err)
		}
		plays("none is selected", nil)
		choose("desktop")
		plays("one is again", desktop)
		v.Remove(media.DeviceAudioOutput, "headphones")
		v.Remove(media.DeviceAudioOutput, "desktop")
		plays("none is left", nil)
		plugIn("desktop", true)
		plays("one is back, and busy", nil)
		plugIn("desktop", false)
		pass(time.Minute)
		plays("and free", desktop)
		b.over(t, ann, k)
		wantStatuses(t, history.all(t), session.CallStatusConnected)
		for id, c := range cones {
			if o := c.opened.Load(); o == 0 || o != c.closed.Load() {
				t.Errorf("%s was opened %d times and closed %d times", id, o, c.closed.Load())
			}
		}
	})
}

// A loudspeaker that hangs in the middle of a packet is left all the same.
func TestSelectedOutputLeavesALoudspeakerThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, _, cones := loudspeakers(t)
		cones["desktop"].hold = make(chan struct{})
		c := idle(t, session.Options{Devices: v})
		defer c.Close()
		sink, err := c.Devices().OpenSelectedOutput(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := sink.Open(); err != nil {
			t.Error(err)
		}
		written := make(chan error, 1)
		go func() { written <- sink.WritePacket(media.Packet{}) }()
		synctest.Wait()
		start := time.Now()
		if err := c.Devices().SelectAudioOutput(&media.Device{ID: "headphones", Kind: media.DeviceAudioOutput}); err != nil {
			t.Error(err)
		}
		pass(3 * time.Second)
		if v.InUse(media.DeviceAudioOutput, "desktop") != 0 || v.InUse(media.DeviceAudioOutput, "headphones") != 1 {
			t.Error("it holds on to the one that hangs")
		}
		if err := sink.Close(); err != nil || time.Since(start) > 6*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		if n := v.InUse(media.DeviceAudioOutput, "headphones"); n != 0 {
			t.Errorf("%d open after the end", n)
		}
		close(cones["desktop"].hold)
		if err := <-written; err != nil {
			t.Error(err)
		}
	})
}
