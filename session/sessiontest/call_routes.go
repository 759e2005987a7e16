package sessiontest

import (
	"slices"

	"github.com/pion/webrtc/v4"
)

func isVideo(s *section) bool { return s.kind == webrtc.RTPCodecTypeVideo }

// rerouteLocked decides anew whose media goes to whom. Every client gets one audio and one video stream: a
// mix of the others where the sound is in G.711, and else the packets of one of them, who speaks.
func (r *room) rerouteLocked() {
	r.remixLocked()
	routes := map[*section][]*outTrack{}
	for _, to := range r.presentLocked() {
		to.silenced.Store(to.held || to.dropped || to.flags.Deaf)
		for _, sec := range to.sections() {
			if sec.toClient() {
				r.routeLocked(routes, to, sec)
			}
		}
	}
	for _, l := range r.presentLocked() {
		for _, sec := range l.sections() {
			targets := routes[sec]
			before := sec.targets.Swap(&targets)
			if isVideo(sec) && gained(before, targets) {
				sec.requestKeyFrame()
			}
		}
	}
}

// routeLocked notes where the packets for a section come from.
func (r *room) routeLocked(routes map[*section][]*outTrack, to *leg, into *section) {
	out := into.out.Load()
	switch from := r.sourceLocked(to, into); {
	case from != nil:
		routes[from] = append(routes[from], out)
	case !r.mixes(into) || r.listensLocked(out) == nil:
		out.resync()
	}
}

// listensLocked returns the part of an outgoing stream in the mix, nil if it has none.
func (r *room) listensLocked(out *outTrack) *mixListener {
	if r.mixer == nil {
		return nil
	}
	for _, to := range r.mixer.plan.Load().listeners {
		if to.out == out {
			return &to
		}
	}
	return nil
}

// presentLocked returns the legs whose media is in this room and not in another further in.
func (r *room) presentLocked() []*leg {
	return slices.DeleteFunc(slices.Clone(r.legs), func(l *leg) bool { return l.room != r })
}

// gained tells whether targets has one that before had not.
func gained(before *[]*outTrack, targets []*outTrack) bool {
	return slices.ContainsFunc(targets, func(o *outTrack) bool { return before == nil || !slices.Contains(*before, o) })
}

// sourceLocked returns the section whose packets go into a section of a leg, nil for none.
func (r *room) sourceLocked(to *leg, into *section) *section {
	if to.held || to.dropped || to.flags.Deaf && !isVideo(into) || r.mixes(into) {
		return nil
	}
	switch r.kind {
	case roomTone:
		return nil
	case roomEcho:
		if to.sends(into) {
			return into
		}
		return nil
	}
	var found *section
	for _, from := range r.preferenceLocked(isVideo(into)) {
		if from == to || from.parent == to || from.room != r {
			continue
		}
		for _, sec := range from.sections() {
			if found == nil && sec.kind == into.kind && from.sends(sec) && !r.mixes(sec) {
				found = sec
			}
		}
	}
	return found
}

// sends tells whether a section of a leg has something for others.
func (l *leg) sends(sec *section) bool {
	muted := l.flags.AudioMuted
	if isVideo(sec) {
		muted = l.flags.VideoMuted
	}
	return sec.fromClient() && !muted && !l.dropped && !l.head().audience
}

// preferenceLocked lists the legs of the room, the one to be heard or seen first. A screen is seen before
// a face, a speaker before the silent, and of these whoever came last.
func (r *room) preferenceLocked(video bool) []*leg {
	list, listed := make([]*leg, 0, len(r.legs)), map[*leg]bool{}
	add := func(l *leg) {
		if !listed[l] {
			list, listed[l] = append(list, l), true
		}
	}
	if video {
		for _, l := range slices.Backward(r.legs) {
			if l.kind == "screen" {
				add(l)
			}
		}
	}
	for _, l := range r.floor {
		add(l)
	}
	for _, l := range slices.Backward(r.legs) {
		add(l)
	}
	return list
}

// requestKeyFrameFor asks whoever sends into a section for a key frame.
func (t *callTable) requestKeyFrameFor(into *section) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if into.leg.room == nil {
		return
	}
	for _, l := range into.leg.room.legs {
		for _, sec := range l.sections() {
			if targets := sec.targets.Load(); targets != nil && slices.Contains(*targets, into.out.Load()) {
				sec.requestKeyFrame()
			}
		}
	}
}
