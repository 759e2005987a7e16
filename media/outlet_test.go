package media

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

// A wire is what pion would be: it keeps the last header of what is sent.
type wire struct {
	webrtc.TrackLocalContext
	codecs []webrtc.RTPCodecParameters

	mu     sync.Mutex
	all    []rtp.Header
	keep   bool
	count  int
	last   rtp.Header
	sentAt time.Time
}

func (w *wire) CodecParameters() []webrtc.RTPCodecParameters { return w.codecs }
func (w *wire) SSRC() webrtc.SSRC                            { return 1 }
func (w *wire) WriteStream() webrtc.TrackLocalWriter         { return w }
func (w *wire) Write([]byte) (int, error)                    { panic("not used") }

func (w *wire) WriteRTP(h *rtp.Header, payload []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.count++
	w.last, w.sentAt = *h, time.Now()
	if w.keep {
		w.all = append(w.all, *h)
	}
	return len(payload), nil
}

// newWired is an outlet for audio that writes to a wire.
func newWired(t *testing.T, names ...string) (*outlet, *wire) {
	t.Helper()
	w := &wire{codecs: audioCodecs(false).only(names)}
	o := newOutlet(KindAudio, &LegConfig{})
	if _, err := o.Bind(w); err != nil {
		t.Fatal(err)
	}
	return o, w
}

func TestSpeakerDoesNotDriftInAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, w := newWired(t, PCMU)
		speaker, err := NewSpeaker(SpeakerConfig{Rate: 8000})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var sending sync.WaitGroup
		sending.Go(func() {
			if err := o.run(ctx, speaker); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait() // the first packet is out
		w.mu.Lock()
		start, first := w.sentAt, w.last
		w.mu.Unlock()
		time.Sleep(time.Hour)
		synctest.Wait()
		cancel()
		sending.Wait()
		if w.count != 180001 {
			t.Errorf("%d packets in an hour, after the first", w.count-1)
		}
		if got := w.last.Timestamp - first.Timestamp; got != 3600*8000 {
			t.Errorf("%d ticks in an hour", got)
		}
		if got := w.sentAt.Sub(start); got != time.Hour {
			t.Errorf("the last packet went out after %v", got)
		}
	})
}

func TestClockThatWasHeldUpCatchesUpALittleAndSkipsTheRest(t *testing.T) {
	for held, wantPackets := range map[time.Duration]int{90 * time.Millisecond: 50, 500 * time.Millisecond: 26} {
		synctest.Test(t, func(t *testing.T) {
			o, w := newWired(t, PCMU)
			w.keep = true
			calls := 0
			source, err := NewPCMFunc(8000, 1, func(pcm []int16) (int, error) {
				if calls++; calls == 10 {
					time.Sleep(held)
				}
				return len(pcm), nil
			})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 999*time.Millisecond)
			defer cancel()
			if err := o.run(ctx, source); err != nil {
				t.Fatal(err)
			}
			if len(w.all) != wantPackets {
				t.Errorf("held up for %v: %d packets, want %d", held, len(w.all), wantPackets)
			}
			if late := int32(49*160) - int32(w.last.Timestamp-w.all[0].Timestamp); late < -160 || late > 5*160 {
				t.Errorf("held up for %v: the last timestamp is %d ticks late", held, late)
			}
			for i := 1; i < len(w.all); i++ {
				if w.all[i].SequenceNumber != w.all[i-1].SequenceNumber+1 {
					t.Error("a skip looks like loss")
				}
			}
		})
	}
}

func TestSourcesFollowOneAnotherInOneStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, w := newWired(t, PCMU)
		w.keep = true
		tone, err := NewTone(440, -20)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		for range 3 {
			for _, source := range []Source{tone, NewSilence(), &burst{n: 5}} {
				ctx, cancel := context.WithTimeout(t.Context(), 195*time.Millisecond)
				if err := o.run(ctx, source); err != nil {
					t.Error(err)
				}
				cancel()
				time.Sleep(time.Second)
			}
		}
		elapsed := uint32(time.Since(start) * 8000 / time.Second)
		if got := w.last.Timestamp - w.all[0].Timestamp; got > elapsed || elapsed-got > 1300*8 {
			t.Errorf("%d ticks after %d", got, elapsed)
		}
		for i := 1; i < len(w.all); i++ {
			a, b := w.all[i-1], w.all[i]
			if b.SequenceNumber != a.SequenceNumber+1 || int32(b.Timestamp-a.Timestamp) <= 0 {
				t.Fatalf("packet %d: %+v follows %+v", i, b, a)
			}
			if gap := b.Timestamp - a.Timestamp; b.Marker != (gap > 160) {
				t.Errorf("packet %d: marker %v after %d ticks", i, b.Marker, gap)
			}
		}
	})
}

// A burst sends some packets with numbers of its own.
type burst struct{ n int }

func (*burst) Codecs() []string { return nil }

func (b *burst) Send(ctx context.Context, out *Output) error {
	for i := range b.n {
		err := out.WritePacket(Packet{SequenceNumber: uint16(65533 + i), Timestamp: uint32(1<<32-200+i*160) & (1<<32 - 1), Payload: []byte{1}})
		if err != nil {
			return err
		}
	}
	<-ctx.Done()
	return nil
}

func TestLossAndOrderOfASourceStayWhatTheyWere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, w := newWired(t, Opus)
		w.keep = true
		out, err := o.attach(&burst{})
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range []uint16{100, 101, 103, 102, 106, 106, 107} {
			if err := out.WritePacket(Packet{SequenceNumber: n, Timestamp: uint32(n) * 960, Payload: []byte{1}}); err != nil {
				t.Fatal(err)
			}
		}
		for i, want := range []uint16{0, 1, 3, 2, 6, 6, 7} {
			if got := w.all[i].SequenceNumber - w.all[0].SequenceNumber; got != want {
				t.Errorf("packet %d has number %d, want %d", i, got, want)
			}
			if got := w.all[i].Timestamp - w.all[0].Timestamp; got != uint32(want)*960 {
				t.Errorf("packet %d is at %d", i, got)
			}
		}
	})
}
