package media

import (
	"bytes"
	"testing"
	"time"

	"github.com/pion/rtp"
)

func TestKeyframesAreRecognised(t *testing.T) {
	for name, test := range map[string]struct {
		codec   string
		payload []byte
		want    bool
	}{
		"VP8 key":                   {VP8, []byte{0x10, 0x00}, true},
		"VP8 inter":                 {VP8, []byte{0x10, 0x01}, false},
		"VP8 later packet":          {VP8, []byte{0x00, 0x00}, false},
		"VP8 later partition":       {VP8, []byte{0x11, 0x00}, false},
		"VP8 long picture ID":       {VP8, []byte{0x90, 0x80, 0x81, 0x01, 0x00}, true},
		"VP8 short picture ID":      {VP8, []byte{0x90, 0x80, 0x01, 0x00}, true},
		"VP8 every field":           {VP8, []byte{0x90, 0xf0, 0x80, 1, 2, 3, 0x01}, false},
		"VP8 cut":                   {VP8, []byte{0x90, 0x80}, false},
		"VP9 key":                   {VP9, []byte{0x88}, true},
		"VP9 inter":                 {VP9, []byte{0xc8}, false},
		"VP9 later packet":          {VP9, []byte{0x84}, false},
		"H264 IDR":                  {H264, []byte{0x65, 1}, true},
		"H264 parameters":           {H264, []byte{0x67, 1}, true},
		"H264 slice":                {H264, []byte{0x41, 1}, false},
		"H264 aggregate with SPS":   {H264, []byte{24, 0, 2, 9, 9, 0, 2, 0x67, 1}, true},
		"H264 aggregate without":    {H264, []byte{24, 0, 2, 9, 9, 0, 2, 0x41, 1}, false},
		"H264 aggregate that lies":  {H264, []byte{24, 0xff, 0xff, 0x41}, false},
		"H264 first fragment":       {H264, []byte{28, 0x85, 1}, true},
		"H264 later fragment":       {H264, []byte{28, 0x05, 1}, false},
		"H264 nothing":              {H264, nil, false},
		"a codec that is not known": {"AV1", []byte{1}, true},
	} {
		if got := startsKeyframe(Codec{Name: test.codec}, test.payload); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestPaddingIsNoSound(t *testing.T) {
	padded := rtp.Header{Padding: true}
	for name, test := range map[string]struct {
		header  rtp.Header
		payload []byte
		want    []byte
		ok      bool
	}{
		"none":    {rtp.Header{}, []byte{1, 2}, []byte{1, 2}, true},
		"some":    {padded, []byte{1, 2, 0, 2}, []byte{1, 2}, true},
		"nothing": {padded, []byte{0, 0, 3}, nil, false},
		"a lie":   {padded, []byte{1, 200}, nil, false},
		"empty":   {rtp.Header{}, nil, nil, false},
	} {
		if got, ok := unpad(test.header, test.payload); ok != test.ok || !bytes.Equal(got, test.want) {
			t.Errorf("%s: % x, %v", name, got, ok)
		}
	}
}

func TestSilenceLastsAsLongAsWhatItReplaces(t *testing.T) {
	for want := int64(120); want <= 960; want *= 2 {
		packet, length := opusGap(want)
		if length != want || samples48(packet) != want {
			t.Errorf("%d samples of %d, %d in the packet", length, want, samples48(packet))
		}
	}
	if _, length := opusGap(100); length != 120 {
		t.Error("the shortest packet lasts", length)
	}
	if _, length := opusGap(5000); length != 960 {
		t.Error("the longest packet lasts", length)
	}
}

// An OggSink that has more than it needs skips packets and still ends in time.
func TestOggSinkCatchesUp(t *testing.T) {
	var file bytes.Buffer
	s := NewOggSink(&file)
	out, err := newOggWriter(&file, 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	s.file = out
	at := uint32(0)
	push := func() {
		if err := s.WritePacket(Packet{Timestamp: at, Payload: []byte{31 << 3, 1, 2}}); err != nil {
			t.Fatal(err)
		}
		at += 960
	}
	for range 20 {
		push()
	}
	for range 3000 {
		if !s.tick() {
			t.Fatal(s.err)
		}
		push()
	}
	if got := time.Duration(out.granule) * time.Second / 48000; got != time.Minute {
		t.Errorf("a minute lasts %v", got)
	}
	if got := s.Stats(); got.Skipped < 200*time.Millisecond || got.Late != 0 {
		t.Errorf("%+v", got)
	}
}
