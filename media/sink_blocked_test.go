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

func TestSinkWhoseWriterBlocksCloses(t *testing.T) {
	for name, open := range map[string]func(io.Writer) (media.Sink, error){
		"PCM": func(w io.Writer) (media.Sink, error) { return media.NewPCMWriter(w, 8000, 1) },
		"WAV": func(w io.Writer) (media.Sink, error) { return media.NewWAVSink(w, 8000, 1) },
		"Ogg": func(w io.Writer) (media.Sink, error) { return media.NewOggSink(w), nil },
	} {
		for _, closable := range []bool{true, false} {
			synctest.Test(t, func(t *testing.T) {
				pipe := fullPipe{make(chan struct{})}
				w := &header{Writer: pipe, rest: 200} // of a file, before the pipe is full
				var to io.Writer = w
				if closable {
					to = struct {
						io.Writer
						io.Closer
					}{w, closablePipe{pipe}}
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
				if !closable {
					close(pipe.closed)
				}
			})
		}
	}
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
