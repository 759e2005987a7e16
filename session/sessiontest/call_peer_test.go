package sessiontest_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/pion/ice/v4"
	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"
)

// media is the client's side of one call: one peer connection per section.
type media struct {
	t      *testing.T
	pcs    []*webrtc.PeerConnection
	tracks []*webrtc.TrackLocalStaticRTP
	ears   []*ear
}

// newMedia prepares sections such as "pcmu", "opus", "vp8", or "vp8:sendonly".
func (p *phone) newMedia(sections ...string) *media {
	p.t.Helper()
	m := &media{t: p.t}
	for _, s := range sections {
		name, direction, _ := strings.Cut(s, ":")
		m.add(p.newPC(), name, direction)
	}
	p.t.Cleanup(m.close)
	return m
}

func (p *phone) newPC() *webrtc.PeerConnection {
	p.t.Helper()
	var se webrtc.SettingEngine
	se.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	config := webrtc.Configuration{}
	if p.engine != nil {
		p.engine(&se)
	} else {
		se.SetIncludeLoopbackCandidate(true)
	}
	if p.relays != nil && p.engine != nil {
		config.ICEServers, config.ICETransportPolicy = p.relays, webrtc.ICETransportPolicyRelay
	}
	me := &webrtc.MediaEngine{}
	for _, c := range testCodecs {
		if err := me.RegisterCodec(c.RTPCodecParameters, c.kind); err != nil {
			p.t.Fatal(err)
		}
	}
	pc, err := webrtc.NewAPI(webrtc.WithSettingEngine(se), webrtc.WithMediaEngine(me)).NewPeerConnection(config)
	if err != nil {
		p.t.Fatal(err)
	}
	return pc
}

type testCodec struct {
	webrtc.RTPCodecParameters
	kind webrtc.RTPCodecType
	name string
}

var testCodecs = [...]testCodec{
	{parameters(webrtc.MimeTypeOpus, 48000, 2, 111), webrtc.RTPCodecTypeAudio, "opus"},
	{parameters(webrtc.MimeTypePCMU, 8000, 0, 0), webrtc.RTPCodecTypeAudio, "pcmu"},
	{parameters("audio/telephone-event", 8000, 0, 126), webrtc.RTPCodecTypeAudio, "telephone-event"},
	{parameters(webrtc.MimeTypeVP8, 90000, 0, 96), webrtc.RTPCodecTypeVideo, "vp8"},
	{parameters(webrtc.MimeTypePCMA, 8000, 0, 8), webrtc.RTPCodecTypeAudio, "pcma"},
}

func parameters(mime string, clock uint32, channels uint16, pt webrtc.PayloadType) webrtc.RTPCodecParameters {
	return webrtc.RTPCodecParameters{
		RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: mime, ClockRate: clock, Channels: channels}, PayloadType: pt,
	}
}

func (m *media) add(pc *webrtc.PeerConnection, name, direction string) {
	m.t.Helper()
	i := slices.IndexFunc(testCodecs[:], func(c testCodec) bool { return c.name == name })
	main := testCodecs[i]
	track, err := webrtc.NewTrackLocalStaticRTP(main.RTPCodecCapability, name, "phone")
	if err != nil {
		m.t.Fatal(err)
	}
	way := webrtc.RTPTransceiverDirectionSendrecv
	if direction != "" {
		way = webrtc.NewRTPTransceiverDirection(direction)
	}
	tr, err := pc.AddTransceiverFromTrack(track, webrtc.RTPTransceiverInit{Direction: way})
	if err != nil {
		m.t.Fatal(err)
	}
	codecs := []webrtc.RTPCodecParameters{main.RTPCodecParameters}
	if main.kind == webrtc.RTPCodecTypeAudio {
		codecs = append(codecs, testCodecs[2].RTPCodecParameters)
	}
	if err := tr.SetCodecPreferences(codecs); err != nil {
		m.t.Fatal(err)
	}
	m.listen(pc, track)
}

func (m *media) listen(pc *webrtc.PeerConnection, track *webrtc.TrackLocalStaticRTP) {
	e := newEar()
	pc.OnTrack(func(t *webrtc.TrackRemote, _ *webrtc.RTPReceiver) { e.listen(t) })
	pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		if s == webrtc.PeerConnectionStateConnected {
			e.once.Do(func() { close(e.connected) })
		}
	})
	m.pcs, m.tracks, m.ears = append(m.pcs, pc), append(m.tracks, track), append(m.ears, e)
}

func (m *media) close() {
	for _, pc := range m.pcs {
		_ = pc.GracefulClose()
	}
}

func (m *media) local(pc *webrtc.PeerConnection, d webrtc.SessionDescription, err error) *sdp.MediaDescription {
	m.t.Helper()
	if err != nil {
		m.t.Fatal(err)
	}
	complete := webrtc.GatheringCompletePromise(pc)
	if err := pc.SetLocalDescription(d); err != nil {
		m.t.Fatal(err)
	}
	<-complete
	return parse(m.t, pc.LocalDescription().SDP).one(0)
}

// offer describes all sections, without bundle.
func (m *media) offer() string {
	m.t.Helper()
	d := description{&sdp.SessionDescription{}}
	for i, pc := range m.pcs {
		o, err := pc.CreateOffer(nil)
		one := m.local(pc, o, err)
		d = d.with(pc, one, i)
	}
	return d.text(m.t)
}

// accept applies an answer to every section.
func (m *media) accept(answer string) {
	m.t.Helper()
	d := parse(m.t, answer)
	for i, pc := range m.pcs {
		one := d.one(i)
		if one.MediaName.Port.Value == 0 {
			continue
		}
		if err := pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: d.alone(m.t, i)}); err != nil {
			m.t.Fatalf("apply answer: %v\n%s", err, answer)
		}
	}
}

// answer answers every section of an offer, each with the codec of sections.
func (p *phone) answerTo(offer string, sections ...string) (*media, string) {
	p.t.Helper()
	m, d := &media{t: p.t}, parse(p.t, offer)
	answer := description{&sdp.SessionDescription{}}
	for i := range d.MediaDescriptions {
		pc := p.newPC()
		m.add(pc, sections[i], "")
		if err := pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: d.alone(p.t, i)}); err != nil {
			p.t.Fatalf("apply offer: %v\n%s", err, offer)
		}
		a, err := pc.CreateAnswer(nil)
		answer = answer.with(pc, m.local(pc, a, err), i)
	}
	p.t.Cleanup(m.close)
	return m, answer.text(p.t)
}

// description is a session description in a test.
type description struct{ *sdp.SessionDescription }

func parse(t *testing.T, text string) description {
	t.Helper()
	d := description{&sdp.SessionDescription{}}
	if err := d.UnmarshalString(text); err != nil {
		t.Fatalf("bad session description: %v\n%s", err, text)
	}
	return d
}

func (d description) one(i int) *sdp.MediaDescription { return d.MediaDescriptions[i] }

func (d description) text(t *testing.T) string {
	t.Helper()
	b, err := d.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func renamed(m *sdp.MediaDescription, mid int) *sdp.MediaDescription {
	c := *m
	c.Attributes = slices.Clone(m.Attributes)
	for i := range c.Attributes {
		if c.Attributes[i].Key == "mid" {
			c.Attributes[i].Value = strconv.Itoa(mid)
		}
	}
	return &c
}

// with appends a section of a peer connection; the session attributes are those of the first but BUNDLE.
func (d description) with(pc *webrtc.PeerConnection, m *sdp.MediaDescription, mid int) description {
	whole := sdp.SessionDescription{}
	_ = whole.UnmarshalString(pc.LocalDescription().SDP)
	m = renamed(m, mid)
	for _, a := range whole.Attributes {
		if a.Key == "fingerprint" {
			m.Attributes = append(m.Attributes, a)
		}
	}
	if d.MediaDescriptions == nil {
		d.Origin, d.SessionName, d.TimeDescriptions = whole.Origin, whole.SessionName, whole.TimeDescriptions
	}
	d.MediaDescriptions = append(d.MediaDescriptions, m)
	return d
}

// alone is the description of one section for its peer connection.
func (d description) alone(t *testing.T, i int) string {
	t.Helper()
	c := *d.SessionDescription
	c.MediaDescriptions = []*sdp.MediaDescription{renamed(d.one(i), 0)}
	c.Attributes = []sdp.Attribute{{Key: "group", Value: "BUNDLE 0"}}
	return description{&c}.text(t)
}
