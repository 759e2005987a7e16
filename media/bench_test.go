//go:build unix

package media_test

import (
	"runtime"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/callrx/callrx/media"
	"github.com/pion/webrtc/v4"
	pionmedia "github.com/pion/webrtc/v4/pkg/media"
)

// The benchmarks come in pairs, in one run: legs of this package, and bare peer
// connections of pion that do the same without any of its comforts.

// A benchPair is two ends that talk to each other.
type benchPair struct {
	connected time.Duration // from the offer on
	close     func()
}

func legPair(b *testing.B) benchPair {
	var up sync.WaitGroup
	up.Add(2)
	leg := func() *media.Leg {
		once := sync.OnceFunc(up.Done)
		l, err := media.NewLeg(media.LegConfig{
			Directions: audioOnly, SettingEngine: loopback,
			OnState: func(s media.State) {
				if s == media.StateConnected {
					once()
				}
			},
		})
		if err != nil {
			b.Fatal(err)
		}
		return l
	}
	start := time.Now()
	caller, callee := leg(), leg()
	exchange(b, caller, callee)
	up.Wait()
	return benchPair{time.Since(start), func() { _, _ = caller.Close(), callee.Close() }}
}

func pionPair(b *testing.B) benchPair {
	var up, sending sync.WaitGroup
	up.Add(2)
	stop := make(chan struct{})
	start := time.Now()
	caller, callee := pionEnd(b, &up, &sending, stop), pionEnd(b, &up, &sending, stop)
	offer, err := caller.CreateOffer(nil)
	must(b, err)
	must(b, callee.SetRemoteDescription(gathered(b, caller, offer)))
	answer, err := callee.CreateAnswer(nil)
	must(b, err)
	must(b, caller.SetRemoteDescription(gathered(b, callee, answer)))
	up.Wait()
	return benchPair{time.Since(start), func() {
		close(stop)
		sending.Wait()
		_, _ = caller.GracefulClose(), callee.GracefulClose()
	}}
}

func must(b testing.TB, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func gathered(b *testing.B, pc *webrtc.PeerConnection, d webrtc.SessionDescription) webrtc.SessionDescription {
	done := webrtc.GatheringCompletePromise(pc)
	must(b, pc.SetLocalDescription(d))
	<-done
	return *pc.LocalDescription()
}

// pionEnd sends the same three bytes every 20 ms as a leg without a source.
func pionEnd(b *testing.B, up, sending *sync.WaitGroup, stop chan struct{}) *webrtc.PeerConnection {
	var settings webrtc.SettingEngine
	loopback(&settings)
	settings.SetICEMulticastDNSMode(1) // off
	pc, err := webrtc.NewAPI(webrtc.WithSettingEngine(settings)).NewPeerConnection(webrtc.Configuration{})
	must(b, err)
	track, err := webrtc.NewTrackLocalStaticSample(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus}, "a", "b")
	must(b, err)
	sender, err := pc.AddTrack(track)
	must(b, err)
	go func() { // ends with the connection
		buf := make([]byte, 1500)
		for {
			if _, _, err := sender.Read(buf); err != nil {
				return
			}
		}
	}()
	pc.OnTrack(func(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		buf := make([]byte, 1500)
		for {
			if _, _, err := track.Read(buf); err != nil {
				return
			}
		}
	})
	pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		if s == webrtc.PeerConnectionStateConnected {
			up.Done()
			sending.Go(func() { sendSilence(track, stop) })
		}
	})
	return pc
}

func sendSilence(track *webrtc.TrackLocalStaticSample, stop chan struct{}) {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			_ = track.WriteSample(pionmedia.Sample{Data: []byte{0xf8, 0xff, 0xfe}, Duration: 20 * time.Millisecond})
		case <-stop:
			return
		}
	}
}

var benchPairs = []struct {
	name string
	make func(*testing.B) benchPair
}{{"leg", legPair}, {"pion", pionPair}}

// BenchmarkConnect is from making both ends to both being connected, and closing
// them.
func BenchmarkConnect(b *testing.B) {
	for _, kind := range benchPairs {
		b.Run(kind.name, func(b *testing.B) {
			var times []time.Duration
			b.ReportAllocs()
			for b.Loop() {
				pair := kind.make(b)
				times = append(times, pair.connected)
				pair.close()
			}
			slices.Sort(times)
			b.ReportMetric(float64(times[len(times)/2].Microseconds())/1000, "ms-connected")
			b.ReportMetric(float64(times[len(times)*99/100].Microseconds())/1000, "ms-connected-p99")
		})
	}
}

// BenchmarkHundredPairs has a hundred pairs talk for three seconds.
func BenchmarkHundredPairs(b *testing.B) {
	const count, length = 100, 3 * time.Second
	for _, kind := range benchPairs {
		b.Run(kind.name, func(b *testing.B) {
			for b.Loop() {
				before, goroutines := heap(), runtime.NumGoroutine()
				var pairs []benchPair
				var times []time.Duration
				for range count {
					pair := kind.make(b)
					pairs, times = append(pairs, pair), append(times, pair.connected)
				}
				slices.Sort(times)
				b.ReportMetric(float64(times[count/2].Microseconds())/1000, "ms-connected")
				b.ReportMetric(float64(times[count*99/100].Microseconds())/1000, "ms-connected-p99")
				used := processor()
				time.Sleep(length)
				b.ReportMetric(float64(processor()-used)/float64(length)/count*100, "cpu-%/pair")
				b.ReportMetric(float64(runtime.NumGoroutine()-goroutines)/count/2, "goroutines/end")
				b.ReportMetric(float64(heap()-before)/count, "heap-B/pair")
				for _, pair := range pairs {
					pair.close()
				}
			}
		})
	}
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

func processor() time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
