package sessiontest

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// ErrBotLeft is returned by what a [Bot] does after it has left its room, or was removed.
var ErrBotLeft = errors.New("sessiontest: the bot has left")

// BotOptions says who a bot is. The zero value is a silent member that stays until it is told to leave.
type BotOptions struct {
	// Name is its display name: "Bot" when empty.
	Name string
	// Role is what it joins as: what the room gives to everybody when empty.
	Role Role
	// Muted makes it join with its sound muted.
	Muted bool
	// Script is what it does, on a goroutine of the server; it leaves when the script returns. The context
	// ends when the bot leaves or is removed and when the server closes, and the script must then return.
	Script func(ctx context.Context, b *Bot)
}

// Bot is a member of a room that the gateway plays. Clients see and hear it as they do any other member,
// over their own media; it has none itself, only the PCM that goes into the mix and comes out of it. Clients
// that take nothing but Opus do not hear it. Its methods may be called from several goroutines at once.
type Bot struct {
	leg   *leg
	voice inlet
	ear   botEar
	turn  chan struct{} // one slot: it says one thing at a time
	level voice         // used in its turn
}

// Join brings a bot into the room of an address, which it opens if need be. It fails when the address is
// none of a room, the room is locked, or the server is closed.
func (s *Server) Join(address string, o BotOptions) (*Bot, error) {
	setDefault(&o.Name, "Bot")
	d, ok := s.resolve(address)
	if !ok || d.arrival != arriveRoom || d.kind != roomConference {
		return nil, fmt.Errorf("sessiontest: %s is no room", address)
	}
	t := s.calls
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil, ErrClosed
	}
	r := t.roomLocked(d)
	if r.state.Locked {
		return nil, fmt.Errorf("sessiontest: %s is locked", address)
	}
	b := t.newBotLocked(d, o)
	b.leg.joinLocked(r)
	if o.Script != nil {
		s.running.Go(func() {
			o.Script(b.leg.ctx, b)
			b.Leave()
		})
	}
	return b, nil
}

func (t *callTable) newBotLocked(d destination, o BotOptions) *Bot {
	l := t.newLeg(&session{}, newUUID())
	b := &Bot{leg: l, turn: make(chan struct{}, 1), level: voice{leg: l}, ear: botEar{frames: make(chan []int16, earLimit)}}
	l.bot, l.name, l.role, l.dest = b, o.Name, o.Role, d
	l.flags.AudioMuted, l.flags.VideoMuted, l.flags.Visible = o.Muted, true, false
	l.state, l.answeredAt = CallAnswered, t.srv.now()
	t.addLocked(l)
	return b
}

// CallID and MemberID return the ids by which clients know the bot.
func (b *Bot) CallID() string { return b.leg.callID }

// MemberID returns the bot's id among the members of its room.
func (b *Bot) MemberID() string { return b.leg.memberID }

// Done is closed when the bot has left, was removed, or the server closes.
func (b *Bot) Done() <-chan struct{} { return b.leg.ctx.Done() }

// Leave makes the bot hang up. Leaving twice is no error.
func (b *Bot) Leave() { b.act(func(l *leg) { l.endLocked(normal(endedByClient)) }) }

// Mute mutes the bot's sound, or lets it be heard again.
func (b *Bot) Mute(muted bool) {
	b.act(func(l *leg) {
		l.flags.AudioMuted = muted
		l.updatedLocked("audio_muted")
		if muted {
			l.stopTalkingLocked()
		}
		l.room.rerouteLocked()
	})
}

// RaiseHand raises the bot's hand, or lowers it.
func (b *Bot) RaiseHand(raised bool) {
	b.act(func(l *leg) {
		l.flags.HandRaised = raised
		l.updatedLocked("handraised")
		if l.room.state.PrioritizeHandRaise && l.room.hasVideo() {
			l.room.sendLayoutLocked()
		}
	})
}

// act does something as long as the bot is there.
func (b *Bot) act(f func(l *leg)) {
	t := b.leg.t
	t.mu.Lock()
	defer t.mu.Unlock()
	if b.leg.answered() && !t.closed {
		f(b.leg)
	}
}

// Pause waits. It returns the context's error, or [ErrBotLeft].
func (b *Bot) Pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-b.Done():
		return ErrBotLeft
	case <-ctx.Done():
		return ctx.Err()
	}
}
