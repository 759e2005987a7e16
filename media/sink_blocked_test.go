package media_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/media"
)

// A fullPipe takes nothing. Closing it lets go of who writes, if it can be closed.
type fullPipe struct{ closed chan struct{} }

func (p fullPipe) Write([]byte) (int, error) { <-p.closed; return 0, io.ErrClosedPipe }

type closablePipe struct{ fullPipe }

func (p closablePipe) Close() error { close(p.closed); return nil }

// A stuckPipe does not let go of who closes it either.
type stuckPipe struct{ fullPipe }

func (p stuckPipe) Close() error { <-p.closed; return nil }

func TestSinkWhoseWriterBlocksCloses(t *testing.T) {
	for name, open := range map[string]func(io.Writer) (media.Sink, error){
		"PCM": func(w io.Writer) (media.Sink, error) { return media.NewPCMWriter(w, 8000, 1) },
		"WAV": func(w io.Writer) (media.Sink, error) { return media.NewWAVSink(w, 8000, 1) },
		"Ogg": func(w io.Writer) (media.Sink, error) { return media.NewOggSink(w), nil },
	} {
		for _, kind := range []string{"closable", "not closable", "stuck"} {
			synctest.Test(t, func(t *testing.T) {
				pipe := fullPipe{make(chan struct{})}
				w := &header{Writer: pipe, rest: 200} // of a file, before the pipe is full
				var to io.Writer = w
				switch kind {
				case "closable":
					to = struct {
						io.Writer
						io.Closer
					}{w, closablePipe{pipe}}
				case "stuck":
					to = struct {
						io.Writer
						io.Closer
					}{w, stuckPipe{pipe}}
				}
				sink, err := open(to)
				if err != nil {
					t.Fatal(err)
				}
				if err := sink.Open(); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Second)
				start := time.Now()
				err = sink.Close()
				if took := time.Since(start); took > 2*time.Second {
					t.Errorf("%s: it took %v", name, took)
				}
				if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "io.Writer") && !strings.Contains(err.Error(), "header") {
					t.Errorf("%s: %v", name, err)
				}
				if kind != "closable" {
					close(pipe.closed)
				}
			})
		}
	}
}

// TestIVFSinkWhoseWriterBlocksCloses while a picture is being written.
func TestIVFSinkWhoseWriterBlocksCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pipe := stuckPipe{fullPipe{make(chan struct{})}}
		sink := media.NewIVFSink(pipe)
		if err := sink.Open(); err != nil {
			t.Fatal(err)
		}
		written := make(chan error, 1)
		go func() {
			var err error
			for i := range 3 {
				p := media.Packet{
					Codec:          media.Codec{Name: media.VP8, ClockRate: 90000},
					SequenceNumber: uint16(i), Timestamp: uint32(i) * 3000, Marker: true,
					Payload: []byte{0x10, 0, 0, 0, 0x9d, 0x01, 0x2a, 1, 0, 1, 0},
				}
				err = errors.Join(err, sink.WritePacket(p))
			}
			written <- err
		}()
		synctest.Wait() // the header is being written
		start := time.Now()
		err := sink.Close()
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("it took %v", took)
		}
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "stuckPipe") {
			t.Error(err)
		}
		close(pipe.closed)
		if err := <-written; !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("nothing was being written: %v", err)
		}
	})
}

// A header takes the first bytes by itself.
type header struct {
	io.Writer
	rest int
}

func (h *header) Write(b []byte) (int, error) {
	if h.rest -= len(b); h.rest >= 0 {
		return len(b), nil
	}
	return h.Writer.Write(b)
}
