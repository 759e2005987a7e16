package media

import (
	"slices"
	"sync"
	"time"
)

const (
	// jitterDelay is how long after the first packet its sound is played. Packets
	// that are no later than that are heard.
	jitterDelay = 60 * time.Millisecond
	// jitterSlack is how much longer sound may wait, for a while, before some is
	// skipped: the far end's clock is faster, or the network has calmed down.
	jitterSlack = 40 * time.Millisecond
	// jitterWindow is how many frames that while has.
	jitterWindow = 100
	// lateLimit is how many packets in a row may be too late before they are taken
	// to be a new beginning.
	lateLimit = 5
	// jumpLimit is how far ahead a timestamp may be before it is one.
	jumpLimit = time.Second
)

// A waiting packet is placed on the time line of the decoded sound, which counts
// frames of the decoder's output.
type waiting struct {
	at      int64
	payload []byte
}

// A jitterBuffer puts packets in order and says what is due. It has one writer, the
// packet path, and one reader, the clock that plays.
type jitterBuffer struct {
	mu      sync.Mutex
	rate    int // of the time line, per second
	clock   int // of RTP
	waiting []waiting
	spare   [][]byte
	begun   bool
	ever    bool
	cursor  int64 // what is due next
	ssrc    uint32
	last    int64 // extended timestamp of the newest packet
	lateRun int
	shallow int64 // the least that waited during this window
	window  int
	stats   JitterStats
}

// JitterStats counts what became of audio between the network and the samples.
type JitterStats struct {
	Late      uint64        // packets that came after their time and were dropped
	Duplicate uint64        // packets that were there already
	Concealed time.Duration // sound made up where there was none
	Skipped   time.Duration // sound left out to catch up
	Restarts  uint64        // new beginnings: another stream, or another delay
}

func newJitterBuffer(rate, clock int) *jitterBuffer {
	return &jitterBuffer{rate: rate, clock: clock}
}

func (j *jitterBuffer) frames(d time.Duration) int64 {
	return int64(d) * int64(j.rate) / int64(time.Second)
}

// push takes a packet and copies its payload.
func (j *jitterBuffer) push(p Packet) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.begun && p.SSRC != j.ssrc {
		j.begun = false
	}
	if !j.begun {
		j.last = int64(p.Timestamp)
	}
	extended := j.last + int64(int32(p.Timestamp-uint32(j.last)))
	at := extended * int64(j.rate) / int64(j.clock)
	switch {
	case !j.begun:
		j.beginLocked(p.SSRC, at, extended)
	case at < j.cursor:
		if j.lateRun++; j.lateRun < lateLimit {
			j.stats.Late++
			return
		}
		j.beginLocked(p.SSRC, at, extended)
	case at > j.cursor+j.frames(jumpLimit):
		j.beginLocked(p.SSRC, at, extended)
	default:
		j.lateRun = 0
	}
	j.last = max(j.last, extended)
	j.insertLocked(at, p.Payload)
}

// beginLocked makes a packet the first to be heard, after the usual delay.
func (j *jitterBuffer) beginLocked(ssrc uint32, at, timestamp int64) {
	if j.ever {
		j.stats.Restarts++
	}
	j.ever = true
	j.begun, j.ssrc, j.lateRun = true, ssrc, 0
	j.cursor = at - j.frames(jitterDelay)
	j.last = timestamp
	for _, w := range j.waiting {
		j.spare = append(j.spare, w.payload)
	}
	j.waiting = j.waiting[:0]
	j.window, j.shallow = 0, 1<<62
}

func (j *jitterBuffer) insertLocked(at int64, payload []byte) {
	i, there := slices.BinarySearchFunc(j.waiting, at, func(w waiting, at int64) int { return int(w.at - at) })
	if there {
		j.stats.Duplicate++
		return
	}
	var buf []byte
	if n := len(j.spare); n > 0 {
		buf, j.spare = j.spare[n-1][:0], j.spare[:n-1]
	}
	j.waiting = slices.Insert(j.waiting, i, waiting{at, append(buf, payload...)})
}

// next is what is due: a packet, of whose sound the first overlap frames are too
// late, or else a gap of some frames, at most want. Before the first packet
// everything is a gap.
func (j *jitterBuffer) next(want int64, buf []byte) (payload []byte, overlap, gap int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.waiting) == 0 {
		return nil, 0, want
	}
	first := j.waiting[0]
	if ahead := first.at - j.cursor; ahead > 0 {
		return nil, 0, min(ahead, want)
	}
	payload = append(buf[:0], first.payload...)
	j.spare = append(j.spare, first.payload)
	j.waiting = slices.Delete(j.waiting, 0, 1)
	return payload, j.cursor - first.at, 0
}

// advance moves on by the frames that were produced.
func (j *jitterBuffer) advance(frames int64, concealed bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.begun {
		return
	}
	j.cursor += frames
	if concealed {
		j.stats.Concealed += time.Duration(frames) * time.Second / time.Duration(j.rate)
	}
}

// excess is called once for each frame that is played and says whether one should
// be skipped, because more has been waiting than is needed all along.
func (j *jitterBuffer) excess() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	depth := int64(0)
	if n := len(j.waiting); n > 0 {
		depth = j.waiting[n-1].at - j.cursor
	}
	j.shallow = min(j.shallow, depth)
	if j.window++; j.window < jitterWindow {
		return false
	}
	skip := j.shallow > j.frames(jitterDelay+jitterSlack)
	j.window, j.shallow = 0, 1<<62
	if skip {
		j.stats.Skipped += frameLength
	}
	return skip
}

func (j *jitterBuffer) snapshot() JitterStats {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.stats
}
