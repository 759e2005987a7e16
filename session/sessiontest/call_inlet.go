package sessiontest

import "sync"

const (
	inletStart = 2 * mixFrame // what is gathered before a stream is mixed, against jitter
	inletLimit = 8 * mixFrame // what waits at most; a sender that is faster than time loses the oldest
)

// inlet holds the sound of one stream on its way into a mix. It takes nothing in while nobody mixes it.
type inlet struct {
	mu      sync.Mutex
	open    bool
	flowing bool // enough was gathered
	pcm     []int16
}

// setOpen opens or closes the inlet. What was waiting when it closed is never heard.
func (in *inlet) setOpen(open bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.open != open {
		in.open, in.flowing, in.pcm = open, false, nil
	}
}

func (in *inlet) put(pcm []int16) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if !in.open {
		return
	}
	in.pcm = append(in.pcm, pcm...)
	if over := len(in.pcm) - inletLimit; over > 0 {
		in.pcm = in.pcm[:copy(in.pcm, in.pcm[over:])]
	}
}

// take fills frame with the next sound, and the rest with silence. It returns false when there was none.
func (in *inlet) take(frame []int16) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	if !in.flowing && len(in.pcm) < inletStart {
		return false
	}
	n := copy(frame, in.pcm)
	clear(frame[n:])
	in.pcm = in.pcm[:copy(in.pcm, in.pcm[n:])]
	in.flowing = n == len(frame)
	return n > 0
}
