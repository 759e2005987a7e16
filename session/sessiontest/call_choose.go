package sessiontest

import (
	"slices"

	"github.com/pion/webrtc/v4"
)

// chooser picks the codecs of one section from those that were offered; nil rejects the section.
type chooser func(kind webrtc.RTPCodecType, offered []codec) []codec

// preferOffered takes the client's first choice.
func preferOffered(_ webrtc.RTPCodecType, offered []codec) []codec { return pick(offered) }

// chooser picks the codecs of a leg that joins the room: what the others there have or what the gateway can
// mix it with, or else what is best for a room.
func (r *room) chooser() chooser { return r.chooserFor(nil) }

// chooser picks the codecs of new sections of a leg where it is now. Alone it is as free as on arrival.
func (l *leg) chooser() chooser { return l.room.chooserFor(l) }

func (r *room) chooserFor(except *leg) chooser {
	return func(kind webrtc.RTPCodecType, offered []codec) []codec {
		if r.kind == roomTone && kind == webrtc.RTPCodecTypeAudio {
			return pick(offered, pcmuName, opusName)
		}
		r.t.mu.Lock()
		defer r.t.mu.Unlock()
		if len(r.legs) > 1 {
			except = nil
		}
		agreed := r.agreedLocked(kind, except)
		switch {
		case r.kind == roomConference && kind == webrtc.RTPCodecTypeAudio:
			return pickSound(offered, agreed)
		case agreed == nil:
			return pick(offered)
		}
		return common(offered, agreed)
	}
}

// agreedLocked returns the codecs of a kind in the room, nil while nobody has any.
func (r *room) agreedLocked(kind webrtc.RTPCodecType, except *leg) []codec {
	for _, l := range r.legs {
		for _, sec := range l.sections() {
			if sec.kind == kind && l != except {
				return sec.agreed()
			}
		}
	}
	return nil
}

// pickSound prefers G.711 in a new room, since that can be mixed, and takes either law of it where the
// others have it. Where they have something else it has to be the same, as nothing is encoded in it.
func pickSound(offered, agreed []codec) []codec {
	mixed := slices.ContainsFunc(agreed, func(c codec) bool { return c.name == pcmuName || c.name == pcmaName })
	switch {
	case mixed:
		return pick(offered, playable(agreed)[0].name, pcmuName, pcmaName)
	case agreed != nil:
		return common(offered, agreed)
	}
	if g711 := pick(offered, pcmuName, pcmaName); g711 != nil {
		return g711
	}
	return pick(offered)
}
