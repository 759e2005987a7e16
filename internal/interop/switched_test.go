package interop

import (
	"math"
	"sync/atomic"
	"testing"

	"github.com/callrx/callrx/media"
)

// A switched source is a tone that can be switched on and off; it begins with silence.
type switched struct {
	on atomic.Bool
	n  int
}

func (s *switched) set(on bool) { s.on.Store(on) }

func (s *switched) source(t *testing.T) media.Source {
	t.Helper()
	source, err := media.NewPCMFunc(earRate, 1, func(pcm []int16) (int, error) {
		for i := range pcm {
			pcm[i] = 0
			if s.on.Load() {
				pcm[i] = int16(math.Sin(2*math.Pi*GopherHz*float64(s.n)/earRate) * math.MaxInt16 / 4)
			}
			s.n++
		}
		return len(pcm), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return source
}
