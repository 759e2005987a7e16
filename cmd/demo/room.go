package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/observable"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// Act 8: ann, bob and cleo meet in a room, with two bots that need no client.

const (
	cleo      = "cleo@example.org"
	stage     = "/public/stage"
	highlight = "highlight-1-responsive"
)

// screenFile is a copy of testdata/media/pattern.ivf: two seconds of VP8.
//
//go:embed screen.ivf
var screenFile []byte

// A meeting is a room with three clients and two bots.
type meeting struct {
	s          *story
	guests     []*caller
	calls      []*session.Call // of ann, bob and cleo
	nora, finn *sessiontest.Bot
}

// meetInRoom plays act 8.
func (s *story) meetInRoom(ctx context.Context) error {
	m := &meeting{s: s}
	defer m.end()
	steps := []struct {
		what step
		wait func(context.Context) (string, error)
	}{
		{stepRoomFull, m.enter},
		{stepRoomTalk, m.talk},
		{stepRoomMute, m.mute},
		{stepRoomHand, m.raiseHand},
		{stepRoomLayout, m.changeLayout},
		{stepRoomScreen, m.shareScreen},
		{stepRoomLocked, m.lock},
		{stepRoomRemoved, m.remove},
	}
	for _, next := range steps {
		if err := s.observe(ctx, next.what, patience, next.wait); err != nil {
			return err
		}
	}
	return nil
}

// enter brings in everybody. Ann shows a picture, so the room has a layout.
func (m *meeting) enter(ctx context.Context) (string, error) {
	for _, who := range []struct {
		name, reference string
		options         session.MediaOptions
	}{
		{"ann", ann, session.MediaOptions{VideoSource: media.NewTestPattern(), SettingEngine: onLoopback}},
		{"bob", bob, session.MediaOptions{SettingEngine: onLoopback}},
		{"cleo", cleo, session.MediaOptions{SettingEngine: onLoopback}},
	} {
		c, err := m.s.caller(ctx, who.name, who.reference)
		if err != nil {
			return "", err
		}
		m.guests = append(m.guests, c)
		m.s.tl.say("app", "%s: client.Dial(ctx, %q, …)", who.name, stage)
		k, err := c.Dial(ctx, stage, session.DialOptions{MediaOptions: who.options})
		if err != nil {
			return "", err
		}
		m.calls = append(m.calls, k)
		if err := reach(ctx, k, session.CallStatusConnected); err != nil {
			return "", err
		}
	}
	m.watch()
	return m.bringBots(ctx)
}

// watch shows what ann is told of the others.
func (m *meeting) watch() {
	k, ctx, tl := m.calls[0], context.Background(), m.s.tl
	m.guests[0].showing = append(m.guests[0].showing,
		k.ObserveMemberJoined().Subscribe(ctx, func(e *session.MemberEvent) {
			tl.say("ann's memberJoined$", "%s, a %s", e.Member.Name, e.Member.Type)
		}),
		k.ObserveMemberLeft().Subscribe(ctx, func(e *session.MemberEvent) { tl.say("ann's memberLeft$", "%s, %s", e.Member.Name, e.Reason) }),
		k.ObserveMemberTalking().Subscribe(ctx, func(e *session.MemberEvent) {
			tl.say("ann's memberTalking$", "%s %t", m.name(e.Member.ID), e.Member.Talking)
		}))
}

func (m *meeting) bringBots(ctx context.Context) (string, error) {
	m.s.tl.say("gateway", "gw.Join(%q, …), twice", stage)
	var err error
	if m.nora, err = m.s.gw.Join(stage, sessiontest.BotOptions{Name: "nora"}); err != nil {
		return "", err
	}
	if m.finn, err = m.s.gw.Join(stage, sessiontest.BotOptions{Name: "finn"}); err != nil {
		return "", err
	}
	return "five members at each of three clients", m.crowd(ctx, 5)
}

// crowd waits until every client that is left counts so many members.
func (m *meeting) crowd(ctx context.Context, want int) error {
	return m.everywhere(func(k *session.Call) error {
		_, err := k.ObserveParticipants().Wait(ctx, func(all []*session.Participant) bool { return len(all) == want })
		return err
	})
}

// everywhere makes sure of something at every client that is in the room.
func (m *meeting) everywhere(sure func(*session.Call) error) error {
	for i, k := range m.calls {
		if err := sure(k); err != nil {
			return fmt.Errorf("at %s: %w", m.guests[i].name, err)
		}
	}
	return nil
}

// sees waits until something holds for a member at every client.
func (m *meeting) sees(ctx context.Context, id string, what func(*session.Participant) observable.Of[bool]) error {
	return m.everywhere(func(k *session.Call) error {
		p := k.Participant(id)
		if p == nil {
			return fmt.Errorf("there is no member %s", id)
		}
		_, err := what(p).Wait(ctx, func(holds bool) bool { return holds })
		return err
	})
}

// name is how ann knows a member.
func (m *meeting) name(id string) string {
	if p := m.calls[0].Participant(id); p != nil {
		return p.Name()
	}
	return id
}

// end leaves nothing running.
func (m *meeting) end() {
	for _, b := range []*sessiontest.Bot{m.nora, m.finn} {
		if b != nil {
			b.Leave()
		}
	}
	for _, c := range m.guests {
		c.end()
	}
}

// remove takes out a bot and a client, who is told why its call ended.
func (m *meeting) remove(ctx context.Context) (string, error) {
	out := m.calls[2]
	for _, id := range []string{m.finn.MemberID(), out.SelfID()} {
		m.s.tl.say("app", "ann: participant.Remove(ctx), of %s", m.name(id))
		if err := m.calls[0].Participant(id).Remove(ctx); err != nil {
			return "", err
		}
	}
	for _, gone := range []<-chan struct{}{m.finn.Done(), out.Done()} {
		select {
		case <-gone:
		case <-ctx.Done():
			return "", context.Cause(ctx)
		}
	}
	m.calls = m.calls[:2]
	return "two clients and a bot are left", errors.Join(m.guests[2].showEnd(out, errs.EndedByRemote), m.crowd(ctx, 3))
}
