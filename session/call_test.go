package session_test

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
	"github.com/pion/webrtc/v4"
)

// onLoopback opens a client of a gateway over real sockets.
func onLoopback(t *testing.T, srv *sessiontest.Server, name string) *session.Client {
	t.Helper()
	sat := srv.IssueSAT(sessiontest.SATRequest{Reference: name, TTL: time.Hour})
	c, err := session.Open(t.Context(), session.StaticCredentials(session.Credential{Token: sat.Token}), session.Options{
		APIURL: srv.APIURL(), RelayURL: srv.RelayURL(), HTTPClient: srv.Client(), DPoPKey: sharedKey(),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// loopbackMedia keeps candidates to this machine.
func loopbackMedia(s *webrtc.SettingEngine) {
	s.SetIncludeLoopbackCandidate(true)
	s.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
}

func awaitStatus(t *testing.T, k *session.Call, want session.CallStatus) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if _, err := k.ObserveStatus().Wait(ctx, func(s session.CallStatus) bool { return s == want }); err != nil {
		t.Fatalf("the call did not become %v: it is %v: %v, %v", want, k.Status(), err, k.Err())
	}
}

func TestDialEchoHearsItsOwnTone(t *testing.T) {
	srv := sessiontest.NewServer(t)
	c := onLoopback(t, srv, "ann")
	tone, err := media.NewTone(440, -12)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := media.NewListener(16000, 1)
	if err != nil {
		t.Fatal(err)
	}
	k, err := c.Dial(t.Context(), "/public/echo", session.DialOptions{MediaOptions: session.MediaOptions{
		AudioSource: tone, AudioSink: listener, SettingEngine: loopbackMedia,
	}})
	if err != nil {
		t.Fatal(err)
	}
	awaitStatus(t, k, session.CallStatusConnected)
	eventually(t, "the tone comes back, for a while in which the machine is not too busy for it", func() bool {
		hz, level := loudest(hear(t, listener, 200*time.Millisecond), 16000)
		return math.Abs(hz-440) <= 5 && math.Abs(level+12) <= 1.5
	})
	if err := k.Hangup(t.Context()); err != nil {
		t.Error(err)
	}
	<-k.Done()
	if k.Status() != session.CallStatusDestroyed || k.EndReason().By != errs.EndedByLocal || len(c.Calls()) != 0 {
		t.Errorf("status %v, reason %v, calls %v", k.Status(), k.Err(), c.Calls())
	}
}

// loudest finds the frequency with the most power by brute force.
func loudest(pcm []int16, rate int) (hz, dBFS float64) {
	best := 0.0
	for f := 300.0; f < 600; f++ {
		var re, im float64
		for i, s := range pcm {
			a := 2 * math.Pi * f * float64(i) / float64(rate)
			re += float64(s) * math.Cos(a)
			im += float64(s) * math.Sin(a)
		}
		if p := re*re + im*im; p > best {
			best, hz = p, f
		}
	}
	amplitude := 2 * math.Sqrt(best) / float64(len(pcm))
	return hz, 20 * math.Log10(amplitude/32768)
}

func TestDialSaysWhyThereIsNoCall(t *testing.T) {
	srv := sessiontest.NewServer(t)
	c := onLoopback(t, srv, "ann")
	for to, want := range map[string]errs.CallCreateReason{
		"/public/fail": errs.CallRejected, "/private/nobody": errs.CallNoSuchAddress, "": errs.CallFailed,
	} {
		began := time.Now()
		_, err := c.Dial(t.Context(), to, session.DialOptions{MediaOptions: session.MediaOptions{SettingEngine: loopbackMedia}})
		var failed *errs.CallCreateError
		if !errors.As(err, &failed) || failed.Reason != want || failed.To != to || time.Since(began) > 3*time.Second {
			t.Errorf("Dial(%q): %v after %v, want %q", to, err, time.Since(began), want)
		}
		if len(c.Calls()) != 0 {
			t.Errorf("calls left: %v", c.Calls())
		}
	}
}

func TestInboundCallIsAnsweredAndHungUpByTheCaller(t *testing.T) {
	srv := sessiontest.NewServer(t)
	ann, bob := onLoopback(t, srv, "ann"), onLoopback(t, srv, "bob")
	incoming := bob.ObserveIncoming()
	out, err := ann.Dial(t.Context(), "/private/bob", session.DialOptions{MediaOptions: session.MediaOptions{SettingEngine: loopbackMedia}})
	if err != nil {
		t.Fatal(err)
	}
	in, err := incoming.Wait(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := in.Answer(t.Context(), session.MediaOptions{SettingEngine: loopbackMedia}); err != nil {
		t.Fatal(err)
	}
	awaitStatus(t, in, session.CallStatusConnected)
	awaitStatus(t, out, session.CallStatusConnected)
	if err := out.Hangup(t.Context()); err != nil {
		t.Error(err)
	}
	<-in.Done()
	if r := in.EndReason(); r.By != errs.EndedByRemote || r.Code != errs.CauseNormalClearing {
		t.Errorf("bob's call ended %v", r)
	}
}
