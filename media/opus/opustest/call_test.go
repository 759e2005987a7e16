package opustest_test

import (
	"fmt"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/media/opus"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
	"github.com/pion/logging"
	"github.com/pion/transport/v5/vnet"
	"github.com/pion/webrtc/v4"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestToneSentAsOpusIsHeard: samples are encoded by one client, pass the gateway
// as Opus, and are decoded by the other, mono and stereo.
func TestToneSentAsOpusIsHeard(t *testing.T) {
	for _, stereo := range []media.Toggle{media.Off, media.On} {
		t.Run(fmt.Sprintf("stereo=%v", stereo == media.On), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { sendTone(t, stereo) })
		})
	}
}

func sendTone(t *testing.T, stereo media.Toggle) {
	hosts := network(t, 3)
	gw := sessiontest.NewServer(t, sessiontest.Options{InMemory: true, SettingEngine: hosts[0]})
	ann, bob := open(t, gw, "ann"), open(t, gw, "bob")
	tone, err := media.NewTone(440, -12)
	if err != nil {
		t.Fatal(err)
	}
	heard, err := media.NewListener(16000, 1)
	if err != nil {
		t.Fatal(err)
	}
	incoming := bob.ObserveIncoming()
	out, err := ann.Dial(t.Context(), "/private/bob", session.DialOptions{MediaOptions: session.MediaOptions{
		AudioSource: tone, OpusEncoder: encoder, Stereo: stereo, SettingEngine: hosts[1],
	}})
	if err != nil {
		t.Fatal(err)
	}
	in, err := incoming.Wait(t.Context(), nil)
	if err == nil {
		err = in.Answer(t.Context(), session.MediaOptions{AudioSink: heard, Stereo: stereo, SettingEngine: hosts[2]})
	}
	if err != nil {
		t.Fatal(err)
	}
	listen(t, heard, time.Second) // until it is steady
	if hz, dBFS := measure(listen(t, heard, time.Second)); math.Abs(hz-440) > 5 || math.Abs(dBFS+12) > 1.5 {
		t.Errorf("heard %.0f Hz at %.1f dBFS, want 440 at -12", hz, dBFS)
	}
	sent, received := out.Stats().Audio, in.Stats().Audio
	if sent.SendCodec != "opus/48000/2" || received.ReceiveCodec != "opus/48000/2" || received.PacketsLost != 0 || received.Malformed != 0 {
		t.Errorf("sent %+v\nreceived %+v", sent, received)
	}
	if err := out.Hangup(t.Context()); err != nil {
		t.Error(err)
	}
	<-in.Done()
}

func encoder(channels int) (media.Encoder, error) { return opus.NewEncoder(48000, channels, nil) }

// network gives each host of a virtual network to pion.
func network(t *testing.T, hosts int) (at []func(*webrtc.SettingEngine)) {
	t.Helper()
	router, err := vnet.NewRouter(&vnet.RouterConfig{CIDR: "10.0.0.0/24", LoggerFactory: logging.NewDefaultLoggerFactory()})
	for i := range hosts {
		var host *vnet.Net
		if err == nil {
			host, err = vnet.NewNet(&vnet.NetConfig{StaticIPs: []string{fmt.Sprintf("10.0.0.%d", i+1)}})
		}
		if err == nil {
			err = router.AddNet(host)
		}
		at = append(at, func(s *webrtc.SettingEngine) { s.SetNet(host) })
	}
	if err == nil {
		err = router.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = router.Stop() })
	return at
}

func open(t *testing.T, gw *sessiontest.Server, name string) *session.Client {
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

// listen returns what is heard from now on, at 16,000 samples per second.
func listen(t *testing.T, l *media.Listener, d time.Duration) (pcm []int16) {
	t.Helper()
	for want := int(16 * d.Milliseconds()); len(pcm) < want; {
		frame, err := l.ReadFrame(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		pcm = append(pcm, frame...)
	}
	return pcm
}

// measure returns the frequency of a second of a sine, which rises through zero
// once in a period, and its level: 0 dBFS is a sine at full scale.
func measure(pcm []int16) (hz, dBFS float64) {
	power := 0.0
	for i, s := range pcm {
		power += float64(s) * float64(s) / float64(len(pcm))
		if i > 0 && pcm[i-1] < 0 && s >= 0 {
			hz++
		}
	}
	return hz, 10 * math.Log10(2*power/32768/32768)
}
