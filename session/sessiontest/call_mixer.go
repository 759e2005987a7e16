package sessiontest

import (
	"context"
	"math"
	"sync/atomic"
	"time"

	"github.com/pion/rtp"
)

// mixer gives everybody in a room the sum of all others, every 20 ms.
type mixer struct {
	plan atomic.Pointer[mixPlan]
	stop context.CancelFunc
}

// mixPlan says who is heard and who hears. The room makes a new one whenever something changes.
type mixPlan struct {
	sources   []mixSource
	listeners []mixListener
}

// mixSource is one who is heard.
type mixSource struct {
	in   *inlet
	gain float64
}

// mixListener is one who hears all sources but those that are its own.
type mixListener struct {
	out  mixOutput
	own  []*inlet
	gain float64
}

// mixOutput takes the sound for one listener.
type mixOutput interface {
	play(from *mixer, n int, frame []int16)
}

// gainOf returns the factor of a volume from -50, which is silence, over 0, which changes nothing.
func gainOf(volume float64) float64 { return max(0, 1+volume/50) }

// run mixes until ctx ends.
func (m *mixer) run(ctx context.Context) {
	ticker := time.NewTicker(toneStep)
	defer ticker.Stop()
	start := time.Now()
	var mix mixing
	for n := 0; ; {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		for due := int(time.Since(start) / toneStep); n < due; n++ {
			if plan := m.plan.Load(); plan != nil {
				mix.step(m, n, plan)
			}
		}
	}
}

// mixing is the working memory of a mixer.
type mixing struct {
	heard [][]int16 // per source, nil for one that is silent
	sum   [mixFrame]float64
	frame [mixFrame]int16
}

// step mixes the n-th 20 ms: everything once, and from that for each listener what is its own taken out.
func (x *mixing) step(m *mixer, n int, plan *mixPlan) {
	x.listen(plan)
	for _, to := range plan.listeners {
		sum := x.sum
		for i, from := range plan.sources {
			for _, own := range to.own {
				if own == from.in {
					add(&sum, x.heard[i], -from.gain)
				}
			}
		}
		for i, v := range sum {
			x.frame[i] = int16(min(math.MaxInt16, max(math.MinInt16, v*to.gain)))
		}
		to.out.play(m, n, x.frame[:])
	}
}

// listen takes a frame from every source and adds them up.
func (x *mixing) listen(plan *mixPlan) {
	x.sum = [mixFrame]float64{}
	for len(x.heard) < len(plan.sources) {
		x.heard = append(x.heard, nil)
	}
	for i, from := range plan.sources {
		if x.heard[i] == nil {
			x.heard[i] = make([]int16, mixFrame)
		}
		if !from.in.take(x.heard[i]) {
			clear(x.heard[i])
			continue
		}
		add(&x.sum, x.heard[i], from.gain)
	}
}

func add(sum *[mixFrame]float64, pcm []int16, gain float64) {
	for i, v := range pcm {
		sum[i] += float64(v) * gain
	}
}

// play sends the n-th frame of a mix in the codec of the section, one of G.711.
func (o *outTrack) play(from *mixer, n int, frame []int16) {
	c, ok := o.codec()
	if !ok {
		return
	}
	encode := encodeULaw
	if c.name == pcmaName {
		encode = encodeALaw
	}
	payload := make([]byte, len(frame))
	for i, v := range frame {
		payload[i] = encode(v)
	}
	o.write(from, c.name, mixRate, &rtp.Packet{
		Header: rtp.Header{SequenceNumber: uint16(n), Timestamp: uint32(n) * mixFrame}, Payload: payload,
	})
}
