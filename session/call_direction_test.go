package session_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// A camera that is switched on in the middle of a call which so far only received video is seen.
func TestVideoThatIsSwitchedOnLaterArrives(t *testing.T) {
	srv := sessiontest.NewServer(t)
	o := dialing()
	o.VideoSource, o.Video, o.ReceiveVideo = media.NewTestPattern(), media.Off, media.On
	k := connected(t, onLoopback(t, srv, "ann"), "/public/echo", o)
	if err := k.SetDirections(t.Context(), media.Directions{Audio: media.SendRecv, Video: media.SendRecv}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "video goes to the gateway and comes back", func() bool {
		info, _ := srv.Call(k.ID())
		return info.Section("video").PacketsIn > 10 && k.Stats().Video.PacketsReceived > 10
	})
}

// What comes in can be switched off and on again, in each kind by itself; the Browser
// SDK only says that it cannot (B1 of api.md). A refusal changes nothing.
func TestIncomingMediaIsSwitchedOffAndOnAgain(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		ann, heard, seen := b.client(t, "ann"), newListener(t), &videoPackets{}
		k := connected(t, ann.Client, "/public/echo", ann.dialing(session.MediaOptions{
			AudioSource: newTone(t, 440, -12), AudioSink: heard, VideoSource: media.NewTestPattern(), VideoSink: seen,
		}))
		expect := func(what string, want media.Directions) {
			t.Helper()
			pass(time.Second) // what was under way has arrived
			before := seen.n.Load()
			pass(2 * time.Second)
			if d := k.Directions(); d != want {
				t.Errorf("%s: directions %v, want %v", what, d, want)
			}
			if hears := heard.Level() > -20; hears != want.Audio.Receives() {
				t.Errorf("%s: ann hears %.0f dBFS", what, heard.Level())
			}
			if sees := seen.n.Load() > before; sees != want.Video.Receives() {
				t.Errorf("%s: %d pictures", what, seen.n.Load()-before)
			}
		}
		both := media.Directions{Audio: media.SendRecv, Video: media.SendRecv}
		do := func(toggle func(context.Context) error) {
			t.Helper()
			if err := toggle(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		expect("before", both)
		do(k.ToggleIncomingAudio)
		expect("without audio", media.Directions{Audio: media.SendOnly, Video: media.SendRecv})
		do(k.ToggleIncomingVideo)
		expect("without both", media.Directions{Audio: media.SendOnly, Video: media.SendOnly})
		b.srv.Inject(sessiontest.Fault{
			Match: sessiontest.Match{Verto: "verto.modify"}, Action: sessiontest.Action{Kind: sessiontest.FaultVertoError, Code: -32002},
		})
		if err := k.ToggleIncomingVideo(t.Context()); !errors.As(err, new(*errs.JSONRPCError)) {
			t.Errorf("refused with %v", err)
		}
		expect("refused", media.Directions{Audio: media.SendOnly, Video: media.SendOnly})
		do(k.ToggleIncomingVideo)
		do(k.ToggleIncomingAudio)
		expect("again", both)
		b.over(t, ann, k)
		if err := k.ToggleIncomingAudio(t.Context()); !errors.As(err, new(*errs.InvalidStateTransitionError)) {
			t.Errorf("after the end: %v", err)
		}
	})
}

// videoPackets counts packets of video.
type videoPackets struct{ n atomic.Int64 }

func (p *videoPackets) Codecs() []string               { return nil }
func (p *videoPackets) Open() error                    { return nil }
func (p *videoPackets) WritePacket(media.Packet) error { p.n.Add(1); return nil }
func (p *videoPackets) Close() error                   { return nil }
