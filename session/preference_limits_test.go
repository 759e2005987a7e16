package session

import (
	"context"
	"testing"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
)

// TestMonitorHeedsPreferences: package media shows what each means.
func TestMonitorHeedsPreferences(t *testing.T) {
	v := &PreferenceValues{
		StatsBaselineSamples: 1, StatsNoPacketThreshold: 2, StatsRTTSpikeMultiplier: 3,
		StatsJitterSpikeMultiplier: 4, StatsPacketLossThreshold: 5, StatsHistory: 6,
	}
	want := media.MonitorConfig{
		BaselineSamples: 1, NoPacketThreshold: 2, RTTSpikeMultiplier: 3,
		JitterSpikeMultiplier: 4, PacketLossThreshold: 5, History: 6,
	}
	if got := v.monitorConfig(); got != want {
		t.Errorf("%+v", got)
	}
}

// calm is a call that is watched, of a client that never connects.
func calm(t *testing.T, set func(*PreferenceValues)) *Call {
	t.Helper()
	c, err := New(nil, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.preferences.Update(set); err != nil {
		t.Fatal(err)
	}
	k := c.newCall(context.Background(), "", errs.DirectionOutbound)
	k.recovery.pref, k.quality.monitor = c.preferred(), media.NewMonitor(media.MonitorConfig{})
	if k.leg, err = media.NewLeg(media.LegConfig{Directions: media.Directions{Video: media.SendOnly}}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = k.leg.Close() })
	return k
}

func TestRelaysAreTriedIfPreferredAndThere(t *testing.T) {
	for _, c := range []struct {
		url             string
		preferred, want bool
	}{
		{"turn:turn.example.com", true, true}, {"TURNS:turn.example.com", true, true},
		{"turn:turn.example.com", false, false}, {"stun:stun.example.com", true, false},
	} {
		k := calm(t, func(v *PreferenceValues) { v.EnableRelayFallback = c.preferred })
		k.ice = iceChoice{servers: []media.ICEServer{{URLs: []string{"stun:a.example.com", c.url}}}}
		if got := k.recoveryLimits().relays; got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

// TestVideoIsPausedAsPreferred, unless the user has muted it or none is sent.
func TestVideoIsPausedAsPreferred(t *testing.T) {
	sends := media.Directions{Video: media.SendOnly}
	for name, c := range map[string]struct {
		set        func(*PreferenceValues)
		directions media.Directions
		muted      bool
		bitrates   []int // one each second, the last for a minute
		want       []RecoveryAction
	}{
		"default":      {func(*PreferenceValues) {}, sends, false, []int{149_999}, []RecoveryAction{RecoveryVideoDisabled}},
		"and back":     {func(*PreferenceValues) {}, sends, false, []int{1, 1, 1, 300_000}, []RecoveryAction{RecoveryVideoDisabled, RecoveryVideoRestored}},
		"not yet back": {func(*PreferenceValues) {}, sends, false, []int{1, 1, 1, 299_999}, []RecoveryAction{RecoveryVideoDisabled}},
		"switched off": {func(v *PreferenceValues) { v.EnableAutoDegradation = false }, sends, false, []int{1}, nil},
		"lower":        {func(v *PreferenceValues) { v.DegradationBitrate = 100_000 }, sends, false, []int{100_000}, nil},
		"back earlier": {func(v *PreferenceValues) { v.DegradationRecoveryBitrate = 200_000 }, sends, false, []int{1, 1, 1, 200_000},
			[]RecoveryAction{RecoveryVideoDisabled, RecoveryVideoRestored}},
		"muted":    {func(*PreferenceValues) {}, sends, true, []int{1}, nil},
		"not sent": {func(*PreferenceValues) {}, media.Directions{Video: media.RecvOnly}, false, []int{1}, nil},
	} {
		k := calm(t, c.set)
		k.leg.Mute(media.KindVideo, c.muted)
		var got []RecoveryAction
		before := false
		for s := range 60 {
			k.degrade(media.Stats{
				Time: time.Unix(int64(s), 0), Directions: c.directions, OutgoingBitrate: c.bitrates[min(s, len(c.bitrates)-1)],
			})
			if is := k.BandwidthConstrained(); is != before {
				got = append(got, map[bool]RecoveryAction{true: RecoveryVideoDisabled, false: RecoveryVideoRestored}[is])
				before = is
			}
		}
		if len(got) != len(c.want) || len(got) > 0 && got[len(got)-1] != c.want[len(got)-1] {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
		if k.leg.Muted(media.KindVideo) != c.muted {
			t.Errorf("%s: what the user muted is another thing", name)
		}
	}
}
