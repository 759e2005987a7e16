package media_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/callrx/callrx/media"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

func ExampleRTPSource() {
	got := make(chan media.Packet, 1)
	bridge := media.NewRTPSource()
	caller, callee := legs(media.LegConfig{AudioSource: bridge}, media.LegConfig{AudioSink: media.NewRTPSink(func(p media.Packet) {
		select {
		case got <- p:
		default:
		}
	})})
	defer caller.Close()
	defer callee.Close()
	negotiate(caller, callee)
	for !bridge.WritePacket(media.Packet{Payload: []byte{0xf8, 0xff, 0xfe}}) { // until the leg is connected
		time.Sleep(time.Millisecond)
	}
	fmt.Println((<-got).Codec)
	// Output: opus/48000/2
}

func ExampleFromTrack() {
	track, err := webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypePCMA}, "a", "b")
	if err != nil {
		fmt.Println(err)
		return
	}
	caller, callee := legs(media.LegConfig{AudioSource: media.FromTrack(track)}, media.LegConfig{AudioSink: media.Discard()})
	defer caller.Close()
	defer callee.Close()
	negotiate(caller, callee)
	for callee.Stats().Audio.PacketsReceived == 0 {
		if err := track.WriteRTP(&rtp.Packet{Header: rtp.Header{Version: 2}, Payload: []byte{0xd5}}); err != nil {
			fmt.Println(err)
		}
		time.Sleep(time.Millisecond)
	}
	fmt.Println(callee.Stats().Audio.ReceiveCodec)
	// Output: PCMA/8000
}

func ExampleNewPCMFunc() {
	count := 0
	source, err := media.NewPCMFunc(8000, 1, func(pcm []int16) (int, error) {
		if count++; count > 5 {
			return 0, io.EOF
		}
		return len(pcm), nil // pcm is what is said for the next 20 ms
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	ended := make(chan media.Kind, 1)
	caller, callee := legs(media.LegConfig{AudioSource: source, OnSourceEnd: func(k media.Kind) { ended <- k }}, media.LegConfig{})
	defer caller.Close()
	defer callee.Close()
	negotiate(caller, callee)
	fmt.Println(<-ended, "ends")
	// Output: audio ends
}

func ExampleNewPCMReader() {
	source, err := media.NewPCMReader(strings.NewReader(strings.Repeat("\x00", 320*5)), 8000, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	ended := make(chan media.Kind, 1)
	caller, callee := legs(media.LegConfig{AudioSource: source, OnSourceEnd: func(k media.Kind) { ended <- k }}, media.LegConfig{})
	defer caller.Close()
	defer callee.Close()
	negotiate(caller, callee)
	fmt.Println(<-ended, "ends")
	// Output: audio ends
}

func ExampleNewPCMSink() {
	enough := make(chan int, 1)
	count := 0
	sink, err := media.NewPCMSink(24000, 1, func(pcm []int16) error {
		if count += len(pcm); count == 2400 {
			enough <- count
		}
		return nil
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	caller, callee := legs(media.LegConfig{}, media.LegConfig{AudioSink: sink})
	defer caller.Close()
	defer callee.Close()
	negotiate(caller, callee)
	fmt.Println(<-enough, "samples in 100 ms")
	// Output: 2400 samples in 100 ms
}

// record lets a call go on for a moment and closes it.
func record(source media.Source, sink media.Sink) error {
	caller, callee := legs(media.LegConfig{AudioSource: source}, media.LegConfig{AudioSink: sink})
	defer caller.Close()
	connect(caller, callee)
	return callee.Close()
}

func ExampleNewWAVSource() {
	file, err := os.Open("../testdata/media/tone440.wav")
	if err != nil {
		fmt.Println(err)
		return
	}
	source, err := media.NewWAVSource(file, &media.FileOptions{Loop: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(record(source, media.Discard()))
	// Output: <nil>
}

func ExampleNewWAVSink() {
	file, err := os.CreateTemp("", "call-*.wav")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.Remove(file.Name())
	sink, err := media.NewWAVSink(file, 16000, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(record(nil, sink))
	head := make([]byte, 4)
	if file, err = os.Open(file.Name()); err == nil {
		_, err = io.ReadFull(file, head)
		file.Close()
	}
	fmt.Printf("%s %v\n", head, err)
	// Output:
	// <nil>
	// RIFF <nil>
}

func ExampleNewPCMWriter() {
	var samples strings.Builder
	sink, err := media.NewPCMWriter(&samples, 8000, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(record(nil, sink), samples.Len()%320)
	// Output: <nil> 0
}

func ExampleNewOggSource() {
	file, err := os.Open("../testdata/media/speech.ogg")
	if err != nil {
		fmt.Println(err)
		return
	}
	source, err := media.NewOggSource(file, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	var copied strings.Builder
	fmt.Println(record(source, media.NewOggSink(&copied)))
	fmt.Println(copied.String()[:4])
	// Output:
	// <nil>
	// OggS
}

// show sends video until there is some on the other side.
func show(source media.Source, sink media.Sink) string {
	caller, callee := legs(
		media.LegConfig{Directions: media.Directions{Video: media.SendOnly}, VideoSource: source},
		media.LegConfig{Directions: media.Directions{Video: media.RecvOnly}, VideoSink: sink})
	defer caller.Close()
	defer callee.Close()
	negotiate(caller, callee)
	for callee.Stats().Video.PacketsReceived < 10 {
		time.Sleep(time.Millisecond)
	}
	return callee.Stats().Video.ReceiveCodec
}

func ExampleNewIVFSource() {
	file, err := os.Open("../testdata/media/pattern_vp9.ivf")
	if err != nil {
		fmt.Println(err)
		return
	}
	source, err := media.NewIVFSource(file, &media.FileOptions{Loop: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(show(source, nil))
	// Output: VP9/90000
}

func ExampleNewH264Source() {
	file, err := os.Open("../testdata/media/pattern.h264")
	if err != nil {
		fmt.Println(err)
		return
	}
	source, err := media.NewH264Source(file, &media.FileOptions{FrameRate: 10})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(show(source, nil))
	// Output: H264/90000
}

func ExampleNewTestPattern() {
	var file strings.Builder
	fmt.Println(show(media.NewTestPattern(), media.NewIVFSink(&file)))
	fmt.Println(file.String()[:4])
	// Output:
	// VP8/90000
	// DKIF
}

func ExampleNewSilence() {
	fmt.Println(record(media.NewSilence(), nil))
	// Output: <nil>
}

func ExampleParsePacket() {
	wire, err := media.Packet{SequenceNumber: 7, Timestamp: 160, Payload: []byte("sound")}.AppendTo(nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	p, err := media.ParsePacket(wire)
	fmt.Println(len(wire), p.SequenceNumber, p.Timestamp, string(p.Payload), err)
	// Output: 17 7 160 sound <nil>
}

func ExampleDirectionOf() {
	d := media.DirectionOf(true, false)
	fmt.Println(d, d.Reverse(), d.Sends(), d.Receives())
	// Output: sendonly recvonly true false
}

// A voice outlives the legs that it serves: gain and key stay as they are.
func ExampleNewVoice() {
	voice := media.NewVoice(func(level float64, speaking bool) {}) // drives a meter
	voice.SetGain(1000)
	voice.SetPushToTalk(true)
	fmt.Println(voice.Gain(), voice.Level(), voice.Speaking())

	leg, err := media.NewLeg(media.LegConfig{Directions: media.Directions{Audio: media.SendOnly}, Voice: voice})
	if err != nil {
		fmt.Println(err)
		return
	}
	voice.Press(true) // from now on the leg's samples are heard, twice as loud
	fmt.Println(leg.Close())
	// Output:
	// 200 0 false
	// <nil>
}

// chirps is a source of its own: a click every second. It spares itself the work while
// it is muted.
type chirps struct{}

func (chirps) Codecs() []string { return []string{media.PCM} }

func (chirps) Send(ctx context.Context, out *media.Output) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	frame := make([]int16, 160)
	for n := 0; ; n++ {
		frame[0] = 0
		if n%50 == 0 && !out.Muted() {
			frame[0] = 20000
		}
		if err := out.WritePCM(frame, 8000, 1); err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-out.KeyframeRequests(): // of no concern to sound
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func ExampleOutput() {
	heard := make(chan struct{})
	var once sync.Once
	sink, err := media.NewPCMSink(8000, 1, func(pcm []int16) error {
		if slices.Max(pcm) > 10000 {
			once.Do(func() { close(heard) })
		}
		return nil
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	caller, callee := legs(media.LegConfig{AudioSource: chirps{}}, media.LegConfig{AudioSink: sink})
	defer caller.Close()
	defer callee.Close()
	negotiate(caller, callee)
	<-heard
	fmt.Println("a chirp")
	// Output: a chirp
}

// A choice that was left open is what is implied.
func ExampleToggle() {
	fmt.Println(media.On.Or(false), media.Off.Or(true), media.Default.Or(true))
	// Output: true false true
}
