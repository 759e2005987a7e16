package soundcard_test

import (
	"context"
	"testing"
	"time"

	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// signIn is a client of that name.
func signIn(t testing.TB, gw *sessiontest.Server, name string, devices media.DeviceProvider) *session.Client {
	t.Helper()
	sat := gw.IssueSAT(sessiontest.SATRequest{Reference: name, TTL: time.Hour})
	c, err := session.Open(t.Context(), session.StaticCredentials(session.Credential{Token: sat.Token}),
		session.Options{APIURL: gw.APIURL(), RelayURL: gw.RelayURL(), HTTPClient: gw.Client(), Devices: devices})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// TestCallIsHeldWithMicrophoneAndLoudspeaker: what sounds in the room "desk" is ann's
// microphone and heard by bob; what bob says sounds in her loudspeaker "ear".
func TestCallIsHeldWithMicrophoneAndLoudspeaker(t *testing.T) {
	plugIn(t, "ear")
	p := open(t)
	awake(t, p, "desk")
	awake(t, p, "ear")
	play(t, output(t, p, "desk"), 440, -12)
	microphone, loudspeaker := input(t, p, media.Constraints{DeviceID: "desk.monitor"}), output(t, p, "ear")
	gw := sessiontest.NewServer(t, sessiontest.Options{})
	ann, bob := signIn(t, gw, "ann", nil), signIn(t, gw, "bob", nil)
	tone, err := media.NewTone(1000, -20)
	if err != nil {
		t.Fatal(err)
	}
	heard, err := media.NewListener(48000, 1)
	if err != nil {
		t.Fatal(err)
	}
	incoming := bob.ObserveIncoming()
	ctx := within(t, 30*time.Second)
	call, err := ann.Dial(ctx, "/private/bob", session.DialOptions{MediaOptions: session.MediaOptions{
		AudioSource: microphone, AudioSink: loudspeaker,
	}})
	if err != nil {
		t.Fatal(err)
	}
	in, err := incoming.Wait(ctx, nil)
	if err == nil {
		err = in.Answer(ctx, session.MediaOptions{AudioSource: tone, AudioSink: heard})
	}
	if err != nil {
		t.Fatal(err)
	}
	hears(t, 440, -12, 1, by(ctx, heard))
	hears(t, 1000, -20, 1, of(ctx, input(t, p, media.Constraints{DeviceID: "ear.monitor"})))
	if err := call.Hangup(ctx); err != nil {
		t.Error(err)
	}
	<-call.Done()
	if err := microphone.Send(ctx, nil); err == nil {
		t.Error("the call has not given the microphone back")
	}
	t.Logf("%v dropped, %d underruns", microphone.Dropped(), loudspeaker.Underruns())
}

// by is what a listener hears.
func by(ctx context.Context, l *media.Listener) func(func([]int16) error) error {
	return func(use func([]int16) error) error {
		for {
			frame, err := l.ReadFrame(ctx)
			if err == nil {
				err = use(frame)
			}
			if err != nil {
				return err
			}
		}
	}
}

// TestCallGoesOnWithAnotherMicrophone: the client captures from the default device,
// which is unplugged in mid-call.
func TestCallGoesOnWithAnotherMicrophone(t *testing.T) {
	unplug := plugIn(t, "car")
	pactl(t, "set-default-source", "car.monitor")
	p := open(t)
	awake(t, p, "desk")
	play(t, output(t, p, "desk"), 440, -12)
	play(t, output(t, p, "car"), 1000, -20)
	gw := sessiontest.NewServer(t, sessiontest.Options{})
	ann, bob := signIn(t, gw, "ann", p), signIn(t, gw, "bob", nil)
	heard, err := media.NewListener(48000, 1)
	if err != nil {
		t.Fatal(err)
	}
	incoming := bob.ObserveIncoming()
	ctx := within(t, time.Minute)
	call, err := ann.Dial(ctx, "/private/bob", session.DialOptions{})
	if err != nil {
		t.Fatal(err)
	}
	in, err := incoming.Wait(ctx, nil)
	if err == nil {
		err = in.Answer(ctx, session.MediaOptions{AudioSink: heard})
	}
	if err != nil {
		t.Fatal(err)
	}
	hears(t, 1000, -20, 1, by(ctx, heard))
	unplug()
	hears(t, 440, -12, 1, by(ctx, heard))
	if got := ann.Devices().SelectedAudioInput(); got == nil || got.ID != "desk.monitor" {
		t.Errorf("selected is %v", got)
	}
	if err := call.Hangup(ctx); err != nil {
		t.Error(err)
	}
	<-call.Done()
}
