package sessiontest

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"
)

// gatherTimeout bounds the making of one description, under every deadline of a client.
const gatherTimeout = 2 * time.Second

// legMedia is the media of a leg: one section, or nil for a rejected one, for each of its description.
// Only the leg's worker changes it.
type legMedia struct {
	leg     *leg
	id      uint64
	version uint64

	mu       sync.Mutex
	sections []*section
}

func newLegMedia(l *leg) *legMedia {
	return &legMedia{leg: l, id: uint64(time.Now().UnixNano()) &^ (1 << 63)}
}

// answer applies an offer, first or renewed, and returns the answer to it: errNoCodec when every section
// had to be rejected.
func (m *legMedia) answer(ctx context.Context, offer *sdp.SessionDescription, choose chooser) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, gatherTimeout)
	defer cancel()
	answers := make([]*sdp.MediaDescription, len(offer.MediaDescriptions))
	taken := 0
	for i, media := range offer.MediaDescriptions {
		sec, err := m.sectionFor(i, media, choose)
		if err != nil {
			return "", err
		}
		if sec == nil {
			answers[i] = rejection(media)
			continue
		}
		if answers[i], err = sec.answer(ctx, offer, media); err != nil {
			return "", err
		}
		taken++
	}
	if taken == 0 {
		return "", errNoCodec
	}
	m.version++
	return joinSDP(m.id, m.version, isBundled(offer), answers)
}

// sectionFor returns the section at place i of an offer, made if it is new, nil if it is to be rejected.
func (m *legMedia) sectionFor(i int, media *sdp.MediaDescription, choose chooser) (*section, error) {
	old := m.at(i)
	if !isOffered(media) {
		if old != nil {
			m.put(i, nil)
			old.close()
		}
		return nil, nil
	}
	if old != nil {
		return old, nil
	}
	kind := webrtc.NewRTPCodecType(media.MediaName.Media)
	codecs := choose(kind, codecsOf(media))
	if codecs == nil {
		return nil, nil
	}
	sec, err := m.leg.t.newSection(m.leg, kind, codecs)
	if err != nil {
		return nil, err
	}
	m.put(i, sec)
	return sec, nil
}

// at returns the section at a place, nil if there is none.
func (m *legMedia) at(i int) *section {
	m.mu.Lock()
	defer m.mu.Unlock()
	if i >= len(m.sections) {
		return nil
	}
	return m.sections[i]
}

func (m *legMedia) put(i int, sec *section) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for len(m.sections) <= i {
		m.sections = append(m.sections, nil)
	}
	m.sections[i] = sec
}

// live returns the sections that are not rejected.
func (m *legMedia) live() []*section {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(m.sections), func(s *section) bool { return s == nil })
}

// plan is what the gateway offers in one section.
type plan struct {
	kind   webrtc.RTPCodecType
	codecs []codec
}

// plansFrom offers what another description offered.
func plansFrom(d *sdp.SessionDescription) []plan {
	var plans []plan
	for _, m := range d.MediaDescriptions {
		codecs := codecsOf(m)
		if isOffered(m) && len(playable(codecs)) > 0 {
			plans = append(plans, plan{webrtc.NewRTPCodecType(m.MediaName.Media), codecs})
		}
	}
	return plans
}

// plans offers what this media has agreed on already.
func (m *legMedia) plans() []plan {
	var plans []plan
	for _, sec := range m.live() {
		plans = append(plans, plan{sec.kind, sec.agreed()})
	}
	return plans
}

// offer makes the gateway's offer.
func (m *legMedia) offer(ctx context.Context, plans []plan) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, gatherTimeout)
	defer cancel()
	var offers []*sdp.MediaDescription
	for i, p := range plans {
		sec, err := m.leg.t.newSection(m.leg, p.kind, p.codecs)
		if err != nil {
			return "", err
		}
		m.put(i, sec)
		one, err := sec.offer(ctx)
		if err != nil {
			return "", err
		}
		offers = append(offers, withMID(one, i))
	}
	m.version++
	return joinSDP(m.id, m.version, true, offers)
}

// answered applies the client's answer to the gateway's offer.
func (m *legMedia) answered(answer *sdp.SessionDescription) error {
	taken := 0
	for i, sec := range m.live() { // none of the gateway's own is rejected before
		if i < len(answer.MediaDescriptions) && isOffered(answer.MediaDescriptions[i]) {
			if err := sec.answered(answer, answer.MediaDescriptions[i]); err != nil {
				return err
			}
			taken++
			continue
		}
		m.put(i, nil)
		sec.close()
	}
	if taken == 0 {
		return errNoCodec
	}
	return nil
}

// close ends every section.
func (m *legMedia) close() {
	for _, sec := range m.live() {
		sec.close()
	}
}
