package session_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
	"github.com/google/go-cmp/cmp"
)

const preferencesKey = "sw:preferences"

// holding is a storage with preferences in it; empty: none.
func holding(t testing.TB, text string) session.Storage {
	t.Helper()
	s := session.NewMemoryStorage()
	if text != "" {
		if err := s.Set(t.Context(), session.ScopePersistent, preferencesKey, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// stored is what preferences a storage holds.
func stored(t testing.TB, s session.Storage) map[string]any {
	t.Helper()
	text, ok, err := s.Get(t.Context(), session.ScopePersistent, preferencesKey)
	if err != nil {
		t.Fatal(err)
	}
	var v map[string]any
	if ok && json.Unmarshal(text, &v) != nil {
		t.Fatalf("stored %s", text)
	}
	return v
}

// uncommon are preferences of which none is a default, and the stored ones none
// of what is not stored.
func uncommon() session.PreferenceValues {
	return session.PreferenceValues{
		ConnectionTimeout: 11 * time.Second, ReconnectDelayMin: 50 * time.Millisecond, ReconnectDelayMax: 4 * time.Second,
		ReconnectCallsTimeout: time.Minute, RelayURL: "wss://puc.example.com",
		ReceiveAudio: media.Off, ReceiveVideo: media.On, VideoCodecs: []string{"VP9"}, AudioCodecs: []string{"PCMU", "opus"},
		StereoAudio: true, UserVariables: map[string]any{"a": "b", "c": map[string]any{"d": true}},
		ICEServers: []media.ICEServer{
			{URLs: []string{"turn:turn.example.com?transport=tcp"}, Username: "ann", Credential: "secret"},
			{URLs: []string{"stun:a.example.com", "stun:b.example.com"}},
		},
		RelayOnly: true, DisableUDPICEServers: true, ICECandidateTimeout: 1234567, ICEGatheringTimeout: time.Second,
		DeviceDebounce: time.Second, DevicePollingInterval: time.Minute,
		StatsPollingInterval: 2 * time.Second, StatsBaselineSamples: 5, StatsNoPacketThreshold: time.Second,
		StatsRTTSpikeMultiplier: 2.5, StatsPacketLossThreshold: 0.1, StatsJitterSpikeMultiplier: 5, StatsHistory: time.Minute,
		KeyframeMaxBurst: 1, KeyframeBurstWindow: time.Second, KeyframeCooldown: time.Second,
		ReinviteDebounce: time.Second, ReinviteMaxAttempts: 2, ReinviteTimeout: 3 * time.Second,
		RecoveryDebounce: time.Second, RecoveryCooldown: time.Second, ICEDisconnectedGrace: time.Second,
		ICERestartTimeout: time.Second, MaxRecoveryAttempts: 7,
		DegradationBitrate: 100_500, DegradationRecoveryBitrate: 200_001, AutoMuteVideoOnSuspend: true,
	}
}

func TestPreferencesAreSavedWholeAndLoadedBeforeTheyAreUsed(t *testing.T) {
	dir := t.TempDir() + "/state"
	for name, open := range map[string]func() (session.Storage, error){
		"memory": func() func() (session.Storage, error) {
			m := session.NewMemoryStorage()
			return func() (session.Storage, error) { return m, nil }
		}(),
		"files": func() (session.Storage, error) { return session.NewFileStorage(dir) },
	} {
		t.Run(name, func(t *testing.T) {
			s, err := open()
			if err != nil {
				t.Fatal(err)
			}
			want := uncommon()
			first := idle(t, session.Options{Storage: s, SavePreferences: true})
			if stored(t, s) != nil {
				t.Error("something was stored although nothing was changed")
			}
			change(t, first, func(p *session.PreferenceValues) {
				*p = want
				p.PreferredAudioInput = &media.Device{ID: "1", Kind: media.DeviceAudioInput}
				p.AudioConstraints = &media.Constraints{AutoGainControl: media.Off}
			})
			_ = first.Close()

			if s, err = open(); err != nil {
				t.Fatal(err)
			}
			second := idle(t, session.Options{Storage: s, SavePreferences: true})
			d := session.DefaultPreferences()
			want.DefaultAudioConstraints, want.DefaultVideoConstraints = d.DefaultAudioConstraints, d.DefaultVideoConstraints
			if diff := cmp.Diff(want, second.Preferences().Get()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestPreferencesAreStoredAsTheBrowserSDKDoes: the same names, milliseconds,
// kilobits, and 47 of them.
func TestPreferencesAreStoredAsTheBrowserSDKDoes(t *testing.T) {
	s := session.NewMemoryStorage()
	c := idle(t, session.Options{Storage: s, SavePreferences: true})
	change(t, c, func(p *session.PreferenceValues) { *p = uncommon() })
	_ = c.Close()
	got := stored(t, s)
	for key, want := range map[string]any{
		"connectionTimeout": 11000.0, "iceCandidateTimeout": 1.234567, "statsHistorySize": 60.0, "relayHost": "wss://puc.example.com",
		"degradationBitrateThreshold": 100.5, "receiveAudio": false, "receiveVideo": true, "statsBaselineSamples": 5.0,
		"preferredAudioCodecs": []any{"PCMU", "opus"},
	} {
		if diff := cmp.Diff(want, got[key]); diff != "" {
			t.Errorf("%s: %s", key, diff)
		}
	}
	if len(got) != 47 {
		t.Errorf("%d preferences are stored", len(got))
	}
	for key := range got {
		if key[0] < 'a' || key[0] > 'z' || strings.Contains(strings.ToLower(key), "constraints") {
			t.Errorf("%q is stored", key)
		}
	}
}

func TestPreferencesAreNotStoredUnlessAsked(t *testing.T) {
	s := holding(t, `{"stereoAudio":true}`)
	c := idle(t, session.Options{Storage: s})
	if c.Preferences().Get().StereoAudio {
		t.Error("they were loaded")
	}
	change(t, c, func(p *session.PreferenceValues) { p.RelayOnly = true })
	_ = c.Close()
	if got := stored(t, s); len(got) != 1 {
		t.Errorf("stored %v", got)
	}
}

// TestPreferencesChangedBeforeTheyAreLoadedAreKept, and so are the stored ones.
func TestPreferencesChangedBeforeTheyAreLoadedAreKept(t *testing.T) {
	s := holding(t, `{"stereoAudio":true,"maxRecoveryAttempts":9,"relayOnly":false}`)
	start := session.DefaultPreferences()
	start.StereoAudio, start.EnableRelayFallback = false, false // is stronger than the default, and weaker than what is stored
	c := idle(t, session.Options{Storage: s, Preferences: &start})
	change(t, c, func(p *session.PreferenceValues) { p.RelayOnly = true })
	if err := c.Preferences().Persist(t.Context()); err != nil {
		t.Fatal(err)
	}
	p := c.Preferences().Get()
	if !p.RelayOnly || !p.StereoAudio || p.MaxRecoveryAttempts != 9 || p.EnableRelayFallback {
		t.Errorf("preferences %+v", p)
	}
	_ = c.Close()
	if got := stored(t, s); got["relayOnly"] != true || got["stereoAudio"] != true || got["maxRecoveryAttempts"] != 9.0 {
		t.Errorf("stored %v", got)
	}
}

func TestPreferencesChangedWhileTheyAreLoadedAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := &slowStorage{Storage: holding(t, `{"stereoAudio":true,"relayOnly":false}`)}
		c := idle(t, session.Options{Storage: slow})
		done := make(chan error)
		go func() { done <- c.Preferences().Persist(t.Context()) }()
		synctest.Wait() // it is being read
		change(t, c, func(p *session.PreferenceValues) { p.RelayOnly = true })
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if p := c.Preferences().Get(); !p.RelayOnly || !p.StereoAudio {
			t.Errorf("preferences %+v", p)
		}
		_ = c.Close()
	})
}

// A slowStorage takes a second for everything, and counts what is written.
type slowStorage struct {
	session.Storage
	writes int
}

func (s *slowStorage) Get(ctx context.Context, scope session.Scope, key string) ([]byte, bool, error) {
	time.Sleep(time.Second) // in a bubble
	return s.Storage.Get(ctx, scope, key)
}

func (s *slowStorage) Set(ctx context.Context, scope session.Scope, key string, value []byte) error {
	time.Sleep(time.Second) // in a bubble
	s.writes++
	return s.Storage.Set(ctx, scope, key, value)
}

func TestManyChangesOfPreferencesDoNotPileUpBeforeASlowStorage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := &slowStorage{Storage: session.NewMemoryStorage()}
		c := idle(t, session.Options{Storage: slow, SavePreferences: true})
		for range 100 {
			change(t, c, func(p *session.PreferenceValues) { p.MaxRecoveryAttempts++ })
		}
		time.Sleep(time.Minute)
		_ = c.Close()
		if slow.writes > 2 {
			t.Errorf("%d writes", slow.writes)
		}
		if got := stored(t, slow)["maxRecoveryAttempts"]; got != 103.0 {
			t.Errorf("stored %v", got)
		}
	})
}

func TestStoredPreferencesThatCannotBeAreLeftOutOneByOne(t *testing.T) {
	c := idle(t, session.Options{SavePreferences: true, Storage: holding(t, `{
		"connectionTimeout": -5, "reconnectDelayMin": "fast", "relayHost": "ws://ann:hunter2@evil.example.com",
		"reconnectDelayMax": 50, "receiveVideo": 1, "statsBaselineSamples": 2.5, "iceServers": [{"urls":"gopher:hole"}],
		"maxRecoveryAttempts": null, "stereoAudio": true, "statsHistorySize": 1e300, "userVariables": ["no"],
		"videoCodecs": ["from another version"], "": true, "statsPacketLossThreshold": 0.2
	}`)})
	got := c.Preferences().Get()
	want := session.DefaultPreferences()
	want.StereoAudio, want.StatsPacketLossThreshold = true, 0.2
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	warned := map[string]bool{}
	warnings := c.ObserveWarnings()
	_ = c.Close() // ends them
	for w := range warnings.Seq(t.Context()) {
		ignored, ok := w.(*session.PreferenceWarning)
		if !ok || ignored.Code() != session.WarningPreference || strings.Contains(w.String(), "hunter2") || !strings.Contains(w.String(), ignored.Field) {
			t.Errorf("warning %v", w)
		}
		warned[ignored.Field] = true
	}
	for _, field := range []string{"ConnectionTimeout", "ReconnectDelayMin", "RelayURL", "ReceiveVideo", "StatsBaselineSamples",
		"ICEServers", "MaxRecoveryAttempts", "StatsHistory", "UserVariables"} {
		if !warned[field] {
			t.Errorf("nothing said of %s", field)
		}
	}
}

// TestStoredPreferencesThatDoNotFitTheOthersAreLeftOut: a lower bound was not
// stored, and the upper one is below it.
func TestStoredPreferencesThatDoNotFitTheOthersAreLeftOut(t *testing.T) {
	c := idle(t, session.Options{SavePreferences: true, Storage: holding(t, `{"degradationRecoveryThreshold":100,"reconnectDelayMax":50}`)})
	if diff := cmp.Diff(session.DefaultPreferences(), c.Preferences().Get()); diff != "" {
		t.Error(diff)
	}
}
