package media

import (
	"fmt"
	"time"
)

// BestQuality is the score of a call of which nothing bad is known.
const BestQuality = 5.0

// QualityScore estimates how a listener would rate a call, from 1 to 5: the mean
// opinion score of a simplified E-model (ITU-T G.107). Loss is in percent. The
// best network there is has 4.41.
func QualityScore(roundTrip, jitter time.Duration, loss float64) float64 {
	delay := milliseconds(roundTrip)/2 + milliseconds(jitter)
	r := min(max(93.2-0.024*delay-2.5*loss, 0), 100)
	return min(max(1+0.035*r+7e-6*r*(r-60)*(100-r), 1), 5)
}

// A rating is the score of late. What a cut costs is told while it lasts: the
// packets that were lost in it are known when it is over, and would be told again.
type rating struct {
	score, loss float64
	cut         bool      // nothing arrives that should
	from        time.Time // what was lost before counts no more
}

// take rates the last sample of h. A lull beyond its limit is a cut.
func (r *rating) take(h metricsHistory, follows, arrives bool, lull reading) {
	now := h[len(h)-1]
	if !follows || r.cut && arrives {
		r.from = now.Time
	}
	r.cut = r.cut && !arrives || exceeds(lull.value, lull.warning)
	begin := now.Time.Add(-qualityWindow)
	if begin.Before(r.from) {
		begin = r.from
	}
	loss, _ := lossSince(h.at(begin), now)
	if r.cut {
		loss = max(loss, r.loss, min(100*lull.value/milliseconds(qualityWindow), 100))
	}
	r.loss, r.score = loss, QualityScore(now.RoundTripTime, now.Audio.Jitter, loss)
}

// cutOff says that there is a cut, of which no sample tells.
func (r *rating) cutOff(last NetworkMetrics) {
	r.cut, r.loss = true, 100
	r.score = QualityScore(last.RoundTripTime, last.Audio.Jitter, r.loss)
}

// QualityLevel is a [QualityScore] in one word.
type QualityLevel int

const (
	// QualityExcellent is a score of 4 or more.
	QualityExcellent QualityLevel = iota
	// QualityGood is one of 3.5 or more.
	QualityGood
	// QualityFair is one of 3 or more.
	QualityFair
	// QualityPoor is one of 2 or more.
	QualityPoor
	// QualityCritical is one below that.
	QualityCritical
)

// LevelOf is the level of a score.
func LevelOf(score float64) QualityLevel {
	switch {
	case score >= 4:
		return QualityExcellent
	case score >= 3.5:
		return QualityGood
	case score >= 3:
		return QualityFair
	case score >= 2:
		return QualityPoor
	}
	return QualityCritical
}

// String is a word such as "excellent".
func (l QualityLevel) String() string {
	words := [...]string{"excellent", "good", "fair", "poor", "critical"}
	if l < 0 || int(l) >= len(words) {
		return fmt.Sprintf("QualityLevel(%d)", int(l))
	}
	return words[l]
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
