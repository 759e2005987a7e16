package sessiontest

import (
	"slices"
	"time"
)

// hangover is how long a speaker who pauses is still talking.
const hangover = 500 * time.Millisecond

// voiced tells whether an audio packet holds more than silence. For Opus, which encodes silence in a few
// bytes, the size says it.
func voiced(codecName string, payload []byte) bool {
	switch codecName {
	case pcmuName:
		return loud(payload, decodeULaw)
	case pcmaName:
		return loud(payload, decodeALaw)
	case opusName:
		return len(payload) > 12
	}
	return false
}

// loud tells whether the mean level is above -44 dB of full scale.
func loud(payload []byte, decode func(byte) int16) bool {
	sum := 0
	for _, b := range payload {
		v := int(decode(b))
		sum += max(v, -v)
	}
	return len(payload) > 0 && sum/len(payload) > 200
}

// heard notes a voice. Only the first packet after a silence takes the lock.
func (t *callTable) heard(l *leg) {
	l.voiceAt.Store(time.Now().UnixNano())
	if !l.speaking.CompareAndSwap(false, true) {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if !l.answered() || l.flags.AudioMuted {
		l.speaking.Store(false)
		return
	}
	l.setTalkingLocked(true)
	l.quiet = time.AfterFunc(hangover, func() { t.checkQuiet(l) })
}

// checkQuiet ends the talking of a leg that has been silent for long enough.
func (t *callTable) checkQuiet(l *leg) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !l.answered() {
		return
	}
	if left := hangover - time.Since(time.Unix(0, l.voiceAt.Load())); left > 0 && !l.flags.AudioMuted {
		l.quiet.Reset(left)
		return
	}
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
