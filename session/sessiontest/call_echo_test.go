package sessiontest_test

import (
	"math"
	"strings"
	"testing"

	"github.com/pion/opus"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"github.com/callrx/callrx/session/sessiontest"
)

func TestEchoReturnsAudioAndVideo(t *testing.T) {
	gw := sessiontest.NewServer(t)
	c := newPhone(t, gw, "mara@example.org").dial("/public/echo?channel=video", "opus", "vp8")
	for i, step := range []uint32{960, 3000} {
		c.media.speak(i, step, marked("mara"))
		heard := c.media.ears[i].wait(t, atLeast(20))
		for n, p := range heard {
			if !from(p, "mara") {
				t.Fatalf("section %d: packet %d is %q", i, n, p.Payload)
			}
			if d := p.SequenceNumber - heard[0].SequenceNumber; n > 0 && uint32(d)*step != p.Timestamp-heard[0].Timestamp {
				t.Fatalf("section %d: packet %d has number %d and time %d after %d and %d", i, n,
					p.SequenceNumber, p.Timestamp, heard[0].SequenceNumber, heard[0].Timestamp)
			}
		}
	}
	info, _ := gw.Call(c.id)
	for kind, codec := range map[string]string{"audio": "opus/48000", "video": "vp8/90000"} {
		s := info.Section(kind)
		if s.Codec != codec || !s.Connected || s.PacketsIn < 20 || s.PacketsOut < 20 || s.BytesIn == 0 || s.BytesOut == 0 {
			t.Errorf("%s: %+v", kind, s)
		}
	}
}

func TestAnswerIsNeverBundled(t *testing.T) {
	gw := sessiontest.NewServer(t)
	p := newPhone(t, gw, "mara@example.org")
	c := p.place("/public/echo", "opus", "vp8")
	text := p.onVerto("verto.answer")["sdp"].(string)
	d := parse(t, text)
	if strings.Contains(text, "BUNDLE") {
		t.Errorf("answer is bundled:\n%s", text)
	}
	for i, m := range d.MediaDescriptions {
		ufrag, _ := m.Attribute("ice-ufrag")
		setup, _ := m.Attribute("setup")
		_, mux := m.Attribute("rtcp-mux")
		_, candidate := m.Attribute("candidate")
		if ufrag == "" || setup != "active" || !mux || !candidate || m.MediaName.Port.Value == 0 {
			t.Errorf("section %d:\n%s", i, text)
		}
	}
	a, _ := d.one(0).Attribute("ice-ufrag")
	if b, _ := d.one(1).Attribute("ice-ufrag"); a == b {
		t.Error("both sections are on one transport")
	}
	if got := strings.Join(d.one(0).MediaName.Formats, " "); got != "111 126" {
		t.Errorf("audio formats are %q", got)
	}
	c.media.accept(text)
}

func TestBundledOfferIsAnsweredPerSection(t *testing.T) {
	gw := sessiontest.NewServer(t)
	p := newPhone(t, gw, "mara@example.org")
	pc := p.newPC()
	m := &media{t: t}
	t.Cleanup(func() { _ = pc.GracefulClose() })
	m.add(pc, "opus", "")
	if _, err := pc.CreateDataChannel("chat", nil); err != nil { // a second section, which is rejected
		t.Fatal(err)
	}
	o, err := pc.CreateOffer(nil)
	m.local(pc, o, err)
	offer := pc.LocalDescription().SDP
	if !strings.Contains(offer, "BUNDLE 0 1") {
		t.Fatalf("offer is not bundled:\n%s", offer)
	}
	p.verto("c-1", "verto.invite", obj{"dialogParams": p.dialog("c-1", "/public/echo"), "sdp": offer})
	d := parse(t, p.onVerto("verto.answer")["sdp"].(string))
	if d.one(0).MediaName.Port.Value == 0 || d.one(1).MediaName.Port.Value != 0 || len(d.Attributes) != 0 {
		t.Errorf("answer is\n%s", d.text(t))
	}
}

// A client with one transport for everything is heard in the first section, whose answer its transport
// follows, and the section that stays without transport does not end its call.
func TestBundledClientIsHeard(t *testing.T) {
	gw := sessiontest.NewServer(t)
	p := newPhone(t, gw, "mara@example.org")
	pc := p.newPC()
	m := &media{t: t}
	t.Cleanup(func() { _ = pc.GracefulClose() })
	m.add(pc, "opus", "")
	m.add(pc, "vp8", "")
	both := m.ears[1] // a peer connection has one handler for all its tracks
	m.ears[0] = both
	o, err := pc.CreateOffer(nil)
	m.local(pc, o, err)
	offer := pc.LocalDescription().SDP
	if !strings.Contains(offer, "BUNDLE 0 1") {
		t.Fatalf("offer is not bundled:\n%s", offer)
	}
	p.verto("c-1", "verto.invite", obj{"dialogParams": p.dialog("c-1", "/public/echo"), "sdp": offer})
	answer := p.onVerto("verto.answer")["sdp"].(string)
	if err := pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}); err != nil {
		t.Fatalf("%v\n%s", err, answer)
	}
	m.speak(0, 960, marked("mara"))
	both.wait(t, atLeast(10))
	if info, _ := gw.Call("c-1"); info.State != sessiontest.CallAnswered || info.Section("video").Connected {
		t.Errorf("call is %+v", info)
	}
}

func TestToneIs440Hertz(t *testing.T) {
	gw := sessiontest.NewServer(t)
	c := newPhone(t, gw, "mara@example.org").dial("/public/tone", "pcmu")
	heard := c.media.ears[0].wait(t, atLeast(50))
	var samples []float64
	for n, p := range heard[:50] {
		if n > 0 && (p.SequenceNumber-heard[n-1].SequenceNumber != 1 || p.Timestamp-heard[n-1].Timestamp != 160) {
			t.Fatalf("packet %d jumps", n)
		}
		for _, b := range p.Payload {
			samples = append(samples, ulaw(b))
		}
	}
	if hertz, level := measure(samples, 8000); math.Abs(hertz-440) > 5 || math.Abs(level+9.03) > 0.5 {
		t.Errorf("tone is %.1f Hz at %.1f dB", hertz, level)
	}
}

func TestToneComesInOpus(t *testing.T) {
	gw := sessiontest.NewServer(t)
	c := newPhone(t, gw, "mara@example.org").dial("/public/tone", "opus")
	decoder, pcm := opus.NewDecoder(), make([]float32, 960)
	if err := decoder.Init(48000, 1); err != nil {
		t.Fatal(err)
	}
	var samples []float64
	for n, p := range c.media.ears[0].wait(t, atLeast(60)) { // past the seam of the recording
		if p.PayloadType != 111 {
			t.Fatalf("packet %d is of type %d", n, p.PayloadType)
		}
		got, err := decoder.DecodeToFloat32(p.Payload, pcm)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range pcm[:got] {
			if n >= 5 { // the decoder starts in the middle of the tone
				samples = append(samples, 32768*float64(v))
			}
		}
	}
	if hertz, level := measure(samples, 48000); math.Abs(hertz-440) > 5 || math.Abs(level+9.03) > 0.5 {
		t.Errorf("tone is %.1f Hz at %.1f dB", hertz, level)
	}
}

// measure returns the frequency, by rising zero crossings, and the level against full scale.
func measure(samples []float64, rate float64) (hertz, decibels float64) {
	rising, sum := 0, 0.0
	for i, v := range samples {
		if i > 0 && samples[i-1] < 0 && v >= 0 {
			rising++
		}
		sum += v * v
	}
	return float64(rising) * rate / float64(len(samples)), 20 * math.Log10(math.Sqrt(sum/float64(len(samples)))/32768)
}

// ulaw decodes G.711 mu-law by its definition.
func ulaw(b byte) float64 {
	b = ^b
	v := float64((int(b&15)<<1+33)<<(b>>4&7)-33) * 4
	if b&128 != 0 {
		return -v
	}
	return v
}

func TestReceiveOnlyOfferIsServed(t *testing.T) {
	gw := sessiontest.NewServer(t)
	c := newPhone(t, gw, "mara@example.org").dial("/public/tone", "pcmu:sendrecv", "vp8:sendonly")
	c.media.ears[0].wait(t, func(p []rtp.Packet) bool { return len(p) > 5 })
}
