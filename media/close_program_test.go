package media_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
)

// A deafSource does not listen to its context, nor does it close before it may.
type deafSource struct{ may, sending chan struct{} }

func (deafSource) Codecs() []string { return nil }

func (s deafSource) Send(context.Context, *media.Output) error {
	close(s.sending)
	<-s.may
	return nil
}

func (s deafSource) Close() error { <-s.may; return nil }

// A fullSink takes nothing, nor does it close before it may.
type fullSink struct {
	may, writing chan struct{}
}

func (fullSink) Codecs() []string { return nil }
func (fullSink) Open() error      { return nil }

func (s fullSink) WritePacket(media.Packet) error {
	close(s.writing)
	<-s.may
	return errors.New("broken")
}

func (s fullSink) Close() error { <-s.may; return nil }

// TestCloseLeavesBehindWhoDoesNotReturn and says who it is.
func TestCloseLeavesBehindWhoDoesNotReturn(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		var log bytes.Buffer
		may := make(chan struct{})
		source := deafSource{may: may, sending: make(chan struct{})}
		sink := fullSink{may: may, writing: make(chan struct{})}
		caller, _ := pairIn(t, n,
			media.LegConfig{Directions: audioOnly, AudioSource: source, AudioSink: sink, Logger: slog.New(slog.NewTextHandler(&log, nil))},
			media.LegConfig{Directions: audioOnly, AudioSource: tone(t, 440, -20)})
		<-source.sending
		<-sink.writing
		start := time.Now()
		err := caller.Close()
		if took := time.Since(start); took > 7*time.Second {
			t.Errorf("it took %v", took)
		}
		track, ok := errors.AsType[*errs.MediaTrackError](err)
		if !ok || track.Kind != "audio" || !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "media_test.fullSink.Close") {
			t.Errorf("%v", err)
		}
		for _, name := range []string{"deafSource.Send", "deafSource.Close", "fullSink.WritePacket", "fullSink.Close"} {
			if !strings.Contains(log.String(), "media_test."+name) {
				t.Errorf("the log does not name %s:\n%s", name, log.String())
			}
		}
		close(may)
	})
}

// A callingBack source uses its leg when it is asked for its codecs.
type callingBack struct {
	media.Source
	leg *media.Leg
}

func (s callingBack) Codecs() []string {
	s.leg.Mute(media.KindAudio, false)
	return s.Source.Codecs()
}

func TestSourceMayUseItsLegWhenAskedForItsCodecs(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		got := newPackets()
		caller, _ := pairIn(t, n, media.LegConfig{Directions: audioOnly},
			media.LegConfig{Directions: audioOnly, AudioSink: got.sink()})
		if err := caller.Replace(media.KindAudio, callingBack{tone(t, 440, -20), caller}); err != nil {
			t.Fatal(err)
		}
		got.await(t, 5)
	})
}
