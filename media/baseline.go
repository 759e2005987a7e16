package media

import "time"

// A baseline is what is normal: the mean of the first samples, which then follows
// slowly.
type baseline struct {
	samples int // that it takes
	seen    int
	mean    float64 // ms
}

func (b *baseline) learn(d time.Duration, healthy bool) {
	switch {
	case b.seen < b.samples:
		b.seen++
		b.mean += (milliseconds(d) - b.mean) / float64(b.seen)
	case healthy:
		b.mean += (milliseconds(d) - b.mean) * baselineWeight
	}
}

// compare is the reading of d, which must exceed a multiple of what is normal and
// at least floor. There is none before the baseline is there.
func (b *baseline) compare(d time.Duration, multiple float64, floor time.Duration, severe float64) reading {
	if b.seen < b.samples {
		return reading{value: milliseconds(d)}
	}
	warning := max(b.mean*multiple, milliseconds(floor))
	return reading{milliseconds(d), warning, warning * severe}
}

func (b *baseline) forget() { b.seen, b.mean = 0, 0 }

// A lull is how long nothing has come of what should.
type lull struct {
	since   time.Time // zero: nothing is expected
	packets uint64
}

// take returns how long it is now, in milliseconds.
func (l *lull) take(now time.Time, expected bool, packets uint64) float64 {
	switch {
	case !expected:
		l.since = time.Time{}
	case l.since.IsZero() || packets != l.packets:
		l.since = now
	}
	l.packets = packets
	if l.since.IsZero() {
		return 0
	}
	return milliseconds(now.Sub(l.since))
}

// limit is how long it may be: longer before the first packet.
func (l *lull) limit(d time.Duration) float64 {
	if l.packets == 0 {
		d = max(d, firstPacket)
	}
	return milliseconds(d)
}
