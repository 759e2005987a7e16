package interop

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// botHz is what a bot in a room lets everybody hear.
const botHz = 523

// outages are how long sockets are away. The longest is beyond the gateway's patience with calls.
var outages = []time.Duration{800 * time.Millisecond, 5 * time.Second, 10 * time.Second, 30 * time.Second, 125 * time.Second}

// asleep is how long a page is suspended: longer than the gateway waits for the answer to a ping, so it closes the socket.
const asleep = 28 * time.Second

// A couple is a page and a client of callrx in a room with a bot, whose sockets run through one cable each.
type couple struct {
	room string
	ann  *Page
	k    pageCall
	bob  *gopher
	call *session.Call
	ear  *ear
	were [2]sessiontest.SessionInfo
	mark int
}

// Both renew the path of their media, and hear the bot again. A page that is suspended, as browsers do with hidden ones,
// loses its socket, and resumes the session and goes on when it is shown again.
func TestCallsOutliveANewPathAndASleep(t *testing.T) {
	t.Parallel()
	c := newCouple(t, 9)
	c.ann.do(nil, "%s.requestIceRestart()", c.k.js())
	c.ann.eventually("the gateway has answered a new offer", func() bool { return c.ann.accepted("webrtc.verto", "") >= 2 })
	if err := c.call.RestartICE(t.Context()); err != nil {
		t.Fatal(err)
	}
	isTone(t, c.ann.hear(c.k), botHz)
	c.bob.hears(c.ear, botHz)

	c.mark = c.ann.mark()
	c.ann.becomes(t, page.SetWebLifecycleStateStateFrozen)
	<-time.After(asleep)
	if sessionOf(t, c.ann.sat.SubscriberID).Connected {
		t.Error("the socket of a page that is suspended is open")
	}
	c.lock(t)
	c.bob.hears(c.ear, botHz)
	c.ann.becomes(t, page.SetWebLifecycleStateStateActive)
	c.goesOn(t)
}

// becomes suspends the page, or lets it go on.
func (p *Page) becomes(t *testing.T, state page.SetWebLifecycleStateState) {
	t.Helper()
	if err := chromedp.Run(p.ctx, page.SetWebLifecycleState(state)); err != nil {
		t.Fatal(err)
	}
}

// The socket is lost in a call and the call is not, with either SDK: its media goes on, the session is resumed, what
// happened meanwhile is told, and nobody dials again. Couples lose theirs at the same time, each for its own while.
func TestCallsOutliveALostSocket(t *testing.T) {
	t.Parallel()
	var all []*couple
	for range outages {
		all = append(all, newCouple(t, len(all)))
	}
	pulled := time.Now()
	for _, c := range all {
		c.pull()
	}
	for i, c := range all {
		<-time.After(outages[i] - time.Since(pulled))
		if outages[i] > callGrace {
			c.plug()
			c.isOver(t)
			continue
		}
		c.changesUnseen(t)
		c.plug()
		c.goesOn(t)
	}
}

// Sockets that are lost again as soon as they are back, and once more, cost neither SDK its call.
func TestCallsOutliveSeveralLostSockets(t *testing.T) {
	t.Parallel()
	c := newCouple(t, 8)
	for range 3 {
		c.pull()
		c.ann.waitFrom(c.mark, "ready", false)
		c.plug()
		c.ann.waitFrom(c.mark, "ready", true)
	}
	c.pull()
	c.changesUnseen(t)
	c.plug()
	c.goesOn(t)
}

// callGrace is how long the gateway of the stage keeps a call without a socket.
const callGrace = time.Minute

func newCouple(t *testing.T, number int) *couple {
	t.Helper()
	name := string(rune('0' + number))
	c := &couple{room: "/public/" + unique(t, "room"+name), ann: open(t, "ann"+name), bob: newGopher(t, "bob"+name), ear: &ear{}}
	if _, err := stage.gw.Join(c.room, sessiontest.BotOptions{Script: func(ctx context.Context, b *sessiontest.Bot) {
		for b.Tone(ctx, botHz, time.Second) == nil {
		}
	}}); err != nil {
		t.Fatal(err)
	}
	c.ann.cable, c.bob.cable = newCable(t), newCable(t)
	c.ann.make(c.ann.sat.Token, renegotiable)
	c.ann.online()
	c.bob.online()
	c.k = c.ann.connect(c.room, "{audio: true}")
	o := c.bob.toSpeak(c.ear)
	o.AudioSource = media.NewSilence() // a room lets one speak at a time
	c.call = c.bob.dial(c.room, o)
	c.bob.becomes(c.call, session.CallStatusConnected)
	c.ann.holds(c.k.js()+".participants.length", 3)
	c.ann.do(nil, "%s.self.mute()", c.k.js())
	c.were = c.sessions(t)
	return c
}

func (c *couple) sessions(t *testing.T) [2]sessiontest.SessionInfo {
	t.Helper()
	return [2]sessiontest.SessionInfo{sessionOf(t, c.ann.sat.SubscriberID), sessionOf(t, c.bob.sat.SubscriberID)}
}

func (c *couple) pull() { c.mark = c.ann.mark(); c.ann.cable.pull(); c.bob.cable.pull() }
func (c *couple) plug() { c.ann.cable.plug(); c.bob.cable.plug() }

// changesUnseen locks the room while the sockets are away, and both hear the bot all the same.
func (c *couple) changesUnseen(t *testing.T) {
	t.Helper()
	c.ann.waitFrom(c.mark, "ready", false)
	c.lock(t)
	isTone(t, c.ann.hear(c.k), botHz)
	c.bob.hears(c.ear, botHz)
}

func (c *couple) lock(t *testing.T) {
	t.Helper()
	if err := stage.gw.UpdateRoom(c.room, func(s *sessiontest.RoomState) { s.Locked = true }); err != nil {
		t.Fatal(err)
	}
}

// goesOn waits for what happened meanwhile, and for what happens then.
func (c *couple) goesOn(t *testing.T) {
	t.Helper()
	c.ann.waitFrom(c.mark, "ready", true)
	for _, locked := range []bool{true, false} {
		c.ann.holds(c.k.js()+".locked", locked)
		c.ann.eventually("bob is told", func() bool { return c.call.Locked() == locked })
		if err := stage.gw.UpdateRoom(c.room, func(s *sessiontest.RoomState) { s.Locked = false }); err != nil {
			t.Fatal(err)
		}
	}
	isTone(t, c.ann.hear(c.k), botHz)
	c.bob.hears(c.ear, botHz)
	for i, after := range c.sessions(t) {
		if after.Protocol != c.were[i].Protocol {
			t.Errorf("the session of %s was not resumed", []string{"the official SDK", "callrx"}[i])
		}
	}
	c.ann.holds(c.k.js()+".status", "connected")
	c.ann.hangUp(c.k)
	if err := c.call.Hangup(t.Context()); err != nil {
		t.Error(err)
	}
	if n := len(c.ann.seen(c.k.on("status"))); n != 6 { // new, trying, connecting, connected, disconnecting, destroyed
		t.Errorf("the call went through %v", c.ann.values(c.k.on("status")))
	}
	c.dialledOnce(t)
}

// isOver waits until both are told that the gateway has given the call up.
func (c *couple) isOver(t *testing.T) {
	t.Helper()
	c.ann.waitFrom(c.mark, "ready", true)
	c.ann.wait(c.k.on("status"), "destroyed")
	c.bob.becomes(c.call, session.CallStatusDestroyed)
	if end := c.call.EndReason(); end == nil || end.Cause == "" {
		t.Errorf("callrx was told %v", end)
	}
	c.dialledOnce(t)
}

func (c *couple) dialledOnce(t *testing.T) {
	t.Helper()
	c.bob.mu.Lock()
	ours := c.bob.frames
	c.bob.mu.Unlock()
	for who, frames := range map[string][]Frame{c.ann.who: c.ann.Frames(), c.bob.who: ours} {
		n := 0
		for _, f := range frames {
			attach := strings.Contains(f.Text, `"attach":true`) // of new transports, to the same call
			if f.Sent && strings.Contains(f.Text, `"method":"verto.invite"`) && !attach {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%s dialled %d times", who, n)
		}
	}
}
