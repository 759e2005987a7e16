//go:build unix

package session_test

import (
	"context"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
	"github.com/pion/webrtc/v4"
	pionmedia "github.com/pion/webrtc/v4/pkg/media"
)

const (
	manyCalls = 100
	steadyFor = 3 * time.Second
)

// BenchmarkHundredEchoCalls has a hundred calls at once in one process, which
// send a tone as PCMU and hear it again; the gateway is another process. Next to
// it are as many bare pairs of pion peer connections that send each other the
// same packets. A pair has both ends in this process, so its costs are halved.
//
// Costs are per call, or per end: heap, stacks, goroutines, and milliseconds of
// processor time in a second of conversation. Times are from Dial, or from the
// making of the pair, to connected, all hundred at once.
func BenchmarkHundredEchoCalls(b *testing.B) {
	b.Run("calls", func(b *testing.B) {
		p, opts := benchGateway(b)
		c, err := session.Open(b.Context(), p, opts)
		if err != nil {
			b.Fatal(err)
		}
		defer c.Close()
		benchMany(b, 1, func(ctx context.Context) (end func(), err error) {
			tone, err := media.NewTone(440, -12)
			if err != nil {
				return nil, err
			}
			o := onLoop(session.MediaOptions{AudioSource: tone, Codecs: []string{media.PCMU}, ICEServers: []media.ICEServer{}})
			k, err := c.Dial(ctx, "/public/echo", session.DialOptions{MediaOptions: o})
			if err != nil {
				return nil, err
			}
			_, err = k.ObserveStatus().Wait(ctx, func(s session.CallStatus) bool { return s == session.CallStatusConnected })
			return func() { _ = k.Hangup(context.Background()) }, err
		})
	})
	b.Run("bare-pion", func(b *testing.B) { benchMany(b, 2, barePair) })
}

// benchMany begins many of something at once, lets them run, and ends them.
func benchMany(b *testing.B, endsOfEach float64, begin func(context.Context) (end func(), err error)) {
	var took []time.Duration
	var cost footprint
	var cpu time.Duration
	rounds := 0
	for b.Loop() {
		rounds++
		before := measure()
		ctx, cancel := context.WithTimeout(b.Context(), time.Minute)
		var mu sync.Mutex
		var ends []func()
		var all sync.WaitGroup
		for range manyCalls {
			all.Go(func() {
				began := time.Now()
				end, err := begin(ctx)
				mu.Lock()
				defer mu.Unlock()
				if took = append(took, time.Since(began)); err != nil {
					b.Error(err)
				}
				if end != nil {
					ends = append(ends, end)
				}
			})
		}
		all.Wait()
		used := processorTime()
		<-time.After(steadyFor) // what is measured
		cpu += processorTime() - used
		after := measure()
		cost.heap += after.heap - before.heap
		cost.stack += after.stack - before.stack
		cost.goroutines += after.goroutines - before.goroutines
		for _, end := range ends {
			all.Go(end)
		}
		all.Wait()
		cancel()
	}
	slices.Sort(took)
	each := manyCalls * float64(rounds) * endsOfEach
	milliseconds := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	b.ReportMetric(milliseconds(took[len(took)/2]), "connect-median-ms")
	b.ReportMetric(milliseconds(took[len(took)*99/100]), "connect-p99-ms")
	b.ReportMetric(milliseconds(cpu)/each/steadyFor.Seconds(), "cpu-ms/s")
	b.ReportMetric(float64(cost.heap)/each, "heap-B")
	b.ReportMetric(float64(cost.stack)/each, "stack-B")
	b.ReportMetric(float64(cost.goroutines)/each, "goroutines")
}

func processorTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// barePair connects two peer connections, each of which sends 20 ms of PCMU
// every 20 ms and reads what comes.
func barePair(ctx context.Context) (end func(), err error) {
	var setting webrtc.SettingEngine
	loopbackMedia(&setting)
	var m webrtc.MediaEngine
	if err := m.RegisterDefaultCodecs(); err != nil {
		return nil, err
	}
	api := webrtc.NewAPI(webrtc.WithSettingEngine(setting), webrtc.WithMediaEngine(&m))
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	var senders sync.WaitGroup
	var pcs [2]*webrtc.PeerConnection
	end = func() {
		stop()
		senders.Wait()
		for _, pc := range pcs {
			if pc != nil {
				_ = pc.GracefulClose()
			}
		}
	}
	up := make(chan struct{}, len(pcs))
	for i := range pcs {
		if pcs[i], err = api.NewPeerConnection(webrtc.Configuration{}); err != nil {
			return end, err
		}
		track, err := webrtc.NewTrackLocalStaticSample(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypePCMU, ClockRate: 8000}, "a", "s")
		if err != nil {
			return end, err
		}
		if _, err := pcs[i].AddTrack(track); err != nil {
			return end, err
		}
		pcs[i].OnTrack(func(remote *webrtc.TrackRemote, _ *webrtc.RTPReceiver) { discard(remote) })
		pcs[i].OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
			if s == webrtc.PeerConnectionStateConnected {
				senders.Go(func() { sendFrames(ctx, track) })
				up <- struct{}{}
			}
		})
	}
	if err := introduce(pcs[0], pcs[1]); err != nil {
		return end, err
	}
	<-up
	<-up
	return end, nil
}

func introduce(a, b *webrtc.PeerConnection) error {
	offer, err := a.CreateOffer(nil)
	if err != nil {
		return err
	}
	gathered := webrtc.GatheringCompletePromise(a)
	if err := a.SetLocalDescription(offer); err != nil {
		return err
	}
	<-gathered
	if err := b.SetRemoteDescription(*a.LocalDescription()); err != nil {
		return err
	}
	answer, err := b.CreateAnswer(nil)
	if err != nil {
		return err
	}
	gathered = webrtc.GatheringCompletePromise(b)
	if err := b.SetLocalDescription(answer); err != nil {
		return err
	}
	<-gathered
	return a.SetRemoteDescription(*b.LocalDescription())
}

func sendFrames(ctx context.Context, track *webrtc.TrackLocalStaticSample) {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	frame := pionmedia.Sample{Data: make([]byte, 160), Duration: 20 * time.Millisecond}
	for {
		select {
		case <-ticker.C:
			_ = track.WriteSample(frame)
		case <-ctx.Done():
			return
		}
	}
}

func discard(remote *webrtc.TrackRemote) {
	b := make([]byte, 1500)
	for {
		if _, _, err := remote.Read(b); err != nil {
			return
		}
	}
}
