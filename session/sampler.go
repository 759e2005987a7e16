package session

import (
	"time"

	"github.com/callrx/callrx/media"
)

// One goroutine takes the figures of all calls of a client, while there are any
// that have been connected.

// A sample is a call's figures; of media that is not connected there are none.
type sample struct {
	call  *Call
	stats media.Stats
}

// startSampling begins to, unless somebody does already. On the loop.
func (c *Client) startSampling() {
	if !c.sampling {
		c.sampling = true
		c.workers.Go(c.sampleCalls)
	}
}

// sampleCalls does, at the interval that is preferred by then.
func (c *Client) sampleCalls() {
	interval := c.preferred().StatsPollingInterval
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for more := true; more; {
		select {
		case <-tick.C:
		case <-c.ctx.Done():
			return
		}
		samples := c.takeSamples()
		if c.ask(c.ctx, func() { more = c.sampled(samples, interval) }) != nil {
			return
		}
		if now := c.preferred().StatsPollingInterval; now != interval {
			interval = now
			tick.Reset(interval)
		}
	}
}

// takeSamples reads what is connected. It asks pion and may take a while.
func (c *Client) takeSamples() (samples []sample) {
	for _, k := range c.streams.calls.Get() {
		leg := k.media()
		if leg != nil && leg.State() == media.StateConnected && !k.Status().ended() {
			samples = append(samples, sample{k, leg.Stats()})
		}
	}
	return samples
}

// sampled takes samples in, the interval after those before, and reports whether
// there is a call for more. On the loop.
func (c *Client) sampled(samples []sample, interval time.Duration) bool {
	fresh := map[*Call]media.Stats{}
	for _, s := range samples {
		fresh[s.call] = s.stats
	}
	c.sampling = false
	for _, k := range c.streams.calls.Get() {
		if k.quality.monitor == nil || k.state.status.ended() {
			continue
		}
		c.sampling = true
		if s, ok := fresh[k]; ok && k.state.media {
			k.sampled(s, interval)
		} else {
			k.quality.monitor.Pause()
		}
	}
	return c.sampling
}
