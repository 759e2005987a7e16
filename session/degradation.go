package session

import (
	"time"

	"github.com/callrx/callrx/media"
)

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
	off      bool // nothing is to be paused
	low, can int  // where to pause and where to go on
}

// next is the state after a sample.
func (d degradation) next(b bandwidth) degradation {
	switch {
	case b.off:
		return degradation{}
	case !b.sending: // nothing to pause, and nothing to bring back yet
		d.low, d.clean = 0, time.Time{}
		return d
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

// degrade pauses video that would not arrive, and brings it back.
func (k *Call) degrade(s media.Stats) {
	r := k.recovery
	if k.veiled { // nothing is sent that would not arrive
		return
	}
	lossy := false
	for _, i := range k.quality.monitor.Issues() {
		lossy = lossy || i.Type == media.IssueHighPacketLoss
	}
	before := r.video.paused
	r.video = r.video.next(bandwidth{
		at: s.Time, bitrate: s.OutgoingBitrate, lossy: lossy,
		sending: s.Directions.Video.Sends() && !k.media().Muted(media.KindVideo), off: !r.pref.EnableAutoDegradation,
		low: r.pref.DegradationBitrate, can: r.pref.DegradationRecoveryBitrate,
	})
	if r.video.paused == before {
		return
	}
	k.withhold()
	r.constrained.Set(r.video.paused)
	action := RecoveryVideoRestored
	if r.video.paused {
		action = RecoveryVideoDisabled
	}
	k.tellRecovery(action, 0)
}
