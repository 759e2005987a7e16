package session_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
	"github.com/google/go-cmp/cmp"
)

// listed is a file storage whose keys can be seen.
type listed struct {
	session.SharedStorage
	keys map[session.Scope]map[string]bool
}

func (l *listed) Set(ctx context.Context, s session.Scope, key string, value []byte) error {
	l.keys[s][key] = true
	return l.SharedStorage.Set(ctx, s, key, value)
}

// left are the keys that were written once and are still there.
func (l *listed) left(t *testing.T) (keys []string) {
	t.Helper()
	for scope, all := range l.keys {
		for key := range all {
			_, ok, err := l.Get(t.Context(), scope, key)
			if err != nil {
				t.Error(err)
			}
			if ok {
				keys = append(keys, string(scope)+" "+key)
			}
		}
	}
	return keys
}

func TestResetToDefaultsForgetsAllThatIsStoredAndEveryPreference(t *testing.T) {
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		t := r.t
		s := &listed{sharedMemory(), map[session.Scope]map[string]bool{session.ScopeSession: {}, session.ScopePersistent: {}}}
		start := session.DefaultPreferences()
		start.StereoAudio = true
		r.opts.Storage, r.opts.PersistSession, r.opts.SavePreferences, r.opts.Preferences, r.opts.DPoPKey = s, true, true, &start, nil
		r.connect(session.StaticCredentials(r.sat(time.Hour, "")))
		change(t, r.c, func(p *session.PreferenceValues) { *p = uncommon() })
		for _, mine := range []string{"sw:other", "program"} {
			if err := s.Set(t.Context(), session.ScopeSession, mine, []byte("x")); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if before := s.left(t); len(before) < 6 || !strings.Contains(strings.Join(before, " "), "sw:dpop_key") {
			t.Fatalf("stored only %v", before)
		}
		seen := r.c.Preferences().Observe()
		if err := r.c.ResetToDefaults(t.Context()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"session program"}, s.left(t)); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(session.DefaultPreferences(), r.c.Preferences().Get()); diff != "" {
			t.Error(diff)
		}
		if _, err := seen.Wait(t.Context(), func(p session.PreferenceValues) bool {
			return p.StatsHistory == session.DefaultPreferences().StatsHistory
		}); err != nil {
			t.Error(err)
		}
		r.wantOnline("after a reset")
		change(t, r.c, func(p *session.PreferenceValues) { p.RelayOnly = true })
		_ = r.c.Close()
		if stored(t, s)["relayOnly"] != true {
			t.Error("what changes after a reset is not stored")
		}
	})
}

// TestResetToDefaultsLeavesCallsThatSurvive: they are on record again.
func TestResetToDefaultsLeavesCallsThatSurvive(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		m := b.start(t, "ann", sharedMemory(), session.Options{})
		k := connected(t, m.Client, "/public/tone", m.dialing(session.MediaOptions{}))
		pass(time.Second)
		if err := m.ResetToDefaults(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if r := records(t, m); len(r) != 1 || r[k.ID()].Owner == "" {
			t.Errorf("on record: %v", r)
		}
		pass(10 * time.Second)
		if k.Status() != session.CallStatusConnected || len(told[error](m)) != 0 {
			t.Errorf("the call is %v, told %v", k.Status(), m.errors)
		}
		b.over(t, m.lineOf, k)
	})
}

func TestResetToDefaultsSaysWhatCannotBeForgotten(t *testing.T) {
	errDisk := errors.New("disk on fire")
	c := idle(t, session.Options{Storage: faulty(func(context.Context) error { return errDisk })})
	change(t, c, func(p *session.PreferenceValues) { p.StereoAudio = true })
	var failed *errs.StorageError
	if err := c.ResetToDefaults(t.Context()); !errors.As(err, &failed) || failed.Op != "clear" || !errors.Is(err, errDisk) {
		t.Errorf("%v", err)
	}
	if c.Preferences().Get().StereoAudio {
		t.Error("the preferences were not reset")
	}
	if err := idle(t, session.Options{}).ResetToDefaults(t.Context()); err != nil {
		t.Errorf("without a storage: %v", err)
	}
	_ = c.Close()
	if err := c.ResetToDefaults(t.Context()); !errors.Is(err, errs.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	if err := c.Preferences().ResetToDefaults(); !errors.Is(err, errs.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

// Devices are what they were before anybody selected one, here, in the storage and for
// the next process. Whatever was about to be stored is not.
func TestResetToDefaultsForgetsTheSelectedDevices(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &listed{sharedMemory(), map[session.Scope]map[string]bool{session.ScopeSession: {}, session.ScopePersistent: {}}}
		o := session.Options{Devices: virtual(t, desk, headset, webcam), Storage: s}
		c := idle(t, o)
		defer c.Close()
		d := c.Devices()
		if err := d.Enumerate(t.Context()); err != nil {
			t.Fatal(err)
		}
		pass(2 * time.Second)
		if err := errors.Join(d.SelectAudioInput(&headset), d.DisableVideoInput(), c.ResetToDefaults(t.Context())); err != nil {
			t.Fatal(err)
		}
		if d.SelectedAudioInput() != nil || d.VideoInputDisabled() {
			t.Errorf("after a reset %v is selected, disabled %v", d.SelectedAudioInput(), d.VideoInputDisabled())
		}
		pass(2 * time.Second)
		if keys := s.left(t); len(keys) != 0 || idOf(d.SelectedAudioInput()) != "desk" || idOf(d.SelectedVideoInput()) != "webcam" {
			t.Errorf("stored is %v; %v and %v are selected", keys, d.SelectedAudioInput(), d.SelectedVideoInput())
		}
		if err := d.SelectAudioInput(&headset); err != nil {
			t.Fatal(err)
		}
		pass(0)
		if keys := s.left(t); len(keys) != 1 {
			t.Errorf("what is selected after a reset is not stored: %v", keys)
		}
	})
}

// waiting is a storage that answers for devices when it may.
type waiting struct {
	session.Storage
	may chan struct{}
}

func (w waiting) Get(ctx context.Context, s session.Scope, key string) ([]byte, bool, error) {
	value, ok, err := w.Storage.Get(ctx, s, key)
	if strings.HasPrefix(key, "sw:device:") {
		<-w.may
	}
	return value, ok, err
}

func TestASelectionThatIsLoadedTooLateStaysForgotten(t *testing.T) {
	for name, forget := range map[string]func(*session.Client, context.Context) error{
		"ClearState": func(c *session.Client, ctx context.Context) error {
			ctx, cancel := context.WithTimeout(ctx, time.Second) // the list waits for the storage
			defer cancel()
			if err := c.Devices().ClearState(ctx); !errors.Is(err, context.DeadlineExceeded) {
				return err
			}
			return nil
		},
		"ResetToDefaults": (*session.Client).ResetToDefaults,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := waiting{session.NewMemoryStorage(), make(chan struct{})}
				text := []byte(`{"deviceId":"headset","label":"Headset","kind":"audioinput","groupId":""}`)
				if err := s.Set(t.Context(), session.ScopePersistent, "sw:device:audioinput", text); err != nil {
					t.Fatal(err)
				}
				c := idle(t, session.Options{Devices: virtual(t, desk, headset), Storage: s})
				defer c.Close()
				go func() { _ = c.Devices().Enumerate(t.Context()) }()
				synctest.Wait()
				if err := forget(c, t.Context()); err != nil {
					t.Fatal(err)
				}
				close(s.may)
				pass(5 * time.Second)
				if d := c.Devices().SelectedAudioInput(); idOf(d) != "desk" {
					t.Errorf("%v is selected", d)
				}
			})
		})
	}
}
