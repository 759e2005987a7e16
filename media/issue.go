package media

import (
	"fmt"
	"time"
)

// NetworkIssueType says what is wrong with a leg's network.
type NetworkIssueType int

const (
	// IssueNoInboundAudio is audio that was agreed on and does not arrive. Values
	// and thresholds are milliseconds of silence.
	IssueNoInboundAudio NetworkIssueType = iota
	// IssueNoInboundVideo is the same for video.
	IssueNoInboundVideo
	// IssueHighRTT is a round trip that is several times what it was; in
	// milliseconds.
	IssueHighRTT
	// IssueHighPacketLoss is in percent of the packets of one polling interval.
	IssueHighPacketLoss
	// IssueHighJitter is jitter of audio that is several times what it was; in
	// milliseconds.
	IssueHighJitter
	// IssueICEDisconnected is a path that carries nothing any more. It has neither
	// value nor threshold.
	IssueICEDisconnected
	issueTypes
)

// String is the name that the Browser SDK uses.
func (t NetworkIssueType) String() string {
	words := [...]string{"no_inbound_audio", "no_inbound_video", "high_rtt", "high_packet_loss", "high_jitter", "ice_disconnected"}
	if t < 0 || int(t) >= len(words) {
		return fmt.Sprintf("NetworkIssueType(%d)", int(t))
	}
	return words[t]
}

// Severity says how bad an issue is.
type Severity int

const (
	// SeverityWarning is a nuisance.
	SeverityWarning Severity = iota
	// SeverityCritical is one that recovery acts on.
	SeverityCritical
)

// String is "warning" or "critical".
func (s Severity) String() string {
	if s == SeverityCritical {
		return "critical"
	}
	return "warning"
}

// A NetworkIssue is something that is wrong with a leg's network.
type NetworkIssue struct {
	Type             NetworkIssueType
	Severity         Severity
	Time             time.Time // since when it has this severity
	Value, Threshold float64   // what was measured last beyond the threshold, by then, in the unit of the type
}

// How many samples in a row raise an issue, and how many clear it.
const (
	raiseAfter = 2
	clearAfter = 3
)

// A latch is on or off and takes some samples in a row to change.
type latch struct {
	on  bool
	run int // samples that say otherwise
}

func (l *latch) step(condition bool) {
	if condition == l.on {
		l.run = 0
		return
	}
	l.run++
	if !l.on && l.run >= raiseAfter || l.on && l.run >= clearAfter {
		l.on, l.run = condition, 0
	}
}

// A gauge decides about one type of issue.
type gauge struct {
	warning, critical latch
	value             float64      // the last one that was too much
	issue             NetworkIssue // while there is one
}

// A reading is a value and what it must exceed to be a warning, or critical. A
// threshold of 0 cannot be exceeded.
type reading struct{ value, warning, critical float64 }

// take returns whether the issue has come, gone or changed its severity.
func (g *gauge) take(t NetworkIssueType, now time.Time, r reading) bool {
	was, before := g.raised()
	tooMuch := exceeds(r.value, r.warning) || exceeds(r.value, r.critical)
	if tooMuch {
		g.value = r.value
	}
	g.warning.step(tooMuch)
	g.critical.step(exceeds(r.value, r.critical))
	is, severity := g.raised()
	if is == was && severity == before {
		return false
	}
	g.issue = NetworkIssue{Type: t, Severity: severity, Time: now, Value: g.value, Threshold: r.warning}
	if severity == SeverityCritical {
		g.issue.Threshold = r.critical
	}
	return true
}

func (g *gauge) raised() (bool, Severity) {
	if g.critical.on {
		return true, SeverityCritical
	}
	return g.warning.on, SeverityWarning
}

func exceeds(value, threshold float64) bool { return threshold > 0 && value > threshold }
