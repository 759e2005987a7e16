package media

import (
	"maps"
	"sync"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/internal/program"
	"github.com/pion/rtcp"
)

// SetDirections changes what is wanted. What is no longer wanted stops at once;
// what was not agreed with the far end begins after the next exchange of SDP.
func (l *Leg) SetDirections(d Directions) {
	l.mu.Lock()
	l.wanted = d
	l.mu.Unlock()
	signal(l.dirty)
}

// Pause stops all media at once, both ways, until it is taken back. Nothing is
// agreed anew: offers and answers meanwhile are about what flows afterwards.
func (l *Leg) Pause(paused bool) {
	l.mu.Lock()
	l.paused = paused
	l.mu.Unlock()
	signal(l.dirty)
}

// flowingLocked is what is wanted at this moment.
func (l *Leg) flowingLocked() Directions {
	if l.paused {
		return Directions{}
	}
	return l.wanted
}

// Directions is what flows: what is wanted, as far as the far end has agreed.
func (l *Leg) Directions() Directions {
	l.mu.Lock()
	wanted := l.flowingLocked()
	sections := l.sectionsLocked()
	l.mu.Unlock()
	var d Directions
	for _, s := range sections {
		s.mu.Lock()
		d.set(s.kind, wanted.Of(s.kind)&s.agreed)
		s.mu.Unlock()
	}
	return d
}

// Replace changes the source of one kind from the next packet on, without a new
// exchange of SDP. The far end hears no break: sequence numbers and timestamps go
// on. Nil means silence, or no video. The source that was there before stays open
// and the program's.
//
// It returns an [*errs.MediaTrackError] if the new source cannot send what was
// negotiated; nothing has changed then.
func (l *Leg) Replace(kind Kind, source Source) error {
	s := l.section(kind)
	if s != nil && source != nil && s.isEstablished() {
		if _, err := s.outlet.codecFor(source); err != nil {
			return trackError("replace source", kind, err)
		}
	}
	l.mu.Lock()
	if l.closing {
		l.mu.Unlock()
		return errs.ErrClosed
	}
	l.sources[kind], l.ended[kind] = source, false
	l.mu.Unlock()
	if s = l.section(kind); s != nil { // it may be another by now
		s.player.setSource(source)
	}
	return nil
}

// Source is what the leg was given last for a kind, by its configuration or Replace,
// even if that has ended; nil: nothing.
func (l *Leg) Source(kind Kind) Source {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.sources[kind]
}

// Mute replaces what is sent of one kind, until it is taken back: audio by silence,
// so that the far end goes on hearing packets, video by nothing. The source goes
// on meanwhile. Video begins again with the next keyframe.
func (l *Leg) Mute(kind Kind, muted bool) {
	l.silence(kind, l.muted, muted)
}

// Muted reports whether a kind is muted.
func (l *Leg) Muted(kind Kind) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.muted[kind]
}

// Withhold does what Mute does, for reasons of the network instead of the user's:
// a kind is sent if it is neither muted nor withheld.
func (l *Leg) Withhold(kind Kind, withheld bool) {
	l.silence(kind, l.held, withheld)
}

func (l *Leg) silence(kind Kind, reason map[Kind]bool, is bool) {
	l.mu.Lock()
	reason[kind] = is
	silent := l.silentLocked(kind)
	l.mu.Unlock()
	if s := l.section(kind); s != nil {
		s.outlet.setMuted(silent)
	}
}

func (l *Leg) silentLocked(kind Kind) bool { return l.muted[kind] || l.held[kind] }

// RequestKeyframe asks the far end for a picture that needs no other (RFC 4585,
// section 6.3.1). It does nothing before the first packet has come. It returns an
// [*errs.MediaTrackError] if there is no such section or it cannot send.
func (l *Leg) RequestKeyframe() error {
	s := l.section(KindVideo)
	if s == nil {
		return trackError("request keyframe", KindVideo, errs.ErrUnsupported)
	}
	ssrc, ok := s.inlet.received.source()
	if !ok {
		return nil
	}
	pli := &rtcp.PictureLossIndication{SenderSSRC: s.outlet.ssrc(), MediaSSRC: ssrc}
	if err := s.pc.WriteRTCP([]rtcp.Packet{pli}); err != nil {
		return trackError("request keyframe", KindVideo, err)
	}
	return nil
}

// closeSources closes the sources that the leg has, where they can be closed.
func (l *Leg) closeSources() {
	l.mu.Lock()
	sources := maps.Clone(l.sources)
	l.mu.Unlock()
	var closing sync.WaitGroup
	for kind, source := range sources {
		closing.Go(func() {
			if err := program.Close(source); err != nil {
				l.cfg.Logger.Warn("close source", "kind", kind.String(), "what", program.Name(source), "error", err)
			}
		})
	}
	closing.Wait()
}

// holders are the sources and sinks that something of the leg is in.
func (l *Leg) holders() []string {
	var in []string
	for _, s := range l.live() {
		if source := s.player.playing.Load(); source != nil {
			in = append(in, program.Name(*source)+".Send")
		}
	}
	for _, slot := range l.sinks {
		if method := slot.in.Load(); method != inNone {
			in = append(in, program.Name(slot.sink)+map[int32]string{inOpen: ".Open", inWritePacket: ".WritePacket"}[method])
		}
	}
	return in
}
