package interop

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
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

// TestRoomMembersChangeForBothSDKs: what either does to itself or to the other, both show.
func TestRoomMembersChangeForBothSDKs(t *testing.T) {
	t.Parallel()
	m := meet(t, sessiontest.RoleModerator)
	ctx, self := t.Context(), m.call.Self()
	for _, fact := range []struct {
		getter  string // in the browser
		observe func(*session.Participant) observable.Of[bool]
		ours    func(on bool) error  // bob to himself
		theirs  func(on bool) string // ann to herself
	}{
		{"audioMuted", (*session.Participant).ObserveAudioMuted,
			func(on bool) error { return pick(on, self.Mute, self.Unmute)(ctx) },
			func(on bool) string { return pick(on, "mute()", "unmute()") }},
		{"deaf", (*session.Participant).ObserveDeaf,
			func(on bool) error { return self.SetDeaf(ctx, on) }, func(bool) string { return "toggleDeaf()" }},
		{"handraised", (*session.Participant).ObserveHandRaised,
			func(on bool) error { return self.SetHandRaised(ctx, on) }, func(bool) string { return "toggleHandraise()" }},
	} {
		for _, on := range []bool{true, false} {
			m.does("bob: "+fact.getter, fact.ours(on))
			m.ann.holds(m.js("bob")+"."+fact.getter, on)
			until(m, "bob's own "+fact.getter, fact.observe(self.Participant), func(v bool) bool { return v == on })
			m.ann.do(nil, "%s.self.%s", m.k.js(), fact.theirs(on))
			until(m, "ann's "+fact.getter, fact.observe(m.of("ann")), func(v bool) bool { return v == on })
			m.ann.holds(m.k.js()+".self."+fact.getter, on)
		}
	}
	m.ann.do(nil, "%s.mute()", m.js("bob"))
	until(m, "ann mutes bob", self.ObserveAudioMuted(), func(v bool) bool { return v })
	m.does("bob mutes ann", m.of("ann").Mute(ctx))
	m.ann.holds(m.k.js()+".self.audioMuted", true)
	m.end()
}

func pick[T any](yes bool, a, b T) T {
	if yes {
		return a
	}
	return b
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

// TestRoomIsLaidOutForBothSDKs: a layout that one asks for, and the place that a member gets in it.
func TestRoomIsLaidOutForBothSDKs(t *testing.T) {
	t.Parallel()
	m := meet(t, sessiontest.RoleModerator)
	m.ann.holds(m.k.js()+".layouts.includes('2x2')", true)
	m.ann.do(nil, "%s.setLayout('2x2', {})", m.k.js())
	until(m, "ann's layout", m.call.ObserveLayout(), func(v string) bool { return v == "2x2" })
	ann := m.of("ann")
	place := session.StandardPosition(5)
	m.does("bob's layout", m.call.SetLayout(t.Context(), "3x3", map[string]session.VideoPosition{ann.ID(): place}))
	m.ann.holds(m.k.js()+".layout", "3x3")
	until(m, "ann's wish", ann.ObserveRequestedPosition(), func(p session.VideoPosition) bool { return p == place })
	m.end()
}

// TestRoomRemovesMembersOfBothSDKs: the call of who is removed ends, and the others see it leave.
func TestRoomRemovesMembersOfBothSDKs(t *testing.T) {
	t.Parallel()
	m := meet(t, sessiontest.RoleModerator)
	m.ann.do(nil, "%s.remove()", m.js("bob"))
	m.bob.becomes(m.call, session.CallStatusDestroyed)
	if why := m.call.EndReason(); why.By != errs.EndedByRemote {
		t.Errorf("bob was removed: %v", why)
	}
	m.ann.holds(m.k.js()+".participants.length", 1)
	m.ann.hangUp(m.k)
	m.ann.isQuiet()
}

// TestRoomShowsBothSDKsScreens as members of their own, with whose they are.
func TestRoomShowsBothSDKsScreens(t *testing.T) {
	t.Parallel()
	m := meet(t, sessiontest.RoleModerator)
	m.ann.gesture("%s.self.startScreenShare()", m.k.js())
	var screen *session.Participant
	until(m, "ann's screen", m.call.ObserveParticipants(), func(all []*session.Participant) bool {
		for _, p := range all {
			if p.Type() == "screen" {
				screen = p
			}
		}
		return screen != nil
	})
	if screen.ParentID() != m.of("ann").ID() {
		t.Errorf("the screen's parent is %s, not ann", screen.ParentID())
	}
	m.ann.do(nil, "%s.self.stopScreenShare()", m.k.js())
	<-screen.Done()
	o := m.bob.toSpeak(&ear{})
	mine, err := m.call.ShareScreen(t.Context(), media.NewTestPattern(), session.MediaOptions{SettingEngine: o.SettingEngine})
	if err != nil {
		t.Fatal(err)
	}
	m.ann.holds(m.k.js()+".participants.filter((p) => p.type === 'screen').length", 1)
	m.does("bob stops his screen", mine.Stop(t.Context()))
	m.ann.holds(m.k.js()+".participants.length", 2)
	m.end()
}
