package session_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// hear reads so much of what a listener hears.
func hear(t *testing.T, l *media.Listener, d time.Duration) (pcm []int16) {
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

// wantTone checks what a listener hears from now on.
func wantTone(t *testing.T, who string, l *media.Listener, hz, dBFS float64) {
	t.Helper()
	hear(t, l, 500*time.Millisecond)
	gotHz, level := loudest(hear(t, l, 200*time.Millisecond), 16000)
	if math.Abs(gotHz-hz) > 5 || math.Abs(level-dBFS) > 1.5 {
		t.Errorf("%s hears %.1f Hz at %.1f dBFS, want %v at %v", who, gotHz, level, hz, dBFS)
	}
}

func TestTonesBetweenTwoClients(t *testing.T) {
	for _, codec := range []string{media.PCMU, media.PCMA} {
		t.Run(codec, func(t *testing.T) {
			inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
				annHears, bobHears := newListener(t), newListener(t)
				ann, _, out, in := b.call(t, "/private/bob",
					session.MediaOptions{AudioSource: newTone(t, 440, -12), AudioSink: annHears, Codecs: []string{codec}},
					session.MediaOptions{AudioSource: newTone(t, 520, -24), AudioSink: bobHears, Codecs: []string{codec}})
				wantTone(t, "bob", bobHears, 440, -12)
				wantTone(t, "ann", annHears, 520, -24)
				for _, k := range []*session.Call{out, in} {
					s := k.Stats().Audio
					if want := codec + "/8000"; s.SendCodec != want || s.ReceiveCodec != want || s.PacketsLost != 0 || s.Malformed != 0 {
						t.Errorf("figures %+v", s)
					}
				}
				b.over(t, ann, out)
			})
		})
	}
}

// TestToneInOpus: a source of Opus leaves the service no other codec.
func TestToneInOpus(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		speech, err := os.Open("../testdata/media/speech.ogg")
		if err != nil {
			t.Fatal(err)
		}
		source, err := media.NewOggSource(speech, nil) // the call closes the file
		if err != nil {
			t.Fatal(err)
		}
		ann, heard := b.client(t, "ann"), newListener(t)
		k := connected(t, ann.Client, "/public/tone", ann.dialing(session.MediaOptions{AudioSource: source, AudioSink: heard}))
		wantTone(t, "ann", heard, 440, -6)
		if s := k.Stats().Audio; s.ReceiveCodec != "opus/48000/2" || s.Malformed != 0 {
			t.Errorf("figures %+v", s)
		}
		b.over(t, ann, k)
	})
}

// TestSpeechInOpusArrives: as it was encoded, and as loud and long as the
// recording that it was made of.
func TestSpeechInOpusArrives(t *testing.T) {
	speech, err := os.ReadFile("../testdata/media/speech.ogg")
	if err != nil {
		t.Fatal(err)
	}
	recording, err := os.ReadFile("../testdata/media/speech.wav")
	if err != nil {
		t.Fatal(err)
	}
	var original []int16 // after the header
	for b := recording[44:]; len(b) >= 2; b = b[2:] {
		original = append(original, int16(binary.LittleEndian.Uint16(b)))
	}
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		source, err := media.NewOggSource(bytes.NewReader(speech), nil)
		if err != nil {
			t.Fatal(err)
		}
		heard := newListener(t)
		ann, _, out, in := b.call(t, "/private/bob", session.MediaOptions{AudioSource: source}, session.MediaOptions{AudioSink: heard})
		spoken := hear(t, heard, 6*time.Second)
		if s := in.Stats().Audio; s.ReceiveCodec != "opus/48000/2" || s.PacketsLost != 0 {
			t.Errorf("figures %+v", s)
		}
		b.over(t, ann, out)
		wantLevel, wantLength := voice(original)
		level, length := voice(spoken)
		if math.Abs(level-wantLevel) > 1.5 || math.Abs((length-wantLength).Seconds()) > 0.1 {
			t.Errorf("heard %.1f dBFS for %v, want %.1f for %v", level, length, wantLevel, wantLength)
		}
	})
}

// voice measures from the first to the last sound, in frames of 20 ms.
func voice(pcm []int16) (dBFS float64, length time.Duration) {
	const frame, audible = 320, 0.005 * 0.005
	first, last := -1, 0
	var power []float64
	for i := 0; i+frame <= len(pcm); i += frame {
		sum := 0.0
		for _, s := range pcm[i : i+frame] {
			sum += float64(s) / 32768 * float64(s) / 32768
		}
		if power = append(power, sum/frame); sum/frame > audible {
			if first < 0 {
				first = len(power) - 1
			}
			last = len(power)
		}
	}
	if first < 0 {
		return -127, 0
	}
	sum := 0.0
	for _, p := range power[first:last] {
		sum += p
	}
	return 10 * math.Log10(sum/float64(last-first)), time.Duration(last-first) * 20 * time.Millisecond
}

func TestReceiveOnlyAndSendOnlyCalls(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		ann := b.client(t, "ann")
		heard := newListener(t)
		k := connected(t, ann.Client, "/public/tone", ann.dialing(session.MediaOptions{Audio: media.Off, AudioSink: heard}))
		wantTone(t, "ann", heard, 440, -6)
		if s, at := k.Stats().Audio, audioAt(b.srv, k); s.PacketsSent != 0 || at.PacketsIn != 0 || k.Directions().Audio != media.RecvOnly {
			t.Errorf("sent %+v, at the gateway %+v, %v", s, at, k.Directions())
		}
		b.over(t, ann, k)

		k = connected(t, ann.Client, "/public/echo", ann.dialing(session.MediaOptions{ReceiveAudio: media.Off, AudioSource: newTone(t, 440, -12)}))
		pass(time.Second)
		if s, at := k.Stats().Audio, audioAt(b.srv, k); s.PacketsReceived != 0 || at.PacketsIn < 40 || k.Directions().Audio != media.SendOnly {
			t.Errorf("received %+v, at the gateway %+v, %v", s, at, k.Directions())
		}
		b.over(t, ann, k)

		_, err := ann.Dial(t.Context(), "/public/echo", ann.dialing(session.MediaOptions{Audio: media.Off, ReceiveAudio: media.Off}))
		wantNoCall(t, err, errs.CallMediaFailed)
	})
}

// TestRelayOnlyCall goes through the gateway's relay: no other candidate is
// offered.
func TestRelayOnlyCall(t *testing.T) {
	srv := sessiontest.NewServer(t)
	var mu sync.Mutex
	var offer string
	sat := srv.IssueSAT(sessiontest.SATRequest{Reference: "ann", TTL: time.Hour})
	c, err := session.Open(t.Context(), session.StaticCredentials(session.Credential{Token: sat.Token}), session.Options{
		APIURL: srv.APIURL(), RelayURL: srv.RelayURL(), HTTPClient: srv.Client(), DPoPKey: sharedKey(),
		WireTap: func(f session.WireFrame) {
			if f.Outgoing && strings.Contains(f.Text, "verto.invite") {
				mu.Lock()
				defer mu.Unlock()
				offer = f.Text
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	heard := newListener(t)
	k := connected(t, c, "/public/echo", session.DialOptions{MediaOptions: onLoop(session.MediaOptions{
		RelayOnly: media.On, AudioSource: newTone(t, 440, -12), AudioSink: heard,
	})})
	wantTone(t, "ann", heard, 440, -12)
	mu.Lock()
	if strings.Contains(offer, "typ host") || !strings.Contains(offer, "typ relay") {
		t.Errorf("the offer has other candidates than relays:\n%s", offer)
	}
	mu.Unlock()
	if err := k.Hangup(t.Context()); err != nil {
		t.Error(err)
	}
	wantOver(t, srv, c, k)
}

func TestRelayOnlyWithoutARelay(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		ann := b.client(t, "ann")
		_, err := ann.Dial(t.Context(), "/public/echo", ann.dialing(session.MediaOptions{RelayOnly: media.On}))
		wantNoCall(t, err, errs.CallMediaFailed)
		wantOver(t, b.srv, ann.Client)
	})
}
