package media

import (
	"context"
	"slices"
	"sync"

	"github.com/callrx/callrx/errs"
)

// Renew begins again with new transports, as a call does whose far end has
// forgotten the old ones: it makes an offer of what d says, for the kinds there
// were and those it adds, through servers (nil: those there were), and gives up
// the old transports when that is ready. Sources, sinks, mute and figures stay: a
// recording goes on. What flows remains what [Leg.SetDirections] says. The answer
// goes to [Leg.Accept].
//
// Errors are those of [Leg.Offer], and nothing has changed then.
func (l *Leg) Renew(ctx context.Context, d Directions, servers []ICEServer) (string, error) {
	if err := l.begin(ctx); err != nil {
		return "", err
	}
	defer l.end()
	if !l.enter() {
		return "", errs.ErrClosed
	}
	defer l.work.Done()
	if servers != nil {
		l.cfg.ICEServers = slices.Clone(servers)
	}
	fresh, err := l.freshSlots(ctx, d)
	if err == nil {
		err = context.Cause(ctx) // given up, it must not put out who came after it
	}
	if err != nil {
		closeAll(fresh)
		return "", l.failed(ctx, "renew", 0, err)
	}
	old, closing := l.exchange(fresh)
	if closing {
		closeAll(fresh)
		return "", errs.ErrClosed
	}
	closeAll(old)
	l.inherit(old)
	l.setState(StateNew)
	text, err := l.describe((*section).localOffer)
	if err != nil {
		return "", l.failed(ctx, "renew", 0, err)
	}
	l.setOffered(true)
	return text, nil
}

// RelayOnly has transports that are made from now on, as by [Leg.Renew], use relays
// and nothing else, or again what [LegConfig] says.
func (l *Leg) RelayOnly(only bool) { l.relays.Store(only) }

// enter has Close wait for the caller until work.Done, unless it is too late.
func (l *Leg) enter() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closing {
		l.work.Add(1)
	}
	return !l.closing
}

// freshSlots makes a section for each kind that is active or had one, and gathers
// its candidates. It returns those it has made also with an error.
func (l *Leg) freshSlots(ctx context.Context, d Directions) (fresh []*slot, err error) {
	var sections []*section
	for _, kind := range []Kind{KindAudio, KindVideo} {
		if d.Of(kind) == Inactive && l.section(kind) == nil {
			continue
		}
		s, err := l.newSection(kind, itoa(len(fresh)))
		if err != nil {
			return fresh, err
		}
		s.offering = d.Of(kind)
		fresh = append(fresh, &slot{kind: kind, mid: s.mid, name: refusal(kind.String()), section: s})
		sections = append(sections, s)
		if err := s.pc.GetTransceivers()[0].SetMid(s.mid); err != nil {
			return fresh, err
		}
		if err := s.startOffer(false); err != nil {
			return fresh, err
		}
	}
	return fresh, l.gather(ctx, sections)
}

// exchange puts the fresh slots in the place of the old ones, unless the leg is
// being closed.
func (l *Leg) exchange(fresh []*slot) (old []*slot, closing bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closing {
		return nil, true
	}
	old, l.slots, l.mids = l.slots, fresh, len(fresh)
	l.offered = false
	return old, false
}

// inherit gives the sections what the closed ones had come to: the source that
// still plays, mute and figures.
func (l *Leg) inherit(old []*slot) {
	for _, s := range l.live() {
		for _, before := range old {
			if before.section != nil && before.kind == s.kind {
				s.player.after = before.section.player.over()
				s.outlet.sent.carry(&before.section.outlet.sent)
				s.inlet.received.carry(&before.section.inlet.received)
			}
		}
		l.mu.Lock()
		s.outlet.setMuted(l.silentLocked(s.kind))
		l.mu.Unlock()
		s.player.setSource(l.playing(s.kind))
	}
}

// playing is the source of a kind, nil once it has ended.
func (l *Leg) playing(kind Kind) Source {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended[kind] {
		return nil
	}
	return l.sources[kind]
}

func closeAll(slots []*slot) {
	var closing sync.WaitGroup
	for _, s := range slots {
		if s.section != nil {
			closing.Go(s.section.close)
		}
	}
	closing.Wait()
}

// carry goes on counting where before stopped.
func (c *sendCounters) carry(before *sendCounters) {
	before.mu.Lock()
	codec, packets, bytes, trip := before.codec, before.packets, before.bytes, before.trip
	lost := before.farLostLocked()
	before.mu.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.codec, c.trip = codec, trip
	c.packets += packets
	c.bytes += bytes
	c.lostThen += lost
}

// carry goes on counting where before stopped.
func (c *receiveCounters) carry(before *receiveCounters) {
	c.malformed.Add(before.malformed.Load())
	before.mu.Lock()
	codec, packets, bytes, lastAt := before.codec, before.packets, before.bytes, before.lastAt
	lost := before.lostThen + before.stream.lost()
	before.mu.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.codec, c.lastAt = codec, lastAt
	c.packets += packets
	c.bytes += bytes
	c.lostThen += lost
}
