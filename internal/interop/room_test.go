package interop

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/observable"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// A meeting is a room with ann in a browser and bob in callrx.
type meeting struct {
	t    *testing.T
	room string // as it is dialled

	ann  *Page
	k    pageCall
	bob  *gopher
	call *session.Call
	mine *switched // what bob says
}

// meet brings both into a room of their own, where everybody has a role.
func meet(t *testing.T, role sessiontest.Role) *meeting {
	t.Helper()
	m := &meeting{t: t, room: "/public/" + unique(t, "room"), mine: &switched{}}
	stage.gw.SetRole(m.room, "", role)
	m.ann, m.bob = open(t, "ann"), newGopher(t, "bob").online()
	m.ann.signIn()
	m.k = m.ann.connect(m.room, "{}")
	o := m.bob.toSpeak(&ear{})
	o.AudioSource = m.mine.source(t)
	m.call = m.bob.dial(m.room, o)
	m.bob.becomes(m.call, session.CallStatusConnected)
	m.ann.holds(m.k.js()+".participants.map((p) => p.name).sort().join()", "ann,bob")
	until(m, "both are there", m.call.ObserveParticipants(), func(p []*session.Participant) bool { return len(p) == 2 })
	until(m, "bob knows himself", m.call.ObserveSelf(), func(s *session.SelfParticipant) bool { return s != nil })
	return m
}

// until waits for a value of what callrx shows.
func until[T any](m *meeting, what string, o observable.Of[T], is func(T) bool) {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(m.t.Context(), patience)
	defer cancel()
	if _, err := o.Wait(ctx, is); err != nil {
		m.t.Fatalf("%s: never in callrx: %v", what, err)
	}
}

// does fails unless something of callrx succeeds.
func (m *meeting) does(what string, err error) {
	m.t.Helper()
	if err != nil {
		m.t.Fatalf("%s: %v", what, err)
	}
}

// of is the participant of that name in callrx.
func (m *meeting) of(name string) *session.Participant {
	m.t.Helper()
	for _, p := range m.call.Participants() {
		if p.Name() == name {
			return p
		}
	}
	m.t.Fatalf("callrx sees no %s", name)
	return nil
}

// js is the participant of that name in the browser.
func (m *meeting) js(name string) string {
	return fmt.Sprintf("%s.participants.find((p) => p.name === %s)", m.k.js(), quote(name))
}

// end leaves, with nothing amiss on either side.
func (m *meeting) end() {
	m.t.Helper()
	m.ann.hangUp(m.k)
	m.does("bob hangs up", m.call.Hangup(m.t.Context()))
	m.ann.isQuiet()
	m.bob.isQuiet()
}

// TestRoomTellsBothSDKsWhoTalks, by what is really heard.
func TestRoomTellsBothSDKsWhoTalks(t *testing.T) {
	t.Parallel()
	m := meet(t, sessiontest.RoleModerator)
	until(m, "ann's microphone is heard", m.of("ann").ObserveTalking(), func(v bool) bool { return v })
	m.ann.holds(m.js("bob")+".isTalking", false)
	m.mine.set(true)
	m.ann.holds(m.js("bob")+".isTalking", true)
	m.mine.set(false)
	m.ann.holds(m.js("bob")+".isTalking", false)
	m.ann.do(nil, "%s.self.mute()", m.k.js())
	until(m, "ann is silent", m.of("ann").ObserveTalking(), func(v bool) bool { return !v })
	m.end()
}

// TestRoomGrantsBothSDKsTheSame: the audience may do little, whoever it is.
func TestRoomGrantsBothSDKsTheSame(t *testing.T) {
	t.Parallel()
	for role, may := range map[sessiontest.Role]bool{sessiontest.RoleModerator: true, sessiontest.RoleParticipant: false} {
		t.Run(string(role), func(t *testing.T) {
			m := meet(t, role)
			c := m.call.Self().Capabilities().State()
			if c.Member.Remove != may || !c.Self.RaiseHand.On || c.Lock.On != may {
				t.Errorf("callrx: %+v", c)
			}
			granted := m.k.js() + ".self.capabilities"
			m.ann.holds(granted+".member.remove", may)
			m.ann.holds(granted+".self.raisehand.on", true)
			m.ann.holds(granted+".lock.on", may)
			err := m.of("ann").Remove(t.Context())
			var refused *errs.JSONRPCError
			if may {
				m.does("bob removes ann", err)
				m.ann.wait(m.k.on("status"), "destroyed")
			} else if !errors.As(err, &refused) {
				t.Errorf("bob removes ann: %v", err)
			}
			m.does("bob hangs up", m.call.Hangup(t.Context()))
		})
	}
}

// TestRoomIsLockedForBothSDKs by either, and for whoever comes then.
func TestRoomIsLockedForBothSDKs(t *testing.T) {
	t.Parallel()
	m := meet(t, sessiontest.RoleModerator)
	m.ann.do(nil, "%s.toggleLock()", m.k.js())
	until(m, "ann locks the room", m.call.ObserveLocked(), func(v bool) bool { return v })
	late, err := m.bob.c.Dial(t.Context(), m.room, session.DialOptions{MediaOptions: session.MediaOptions{}})
	if err == nil {
		<-late.Done()
		err = late.Err()
	}
	var ended *errs.CallEndedError
	if !errors.As(err, &ended) || ended.Code != errs.CauseCallRejected {
		t.Errorf("who comes late: %v", err)
	}
	m.does("bob unlocks the room", m.call.SetLocked(t.Context(), false))
	m.ann.holds(m.k.js()+".locked", false)
	m.end()
}
