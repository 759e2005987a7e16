package media

import (
	"slices"
	"strconv"

	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"
)

// The functions here belong to whoever has the turn to exchange SDP. They take
// the lock only because others read.

func (l *Leg) hasOffered() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.offered
}

func (l *Leg) setOffered(offered bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.offered = offered
}

func (l *Leg) allSlots() []*slot {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.slots)
}

func (l *Leg) live() []*section {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.sectionsLocked()
}

// addSections makes a section for each kind that is wanted and has none.
func (l *Leg) addSections() (Directions, error) {
	l.mu.Lock()
	wanted := l.wanted
	l.mu.Unlock()
	for _, kind := range []Kind{KindAudio, KindVideo} {
		if wanted.Of(kind) == Inactive || l.section(kind) != nil {
			continue
		}
		l.mu.Lock()
		l.mids++
		mid := itoa(l.mids - 1)
		l.mu.Unlock()
		s, err := l.newSection(kind, mid)
		if err != nil {
			return wanted, err
		}
		if err := s.pc.GetTransceivers()[0].SetMid(mid); err != nil {
			s.discard()
			return wanted, err
		}
		l.occupy(l.freeSlot(kind), s)
	}
	return wanted, nil
}

// freeSlot is a place where a section of this kind was turned down, or a new one
// at the end.
func (l *Leg) freeSlot(kind Kind) *slot {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.slots {
		if s.section == nil && s.kind == kind {
			return s
		}
	}
	s := &slot{kind: kind, name: refusal(kind.String())}
	l.slots = append(l.slots, s)
	return s
}

func (l *Leg) occupy(slot *slot, s *section) {
	l.mu.Lock()
	slot.section, slot.mid = s, s.mid
	closing := l.closing
	l.mu.Unlock()
	if closing { // shutdown may not have seen it
		s.close()
	}
}

// vacate turns a section down for good.
func (l *Leg) vacate(slot *slot) {
	l.mu.Lock()
	s := slot.section
	slot.section = nil
	l.mu.Unlock()
	if s != nil {
		s.discard()
	}
	signal(l.dirty)
}

// withdraw forgets an offer that will not be answered.
func (l *Leg) withdraw() {
	l.setOffered(false)
	for _, slot := range l.allSlots() {
		if s := slot.section; s != nil {
			s.pending = ""
			if !s.isEstablished() {
				l.vacate(slot)
			}
		}
	}
	l.mu.Lock()
	l.slots = slices.DeleteFunc(l.slots, func(s *slot) bool { return s.section == nil && !s.agreed })
	l.mu.Unlock()
}

// describe makes the SDP of all slots.
func (l *Leg) describe(local func(*section) (string, error)) (string, error) {
	var sections []localSection
	for _, slot := range l.allSlots() {
		if slot.section == nil {
			sections = append(sections, localSection{mid: slot.mid, rejected: &slot.name})
			continue
		}
		text, err := local(slot.section)
		if err != nil {
			return "", err
		}
		sections = append(sections, localSection{sdp: text, mid: slot.mid, direction: slot.section.offering})
	}
	l.mu.Lock()
	l.version++
	version := l.version
	l.mu.Unlock()
	return merge(l.id, version, sections)
}

// startOffer begins gathering if there is something to gather.
func (s *section) startOffer(restart bool) error {
	if s.isEstablished() {
		if !restart {
			return nil
		}
		s.gathering.restart()
		_, err := s.pc.CreateOffer(&webrtc.OfferOptions{ICERestart: true})
		return err
	}
	offer, err := s.pc.CreateOffer(nil)
	if err != nil {
		return err
	}
	return s.pc.SetLocalDescription(offer)
}

// localOffer is the offer with its candidates. Pion cannot roll back, so it learns
// of a re-offer only with the answer.
func (s *section) localOffer() (string, error) {
	if !s.isEstablished() {
		return s.pc.LocalDescription().SDP, nil
	}
	offer, err := s.pc.CreateOffer(nil)
	s.pending = offer.SDP
	return offer.SDP, err
}

func (s *section) localAnswer() (string, error) { return s.pc.LocalDescription().SDP, nil }

// applyOffer handles one section of a far end's offer. It returns nil for one that
// is turned down.
func (l *Leg) applyOffer(position int, session *sdp.SessionDescription, remote remoteSection) (*section, error) {
	slot, err := l.slotAt(position, session, remote)
	if err != nil || slot.section == nil {
		return nil, err
	}
	s := slot.section
	text, err := split(session, remote, s.mid)
	if err != nil {
		return nil, err
	}
	if ufrag := ufragOf(session, remote.media); ufrag != s.ufrag {
		if s.ufrag != "" {
			s.gathering.restart() // pion restarts ICE with the far end
		}
		s.ufrag = ufrag
	}
	err = s.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: text})
	if err != nil {
		return nil, err
	}
	answer, err := s.pc.CreateAnswer(nil)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	s.offering = l.wanted.Of(s.kind) & remote.direction.Reverse()
	l.mu.Unlock()
	return s, s.pc.SetLocalDescription(answer)
}

// slotAt finds or makes the place for a section of an offer, with a section of
// ours in it if we take it.
func (l *Leg) slotAt(position int, session *sdp.SessionDescription, remote remoteSection) (*slot, error) {
	l.mu.Lock()
	if position == len(l.slots) {
		l.slots = append(l.slots, &slot{
			kind: remote.kind, mid: midOf(remote.media, position), name: remote.media.MediaName,
		})
	}
	s := l.slots[position]
	wanted := l.wanted.Of(remote.kind)
	l.mu.Unlock()
	switch {
	case remote.rejected:
		l.vacate(s)
		return s, nil
	case s.section != nil:
		return s, nil
	case wanted == Inactive || l.section(remote.kind) != nil:
		return s, nil
	}
	codecs, err := l.cfg.codecs(remote.kind)
	if err != nil || !inCommon(codecs, session, remote.media) {
		return s, err
	}
	added, err := l.newSection(remote.kind, midOf(remote.media, position))
	if err != nil {
		return nil, err
	}
	l.occupy(s, added)
	return s, nil
}

// inCommon reports whether a section names a codec of ours.
func inCommon(ours codecSet, session *sdp.SessionDescription, media *sdp.MediaDescription) bool {
	one := *session
	one.MediaDescriptions = []*sdp.MediaDescription{media}
	return slices.ContainsFunc(media.MediaName.Formats, func(format string) bool {
		switch format {
		case "0":
			return ours.has(PCMU)
		case "8":
			return ours.has(PCMA)
		}
		payload, err := strconv.ParseUint(format, 10, 8)
		if err != nil {
			return false
		}
		codec, err := one.GetCodecForPayloadType(uint8(payload))
		return err == nil && len(mediaCodecs(ours.only([]string{codec.Name}))) > 0
	})
}
