package session_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
	"github.com/pion/webrtc/v4/pkg/media/oggreader"
)

// TestRecordingsAreAsLongAsTheCall by the wall clock: through loss, silence, a
// far end that stops sending and media that does not come at all.
func TestRecordingsAreAsLongAsTheCall(t *testing.T) {
	for _, row := range []struct {
		codec, file string
		length      func(*testing.T, string) time.Duration
	}{
		{media.PCMU, "heard.wav", wavLength},
		{media.Opus, "heard.wav", wavLength},
		{media.Opus, "heard.ogg", oggLength},
	} {
		t.Run(row.codec+" in "+row.file, func(t *testing.T) {
			inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
				annHears, bobHears := t.TempDir()+"/"+row.file, t.TempDir()+"/"+row.file
				ann, bob, out, in := b.call(t, "/private/bob",
					session.MediaOptions{AudioSource: endless(t, row.codec), AudioSink: recorder(t, annHears)},
					session.MediaOptions{AudioSource: endless(t, row.codec), AudioSink: recorder(t, bobHears)})
				began := time.Now()
				goThroughItAll(t, b, out, in)
				took := time.Since(began)
				b.over(t, ann, out)
				wantOver(t, b.srv, bob.Client, in)
				wantLength(t, "ann's recording", row.length(t, annHears), took)
				wantLength(t, "bob's recording", row.length(t, bobHears), took)
			})
		})
	}
}

// recorder is a sink that the name of its file chooses.
func recorder(t testing.TB, name string) media.Sink {
	t.Helper()
	out, err := os.Create(name) // the call closes it
	if err != nil {
		t.Fatal(err)
	}
	switch filepath.Ext(name) {
	case ".ogg":
		return media.NewOggSink(out)
	case ".ivf":
		return media.NewIVFSink(out)
	}
	sink, err := media.NewWAVSink(out, 16000, 1)
	if err != nil {
		t.Fatal(err)
	}
	return sink
}

// endless is sound in one codec: speech in Opus, or a tone.
func endless(t testing.TB, codec string) media.Source {
	t.Helper()
	if codec != media.Opus {
		return newTone(t, 440, -12)
	}
	file, err := os.ReadFile("../testdata/media/speech.ogg")
	if err != nil {
		t.Fatal(err)
	}
	source, err := media.NewOggSource(bytes.NewReader(file), &media.FileOptions{Loop: true})
	if err != nil {
		t.Fatal(err)
	}
	return source
}

// goThroughItAll has a call that ann made to bob lose packets, fall silent and be
// cut off.
func goThroughItAll(t *testing.T, b *callBubble, out, in *session.Call) {
	t.Helper()
	pass(100 * time.Millisecond) // from the first packet on bob counts
	b.loss.Store(5)
	pass(20 * time.Second)
	for _, d := range []media.Direction{media.RecvOnly, media.SendRecv} { // ann sends nothing
		if err := out.SetDirections(t.Context(), media.Directions{Audio: d}); err != nil {
			t.Fatal(err)
		}
		pass(10 * time.Second)
	}
	wantLossOf(t, b, 2, in)
	for _, k := range []*session.Call{out, in} {
		b.srv.DropMedia(k.ID(), true)
		pass(3 * time.Second)
		b.srv.DropMedia(k.ID(), false)
	}
	pass(20*time.Second + 7*time.Millisecond)
}

// wantLossOf checks that the call of a client missed exactly what the network
// lost on the way to its host. Later it may be more: while a recovery restarts ICE
// there is no way for media, about ten packets long. Of the 1500 packets so far
// one in twenty is lost, give or take nine: forty say that the network did lose
// some.
func wantLossOf(t *testing.T, b *callBubble, host int, k *session.Call) {
	t.Helper()
	lossy := b.loss.Swap(0)
	pass(100 * time.Millisecond) // a packet that came shows which did not
	if got, lost := k.Stats().Audio.PacketsLost, b.lost[host].Load(); got != lost || lost < 40 {
		t.Errorf("the network lost %d packets, the call %d", lost, got)
	}
	b.loss.Store(lossy)
}

func wantLength(t *testing.T, what string, got, want time.Duration) {
	t.Helper()
	if d := got - want; d < -20*time.Millisecond || d > 20*time.Millisecond {
		t.Errorf("%s lasts %v, the call %v", what, got, want)
	}
}

// wavLength is how long a WAV file says it is, which must be no more than it
// holds, and all but 20 ms of that.
func wavLength(t *testing.T, name string) time.Duration {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil || len(b) < 44 || string(b[:4]) != "RIFF" || string(b[36:40]) != "data" {
		t.Fatalf("%s is no WAV file of %d bytes: %v", name, len(b), err)
	}
	rate, size := int(binary.LittleEndian.Uint32(b[24:])), int(binary.LittleEndian.Uint32(b[40:]))
	if behind := len(b) - 44 - size; behind < 0 || behind > 2*rate/50 {
		t.Errorf("the WAV file says %d bytes of sound and holds %d", size, len(b)-44)
	}
	return time.Duration(size/2) * time.Second / time.Duration(rate)
}

// oggLength is how long an Ogg file of Opus says it is. Its checksums must be
// right; it may end in the middle of a page.
func oggLength(t *testing.T, name string) time.Duration {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	reader, err := oggreader.NewWithOptions(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	var samples uint64
	for {
		_, page, err := reader.ParseNextPage()
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return time.Duration(samples) * time.Second / 48000
		}
		if err != nil {
			t.Fatal(err)
		}
		samples = page.GranulePosition
	}
}
