package session_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// inRoom connects a call of c to a room, over real sockets.
func inRoom(t *testing.T, c *session.Client, room string, o session.MediaOptions) *session.Call {
	t.Helper()
	o.SettingEngine = loopbackMedia
	k, err := c.Dial(t.Context(), room, session.DialOptions{MediaOptions: o})
	if err != nil {
		t.Fatal(err)
	}
	awaitStatus(t, k, session.CallStatusConnected)
	return k
}

func TestScreenIsAMemberOfItsOwnAndTheCallOutlivesIt(t *testing.T) {
	srv := sessiontest.NewServer(t)
	ann := onLoopback(t, srv, "ann")
	k := inRoom(t, ann, "/public/stage", session.MediaOptions{})
	joined := k.ObserveEvents()
	screen, err := k.ShareScreen(t.Context(), media.NewTestPattern(), session.MediaOptions{SettingEngine: loopbackMedia})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if _, err := joined.Wait(ctx, func(e *session.Event) bool { return e.Type == "member.joined" }); err != nil {
		t.Fatalf("the screen did not join: %v", err)
	}
	if _, err := k.ShareScreen(ctx, media.NewTestPattern(), session.MediaOptions{SettingEngine: loopbackMedia}); !errors.As(err, new(*errs.InvalidStateTransitionError)) {
		t.Errorf("a second screen: %v", err)
	}
	info, ok := srv.Call(screen.ID())
	if !ok || info.Kind != "screen" || info.ParentCallID != k.ID() {
		t.Errorf("the gateway's leg: %+v, %v", info, ok)
	}
	for range 2 {
		if err := screen.Stop(ctx); err != nil {
			t.Error(err)
		}
	}
	<-screen.Done()
	if k.Status() != session.CallStatusConnected {
		t.Errorf("the call is %v", k.Status())
	}
	another, err := k.AddVideo(ctx, media.NewTestPattern(), session.MediaOptions{SettingEngine: loopbackMedia})
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Hangup(ctx); err != nil {
		t.Error(err)
	}
	<-another.Done()
	if _, err := k.ShareScreen(ctx, media.NewTestPattern(), session.MediaOptions{}); !errors.As(err, new(*errs.InvalidStateTransitionError)) {
		t.Errorf("a screen after the call: %v", err)
	}
}

func TestDirectionsAreAgreedAnewOnALiveCall(t *testing.T) {
	srv := sessiontest.NewServer(t)
	ann := onLoopback(t, srv, "ann")
	k := inRoom(t, ann, "/public/echo", session.MediaOptions{})
	if d := k.Directions(); d.Audio != media.SendRecv || d.Video != media.Inactive {
		t.Fatalf("directions %v", d)
	}
	if err := k.SetDirections(t.Context(), media.Directions{Audio: media.SendOnly}); err != nil {
		t.Fatal(err)
	}
	if d := k.Directions(); d.Audio != media.SendOnly {
		t.Errorf("directions %v, want audio sendonly", d)
	}
	if err := k.RestartICE(t.Context()); err != nil {
		t.Fatal(err)
	}
	remove := srv.Inject(sessiontest.Fault{
		Match: sessiontest.Match{Verto: "verto.modify"}, Action: sessiontest.Action{Kind: sessiontest.FaultVertoError},
	})
	err := k.SetDirections(t.Context(), media.Directions{Audio: media.SendRecv})
	remove.Remove()
	if !errors.As(err, new(*errs.JSONRPCError)) || k.Directions().Audio != media.SendOnly {
		t.Errorf("a refused change: %v, directions %v", err, k.Directions())
	}
	if err := k.SetDirections(t.Context(), media.Directions{Audio: media.SendRecv}); err != nil {
		t.Errorf("after the refusal: %v", err)
	}
	awaitStatus(t, k, session.CallStatusConnected)
}

// A closing sink knows whether it was closed.
type closingSink struct {
	media.Sink
	closed chan struct{}
}

func (s closingSink) Close() error { close(s.closed); return nil }

func TestSinksAreClosedAlsoWhenThereIsNoCall(t *testing.T) {
	srv := sessiontest.NewServer(t)
	ann := onLoopback(t, srv, "ann")
	gone := onLoopback(t, srv, "gone")
	if err := gone.Close(); err != nil {
		t.Fatal(err)
	}
	for name, dial := range map[string]func(o session.MediaOptions) error{
		"no destination": func(o session.MediaOptions) error {
			_, err := ann.Dial(t.Context(), "", session.DialOptions{MediaOptions: o})
			return err
		},
		"no such address": func(o session.MediaOptions) error {
			_, err := ann.Dial(t.Context(), "/private/nobody", session.DialOptions{MediaOptions: o})
			return err
		},
		"closed client": func(o session.MediaOptions) error {
			_, err := gone.Dial(t.Context(), "/public/echo", session.DialOptions{MediaOptions: o})
			return err
		},
		"impossible media": func(o session.MediaOptions) error {
			o.RelayOnly, o.ICEServers = media.On, []media.ICEServer{}
			_, err := ann.Dial(t.Context(), "/public/echo", session.DialOptions{MediaOptions: o})
			return err
		},
	} {
		sink := closingSink{media.Discard(), make(chan struct{})}
		if err := dial(session.MediaOptions{AudioSink: sink, SettingEngine: loopbackMedia}); err == nil {
			t.Errorf("%s: there is a call", name)
		}
		select {
		case <-sink.closed:
		case <-time.After(5 * time.Second):
			t.Errorf("%s: the sink is open", name)
		}
	}
}

func TestServiceTellsHowMediaShouldBeCaptured(t *testing.T) {
	srv := sessiontest.NewServer(t)
	k := inRoom(t, onLoopback(t, srv, "ann"), "/public/echo", session.MediaOptions{})
	wishes := k.ObserveMediaParams()
	srv.SendVerto(k.ID(), "verto.mediaParams", map[string]any{
		"callID":      k.ID(),
		"mediaParams": map[string]any{"audio": map[string]any{"echoCancellation": false}},
	})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	p, err := wishes.Wait(ctx, nil)
	if err != nil || p.Audio["echoCancellation"] != false || p.Video != nil {
		t.Errorf("wishes %+v, %v", p, err)
	}
}
