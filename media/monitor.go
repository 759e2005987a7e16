package media

import (
	"cmp"
	"time"
)

// What issues are compared with beside [MonitorConfig].
const (
	videoSilence    = 3 * time.Second        // no inbound video
	firstPacket     = 5 * time.Second        // how long the first packet may take
	roundTripFloor  = 150 * time.Millisecond // no round trip below it is too high
	jitterFloor     = 30 * time.Millisecond  // nor jitter
	fewestPackets   = 20                     // that tell anything about loss
	qualityWindow   = 5 * time.Second        // of the loss that the score is made of
	cutAfter        = 800 * time.Millisecond // no silence that a codec means lasts so long
	baselineWeight  = 0.02                   // of a sample, once the baseline is there
	severeMultiple  = 5.0 / 3                // of the multiple of a warning
	severeLossRatio = 2.0
)

// MonitorConfig says what a [Monitor] takes for an issue. Zero fields have the
// stated defaults.
type MonitorConfig struct {
	// BaselineSamples is how many samples the normal round trip and jitter are
	// learned from: 10.
	BaselineSamples int
	// NoPacketThreshold is how long no audio may arrive: 2 s.
	NoPacketThreshold time.Duration
	// RTTSpikeMultiplier is how many times the normal round trip is too much: 3,
	// and critical from 5/3 of that. Less than 150 ms never is.
	RTTSpikeMultiplier float64
	// JitterSpikeMultiplier is the same for jitter: 4. It is never critical, and
	// less than 30 ms is no issue.
	JitterSpikeMultiplier float64
	// PacketLossThreshold is the fraction of packets whose loss is too much: 0.05,
	// and critical from twice that.
	PacketLossThreshold float64
	// History is how long metrics are kept: 30 s.
	History time.Duration
}

func (c MonitorConfig) withDefaults() MonitorConfig {
	c.BaselineSamples = cmp.Or(c.BaselineSamples, 10)
	c.NoPacketThreshold = cmp.Or(c.NoPacketThreshold, 2*time.Second)
	c.RTTSpikeMultiplier = cmp.Or(c.RTTSpikeMultiplier, 3)
	c.JitterSpikeMultiplier = cmp.Or(c.JitterSpikeMultiplier, 4)
	c.PacketLossThreshold = cmp.Or(c.PacketLossThreshold, 0.05)
	c.History = cmp.Or(c.History, 30*time.Second)
	return c
}

// A Monitor turns samples of a leg's [Stats] into issues, metrics and a score. It
// has no clock and no goroutine: whoever samples owns it. An issue is raised by
// two samples in a row and cleared by three.
type Monitor struct {
	cfg       MonitorConfig
	history   metricsHistory
	last      NetworkMetrics
	trip      baseline
	jitter    baseline
	audio     lull
	video     lull
	gauges    [issueTypes]gauge
	issues    []NetworkIssue
	rating    rating
	connected bool // the last sample was of a path that works
}

// NewMonitor makes a monitor that has seen nothing yet.
func NewMonitor(cfg MonitorConfig) *Monitor {
	cfg = cfg.withDefaults()
	return &Monitor{
		cfg: cfg, rating: rating{score: BestQuality},
		trip:   baseline{samples: cfg.BaselineSamples},
		jitter: baseline{samples: cfg.BaselineSamples},
	}
}

// Add takes in what a connected leg tells. It reports whether the issues are other
// ones than before.
func (m *Monitor) Add(s Stats) bool {
	now := measured(s, m.last)
	percent, packets := 0.0, uint64(0)
	if m.connected {
		percent, packets = lossSince(m.last, now)
	}
	if packets < fewestPackets {
		percent = 0
	}
	readings := [issueTypes]reading{
		IssueNoInboundAudio: {
			value:    m.audio.take(s.Time, s.Directions.Audio.Receives(), now.Audio.PacketsReceived),
			critical: m.audio.limit(m.cfg.NoPacketThreshold),
		},
		IssueNoInboundVideo: {
			value:   m.video.take(s.Time, s.Directions.Video.Receives(), now.Video.PacketsReceived),
			warning: m.video.limit(videoSilence),
		},
		IssueHighRTT:        m.trip.compare(s.RoundTrip, m.cfg.RTTSpikeMultiplier, roundTripFloor, severeMultiple),
		IssueHighJitter:     m.jitter.compare(now.Audio.Jitter, m.cfg.JitterSpikeMultiplier, jitterFloor, 0),
		IssueHighPacketLoss: {percent, 100 * m.cfg.PacketLossThreshold, 100 * m.cfg.PacketLossThreshold * severeLossRatio},
	}
	changed := false
	for t := range IssueICEDisconnected {
		if m.gauges[t].take(t, s.Time, readings[t]) {
			changed = true
		}
	}
	m.history = m.history.add(now, max(m.cfg.History, qualityWindow+time.Second))
	arrives := now.Audio.PacketsReceived > m.last.Audio.PacketsReceived || !s.Directions.Audio.Receives()
	lull := reading{value: readings[IssueNoInboundAudio].value, warning: m.audio.limit(cutAfter)}
	m.rating.take(m.history, m.connected, arrives, lull)
	m.last, m.connected = now, true
	if changed {
		m.list()
	}
	m.learn(s, now)
	return changed
}

// learn takes the sample for normal: the first ones in any case, later ones as
// long as nothing is wrong or seems to be.
func (m *Monitor) learn(s Stats, now NetworkMetrics) {
	healthy := m.Healthy()
	for t := range m.gauges {
		healthy = healthy && m.gauges[t].warning.run == 0
	}
	if s.RoundTrip > 0 {
		m.trip.learn(s.RoundTrip, healthy)
	}
	if s.Directions.Audio.Receives() && now.Audio.PacketsReceived > 0 {
		m.jitter.learn(now.Audio.Jitter, healthy)
	}
}

// list makes the issues anew: those handed out before stay as they were.
func (m *Monitor) list() {
	m.issues = nil
	for t := range m.gauges {
		if raised, _ := m.gauges[t].raised(); raised {
			m.issues = append(m.issues, m.gauges[t].issue)
		}
	}
}

// Disconnected notes that the path carries nothing, or that it does again, as an
// issue of its own, and in the score until a sample says otherwise. It reports
// whether that is new.
func (m *Monitor) Disconnected(now time.Time, is bool) bool {
	g := &m.gauges[IssueICEDisconnected]
	if g.critical.on == is {
		return false
	}
	g.critical.on = is
	g.issue = NetworkIssue{Type: IssueICEDisconnected, Severity: SeverityCritical, Time: now}
	if is {
		m.rating.cutOff(m.last)
	}
	m.list()
	return true
}

// Pause says that the samples to come do not follow those so far: nothing was
// expected to arrive in between.
func (m *Monitor) Pause() {
	m.connected = false
	m.audio.since, m.video.since = time.Time{}, time.Time{}
}

// Relearn begins anew with what is normal and with what has not arrived, as for
// another path.
func (m *Monitor) Relearn() {
	m.Pause()
	m.trip.forget()
	m.jitter.forget()
	m.gauges[IssueNoInboundAudio], m.gauges[IssueNoInboundVideo] = gauge{}, gauge{}
	m.list()
}

// Issues are what is wrong now. The slice is shared: do not change it.
func (m *Monitor) Issues() []NetworkIssue { return m.issues }

// Healthy reports whether nothing is wrong.
func (m *Monitor) Healthy() bool { return len(m.issues) == 0 }

// History are the metrics of late, the newest last. The slice is shared: do not
// change it.
func (m *Monitor) History() []NetworkMetrics {
	h := m.history.since(m.last.Time.Add(-m.cfg.History))
	return h[:len(h):len(h)]
}

// Score is the [QualityScore] of the last sample, with the loss of the last five
// seconds. While no audio arrives that should, that time counts as lost; what was
// lost in it counts no more once some arrives again. It is 5 before the first
// sample.
func (m *Monitor) Score() float64 { return m.rating.score }

// Loss is what that score counts as lost, in percent.
func (m *Monitor) Loss() float64 { return m.rating.loss }
