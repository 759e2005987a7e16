package sessiontest

import (
	"context"
	"slices"
)

// mixes tells whether a section gets a mix rather than the packets of one other: sound in G.711 in a room.
// The gateway cannot encode Opus.
func (r *room) mixes(sec *section) bool {
	if r.kind != roomConference || isVideo(sec) {
		return false
	}
	for _, c := range sec.agreed() {
		if !c.isEvent() {
			return c.name == pcmuName || c.name == pcmaName
		}
	}
	return false
}

// remixLocked decides anew who is mixed for whom.
func (r *room) remixLocked() {
	if r.kind != roomConference {
		return
	}
	plan, families, present := &mixPlan{}, map[*leg][]*inlet{}, r.presentLocked()
	for _, l := range present {
		families[l.head()] = append(families[l.head()], l.inlets()...)
	}
	for _, l := range present {
		plan.listeners = append(plan.listeners, r.listenersLocked(l, families[l.head()])...)
	}
	for _, l := range present {
		heard := len(plan.listeners) > 0 && l.heardLocked()
		for _, in := range l.inlets() {
			in.setOpen(heard)
			if heard {
				plan.sources = append(plan.sources, mixSource{in, gainOf(l.flags.InputVolume)})
			}
		}
	}
	plan.listeners = slices.DeleteFunc(plan.listeners, func(to mixListener) bool { // with nobody to hear
		return len(plan.sources) <= len(to.own) && !slices.ContainsFunc(plan.sources, func(from mixSource) bool { return !slices.Contains(to.own, from.in) })
	})
	r.mixLocked(plan)
}

// mixLocked puts a plan into force. The mixer runs while the room is open.
func (r *room) mixLocked(plan *mixPlan) {
	switch {
	case r.mixer != nil:
		r.mixer.plan.Store(plan)
	case len(plan.listeners) > 0 && !r.t.closed:
		ctx, cancel := context.WithCancel(r.t.srv.ctx)
		r.mixer = &mixer{stop: cancel}
		r.mixer.plan.Store(plan)
		r.t.srv.running.Go(func() { r.mixer.run(ctx) })
	}
	if len(r.legs) == 0 && r.mixer != nil {
		r.mixer.stop()
		r.mixer = nil
	}
}

// heardLocked tells whether the others are to hear a leg.
func (l *leg) heardLocked() bool {
	return !l.flags.AudioMuted && !l.dropped && !l.head().audience
}

// inlets returns where the sound of a leg comes in.
func (l *leg) inlets() []*inlet {
	if l.bot != nil {
		return []*inlet{&l.bot.voice}
	}
	var all []*inlet
	for _, sec := range l.sections() {
		if !isVideo(sec) && sec.fromClient() {
			all = append(all, &sec.inlet)
		}
	}
	return all
}

// head is the main leg of a screen or device, and of a main leg itself.
func (l *leg) head() *leg {
	if l.parent != nil {
		return l.parent
	}
	return l
}

// listenersLocked returns where a leg hears the mix, without what is its own.
func (r *room) listenersLocked(l *leg, own []*inlet) []mixListener {
	if l.held || l.dropped || l.flags.Deaf {
		return nil
	}
	gain := gainOf(l.flags.OutputVolume)
	if l.bot != nil {
		return []mixListener{{&l.bot.ear, own, gain}}
	}
	var all []mixListener
	for _, sec := range l.sections() {
		if r.mixes(sec) && sec.toClient() {
			all = append(all, mixListener{sec.out.Load(), own, gain})
		}
	}
	return all
}
