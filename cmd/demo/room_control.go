package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/observable"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// What is done to the room of act 8, and seen by everybody in it.

// talk has a bot speak, and waits until everybody was told that it does and that it stopped.
func (m *meeting) talk(ctx context.Context) (string, error) {
	spoken := make(chan error, 1)
	go func() { spoken <- m.nora.Tone(ctx, toneHz, time.Second) }() // awaited below
	err := errors.Join(m.sees(ctx, m.nora.MemberID(), (*session.Participant).ObserveTalking), <-spoken)
	if err != nil {
		return "", err
	}
	return "nora, by the level of her voice", m.sees(ctx, m.nora.MemberID(), silent)
}

// silent tells when somebody does not talk.
func silent(p *session.Participant) observable.Of[bool] {
	return observable.Map(p.ObserveTalking(), func(talks bool) bool { return !talks })
}

// mute has ann mute bob.
func (m *meeting) mute(ctx context.Context) (string, error) {
	id := m.calls[1].SelfID()
	m.s.tl.say("app", "ann: participant.Mute(ctx), of bob")
	if err := m.calls[0].Participant(id).Mute(ctx); err != nil {
		return "", err
	}
	return "bob is muted", m.sees(ctx, id, (*session.Participant).ObserveAudioMuted)
}

func (m *meeting) raiseHand(ctx context.Context) (string, error) {
	m.s.tl.say("app", "cleo: call.Self().SetHandRaised(ctx, true)")
	if err := m.calls[2].Self().SetHandRaised(ctx, true); err != nil {
		return "", err
	}
	return "cleo's hand is up", m.sees(ctx, m.calls[2].SelfID(), (*session.Participant).ObserveHandRaised)
}

// changeLayout puts a bot into the large place.
func (m *meeting) changeLayout(ctx context.Context) (string, error) {
	nora := m.nora.MemberID()
	m.s.tl.say("app", "ann: call.SetLayout(ctx, %q, …) with nora at reserved-1", highlight)
	err := m.calls[0].SetLayout(ctx, highlight, map[string]session.VideoPosition{nora: session.ReservedPosition(1)})
	if err != nil {
		return "", err
	}
	var layers []session.LayoutLayer
	err = m.everywhere(func(k *session.Call) error {
		var err error
		layers, err = k.ObserveLayoutLayers().Wait(ctx, func(all []session.LayoutLayer) bool {
			return len(all) > 0 && all[0].MemberID == nora && all[0].Reservation == "reserved-1"
		})
		return err
	})
	if err != nil {
		return "", err
	}
	m.s.tl.say("bob's layoutLayers$", "%s", canvas(layers, m.name))
	return m.calls[1].Layout(), nil
}

// shareScreen has cleo show a file, which comes and goes as a member of its own.
func (m *meeting) shareScreen(ctx context.Context) (string, error) {
	film, err := media.NewIVFSource(bytes.NewReader(screenFile), &media.FileOptions{Loop: true})
	if err != nil {
		return "", err
	}
	m.s.tl.say("app", "cleo: call.Self().StartScreenShare(ctx, …) of screen.ivf")
	self := m.calls[2].Self()
	if _, err := self.StartScreenShare(ctx, film, session.MediaOptions{SettingEngine: onLoopback}); err != nil {
		return "", err
	}
	if err := m.crowd(ctx, 6); err != nil {
		return "", err
	}
	err = m.everywhere(func(k *session.Call) error {
		for _, p := range k.Participants() {
			if p.Type() == "screen" && p.ParentID() == self.ID() {
				return nil
			}
		}
		return errors.New("nobody is cleo's screen")
	})
	if err != nil {
		return "", err
	}
	m.s.tl.say("app", "cleo: call.Self().StopScreenShare(ctx)")
	if err := self.StopScreenShare(ctx); err != nil {
		return "", err
	}
	return "it came and went, and cleo stayed", m.crowd(ctx, 5)
}

// lock closes the room to those outside.
func (m *meeting) lock(ctx context.Context) (string, error) {
	m.s.tl.say("app", "ann: call.SetLocked(ctx, true)")
	if err := m.calls[0].SetLocked(ctx, true); err != nil {
		return "", err
	}
	err := m.everywhere(func(k *session.Call) error {
		_, err := k.ObserveLocked().Wait(ctx, func(locked bool) bool { return locked })
		return err
	})
	if err != nil {
		return "", err
	}
	_, late := m.s.gw.Join(stage, sessiontest.BotOptions{Name: "late"})
	if late == nil {
		return "", errors.New("somebody came in all the same")
	}
	return fmt.Sprintf("who comes late is told: %v", late), nil
}
