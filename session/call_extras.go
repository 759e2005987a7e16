package session

import (
	"cmp"
	"slices"
)

// addExtra registers a leg before its invite is sent. It refuses a second
// screen, and any for a call that is over. On the loop.
func (c *Client) addExtra(x *ExtraLeg) bool {
	for _, other := range c.extras {
		if other.k == x.k && other.screen && x.screen {
			return false
		}
	}
	if x.k.state.status.ended() {
		return false
	}
	c.extras[x.id] = x
	x.show(ScreenShareStarting)
	return true
}

// endExtras ends what a call sent beside its main leg. On the loop.
func (k *Call) endExtras(why error) {
	for _, x := range k.extraLegs() {
		k.extras = append(k.extras, x) // bye may still have to tell the service
		x.end(why)
	}
}

// dropExtras ends what a call sends beside its main leg when its session is replaced:
// the service attaches main legs only. On the loop.
func (k *Call) dropExtras() {
	for _, x := range k.extraLegs() {
		x.fail(sessionGone())
	}
}

// allExtras are the legs beside the main one, also those that ended with it. On
// the loop.
func (k *Call) allExtras() []*ExtraLeg {
	return append(slices.Clone(k.extras), k.extraLegs()...)
}

// extraLegs are the legs beside the main one that have not ended. On the loop.
func (k *Call) extraLegs() (legs []*ExtraLeg) {
	for _, x := range k.c.extras {
		if x.k == k {
			legs = append(legs, x)
		}
	}
	return legs
}

// knownExtras are the legs beside the main one that the service has, for the record.
// On the loop.
func (k *Call) knownExtras() []attachExtra {
	all := slices.Clone(k.orphans)
	for _, x := range k.extraLegs() {
		if x.known {
			all = append(all, attachExtra{x.id, x.screen})
		}
	}
	slices.SortFunc(all, func(a, b attachExtra) int { return cmp.Compare(a.ID, b.ID) })
	return all
}

// endOrphans tells the service that the legs of an earlier process are over, which
// otherwise show a frozen picture until their media times out. On the loop.
func (k *Call) endOrphans() {
	if len(k.orphans) == 0 {
		return
	}
	for _, o := range k.orphans {
		x := &ExtraLeg{k: k, id: o.ID, screen: o.Screen, known: true}
		k.c.workers.Go(x.farewell)
	}
	k.orphans = nil
	k.rewrite()
}
