package session_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
	"github.com/google/go-cmp/cmp"
)

// idle makes a client that is not connected.
func idle(t testing.TB, o session.Options) *session.Client {
	t.Helper()
	c, err := session.New(nil, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// change is an update that has to work.
func change(t testing.TB, c *session.Client, f func(*session.PreferenceValues)) {
	t.Helper()
	if err := c.Preferences().Update(f); err != nil {
		t.Fatal(err)
	}
}

func TestPreferencesBeginWithTheDefaults(t *testing.T) {
	c := idle(t, session.Options{})
	if diff := cmp.Diff(session.DefaultPreferences(), c.Preferences().Get()); diff != "" {
		t.Error(diff)
	}
	start := session.DefaultPreferences()
	start.StereoAudio, start.RelayURL = true, "wss://puc.example.com"
	c = idle(t, session.Options{Preferences: &start})
	start.RelayURL = "changed afterwards"
	if got := c.Preferences().Get(); !got.StereoAudio || got.RelayURL != "wss://puc.example.com" {
		t.Errorf("preferences %+v", got)
	}
}

// variables have all that can be shared by mistake.
func variables() map[string]any {
	return map[string]any{
		"team": map[string]any{"name": "red"}, "tags": []string{"a"}, "teams": []map[string]int{{"red": 1}},
		"nil": nil, "none": []string(nil), "n": 7,
	}
}

func TestPreferencesOfTwoClientsAreTheirOwn(t *testing.T) {
	start := session.DefaultPreferences()
	start.UserVariables = variables()
	start.VideoConstraints = &media.Constraints{Width: media.Range{Ideal: 640}}
	start.ICEServers = []media.ICEServer{{URLs: []string{"stun:stun.example.com"}}}
	a, b := idle(t, session.Options{Preferences: &start}), idle(t, session.Options{Preferences: &start})
	spoil := func(p *session.PreferenceValues) {
		p.StereoAudio = true
		p.UserVariables["team"].(map[string]any)["name"] = "blue"
		p.UserVariables["tags"].([]string)[0] = "changed"
		p.UserVariables["teams"].([]map[string]int)[0]["red"]++
		p.VideoConstraints.Width.Ideal = 320
		p.ICEServers[0].URLs[0] = "stun:other.example.com"
	}
	change(t, a, spoil)
	mine := a.Preferences().Get()
	spoil(&start) // whose parts nobody else has
	got := a.Preferences().Get()
	spoil(&got)
	got.UserVariables["team"].(map[string]any)["name"] = "green"
	want := session.DefaultPreferences()
	want.UserVariables = variables()
	want.VideoConstraints = &media.Constraints{Width: media.Range{Ideal: 640}}
	want.ICEServers = []media.ICEServer{{URLs: []string{"stun:stun.example.com"}}}
	if diff := cmp.Diff(want, b.Preferences().Get()); diff != "" {
		t.Errorf("the other client: %s", diff)
	}
	if diff := cmp.Diff(mine, a.Preferences().Get()); diff != "" {
		t.Errorf("what Get returned was not a copy: %s", diff)
	}
}

// invalidPreferences has what each field may not be.
var invalidPreferences = []struct {
	field string
	spoil func(*session.PreferenceValues)
}{
	{"ConnectionTimeout", func(p *session.PreferenceValues) { p.ConnectionTimeout = 0 }},
	{"ReconnectDelayMin", func(p *session.PreferenceValues) { p.ReconnectDelayMin = -time.Second }},
	{"ReconnectDelayMin", func(p *session.PreferenceValues) { p.ReconnectDelayMin = time.Hour }},
	{"ReconnectDelayMax", func(p *session.PreferenceValues) { p.ReconnectDelayMax = 0 }},
	{"ReconnectCallsTimeout", func(p *session.PreferenceValues) { p.ReconnectCallsTimeout = 0 }},
	{"RelayURL", func(p *session.PreferenceValues) { p.RelayURL = "ws://puc.example.com" }},
	{"RelayURL", func(p *session.PreferenceValues) { p.RelayURL = "wss://ann:hunter2@puc.example.com" }},
	{"ReceiveAudio", func(p *session.PreferenceValues) { p.ReceiveAudio = 7 }},
	{"ReceiveVideo", func(p *session.PreferenceValues) { p.ReceiveVideo = -1 }},
	{"VideoCodecs", func(p *session.PreferenceValues) { p.VideoCodecs = []string{"VP8", ""} }},
	{"AudioCodecs", func(p *session.PreferenceValues) { p.AudioCodecs = []string{""} }},
	{"UserVariables", func(p *session.PreferenceValues) { p.UserVariables = map[string]any{"f": func() {}} }},
	{"UserVariables", func(p *session.PreferenceValues) {
		p.UserVariables = map[string]any{} // which has itself within itself
		p.UserVariables["self"] = []any{p.UserVariables}
	}},
	{"ICEServers", func(p *session.PreferenceValues) { p.ICEServers = []media.ICEServer{{}} }},
	{"ICEServers", func(p *session.PreferenceValues) {
		p.ICEServers = []media.ICEServer{{URLs: []string{"https://turn.example.com"}}}
	}},
	{"ICEServers", func(p *session.PreferenceValues) {
		p.ICEServers = []media.ICEServer{{URLs: []string{"http:turn.example.com"}}}
	}},
	{"ICEServers", func(p *session.PreferenceValues) {
		p.ICEServers = []media.ICEServer{{URLs: []string{"turn:turn.example.com"}, Credential: "hunter2"}}
	}},
	{"ICECandidateTimeout", func(p *session.PreferenceValues) { p.ICECandidateTimeout = 0 }},
	{"ICEGatheringTimeout", func(p *session.PreferenceValues) { p.ICEGatheringTimeout = -1 }},
	{"PreferredAudioInput", func(p *session.PreferenceValues) { p.PreferredAudioInput = &media.Device{ID: "1"} }},
	{"PreferredAudioOutput", func(p *session.PreferenceValues) {
		p.PreferredAudioOutput = &media.Device{ID: "1", Kind: media.DeviceAudioInput}
	}},
	{"PreferredVideoInput", func(p *session.PreferenceValues) {
		p.PreferredVideoInput = &media.Device{Kind: media.DeviceVideoInput}
	}},
	{"AudioConstraints", func(p *session.PreferenceValues) { p.AudioConstraints = &media.Constraints{AutoGainControl: 9} }},
	{"VideoConstraints", func(p *session.PreferenceValues) {
		p.VideoConstraints = &media.Constraints{Width: media.Range{Min: 2, Max: 1}}
	}},
	{"DefaultAudioConstraints", func(p *session.PreferenceValues) { p.DefaultAudioConstraints.EchoCancellation = -1 }},
	{"DefaultVideoConstraints", func(p *session.PreferenceValues) { p.DefaultVideoConstraints.Height.Ideal = math.NaN() }},
	{"DefaultVideoConstraints", func(p *session.PreferenceValues) {
		p.DefaultVideoConstraints.FrameRate = media.Range{Exact: 60, Max: 30}
	}},
	{"DeviceDebounce", func(p *session.PreferenceValues) { p.DeviceDebounce = -1 }},
	{"DevicePollingInterval", func(p *session.PreferenceValues) { p.DevicePollingInterval = -1 }},
	{"StatsPollingInterval", func(p *session.PreferenceValues) { p.StatsPollingInterval = 0 }},
	{"StatsBaselineSamples", func(p *session.PreferenceValues) { p.StatsBaselineSamples = 0 }},
	{"StatsNoPacketThreshold", func(p *session.PreferenceValues) { p.StatsNoPacketThreshold = 0 }},
	{"StatsRTTSpikeMultiplier", func(p *session.PreferenceValues) { p.StatsRTTSpikeMultiplier = 0.5 }},
	{"StatsRTTSpikeMultiplier", func(p *session.PreferenceValues) { p.StatsRTTSpikeMultiplier = math.NaN() }},
	{"StatsPacketLossThreshold", func(p *session.PreferenceValues) { p.StatsPacketLossThreshold = 5 }},
	{"StatsPacketLossThreshold", func(p *session.PreferenceValues) { p.StatsPacketLossThreshold = 0 }},
	{"StatsJitterSpikeMultiplier", func(p *session.PreferenceValues) { p.StatsJitterSpikeMultiplier = math.Inf(1) }},
	{"StatsHistory", func(p *session.PreferenceValues) { p.StatsHistory = 0 }},
	{"KeyframeMaxBurst", func(p *session.PreferenceValues) { p.KeyframeMaxBurst = 0 }},
	{"KeyframeBurstWindow", func(p *session.PreferenceValues) { p.KeyframeBurstWindow = 0 }},
	{"KeyframeCooldown", func(p *session.PreferenceValues) { p.KeyframeCooldown = -1 }},
	{"ReinviteDebounce", func(p *session.PreferenceValues) { p.ReinviteDebounce = -1 }},
	{"ReinviteMaxAttempts", func(p *session.PreferenceValues) { p.ReinviteMaxAttempts = 0 }},
	{"ReinviteTimeout", func(p *session.PreferenceValues) { p.ReinviteTimeout = 0 }},
	{"RecoveryDebounce", func(p *session.PreferenceValues) { p.RecoveryDebounce = -1 }},
	{"RecoveryCooldown", func(p *session.PreferenceValues) { p.RecoveryCooldown = -1 }},
	{"ICEDisconnectedGrace", func(p *session.PreferenceValues) { p.ICEDisconnectedGrace = -1 }},
	{"ICERestartTimeout", func(p *session.PreferenceValues) { p.ICERestartTimeout = 0 }},
	{"MaxRecoveryAttempts", func(p *session.PreferenceValues) { p.MaxRecoveryAttempts = -1 }},
	{"DegradationBitrate", func(p *session.PreferenceValues) { p.DegradationBitrate = 0 }},
	{"DegradationBitrate", func(p *session.PreferenceValues) { p.DegradationBitrate = 300_001 }},
	{"DegradationRecoveryBitrate", func(p *session.PreferenceValues) { p.DegradationRecoveryBitrate = -5 }},
}

func TestPreferencesThatCannotBeAreNamedAndChangeNothing(t *testing.T) {
	covered := map[string]bool{}
	for _, bad := range invalidPreferences {
		covered[bad.field] = true
		c := idle(t, session.Options{})
		err := c.Preferences().Update(func(p *session.PreferenceValues) {
			p.StereoAudio = true // which could be
			bad.spoil(p)
		})
		var invalid *errs.ConfigError
		if !errors.As(err, &invalid) || invalid.Field != bad.field || invalid.Problem == "" {
			t.Errorf("%s: %v", bad.field, err)
		}
		if strings.Contains(fmt.Sprint(err), "hunter2") {
			t.Errorf("%s: a secret is in %v", bad.field, err)
		}
		if diff := cmp.Diff(session.DefaultPreferences(), c.Preferences().Get()); diff != "" {
			t.Errorf("%s was refused and has changed %s", bad.field, diff)
		}
		start := session.DefaultPreferences()
		bad.spoil(&start)
		if _, err := session.New(nil, session.Options{Preferences: &start}); !errors.As(err, &invalid) || invalid.Field != "Preferences."+bad.field {
			t.Errorf("Options: %v, want Preferences.%s", err, bad.field)
		}
	}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[session.PreferenceValues]()) {
		if !covered[f.Name] && f.Type.Kind() != reflect.Bool {
			t.Errorf("nothing that %s cannot be is in the table", f.Name)
		}
	}
}

func TestZeroIsAPreferenceWhereItMeansSomething(t *testing.T) {
	c := idle(t, session.Options{})
	change(t, c, func(p *session.PreferenceValues) {
		p.DeviceDebounce, p.DevicePollingInterval, p.KeyframeCooldown = 0, 0, 0
		p.ReinviteDebounce, p.RecoveryDebounce, p.RecoveryCooldown, p.ICEDisconnectedGrace = 0, 0, 0, 0
		p.MaxRecoveryAttempts = 0
		p.ReconnectDelayMin = p.ReconnectDelayMax
		p.ICEServers = []media.ICEServer{}
		p.DefaultAudioConstraints = nil
	})
	if got := c.Preferences().Get(); got.ICEServers == nil || got.MaxRecoveryAttempts != 0 {
		t.Errorf("preferences %+v", got)
	}
}

func TestPreferencesAreObserved(t *testing.T) {
	c := idle(t, session.Options{})
	seen := make(chan session.PreferenceValues, 10)
	over := c.Preferences().Observe().Subscribe(t.Context(), func(p session.PreferenceValues) { seen <- p }).Done()
	change(t, c, func(p *session.PreferenceValues) { p.UserVariables = map[string]any{"n": 1} })
	change(t, c, func(*session.PreferenceValues) {}) // no change
	change(t, c, func(p *session.PreferenceValues) { p.UserVariables["n"] = 2 })
	for i, want := range []any{nil, 1, 2} {
		got := <-seen
		if got.UserVariables["n"] != want {
			t.Errorf("value %d has %v, want %v", i, got.UserVariables, want)
		}
		if got.UserVariables != nil {
			got.UserVariables["n"] = "spoilt" // a copy
		}
	}
	_ = c.Close()
	<-over
	if len(seen) != 0 {
		t.Errorf("%d more values", len(seen))
	}
	if err := c.Preferences().Update(func(p *session.PreferenceValues) { p.StereoAudio = true }); !errors.Is(err, errs.ErrClosed) {
		t.Errorf("Update after Close: %v", err)
	}
	if c.Preferences().Get().UserVariables["n"] != 2 {
		t.Error("the last preferences are gone")
	}
}

// TestPreferencesChangedByManyAtOnceLoseNoChange, and nobody sees half of one.
func TestPreferencesChangedByManyAtOnceLoseNoChange(t *testing.T) {
	c := idle(t, session.Options{Storage: session.NewMemoryStorage(), SavePreferences: true})
	const workers, each = 8, 50
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for range each {
				if err := c.Preferences().Update(func(p *session.PreferenceValues) {
					p.ReconnectDelayMin++
					p.ReconnectDelayMax++
				}); err != nil {
					t.Error(err)
				}
				if p := c.Preferences().Get(); p.ReconnectDelayMax-p.ReconnectDelayMin != 2900*time.Millisecond {
					t.Errorf("half a change: %v and %v", p.ReconnectDelayMin, p.ReconnectDelayMax)
				}
			}
		})
	}
	wg.Wait()
	if got := c.Preferences().Get().ReconnectDelayMin - 100*time.Millisecond; got != workers*each {
		t.Errorf("%d changes, want %d", got, workers*each)
	}
}

func TestPreferencesMayBeChangedWithinAChangeAndByObservers(t *testing.T) {
	c := idle(t, session.Options{})
	change(t, c, func(p *session.PreferenceValues) {
		change(t, c, func(p *session.PreferenceValues) { p.StereoAudio = true })
		p.RelayOnly = true
	})
	if p := c.Preferences().Get(); !p.StereoAudio || !p.RelayOnly {
		t.Errorf("preferences %+v", p)
	}
	c.Preferences().Observe().Subscribe(t.Context(), func(p session.PreferenceValues) {
		if p.MaxRecoveryAttempts < 10 {
			change(t, c, func(p *session.PreferenceValues) { p.MaxRecoveryAttempts++ })
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	if _, err := c.Preferences().Observe().Wait(ctx, func(p session.PreferenceValues) bool { return p.MaxRecoveryAttempts == 10 }); err != nil {
		t.Error(err)
	}
}

func TestPreferencesShowNoSecret(t *testing.T) {
	p := session.DefaultPreferences()
	p.ICEServers = []media.ICEServer{{URLs: []string{"turn:turn.example.com"}, Username: "ann", Credential: "hunter2"}}
	for _, text := range []string{fmt.Sprint(p), fmt.Sprintf("%+v", p), fmt.Sprintf("%#v", p)} {
		if strings.Contains(text, "hunter2") {
			t.Errorf("a secret is in %s", text)
		}
	}
}
