package session_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
	"github.com/google/go-cmp/cmp"
)

// preferring opens a client with preferences, whose requests are kept.
func (b *callBubble) preferring(t *testing.T, name string, f func(*session.PreferenceValues)) (lineOf, *tap) {
	t.Helper()
	p := &tap{}
	return b.open(t, name, session.Options{WireTap: p.take, Preferences: preferring(f)}), p
}

// offers dials and returns what was offered.
func offers(t *testing.T, l lineOf, p *tap, to string, o session.MediaOptions) string {
	t.Helper()
	k := mustDial(t, l.Client, to, l.dialing(o))
	if err := k.Hangup(t.Context()); err != nil {
		t.Error(err)
	}
	return p.last(t, "verto.invite").Message.Params.SDP
}

// TestCallReceivesWhatIsPreferred, unless the address or an option says otherwise.
func TestCallReceivesWhatIsPreferred(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		ann, sent := b.preferring(t, "ann", func(*session.PreferenceValues) {})
		pattern := func() session.MediaOptions { return session.MediaOptions{VideoSource: media.NewTestPattern()} }
		const echo = "/public/echo"
		for _, c := range []struct {
			name         string
			audio, video media.Toggle
			to           string
			o            session.MediaOptions
			want         media.Directions
		}{
			{"nothing said", 0, 0, echo, session.MediaOptions{}, media.Directions{Audio: media.SendRecv}},
			{"no audio preferred", media.Off, 0, echo, session.MediaOptions{}, media.Directions{Audio: media.SendOnly}},
			{"and an option", media.Off, 0, echo, session.MediaOptions{ReceiveAudio: media.On}, media.Directions{Audio: media.SendRecv}},
			{"video preferred", 0, media.On, echo, session.MediaOptions{}, media.Directions{Audio: media.SendRecv, Video: media.RecvOnly}},
			{"and an option", 0, media.On, echo, session.MediaOptions{ReceiveVideo: media.Off}, media.Directions{Audio: media.SendRecv}},
			{"and the address", 0, media.On, echo + "?channel=audio", session.MediaOptions{}, media.Directions{Audio: media.SendRecv}},
			{"video sent", 0, 0, echo, pattern(), media.Directions{Audio: media.SendRecv, Video: media.SendRecv}},
			{"video sent, none preferred", 0, media.Off, echo, pattern(), media.Directions{Audio: media.SendRecv, Video: media.SendOnly}},
			{"and the address", 0, media.Off, echo + "?channel=video", pattern(), media.Directions{Audio: media.SendRecv, Video: media.SendRecv}},
			{"address and option", 0, media.Off, echo + "?channel=video", session.MediaOptions{ReceiveVideo: media.Off, ReceiveAudio: media.Off},
				media.Directions{Audio: media.SendOnly}},
		} {
			change(t, ann.Client, func(p *session.PreferenceValues) { p.ReceiveAudio, p.ReceiveVideo = c.audio, c.video })
			if got := media.OfferedDirections(offers(t, ann, sent, c.to, c.o)); got != c.want {
				t.Errorf("%s: %v, want %v", c.name, got, c.want)
			}
		}
	})
}

func TestAnswerReceivesWhatIsPreferred(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		ann := b.client(t, "ann")
		bob, _ := b.preferring(t, "bob", func(p *session.PreferenceValues) { p.ReceiveVideo = media.Off })
		for _, c := range []struct {
			o    session.MediaOptions
			want media.Direction
		}{{session.MediaOptions{}, media.Inactive}, {session.MediaOptions{ReceiveVideo: media.On}, media.RecvOnly}} {
			incoming := bob.ObserveIncoming()
			out := mustDial(t, ann.Client, "/private/bob", ann.dialing(session.MediaOptions{VideoSource: media.NewTestPattern()}))
			in := next(t, incoming)
			if err := in.Answer(t.Context(), bob.media(c.o)); err != nil {
				t.Fatal(err)
			}
			awaitStatus(t, in, session.CallStatusConnected)
			if got := in.Directions(); got.Video != c.want || got.Audio != media.SendRecv {
				t.Errorf("directions %v, want video %v", got, c.want)
			}
			b.over(t, ann, out)
			<-in.Done()
		}
	})
}

// firstOf is the first format of a kind in an offer.
func firstOf(sdp, kind string) string {
	_, line, _ := strings.Cut(sdp, "m="+kind+" ")
	line, _, _ = strings.Cut(line, "\r\n")
	return strings.Split(line+"   ", " ")[2]
}

func TestCallOffersPreferredCodecsFirst(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		ann, sent := b.preferring(t, "ann", func(p *session.PreferenceValues) {
			p.AudioCodecs, p.VideoCodecs, p.ReceiveVideo = []string{"no-such", "pcma"}, []string{"VP9"}, media.On
		})
		quiet := session.MediaOptions{Audio: media.Off}
		if sdp := offers(t, ann, sent, "/public/echo", quiet); firstOf(sdp, "audio") != "8" || firstOf(sdp, "video") != "98" {
			t.Errorf("preferred: audio %s, video %s", firstOf(sdp, "audio"), firstOf(sdp, "video"))
		}
		quiet.Codecs = []string{"PCMU"}
		if sdp := offers(t, ann, sent, "/public/echo", quiet); firstOf(sdp, "audio") != "0" || firstOf(sdp, "video") != "96" {
			t.Errorf("with an option: audio %s, video %s", firstOf(sdp, "audio"), firstOf(sdp, "video"))
		}
		quiet.Codecs = []string{}
		if sdp := offers(t, ann, sent, "/public/echo", quiet); firstOf(sdp, "audio") != "111" || firstOf(sdp, "video") != "96" {
			t.Errorf("with an empty option: audio %s, video %s", firstOf(sdp, "audio"), firstOf(sdp, "video"))
		}
	})
}

func TestCallOffersStereoIfPreferred(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		ann, sent := b.preferring(t, "ann", func(p *session.PreferenceValues) { p.StereoAudio = true })
		plain, plainSent := b.tapped(t, "bob")
		const stereo = "stereo=1"
		if sdp := offers(t, ann, sent, "/public/echo", session.MediaOptions{Audio: media.Off}); !strings.Contains(sdp, stereo) {
			t.Error("preferred, and not offered")
		}
		if sdp := offers(t, ann, sent, "/public/echo", session.MediaOptions{Audio: media.Off, Stereo: media.Off}); strings.Contains(sdp, stereo) {
			t.Error("offered against an option")
		}
		if sdp := offers(t, plain, plainSent, "/public/echo", session.MediaOptions{Audio: media.Off}); strings.Contains(sdp, stereo) {
			t.Error("offered by another client")
		}
		if sdp := offers(t, plain, plainSent, "/public/echo", session.MediaOptions{Audio: media.Off, Stereo: media.On}); !strings.Contains(sdp, stereo) {
			t.Error("not offered with an option")
		}
	})
}

// TestCallsCarryPreferredUserVariables under those of the address, of Dial and of
// the service, both ways, and calls that live keep those they have.
func TestCallsCarryPreferredUserVariables(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		ann, sent := b.preferring(t, "ann", func(p *session.PreferenceValues) {
			p.UserVariables = map[string]any{"a": "preferred", "b": "preferred", "c": "preferred", "list": []any{"x"}}
		})
		bob, _ := b.preferring(t, "bob", func(p *session.PreferenceValues) { p.UserVariables = map[string]any{"a": "bob", "mine": true} })
		incoming := bob.ObserveIncoming()
		o := ann.dialing(session.MediaOptions{})
		o.UserVariables = map[string]any{"c": "dialled"}
		out := mustDial(t, ann.Client, "/private/bob?b=address&c=address", o)
		variables := sent.last(t, "verto.invite").Message.Params.Dialog["userVariables"].(map[string]any)
		delete(variables, "memberCallId")
		want := map[string]any{"a": "preferred", "b": "address", "c": "dialled", "list": []any{"x"}}
		if diff := cmp.Diff(want, variables); diff != "" {
			t.Errorf("the invite: %s", diff)
		}
		in := next(t, incoming)
		if v := in.UserVariables(); v["a"] != "preferred" || v["mine"] != true {
			t.Errorf("the inbound call: %v", v)
		}
		change(t, ann.Client, func(p *session.PreferenceValues) { p.UserVariables["a"] = "changed" })
		out.UserVariables()["list"].([]any)[0] = "spoilt"
		if v := out.UserVariables(); v["a"] != "preferred" {
			t.Errorf("the call that lives: %v", v)
		}
		if p := ann.Preferences().Get(); p.UserVariables["list"].([]any)[0] != "x" {
			t.Error("a call has changed the preferences")
		}
		b.over(t, ann, out)
		<-in.Done()
	})
}

// TestDialWaitsForCandidatesAsLongAsPreferred: a STUN server that does not answer
// keeps gathering going.
func TestDialWaitsForCandidatesAsLongAsPreferred(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		ann, _ := b.preferring(t, "ann", func(p *session.PreferenceValues) {
			p.ICEServers = []media.ICEServer{{URLs: []string{"stun:10.0.0.99:3478"}}}
		})
		for _, c := range []struct{ candidate, gathering, want time.Duration }{
			{200 * time.Millisecond, time.Minute, 600 * time.Millisecond}, // without one from a server: three times
			{time.Second, time.Minute, 3 * time.Second},
			{time.Minute, 2 * time.Second, 2 * time.Second},
		} {
			change(t, ann.Client, func(p *session.PreferenceValues) {
				p.ICECandidateTimeout, p.ICEGatheringTimeout = c.candidate, c.gathering
			})
			began := time.Now()
			k := mustDial(t, ann.Client, "/public/echo", ann.dialing(session.MediaOptions{}))
			if took := time.Since(began); took < c.want || took > c.want+200*time.Millisecond {
				t.Errorf("candidates %v, gathering %v: it took %v, want %v", c.candidate, c.gathering, took, c.want)
			}
			b.over(t, ann, k)
		}
	})
}

// relayed dials over real sockets and returns the kinds of candidates offered.
func relayed(t *testing.T, c *session.Client, p *tap, o session.MediaOptions) (host, relay bool) {
	t.Helper()
	k := mustDial(t, c, "/public/echo", session.DialOptions{MediaOptions: onLoop(o)})
	sdp := p.last(t, "verto.invite").Message.Params.SDP
	if err := k.Hangup(t.Context()); err != nil {
		t.Error(err)
	}
	return strings.Contains(sdp, "typ host"), strings.Contains(sdp, "typ relay")
}

// realClient is a client of a gateway over real sockets, whose requests are kept.
func realClient(t *testing.T, srv *sessiontest.Server, f func(*session.PreferenceValues)) (*session.Client, *tap) {
	t.Helper()
	p := &tap{}
	sat := srv.IssueSAT(sessiontest.SATRequest{Reference: "ann", TTL: time.Hour})
	c, err := session.Open(t.Context(), session.StaticCredentials(session.Credential{Token: sat.Token}), session.Options{
		APIURL: srv.APIURL(), RelayURL: srv.RelayURL(), HTTPClient: srv.Client(), DPoPKey: sharedKey(), WireTap: p.take,
		Preferences: preferring(f),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c, p
}

func TestCallsGoThroughRelaysIfPreferred(t *testing.T) {
	srv := sessiontest.NewServer(t)
	c, p := realClient(t, srv, func(p *session.PreferenceValues) { p.RelayOnly = true })
	if host, relay := relayed(t, c, p, session.MediaOptions{}); host || !relay {
		t.Errorf("preferred: host %t, relay %t", host, relay)
	}
	if host, _ := relayed(t, c, p, session.MediaOptions{RelayOnly: media.Off}); !host {
		t.Error("an option does not win")
	}
}

// TestCallsUseThePreferredICEServers instead of the service's, which has none
// here, unless an option brings others.
func TestCallsUseThePreferredICEServers(t *testing.T) {
	other, _ := realClient(t, sessiontest.NewServer(t), func(*session.PreferenceValues) {})
	c, p := realClient(t, sessiontest.NewServer(t, sessiontest.Options{NoTURN: true}), func(p *session.PreferenceValues) {
		p.RelayOnly, p.ICEServers = true, other.ICEServers()
	})
	if host, relay := relayed(t, c, p, session.MediaOptions{}); host || !relay {
		t.Errorf("preferred: host %t, relay %t", host, relay)
	}
	_, err := c.Dial(t.Context(), "/public/echo", session.DialOptions{MediaOptions: onLoop(session.MediaOptions{ICEServers: []media.ICEServer{}})})
	wantNoCall(t, err, errs.CallMediaFailed)
	change(t, c, func(p *session.PreferenceValues) { p.ICEServers = nil })
	_, err = c.Dial(t.Context(), "/public/echo", session.DialOptions{MediaOptions: onLoop(session.MediaOptions{})})
	wantNoCall(t, err, errs.CallMediaFailed)
}

// TestCallsAvoidUDPIfPreferred: only relays over TCP are left, and without one
// there is no call.
func TestCallsAvoidUDPIfPreferred(t *testing.T) {
	srv := sessiontest.NewServer(t)
	c, p := realClient(t, srv, func(p *session.PreferenceValues) { p.DisableUDPICEServers = true })
	if host, relay := relayed(t, c, p, session.MediaOptions{}); host || !relay {
		t.Errorf("host %t, relay %t", host, relay)
	}
	k := connected(t, c, "/public/echo", session.DialOptions{MediaOptions: onLoop(session.MediaOptions{})})
	change(t, c, func(p *session.PreferenceValues) { p.DisableUDPICEServers = false }) // for other calls than this
	replaceSession(t, srv, c, "ann")
	awaitStatus(t, k, session.CallStatusConnected)
	if again := p.last(t, "verto.invite").Message.Params.SDP; reinvites(srv, k) != 2 || strings.Contains(again, "typ host") {
		t.Errorf("attached with\n%s", again)
	}
	if err := k.Hangup(t.Context()); err != nil {
		t.Error(err)
	}
	servers := c.ICEServers()
	for i, s := range servers {
		for _, url := range s.URLs {
			if strings.Contains(url, "udp") {
				servers[i].URLs = []string{url}
			}
		}
	}
	change(t, c, func(p *session.PreferenceValues) { p.DisableUDPICEServers, p.ICEServers = true, servers })
	_, err := c.Dial(t.Context(), "/public/echo", session.DialOptions{MediaOptions: onLoop(session.MediaOptions{})})
	wantNoCall(t, err, errs.CallMediaFailed)
	var invalid *errs.ConfigError
	if !errors.As(err, &invalid) || invalid.Field != "ICEServers" {
		t.Errorf("Dial: %v", err)
	}
}
