package session

import (
	"context"
	"sync"
	"time"

	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/observable"
)

// What a program that goes out of sight, or whose machine sleeps, has the client
// do before and afterwards (behaviour.md 7.2).

// Suspended reports whether the program has called Suspend and not yet Resume.
func (c *Client) Suspended() bool { return c.streams.suspended.Get() }

// ObserveSuspended is the state stream of Suspended.
func (c *Client) ObserveSuspended() observable.Of[bool] { return c.streams.suspended.Observe() }

// Suspend tells the client that the program goes out of sight, or that the
// machine is about to sleep. With the preference AutoMuteVideoOnSuspend the calls
// there are stop sending video before it returns, that of screens and additional
// devices too, and the service is told of the calls' own if there is time for it.
// Everything else goes on. Twice is once.
func (c *Client) Suspend() {
	c.begun()
	_ = c.ask(context.Background(), func() { // errs.ErrClosed: there is nothing to suspend
		if !c.setSuspended(true) || !c.preferred().AutoMuteVideoOnSuspend {
			return
		}
		for _, k := range c.streams.calls.Get() {
			k.veil()
		}
	})
}

// Resume tells the client that the program is seen again, or the machine awake.
// Video that Suspend has stopped is sent again, unless it was muted meanwhile. A
// token whose time has come is refreshed at once. With the preference
// CheckConnectionOnResume the connection has to show that it works, or is
// replaced, and so do the paths of the media of calls. Resume returns when that
// is known, some three seconds after a connection is there, and what it has begun
// for calls goes on. With the preference RefreshDevicesOnResume, and while devices are
// monitored, they are listed anew meanwhile. It is of use without Suspend, too.
//
// Without a session it returns nil; *errs.NotConnectedError says that the session
// ended meanwhile, and Err why; errs.ErrClosed that the client is closed. Else
// errors are those of ctx.
func (c *Client) Resume(ctx context.Context) error {
	c.begun()
	var l *life
	err := c.ask(ctx, func() {
		if c.setSuspended(false) {
			for _, k := range c.streams.calls.Get() {
				k.unveil()
			}
		}
		c.devices.resumed()
		l = c.session
	})
	if err != nil || l == nil || !c.preferred().CheckConnectionOnResume {
		return err
	}
	lost := make(chan struct{})
	var once sync.Once
	watching := c.ObserveStatus().Subscribe(ctx, func(s Status) { // from here on
		if s != StatusOnline {
			once.Do(func() { close(lost) })
		}
	})
	defer watching.Cancel()
	if err := c.check(ctx, l); err != nil {
		if err := awaitClosed(ctx, lost, 0); err != nil { // or the dead connection would count
			return err
		}
		if err := c.awaitOnline(ctx, "resume"); err != nil {
			return err
		}
	}
	return c.checkMedia(ctx)
}

// setSuspended reports whether it was otherwise. On the loop.
func (c *Client) setSuspended(is bool) bool {
	if c.streams.suspended.Get() == is {
		return false
	}
	c.streams.suspended.Set(is)
	what := map[bool]string{true: "suspended", false: "resumed"}[is]
	c.log.Info(what)
	c.past.add(note{category: DiagnosticConnection, what: what})
	return true
}

// mediaCheckTimeout is how long nothing may arrive, of what should, before the
// paths of a call are doubted.
const mediaCheckTimeout = time.Second

// checkMedia looks whether something arrives in every call. Not on the loop.
func (c *Client) checkMedia(ctx context.Context) error {
	var checks sync.WaitGroup
	for _, k := range c.Calls() {
		if s := k.Status(); s != CallStatusConnected && s != CallStatusRecovering {
			continue
		}
		checks.Go(func() {
			within, cancel := context.WithTimeout(ctx, mediaCheckTimeout)
			defer cancel()
			if !k.arrives(within) && ctx.Err() == nil {
				c.post(func() { k.doubtPaths("resume") })
			}
		})
	}
	checks.Wait()
	return context.Cause(ctx)
}

// arrives reports whether something does before ctx ends, or nothing is to.
func (k *Call) arrives(ctx context.Context) bool {
	tick := time.NewTicker(flowPolling)
	defer tick.Stop()
	for before := k.Stats(); ; {
		now := k.Stats()
		if !now.Directions.Audio.Receives() && !now.Directions.Video.Receives() ||
			now.Audio.PacketsReceived > before.Audio.PacketsReceived || now.Video.PacketsReceived > before.Video.PacketsReceived {
			return true
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return false
		}
	}
}

// veil stops sending video that is sent. On the loop, like unveil.
func (k *Call) veil() {
	k.veilExtras(true)
	leg := k.media()
	if leg == nil || !leg.Directions().Video.Sends() || leg.Muted(media.KindVideo) {
		return
	}
	k.veiled = true
	k.withhold()
	k.tellVeiled()
}

// unveil takes that back, and nothing else.
func (k *Call) unveil() {
	k.veilExtras(false)
	if !k.veiled {
		return
	}
	k.veiled = false
	k.withhold()
	k.tellVeiled()
}

// withhold has video sent, or not, whatever the user wants. On the loop.
func (k *Call) withhold() {
	k.media().Withhold(media.KindVideo, k.recovery.video.paused || k.veiled)
}

// tellVeiled tells the service whether video is muted, as it is by then.
func (k *Call) tellVeiled() {
	self := k.Self()
	if self == nil || k.state.status.ended() {
		return
	}
	k.c.workers.Go(func() {
		ctx, cancel := context.WithTimeout(k.ctx, k.c.requestTimeout())
		defer cancel()
		if k.room.mutes.take(ctx) != nil {
			return
		}
		defer k.room.mutes.give()
		var muted bool
		if k.c.ask(ctx, func() { muted = k.veiled || self.LocalVideoMuted() }) != nil {
			return
		}
		if err := self.requestMute(ctx, media.KindVideo, muted); err != nil {
			k.c.log.Debug("video of a suspended call", "call_id", k.id, "error", err)
		}
	})
}
