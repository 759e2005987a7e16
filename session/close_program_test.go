package session_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

func TestPanicOfANetworkSourceIsToldAndTheClientGoesOn(t *testing.T) {
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		r.opts.Network = func(context.Context, func(session.NetworkState)) { panic("no such platform") }
		r.connect(session.StaticCredentials(r.sat(time.Hour, "")))
		r.mu.Lock()
		defer r.mu.Unlock()
		if len(r.errors) != 1 {
			r.t.Fatalf("told were %v", r.errors)
		}
		if p, ok := errors.AsType[*errs.PanicError](r.errors[0]); !ok || p.Where != "Options.Network" {
			r.t.Error(r.errors[0])
		}
	})
}

func TestCloseLeavesBehindANetworkSourceThatDoesNotReturn(t *testing.T) {
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		may := make(chan struct{})
		log := &transcript{}
		r.opts.Logger = slog.New(slog.NewTextHandler(log, nil))
		r.opts.Network = func(context.Context, func(session.NetworkState)) { <-may }
		r.connect(session.StaticCredentials(r.sat(time.Hour, "")))
		start := time.Now()
		_ = r.c.Close()
		if took := time.Since(start); took > 3*time.Second {
			r.t.Errorf("it took %v", took)
		}
		if !strings.Contains(log.String(), "Options.Network did not answer") {
			r.t.Errorf("the log does not name it:\n%s", log)
		}
		close(may)
	})
}

// stuckMicrophones do not close before they may.
type stuckMicrophones struct {
	media.DeviceProvider
	may chan struct{}
}

type stuckMicrophone struct {
	media.Source
	may chan struct{}
}

func (p stuckMicrophones) OpenInput(ctx context.Context, kind media.DeviceKind, c media.Constraints) (media.Source, error) {
	source, err := p.DeviceProvider.OpenInput(ctx, kind, c)
	return stuckMicrophone{source, p.may}, err
}

func (m stuckMicrophone) Close() error {
	<-m.may
	return m.Source.(io.Closer).Close()
}

func TestHangupLeavesBehindAMicrophoneThatDoesNotClose(t *testing.T) {
	inCallBubble(t, noOptions, func(t *testing.T, b *callBubble) {
		log := &transcript{}
		p := stuckMicrophones{virtual(t, headset, desk), make(chan struct{})}
		ann := b.open(t, "ann", session.Options{
			Devices: p, Preferences: preferring(asUsual), Logger: slog.New(slog.NewTextHandler(log, nil)),
		})
		k, heard := b.echoed(t, ann, session.MediaOptions{})
		nowTone(t, heard, headsetHz)
		if err := ann.Devices().SelectAudioInput(&desk); err != nil {
			t.Fatal(err)
		}
		pass(4 * time.Second)
		nowTone(t, heard, deskHz)
		start := time.Now()
		b.over(t, ann, k)
		if took := time.Since(start); took > 7*time.Second {
			t.Errorf("it took %v", took)
		}
		synctest.Wait()
		if n := strings.Count(log.String(), "session_test.stuckMicrophone.Close did not answer"); n != 2 {
			t.Errorf("the log names it %d times:\n%s", n, log)
		}
		close(p.may)
	})
}

// A slowToTell source does not say what it can send before it may.
type slowToTell struct {
	media.Source
	asked, may chan struct{}
	once       *sync.Once
}

func (s slowToTell) Codecs() []string {
	s.once.Do(func() { close(s.asked) })
	<-s.may
	return s.Source.Codecs()
}

func TestSourceThatDoesNotTellItsCodecsHoldsUpNobodyElse(t *testing.T) {
	inCallBubble(t, noOptions, func(t *testing.T, b *callBubble) {
		ann := b.withDevices(t, virtual(t, desk), asUsual)
		k, heard := b.echoed(t, ann, session.MediaOptions{})
		nowTone(t, heard, deskHz)
		tone, err := media.NewTone(headsetHz, micLevel)
		if err != nil {
			t.Fatal(err)
		}
		slow := slowToTell{tone, make(chan struct{}), make(chan struct{}), new(sync.Once)}
		added := make(chan error, 1)
		go func() { added <- selfOf(t, k).AddAudioInputDevice(t.Context(), slow) }()
		<-slow.asked
		start := time.Now()
		b.over(t, ann, k)
		if took := time.Since(start); took > time.Second {
			t.Errorf("it took %v", took)
		}
		close(slow.may)
		<-added
	})
}
