package session

import "time"

// Media may be gone for a moment without anything being wrong: the far end has
// closed it, and its bye is on its way; or a recovery puts new transports in the
// place of some that worked. A call that was connected does not show that, unless
// it lasts.

// lapseGrace is how long it may.
const lapseGrace = time.Second

// lapsed: media is gone, most likely for that long at most. On the loop, like
// everything in this file.
func (k *Call) lapsed() {
	r := k.recovery
	switch {
	case k.state.status != CallStatusConnected:
		k.move(mediaLost)
	case r.lapse == nil:
		var mine *time.Timer
		mine = time.AfterFunc(lapseGrace, func() {
			k.c.post(func() {
				if r.lapse == mine {
					r.lapse = nil
					k.move(mediaLost)
				}
			})
		})
		r.lapse = mine
	}
}

func (k *Call) stopLapse() {
	if r := k.recovery; r.lapse != nil {
		r.lapse.Stop()
		r.lapse = nil
	}
}

// mediaFound: there is media, again or for the first time.
func (k *Call) mediaFound() {
	k.stopLapse()
	k.move(mediaUp)
	k.pathFound()
	k.assess()
}
