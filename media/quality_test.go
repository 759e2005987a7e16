package media_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/callrx/callrx/media"
)

const ms = time.Millisecond

// TestQualityScoreFollowsTheFormula: vectors of behaviour.md 6.3.
func TestQualityScoreFollowsTheFormula(t *testing.T) {
	for _, c := range []struct {
		trip, jitter time.Duration
		loss, want   float64
		level        media.QualityLevel
	}{
		{0, 0, 0, 4.4093, media.QualityExcellent},
		{50 * ms, 5 * ms, 0, 4.3949, media.QualityExcellent},
		{100 * ms, 10 * ms, 1, 4.3205, media.QualityExcellent},
		{200 * ms, 20 * ms, 2, 4.2082, media.QualityExcellent},
		{300 * ms, 30 * ms, 5, 3.8802, media.QualityGood},
		{100 * ms, 10 * ms, 10, 3.4416, media.QualityFair},
		{500 * ms, 100 * ms, 10, 3.0896, media.QualityFair},
		{800 * ms, 100 * ms, 15, 2.2488, media.QualityPoor},
		{0, 0, 40, 1, media.QualityCritical},
		{time.Hour, time.Hour, 100, 1, media.QualityCritical},
	} {
		got := media.QualityScore(c.trip, c.jitter, c.loss)
		if math.Abs(got-c.want) > 0.00005 || media.LevelOf(got) != c.level {
			t.Errorf("%v, %v, %v%%: %.4f, %v; want %.4f, %v", c.trip, c.jitter, c.loss, got, media.LevelOf(got), c.want, c.level)
		}
	}
}

func TestQualityLevelsBeginAtTheirScore(t *testing.T) {
	for score, want := range map[float64]media.QualityLevel{
		media.BestQuality: media.QualityExcellent, 4: media.QualityExcellent, 3.9999: media.QualityGood,
		3.5: media.QualityGood, 3.4999: media.QualityFair, 3: media.QualityFair, 2.9999: media.QualityPoor,
		2: media.QualityPoor, 1.9999: media.QualityCritical, 1: media.QualityCritical,
	} {
		if got := media.LevelOf(score); got != want {
			t.Errorf("%v is %v, want %v", score, got, want)
		}
	}
}

func TestNamesOfQualityAreThoseOfTheBrowserSDK(t *testing.T) {
	got := fmt.Sprint(media.QualityExcellent, media.QualityGood, media.QualityFair, media.QualityPoor, media.QualityCritical,
		media.IssueNoInboundAudio, media.IssueNoInboundVideo, media.IssueHighRTT, media.IssueHighPacketLoss,
		media.IssueHighJitter, media.IssueICEDisconnected, media.SeverityWarning, media.SeverityCritical)
	want := "excellent good fair poor critical no_inbound_audio no_inbound_video high_rtt high_packet_loss " +
		"high_jitter ice_disconnected warning critical"
	if got != want {
		t.Errorf("%s", got)
	}
	if s := fmt.Sprint(media.QualityLevel(9), media.NetworkIssueType(-1)); s != "QualityLevel(9) NetworkIssueType(-1)" {
		t.Error(s)
	}
}
