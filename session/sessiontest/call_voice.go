package sessiontest

import (
	"math"
	"slices"
	"time"
)

const (
	hangover   = 500 * time.Millisecond // how long a speaker who pauses is still talking
	onset      = 2                      // loud packets that make somebody talk: one alone is a click
	hysteresis = 6                      // dB below the threshold at which a speaker is still heard
)

// levelOf returns the level of PCM in dB of a full-scale sine, -127 for silence.
func levelOf(pcm []int16) float64 {
	if len(pcm) == 0 {
		return -127
	}
	sum := 0.0
	for _, v := range pcm {
		sum += float64(v) * float64(v)
	}
	return max(-127, 10*math.Log10(2*sum/float64(len(pcm)))-20*math.Log10(math.MaxInt16))
}

// voice finds out from sound whether a member talks. Only the goroutine that brings the sound uses it.
type voice struct {
	leg  *leg
	loud int // loud packets in a row
}

// hear takes some 20 ms of sound. A member begins to talk at a level that its input sensitivity says: 44
// means -44 dB of full scale, so the higher, the quieter.
func (v *voice) hear(pcm []int16) {
	l := v.leg
	level, threshold := levelOf(pcm), -float64(l.sensitivity.Load())
	switch {
	case l.speaking.Load():
		if level > threshold-hysteresis {
			l.voiceAt.Store(time.Now().UnixNano())
		}
	case level <= threshold:
		v.loud = 0
	default:
		if v.loud++; v.loud >= onset {
			v.loud = 0
			l.t.heard(l)
		}
	}
}

// heard notes that a member begins to talk.
func (t *callTable) heard(l *leg) {
	l.voiceAt.Store(time.Now().UnixNano())
	t.mu.Lock()
	defer t.mu.Unlock()
	if !l.answered() || l.flags.AudioMuted || l.head().audience || l.dropped || t.closed {
		return
	}
	l.speaking.Store(true)
	l.setTalkingLocked(true)
	l.quiet = time.AfterFunc(hangover, func() { t.checkQuiet(l) })
}

// checkQuiet ends the talking of a leg that has been silent for long enough.
func (t *callTable) checkQuiet(l *leg) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !l.answered() || !l.talking {
		return
	}
	if left := hangover - time.Since(time.Unix(0, l.voiceAt.Load())); left > 0 {
		l.quiet.Reset(left)
		return
	}
	l.stopTalkingLocked()
}

// stopTalkingLocked ends the talking of a leg at once.
func (l *leg) stopTalkingLocked() {
	if !l.talking {
		return
	}
	l.quiet.Stop()
	l.setTalkingLocked(false)
	l.speaking.Store(false)
}

// setTalkingLocked tells the room who talks and gives the floor away: a speaker keeps it while talking.
func (l *leg) setTalkingLocked(talking bool) {
	l.talking = talking
	r := l.room
	r.broadcastLocked("member.talking", nil, map[string]any{
		"member": map[string]any{"member_id": l.memberID, "talking": talking, "node_id": nodeID},
	})
	if talking {
		floor := slices.DeleteFunc(slices.Clone(r.floor), func(other *leg) bool { return other == l })
		at := 0
		if len(floor) > 0 && floor[0].talking {
			at = 1
		}
		r.floor = slices.Insert(floor, at, l)
	} else {
		floor := slices.Clone(r.floor)
		slices.SortStableFunc(floor, func(a, b *leg) int { return boolOrder(b.talking) - boolOrder(a.talking) })
		r.floor = floor
	}
	r.showSpeakerLocked()
	if len(r.legs) > 2 {
		r.rerouteLocked()
	}
}

func boolOrder(b bool) int {
	if b {
		return 1
	}
	return 0
}
