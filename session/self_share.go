package session

import (
	"context"

	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/observable"
)

// A ScreenShareStatus is how a call's screen share is doing.
type ScreenShareStatus string

const (
	// ScreenShareNone: no screen is shared.
	ScreenShareNone ScreenShareStatus = "none"
	// ScreenShareStarting: one is about to be.
	ScreenShareStarting ScreenShareStatus = "starting"
	// ScreenShareStarted: the others see it.
	ScreenShareStarted ScreenShareStatus = "started"
	// ScreenShareStopping: the service is being told that it ends.
	ScreenShareStopping ScreenShareStatus = "stopping"
)

// ScreenShareStatus is how the call's screen share is doing, whoever started it
// and however it ended.
func (s *SelfParticipant) ScreenShareStatus() ScreenShareStatus { return s.k.room.screenShare.Get() }

// ObserveScreenShareStatus is the state stream of ScreenShareStatus. It ends
// with the call.
func (s *SelfParticipant) ObserveScreenShareStatus() observable.Of[ScreenShareStatus] {
	return s.k.room.screenShare.Observe()
}

// StartScreenShare is Call.ShareScreen.
func (s *SelfParticipant) StartScreenShare(ctx context.Context, source media.Source, o MediaOptions) (*ExtraLeg, error) {
	return s.k.ShareScreen(ctx, source, o)
}

// StopScreenShare ends the call's screen share; without one it does nothing.
func (s *SelfParticipant) StopScreenShare(ctx context.Context) error {
	return s.stopExtra(ctx, func(x *ExtraLeg) bool { return x.screen })
}

// AddAdditionalDevice is Call.AddVideo.
func (s *SelfParticipant) AddAdditionalDevice(ctx context.Context, source media.Source, o MediaOptions) (*ExtraLeg, error) {
	return s.k.AddVideo(ctx, source, o)
}

// RemoveAdditionalDevice ends the device with that id, ExtraLeg.ID; an unknown
// one does nothing.
func (s *SelfParticipant) RemoveAdditionalDevice(ctx context.Context, id string) error {
	return s.stopExtra(ctx, func(x *ExtraLeg) bool { return !x.screen && x.id == id })
}

func (s *SelfParticipant) stopExtra(ctx context.Context, match func(*ExtraLeg) bool) error {
	var found *ExtraLeg
	err := s.k.c.ask(ctx, func() {
		for _, x := range s.k.c.extras {
			if x.k == s.k && match(x) {
				found = x
			}
		}
	})
	if err != nil || found == nil {
		return err
	}
	return found.Stop(ctx)
}

// show tells how a shared screen is doing; devices have no such status. On the
// loop.
func (x *ExtraLeg) show(status ScreenShareStatus) {
	if x.screen {
		x.k.room.screenShare.Set(status)
	}
}

// became is show, unless the leg has ended by now.
func (x *ExtraLeg) became(status ScreenShareStatus) {
	_ = x.k.c.ask(context.Background(), func() {
		if x.k.c.extras[x.id] == x {
			x.show(status)
		}
	})
}
