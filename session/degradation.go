package session

import "time"

// How video is paused for want of bandwidth.
const (
	lowSamples  = 3                 // in a row pause it
	cleanBefore = 5 * time.Second   // without loss brings it back, twice as long after each relapse
	cleanAtMost = 120 * time.Second // and no longer
)

// A degradation decides whether a call's video is to be paused. It knows what it
// has paused itself, and that only.
type degradation struct {
	paused bool
	low    int
	clean  time.Time     // since when the path is; zero: it is not
	hold   time.Duration // how long it has to be
}

// A bandwidth is what one sample tells.
type bandwidth struct {
	at       time.Time
	bitrate  int  // bit/s; 0: not known
	lossy    bool // much is lost
	sending  bool // video is, or would be if it were not paused
	low, can int  // where to pause and where to go on
}

// next is the state after a sample.
func (d degradation) next(b bandwidth) degradation {
	switch {
	case !b.sending: // nothing to pause, and nothing to bring back
		return degradation{}
	case !d.paused:
		d.low++
		if b.bitrate == 0 || b.bitrate >= b.low {
			d.low = 0
		}
		if d.low >= lowSamples {
			d.paused, d.low, d.clean = true, 0, time.Time{}
			d.hold = min(max(2*d.hold, cleanBefore), cleanAtMost)
		}
		return d
	}
	switch {
	case b.lossy || b.bitrate < b.can:
		d.clean = time.Time{}
	case d.clean.IsZero():
		d.clean = b.at
	case b.at.Sub(d.clean) >= d.hold:
		d.paused = false
	}
	return d
}
