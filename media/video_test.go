package media_test

import (
	"bytes"
	"io"
	"os"
	"testing"
	"time"

	"github.com/callrx/callrx/media"
	"github.com/pion/rtp/codecs"
	"github.com/pion/webrtc/v4/pkg/media/ivfreader"
)

func TestVideoFileArrivesPictureByPicture(t *testing.T) {
	for name, make := range map[string]func(io.Reader, *media.FileOptions) (media.Source, error){
		"pattern.ivf": media.NewIVFSource, "pattern_vp9.ivf": media.NewIVFSource,
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, n *network) {
				source, err := make(openFile(t, name), nil)
				if err != nil {
					t.Fatal(err)
				}
				file := &buffer{}
				ended := newEnds()
				_, callee := pairIn(t, n,
					media.LegConfig{Directions: media.Directions{Video: media.SendOnly}, VideoSource: source, OnSourceEnd: ended.note},
					media.LegConfig{Directions: media.Directions{Video: media.RecvOnly}, VideoSink: media.NewIVFSink(file)})
				<-ended.c
				time.Sleep(time.Second)
				if err := callee.Close(); err != nil {
					t.Error(err)
				}
				want, got := pictures(t, openFile(t, name)), pictures(t, &file.Buffer)
				if len(got) != len(want) {
					t.Fatalf("%d pictures of %d", len(got), len(want))
				}
				for i := range got {
					if !bytes.Equal(got[i].data, want[i].data) {
						t.Errorf("picture %d differs", i)
					}
					if d := got[i].at - got[0].at - want[i].at; d < -2*time.Millisecond || d > 2*time.Millisecond {
						t.Errorf("picture %d is at %v, not %v", i, got[i].at-got[0].at, want[i].at)
					}
				}
			})
		})
	}
}

type ends struct{ c chan media.Kind }

func newEnds() ends                 { return ends{make(chan media.Kind, 10)} }
func (e ends) note(kind media.Kind) { e.c <- kind }

type shown struct {
	data []byte
	at   time.Duration
}

func pictures(t *testing.T, r io.Reader) (all []shown) {
	t.Helper()
	reader, header, err := ivfreader.NewWith(r)
	if err != nil {
		t.Fatal(err)
	}
	unit := time.Second * time.Duration(header.TimebaseNumerator) / time.Duration(header.TimebaseDenominator)
	for {
		frame, h, err := reader.ParseNextFrame()
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		pts := h.Timestamp * uint64(header.TimebaseNumerator) / uint64(header.TimebaseDenominator)
		all = append(all, shown{frame, time.Duration(pts) * unit})
	}
}

func TestH264StreamArrivesUnitByUnit(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		source, err := media.NewH264Source(openFile(t, "pattern.h264"), &media.FileOptions{FrameRate: 10})
		if err != nil {
			t.Fatal(err)
		}
		got, ended := newPackets(), newEnds()
		pairIn(t, n,
			media.LegConfig{Directions: media.Directions{Video: media.SendOnly}, VideoSource: source, OnSourceEnd: ended.note},
			media.LegConfig{Directions: media.Directions{Video: media.RecvOnly}, VideoSink: got.sink()})
		<-ended.c
		time.Sleep(100 * time.Millisecond)
		var stream []byte
		var h264 codecs.H264Packet
		markers := 0
		for _, p := range got.snapshot() {
			part, err := h264.Unmarshal(p.Payload)
			if err != nil {
				t.Fatal(err)
			}
			stream = append(stream, part...)
			if p.Marker {
				markers++
			}
		}
		want, _ := os.ReadFile(testMedia + "pattern.h264")
		want = bytes.ReplaceAll(want, []byte{0, 0, 0, 1}, []byte{0, 0, 1})
		stream = bytes.ReplaceAll(stream, []byte{0, 0, 0, 1}, []byte{0, 0, 1})
		if markers != 20 || !bytes.Equal(stream, want) {
			t.Errorf("%d pictures in %d bytes, want 20 in %d", markers, len(stream), len(want))
		}
	})
}
