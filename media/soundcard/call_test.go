package soundcard_test

import (
	"testing"
	"time"

	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// signIn is a client of that name.
func signIn(t testing.TB, gw *sessiontest.Server, name string) *session.Client {
	t.Helper()
	sat := gw.IssueSAT(sessiontest.SATRequest{Reference: name, TTL: time.Hour})
	c, err := session.Open(t.Context(), session.StaticCredentials(session.Credential{Token: sat.Token}),
		session.Options{APIURL: gw.APIURL(), RelayURL: gw.RelayURL(), HTTPClient: gw.Client()})
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
	ann, bob := signIn(t, gw, "ann"), signIn(t, gw, "bob")
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
	hears(t, 440, -12, 1, func(use func([]int16) error) error {
		for {
			frame, err := heard.ReadFrame(ctx)
			if err == nil {
				err = use(frame)
			}
			if err != nil {
				return err
			}
		}
	})
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
