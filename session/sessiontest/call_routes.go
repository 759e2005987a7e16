package sessiontest

import (
	"slices"

	"github.com/pion/webrtc/v4"
)

func isVideo(s *section) bool { return s.kind == webrtc.RTPCodecTypeVideo }

// rerouteLocked decides anew whose packets go to whom. Every client gets one audio and one video stream:
// the gateway does not mix, it passes on who speaks.
func (r *room) rerouteLocked() {
	routes := map[*section][]*outTrack{}
	for _, to := range r.legs {
		to.silenced.Store(to.held || to.dropped || to.flags.Deaf)
		for _, sec := range to.sections() {
			if !sec.toClient() {
				continue
			}
			out := sec.out.Load()
			if from := r.sourceLocked(to, sec); from != nil {
				routes[from] = append(routes[from], out)
			} else {
				out.resync()
			}
		}
	}
	for _, l := range r.legs {
		for _, sec := range l.sections() {
			targets := routes[sec]
			before := sec.targets.Swap(&targets)
			if isVideo(sec) && gained(before, targets) {
				sec.requestKeyFrame()
			}
		}
	}
}

// gained tells whether targets has one that before had not.
func gained(before *[]*outTrack, targets []*outTrack) bool {
	return slices.ContainsFunc(targets, func(o *outTrack) bool { return before == nil || !slices.Contains(*before, o) })
}

// sourceLocked returns the section whose packets go into a section of a leg, nil for none.
func (r *room) sourceLocked(to *leg, into *section) *section {
	if to.held || to.dropped || to.flags.Deaf && !isVideo(into) {
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
		if from == to || from.parent == to {
			continue
		}
		for _, sec := range from.sections() {
			if found == nil && sec.kind == into.kind && from.sends(sec) {
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
	return sec.fromClient() && !muted && !l.dropped
}

// preferenceLocked lists the legs of the room, the one to be heard or seen first. A screen is seen before
// a face, a speaker before the silent, and of these whoever came last.
func (r *room) preferenceLocked(video bool) []*leg {
	list := make([]*leg, 0, len(r.legs))
	add := func(l *leg) {
		if !slices.Contains(list, l) {
			list = append(list, l)
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
