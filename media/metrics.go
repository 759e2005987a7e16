package media

import "time"

// NetworkMetrics is what was measured of a leg's network at one moment.
type NetworkMetrics struct {
	Time                     time.Time
	Audio, Video             KindMetrics
	RoundTripTime            time.Duration // of the path in use; 0: not known yet
	AvailableOutgoingBitrate int           // bit/s, as the far end estimates it; 0: it does not tell
}

// KindMetrics are the figures of one kind of media. The counts go on from the
// beginning of the leg.
type KindMetrics struct {
	PacketsReceived uint64
	PacketsLost     uint64
	Jitter          time.Duration
}

// measured takes the metrics out of what a leg tells. What it does not tell is
// as it was before.
func measured(s Stats, before NetworkMetrics) NetworkMetrics {
	m := NetworkMetrics{
		Time: s.Time, Audio: kindMeasured(s.Audio), Video: kindMeasured(s.Video),
		RoundTripTime: s.RoundTrip, AvailableOutgoingBitrate: s.OutgoingBitrate,
	}
	if m.RoundTripTime == 0 {
		m.RoundTripTime = before.RoundTripTime
	}
	if m.AvailableOutgoingBitrate == 0 {
		m.AvailableOutgoingBitrate = before.AvailableOutgoingBitrate
	}
	return m
}

func kindMeasured(t TrackStats) KindMetrics {
	return KindMetrics{
		PacketsReceived: t.PacketsReceived,
		PacketsLost:     uint64(max(0, t.PacketsLost)), // duplicates can make it negative
		Jitter:          t.Jitter,
	}
}

// lossSince is the loss between two moments in percent, of how many packets. A
// count that went back was begun anew and says nothing.
func lossSince(before, now NetworkMetrics) (percent float64, packets uint64) {
	lost := grown(before.Audio.PacketsLost, now.Audio.PacketsLost) + grown(before.Video.PacketsLost, now.Video.PacketsLost)
	packets = lost + grown(before.Audio.PacketsReceived, now.Audio.PacketsReceived) +
		grown(before.Video.PacketsReceived, now.Video.PacketsReceived)
	if packets == 0 {
		return 0, 0
	}
	return 100 * float64(lost) / float64(packets), packets
}

func grown(before, now uint64) uint64 {
	if now < before {
		return 0
	}
	return now - before
}

// A metricsHistory holds metrics of late, the newest last. What it has handed out
// never changes.
type metricsHistory []NetworkMetrics

// add appends m and lets go of what is not newer than keep before it.
func (h metricsHistory) add(m NetworkMetrics, keep time.Duration) metricsHistory {
	h = append(h, m)
	return h.since(m.Time.Add(-keep))
}

// since is the part that is newer than t.
func (h metricsHistory) since(t time.Time) metricsHistory {
	for len(h) > 0 && !h[0].Time.After(t) {
		h = h[1:]
	}
	return h[:len(h):cap(h)]
}

// at is what was known at t, or first after it. There is something.
func (h metricsHistory) at(t time.Time) NetworkMetrics {
	last := h[0]
	for _, m := range h {
		if m.Time.After(t) {
			break
		}
		last = m
	}
	return last
}
