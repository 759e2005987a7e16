package session_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
	"github.com/google/go-cmp/cmp"
)

func TestCorruptPreferencesAreNamedAndReplacedByTheNextChange(t *testing.T) {
	for _, text := range []string{"{", "garbage", `"a text"`, "[1,2]", "\x00\x01", `{"stereoAudio":true}x`} {
		s := holding(t, text)
		c := idle(t, session.Options{Storage: s, SavePreferences: true})
		var corrupt *errs.StorageError
		if err := next(t, c.ObserveErrors()); !errors.As(err, &corrupt) || corrupt.Op != "decode" || corrupt.Key != preferencesKey || !errors.Is(err, errs.ErrDamaged) {
			t.Errorf("%q: %v", text, err)
		}
		if diff := cmp.Diff(session.DefaultPreferences(), c.Preferences().Get()); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
		change(t, c, func(p *session.PreferenceValues) { p.RelayOnly = true })
		_ = c.Close()
		if stored(t, s)["relayOnly"] != true {
			t.Errorf("%q was not replaced", text)
		}
	}
}

// TestStorageThatCannotBeReadIsNotWritten: what it holds would be lost.
func TestStorageThatCannotBeReadIsNotWritten(t *testing.T) {
	errDown := errors.New("down")
	s := &flaky{Storage: holding(t, `{"stereoAudio":true}`), err: errDown}
	c := idle(t, session.Options{Storage: s, SavePreferences: true})
	var failed *errs.StorageError
	if err := next(t, c.ObserveErrors()); !errors.As(err, &failed) || failed.Op != "read" || failed.Key != preferencesKey || !errors.Is(err, errDown) {
		t.Fatalf("error %v", err)
	}
	change(t, c, func(p *session.PreferenceValues) { p.RelayOnly = true })
	s.err = nil
	if err := c.Preferences().Persist(t.Context()); err != nil {
		t.Fatal(err)
	}
	if p := c.Preferences().Get(); !p.RelayOnly || !p.StereoAudio {
		t.Errorf("preferences %+v", p)
	}
	_ = c.Close()
	if got := stored(t, s); got["relayOnly"] != true || got["stereoAudio"] != true {
		t.Errorf("stored %v", got)
	}
}

// A flaky storage cannot be read while err is set.
type flaky struct {
	session.Storage
	err error
}

func (f *flaky) Get(ctx context.Context, scope session.Scope, key string) ([]byte, bool, error) {
	if f.err != nil {
		return nil, false, f.err
	}
	return f.Storage.Get(ctx, scope, key)
}

func TestHangingStorageHoldsNewForTwoSeconds(t *testing.T) {
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		release := make(chan struct{})
		defer close(release)
		r.opts.Storage, r.opts.SavePreferences = faulty(func(context.Context) error { <-release; return nil }), true
		r.connect(session.StaticCredentials(r.sat(time.Hour, "")))
		if took := time.Since(r.start); took > 2100*time.Millisecond { // after which it is asked no more
			t.Errorf("it took %v", took)
		}
		r.wantOnline("with a storage that hangs")
		if found := allErrors[*errs.StorageError](r); len(found) == 0 {
			t.Error("nobody was told")
		}
	})
}

func TestPersistNeedsAStorageAndALivingClient(t *testing.T) {
	c := idle(t, session.Options{})
	var invalid *errs.ConfigError
	if err := c.Preferences().Persist(t.Context()); !errors.As(err, &invalid) || invalid.Field != "Storage" {
		t.Errorf("without a storage: %v", err)
	}
	if _, err := session.New(nil, session.Options{SavePreferences: true}); !errors.As(err, &invalid) || invalid.Field != "SavePreferences" {
		t.Errorf("Options: %v", err)
	}
	c = idle(t, session.Options{Storage: session.NewMemoryStorage()})
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errDropped)
	if err := c.Preferences().Persist(ctx); !errors.Is(err, errDropped) {
		t.Errorf("cancelled: %v", err)
	}
	_ = c.Close()
	if err := c.Preferences().Persist(t.Context()); !errors.Is(err, errs.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
}

var errDropped = errors.New("dropped")
