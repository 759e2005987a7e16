package session

import (
	"slices"
	"time"

	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/observable"
)

// CallStats are a call's figures at one moment.
type CallStats struct {
	media.Stats
	QualityScore float64            // 1 to 5, as Call.QualityScore
	Quality      media.QualityLevel // the same in one word
	Loss         float64            // of what should have arrived in the last 5 s, or since a cut in them, in percent
	age          time.Duration      // for how long there were samples, this one's interval included
	interval     time.Duration      // since the one before
}

// A callQuality is what is known of how a call's network does.
type callQuality struct {
	issues  *observable.State[[]media.NetworkIssue]
	healthy *observable.State[bool]
	metrics *observable.State[[]media.NetworkMetrics]
	score   *observable.State[float64]
	level   *observable.State[media.QualityLevel]
	stats   *observable.Events[CallStats]

	// The client's loop owns these.
	monitor *media.Monitor // nil before the call is first connected
	age     time.Duration  // for how long there were samples
}

func newCallQuality() *callQuality {
	return &callQuality{
		issues: observable.NewStateFunc([]media.NetworkIssue(nil), slices.Equal), healthy: observable.NewState(true),
		metrics: observable.NewStateFunc([]media.NetworkMetrics(nil), nil),
		score:   observable.NewState(media.BestQuality), level: observable.NewState(media.QualityExcellent),
		stats: observable.NewEvents[CallStats](0),
	}
}

func (q *callQuality) complete() {
	q.issues.Complete()
	q.healthy.Complete()
	q.metrics.Complete()
	q.score.Complete()
	q.level.Complete()
	q.stats.Complete()
}

// take shows what a sample tells.
func (q *callQuality) take(s media.Stats, interval time.Duration) {
	q.age += interval
	q.monitor.Add(s)
	score := q.monitor.Score()
	q.show()
	q.metrics.Set(q.monitor.History())
	q.stats.Publish(CallStats{
		Stats: s, QualityScore: score, Quality: media.LevelOf(score), Loss: q.monitor.Loss(), age: q.age, interval: interval,
	})
}

// show publishes the issues and the score.
func (q *callQuality) show() {
	q.issues.Set(q.monitor.Issues())
	q.healthy.Set(q.monitor.Healthy())
	q.score.Set(q.monitor.Score())
	q.level.Set(media.LevelOf(q.monitor.Score()))
}

// monitorConfig is what the preferences say about issues.
func (v *PreferenceValues) monitorConfig() media.MonitorConfig {
	return media.MonitorConfig{
		BaselineSamples: v.StatsBaselineSamples, NoPacketThreshold: v.StatsNoPacketThreshold,
		RTTSpikeMultiplier: v.StatsRTTSpikeMultiplier, JitterSpikeMultiplier: v.StatsJitterSpikeMultiplier,
		PacketLossThreshold: v.StatsPacketLossThreshold, History: v.StatsHistory,
	}
}

// NetworkIssues are what is wrong with the network of the main leg's media; empty
// before the call is first connected. The slice is shared: do not change it.
func (k *Call) NetworkIssues() []media.NetworkIssue { return k.quality.issues.Get() }

// ObserveNetworkIssues is the state stream of NetworkIssues.
func (k *Call) ObserveNetworkIssues() observable.Of[[]media.NetworkIssue] {
	return k.quality.issues.Observe()
}

// NetworkHealthy reports whether there are no NetworkIssues.
func (k *Call) NetworkHealthy() bool { return k.quality.healthy.Get() }

// ObserveNetworkHealthy is the state stream of NetworkHealthy.
func (k *Call) ObserveNetworkHealthy() observable.Of[bool] { return k.quality.healthy.Observe() }

// NetworkMetrics are what was measured of late, the newest last: one for each
// PreferenceValues.StatsPollingInterval in which media was connected, as far back
// as StatsHistory. The slice is shared: do not change it.
func (k *Call) NetworkMetrics() []media.NetworkMetrics { return k.quality.metrics.Get() }

// ObserveNetworkMetrics is the state stream of NetworkMetrics.
func (k *Call) ObserveNetworkMetrics() observable.Of[[]media.NetworkMetrics] {
	return k.quality.metrics.Observe()
}

// QualityScore estimates how good the call sounds here, as a mean opinion score
// from 1 to 5. It is 5 before the first sample; 4.41 is the best there is then. It
// falls while nothing arrives that should, and rises as soon as it arrives again.
func (k *Call) QualityScore() float64 { return k.quality.score.Get() }

// ObserveQualityScore is the state stream of QualityScore.
func (k *Call) ObserveQualityScore() observable.Of[float64] { return k.quality.score.Observe() }

// Quality is QualityScore in one word.
func (k *Call) Quality() media.QualityLevel { return k.quality.level.Get() }

// ObserveQuality is the state stream of Quality.
func (k *Call) ObserveQuality() observable.Of[media.QualityLevel] { return k.quality.level.Observe() }

// ObserveStats delivers the call's figures each interval, rounded to a multiple of
// PreferenceValues.StatsPollingInterval, which is also what 0 means: an event
// stream without replay, of the time that media is connected.
func (k *Call) ObserveStats(interval time.Duration) observable.Of[CallStats] {
	return observable.Filter(k.quality.stats.Observe(), func(s CallStats) bool { return s.isDue(interval) })
}

// isDue reports whether the figures are those of an interval that is over.
func (s CallStats) isDue(each time.Duration) bool {
	each = max(each.Round(s.interval), s.interval)
	return s.age/each != (s.age-s.interval)/each
}
