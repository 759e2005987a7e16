package session_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// With push-to-talk nothing is heard until the key is pressed, and the gain is
// heard at the far end.
func TestPushToTalkAndGainAreHeardAtTheFarEnd(t *testing.T) {
	srv := sessiontest.NewServer(t)
	ann := onLoopback(t, srv, "ann")
	ctx, cancel := context.WithTimeout(t.Context(), 2*soon)
	defer cancel()
	tone, _ := media.NewTone(440, -20)
	listener, err := media.NewListener(8000, 1)
	if err != nil {
		t.Fatal(err)
	}
	k := mustDial(t, ann, "/public/echo", session.DialOptions{MediaOptions: onLoop(session.MediaOptions{AudioSource: tone, AudioSink: listener})})
	k.EnablePushToTalk()
	if k.LocalAudioLevel() != 0 || k.LocalMicrophoneGain() != 100 || k.LocalSpeaking() {
		t.Error("something is measured before there is media")
	}
	awaitStatus(t, k, session.CallStatusConnected)
	hears := func(above, below float64) {
		t.Helper()
		for steady := 0; steady < 5; {
			if _, err := listener.ReadFrame(ctx); err != nil {
				t.Fatalf("never between %v and %v dBFS: %v", above, below, listener.Level())
			}
			steady++
			if l := listener.Level(); l <= above || l >= below {
				steady = 0
			}
		}
	}
	if _, err := k.ObserveLocalSpeaking().Wait(ctx, func(s bool) bool { return s }); err != nil { // the key is released
		t.Fatal(err)
	}
	hears(-200, -100)
	k.SetPushToTalkActive(true)
	hears(-22, -18)
	if l := k.RemoteAudioLevel(); l < 0.05 || l > 0.1 { // a sine of -20 dBFS is 0.07
		t.Errorf("the remote level is %v", l)
	}
	if l := k.LocalAudioLevel(); l < 0.05 || l > 0.1 {
		t.Errorf("the local level is %v", l)
	}
	k.SetLocalMicrophoneGain(200)
	hears(-16, -12)
	k.SetLocalMicrophoneGain(300)
	if g := k.LocalMicrophoneGain(); g != 200 {
		t.Errorf("the gain is %v", g)
	}
	k.SetPushToTalkActive(false)
	hears(-200, -100)
	another, _ := media.NewTone(880, -20)
	if err := selfOf(t, k).AddAudioInputDevice(ctx, another); err != nil { // D07: which bypasses the key in the Browser SDK
		t.Fatal(err)
	}
	hears(-200, -100)
	k.SetLocalMicrophoneGain(50)
	k.DisablePushToTalk()
	hears(-28, -24)
	if err := k.Hangup(ctx); err != nil {
		t.Error(err)
	}
	wantCompleted(t, ctx, k)
}

// D49, and 12 of B3: in the Browser SDK a given source is not used, and nothing
// happens while another one is sent.
func TestAnInputThatIsAddedIsSent(t *testing.T) {
	srv := sessiontest.NewServer(t)
	ann := onLoopback(t, srv, "ann")
	ctx, cancel := context.WithTimeout(t.Context(), 2*soon)
	defer cancel()
	listener, err := media.NewListener(8000, 1)
	if err != nil {
		t.Fatal(err)
	}
	o := onLoop(session.MediaOptions{AudioSink: listener, Audio: media.Off, ReceiveAudio: media.On, Codecs: []string{media.PCMU}})
	k := connected(t, ann, "/public/lobby", session.DialOptions{MediaOptions: o})
	self := selfOf(t, k)
	if err := self.AddAudioInputDevice(ctx, nil); !errors.As(err, new(*errs.InvalidParamsError)) {
		t.Errorf("nothing to add: %v", err)
	}
	if d := k.Directions(); d.Audio != media.RecvOnly {
		t.Fatalf("directions %v", d)
	}
	for _, hz := range []float64{440, 880} {
		tone, err := media.NewTone(hz, -12)
		if err != nil {
			t.Fatal(err)
		}
		if err := self.AddAudioInputDevice(ctx, tone); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the tone is sent", func() bool { return k.LocalSpeaking() && k.Directions().Audio == media.SendRecv })
	}
	if err := self.AddVideoInputDevice(ctx, media.NewTestPattern()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "pictures are sent", func() bool { return k.Stats().Video.PacketsSent > 0 })
	if err := k.Hangup(ctx); err != nil {
		t.Error(err)
	}
	if err := self.AddVideoInputDevice(ctx, media.NewTestPattern()); !errors.As(err, new(*errs.InvalidStateTransitionError)) {
		t.Errorf("after the end: %v", err)
	}
}

// packetsOf is a sink that takes packets of one codec only.
type packetsOf struct {
	media.Sink
	codec string
}

func (p packetsOf) Codecs() []string { return []string{p.codec} }

// D70: the far end is measured for those who watch, whatever the codec and the sink, and
// for nobody else. It falls silent with the far end.
func TestTheFarEndIsMeasuredWhileSomebodyWatches(t *testing.T) {
	for _, codec := range []string{media.PCMU, media.Opus} {
		t.Run(codec, func(t *testing.T) {
			srv := sessiontest.NewServer(t)
			ann := onLoopback(t, srv, "ann")
			ctx, cancel := context.WithTimeout(t.Context(), 2*soon)
			defer cancel()
			o := onLoop(session.MediaOptions{AudioSink: packetsOf{media.Discard(), codec}})
			k := connected(t, ann, "/public/tone", session.DialOptions{MediaOptions: o})
			eventually(t, "the tone arrives", func() bool { return k.Stats().Audio.PacketsReceived > 10 })
			if got := k.Stats().Audio.ReceiveCodec; !strings.HasPrefix(got, codec+"/") {
				t.Fatalf("the tone comes in %s", got)
			}
			if l := k.RemoteAudioLevel(); codec == media.Opus && l != 0 {
				t.Errorf("Opus is decoded for nobody: level %v", l)
			}
			isTone := func(level float64) bool { return level > 0.34 && level < 0.37 } // 0.5 / sqrt 2 is 0.354
			if l, err := k.ObserveRemoteAudioLevel().Wait(ctx, isTone); err != nil {
				t.Fatalf("the tone is never as loud as it is: %v", err)
			} else if again := k.RemoteAudioLevel(); codec == media.PCMU && !isTone(again) {
				t.Errorf("the snapshot says %v, the stream said %v", again, l)
			}
			sub := k.ObserveRemoteAudioLevel().Subscribe(ctx, func(float64) {})
			defer sub.Cancel()
			eventually(t, "the snapshot is that of the stream", func() bool { return isTone(k.RemoteAudioLevel()) })
			srv.DropMedia(k.ID(), true)
			if _, err := k.ObserveRemoteAudioLevel().Wait(ctx, func(l float64) bool { return l == 0 }); err != nil {
				t.Fatalf("the level stays at %v", k.RemoteAudioLevel())
			}
			if err := k.Hangup(ctx); err != nil {
				t.Error(err)
			}
			wantCompleted(t, ctx, k)
		})
	}
}
