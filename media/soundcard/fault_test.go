package soundcard_test

import (
	"context"
	"errors"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/media/soundcard"
)

// within bounds what a test waits for.
func within(t testing.TB, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// capturing listens until it fails.
func capturing(ctx context.Context, i *soundcard.Input) (begun <-chan struct{}, failed <-chan error) {
	first, result, heard := make(chan struct{}), make(chan error, 1), false
	go func() {
		result <- i.Capture(ctx, func([]int16) error {
			if !heard {
				heard = true
				close(first)
			}
			return nil
		})
	}()
	return first, result
}

// watching tells what WatchDevices does.
func watching(t testing.TB, p *soundcard.Provider) (changed <-chan struct{}) {
	t.Helper()
	if _, err := p.Devices(t.Context()); err != nil { // what changes are changes of
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	seen, result := make(chan struct{}, 100), make(chan error, 1)
	go func() { result <- p.WatchDevices(ctx, func() { seen <- struct{}{} }) }()
	t.Cleanup(func() {
		cancel()
		if err := <-result; err != nil {
			t.Error(err)
		}
	})
	return seen
}

func wait[T any](t testing.TB, what string, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-within(t, 10*time.Second).Done():
		t.Fatalf("%s: not within ten seconds", what)
		panic("unreachable")
	}
}

func notFound(t testing.TB, err error, id string) {
	t.Helper()
	var missing *errs.DeviceNotFoundError
	if !errors.As(err, &missing) || missing.DeviceID != id {
		t.Errorf("%v, want that %q is not found", err, id)
	}
}

func names(t testing.TB, p *soundcard.Provider, kind media.DeviceKind) (ids []string) {
	t.Helper()
	devices, err := p.Devices(within(t, 10*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range devices {
		if d.Kind == kind {
			ids = append(ids, d.ID)
		}
	}
	return ids
}

func TestDeviceUnpluggedInMidCaptureIsNotFound(t *testing.T) {
	unplug := plugIn(t, "car")
	p := open(t)
	changed := watching(t, p)
	microphone := input(t, p, media.Constraints{DeviceID: "car.monitor"})
	played := play(t, output(t, p, "car"), 440, -12)
	begun, captured := capturing(t.Context(), microphone)
	wait(t, "the first frame", begun)
	unplug()
	at := time.Now()
	notFound(t, wait(t, "the end of the microphone", captured), "car.monitor")
	notFound(t, wait(t, "the end of the loudspeaker", played), "car")
	wait(t, "the change", changed)
	t.Logf("noticed after %v", time.Since(at))
	if ids := names(t, p, media.DeviceAudioInput); slices.Contains(ids, "car.monitor") {
		t.Errorf("still listed: %q", ids)
	}
	plugIn(t, "car")
	wait(t, "the change back", changed)
	again := input(t, p, media.Constraints{DeviceID: "car.monitor"})
	if err := works(t.Context(), again); err != nil {
		t.Error(err)
	}
	notFound(t, microphone.Send(t.Context(), nil), "car.monitor")
}

func TestSoundServerMayGoAndComeBack(t *testing.T) {
	s := ownServer(t, "car")
	p := open(t)
	changed := watching(t, p)
	begun, captured := capturing(t.Context(), input(t, p, media.Constraints{}))
	wait(t, "the first frame", begun)
	s.stop()
	notFound(t, wait(t, "the end of the capture", captured), "car.monitor")
	wait(t, "the end of the list", changed)
	_, err := p.Devices(t.Context())
	var access *errs.MediaAccessError
	if !errors.As(err, &access) || access.Media != "audio" {
		t.Errorf("without a server: %v", err)
	}
	back, err := startServer(s.dir, "bus")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(back.stop)
	wait(t, "the list of the new server", changed)
	if ids := names(t, p, media.DeviceAudioOutput); !slices.Equal(ids, []string{"bus"}) {
		t.Errorf("outputs are %q", ids)
	}
	if err := works(t.Context(), input(t, p, media.Constraints{})); err != nil {
		t.Error(err)
	}
}

func TestSoundServerThatHangsHoldsNobodyUp(t *testing.T) {
	s := ownServer(t, "car")
	p := open(t)
	microphone := input(t, p, media.Constraints{})
	begun, captured := capturing(t.Context(), microphone)
	wait(t, "the first frame", begun)
	if err := s.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	_, err := p.Devices(within(t, 200*time.Millisecond))
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("list: %v", err)
	}
	if _, err = p.OpenInput(within(t, 200*time.Millisecond), media.DeviceAudioInput, media.Constraints{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("open: %v", err)
	}
	if err := s.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if ids := names(t, p, media.DeviceAudioOutput); !slices.Equal(ids, []string{"car"}) {
		t.Errorf("outputs are %q", ids)
	}
	if err := microphone.Close(); err != nil {
		t.Error(err)
	}
	if err := wait(t, "the end", captured); !errors.Is(err, errs.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
}

func TestClosingTheProviderEndsWhatIsOpen(t *testing.T) {
	p := open(t)
	microphone, speaker := input(t, p, media.Constraints{}), output(t, p, "")
	played := play(t, speaker, 440, -40)
	begun, captured := capturing(t.Context(), microphone)
	wait(t, "the first frame", begun)
	watched := make(chan error, 1)
	go func() { watched <- p.WatchDevices(t.Context(), func() {}) }()
	for range 2 {
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for what, result := range map[string]<-chan error{"capture": captured, "play": played, "watch": watched} {
		if err := wait(t, what, result); !errors.Is(err, errs.ErrClosed) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := p.Devices(t.Context()); !errors.Is(err, errs.ErrClosed) {
		t.Errorf("list: %v", err)
	}
	if err := errors.Join(microphone.Close(), speaker.Close()); err != nil {
		t.Error(err)
	}
}

func TestNoSoundSystemIsAnAccessError(t *testing.T) {
	t.Setenv("PULSE_SERVER", "unix:"+t.TempDir()+"/nobody")
	p, err := soundcard.Open(soundcard.Options{Backend: soundcard.PulseAudio})
	var access *errs.MediaAccessError
	if p != nil || !errors.As(err, &access) || access.Denied {
		t.Errorf("%v and %v", p, err)
	}
	_, err = soundcard.Open(soundcard.Options{Backend: soundcard.Silent + 1})
	var config *errs.ConfigError
	if !errors.As(err, &config) || config.Field != "Backend" {
		t.Error(err)
	}
}
