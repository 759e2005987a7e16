package session_test

import (
	"bytes"
	"encoding/binary"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// Footage is an IVF file in the making.
type footage struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (r *footage) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.b.Write(p)
}

// pictures are the frames of an IVF file and their times in the file's unit.
func pictures(t *testing.T, file []byte) (frames [][]byte, times []uint64) {
	t.Helper()
	for b := file[32:]; len(b) >= 12; {
		n := int(binary.LittleEndian.Uint32(b))
		frames, times = append(frames, b[12:12+n]), append(times, binary.LittleEndian.Uint64(b[4:]))
		b = b[12+n:]
	}
	return frames, times
}

// wantPattern checks that a recording begins with the pattern's keyframe and
// goes on with whole pictures of it, one after the other.
func wantPattern(t *testing.T, file, pattern []byte, atLeast int, within time.Duration) {
	t.Helper()
	want, _ := pictures(t, pattern)
	got, times := pictures(t, file)
	if len(got) < atLeast {
		t.Fatalf("%d pictures were recorded, want %d", len(got), atLeast)
	}
	if first := time.Duration(times[0]) * time.Millisecond; first > within {
		t.Errorf("the first picture came after %v", first)
	}
	at := 0
	for i, frame := range got {
		switch {
		case bytes.Equal(frame, want[0]): // from the beginning, which each keyframe request leads to
			at = 0
		case !bytes.Equal(frame, want[at]):
			t.Fatalf("picture %d is not number %d of the pattern", i, at)
		}
		at = (at + 1) % len(want)
	}
}

func patternSource(t *testing.T) (file []byte, source media.Source) {
	t.Helper()
	file, err := os.ReadFile("../testdata/media/pattern.ivf")
	if err == nil {
		source, err = media.NewIVFSource(bytes.NewReader(file), &media.FileOptions{Loop: true})
	}
	if err != nil {
		t.Fatal(err)
	}
	return file, source
}

func TestVideoBetweenTwoClients(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		pattern, annShows := patternSource(t)
		_, bobShows := patternSource(t)
		var annSees, bobSees footage
		ann, bob, out, in := b.call(t, "/private/bob?channel=video",
			session.MediaOptions{VideoSource: annShows, VideoSink: media.NewIVFSink(&annSees)},
			session.MediaOptions{VideoSource: bobShows, VideoSink: media.NewIVFSink(&bobSees)})
		pass(5 * time.Second)
		for _, k := range []*session.Call{out, in} {
			if d := k.Directions(); d.Video != media.SendRecv || d.Audio != media.SendRecv {
				t.Errorf("directions %+v", d)
			}
		}
		b.over(t, ann, out)
		wantOver(t, b.srv, bob.Client, in)
		wantPattern(t, bobSees.b.Bytes(), pattern, 45, time.Second)
		wantPattern(t, annSees.b.Bytes(), pattern, 45, time.Second)
	})
}

// TestNewcomerSeesAKeyframe although the speaker's last one is long gone.
func TestNewcomerSeesAKeyframe(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		pattern, shown := patternSource(t)
		ann, bob := b.client(t, "ann"), b.client(t, "bob")
		out := connected(t, ann.Client, "/public/den?channel=video", ann.dialing(session.MediaOptions{VideoSource: shown}))
		pass(2500 * time.Millisecond)
		var seen footage
		in := connected(t, bob.Client, "/public/den?channel=video", bob.dialing(session.MediaOptions{VideoSink: media.NewIVFSink(&seen)}))
		pass(3 * time.Second)
		if d := in.Directions(); d.Video != media.RecvOnly {
			t.Errorf("without a source bob's video is %v", d.Video)
		}
		if err := in.Hangup(t.Context()); err != nil {
			t.Error(err)
		}
		b.over(t, ann, out)
		wantOver(t, b.srv, bob.Client, in)
		wantPattern(t, seen.b.Bytes(), pattern, 25, 500*time.Millisecond)
	})
}
