package interop

import (
	"bytes"
	"context"
	"math"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// GopherHz is the tone that callrx sends.
const GopherHz = 880

// A gopher is a client of callrx beside the pages.
type gopher struct {
	t     *testing.T
	who   string
	sat   sessiontest.Token
	cable *cable // its socket runs through, nil for straight to the gateway
	c     *session.Client

	mu     sync.Mutex
	frames []Frame
	errors []error // of the client and its calls
}

// newGopher makes a subscriber as open does; online signs it in.
func newGopher(t *testing.T, name string) *gopher {
	t.Helper()
	g := &gopher{t: t, who: unique(t, name)}
	g.sat = issue(g.who, sessiontest.SATRequest{})
	t.Cleanup(func() {
		if g.c != nil {
			_ = g.c.Close()
		}
		if t.Failed() {
			g.explain()
		}
	})
	return g
}

// online signs in with a fixed token and registers.
func (g *gopher) online() *gopher {
	g.t.Helper()
	g.open(session.StaticCredentials(session.Credential{Token: g.sat.Token}), session.Options{})
	if err := g.c.Connect(g.t.Context()); err != nil {
		g.t.Fatalf("%s connects: %v", g.who, err)
	}
	if err := g.c.Register(g.t.Context()); err != nil {
		g.t.Fatalf("%s registers: %v", g.who, err)
	}
	return g
}

// open makes the client without connecting it.
func (g *gopher) open(p session.CredentialProvider, o session.Options) {
	g.t.Helper()
	o.APIURL, o.RelayURL, o.HTTPClient, o.DPoPKey = stage.gw.APIURL(), stage.gw.RelayURL(), g.http(), stage.key
	if g.cable != nil {
		o.RelayURL = g.cable.url()
	}
	o.WireTap = func(f session.WireFrame) {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.frames = append(g.frames, Frame{f.Outgoing, f.Text})
	}
	c, err := session.New(p, o)
	if err != nil {
		g.t.Fatal(err)
	}
	g.c = c
	c.ObserveErrors().Subscribe(context.Background(), g.note)
}

func (g *gopher) note(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.errors = append(g.errors, err)
}

// isQuiet fails when callrx reported an error.
func (g *gopher) isQuiet() {
	g.t.Helper()
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, err := range g.errors {
		g.t.Errorf("%s: %v", g.who, err)
	}
}

// http is a client that finds every name of the gateway where its port leads.
func (g *gopher) http() *http.Client {
	transport := stage.gw.Client().Transport.(*http.Transport).Clone()
	transport.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		_, port, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, err
		}
		var d net.Dialer
		return d.DialContext(ctx, network, net.JoinHostPort("127.0.0.1", port))
	}
	g.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func (g *gopher) explain() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.t.Logf("%s's errors: %v; its frames:", g.who, g.errors)
	for _, f := range g.frames {
		g.t.Logf("  %s%s", map[bool]string{true: "-> ", false: "<- "}[f.Sent], cut(f.Text))
	}
}

// toSpeak are media options that send a tone and hear.
func (g *gopher) toSpeak(e *ear) session.MediaOptions {
	g.t.Helper()
	tone, err := media.NewTone(GopherHz, -12)
	if err != nil {
		g.t.Fatal(err)
	}
	sink, err := media.NewPCMSink(earRate, 1, e.hear)
	if err != nil {
		g.t.Fatal(err)
	}
	return session.MediaOptions{AudioSource: tone, AudioSink: sink, SettingEngine: onLoopback}
}

// toShow adds the test pattern, and an IVF recording of what is seen.
func toShow(o session.MediaOptions, recording *recording) session.MediaOptions {
	o.VideoSource, o.VideoSink, o.Codecs = media.NewTestPattern(), media.NewIVFSink(recording), []string{"VP8"}
	return o
}

func onLoopback(s *webrtc.SettingEngine) {
	s.SetIncludeLoopbackCandidate(true)
	s.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
}

// dial places a call and waits until it is connected.
func (g *gopher) dial(to string, o session.MediaOptions) *session.Call {
	g.t.Helper()
	k, err := g.c.Dial(g.t.Context(), to, session.DialOptions{MediaOptions: o})
	if err != nil {
		g.t.Fatalf("%s dials %s: %v", g.who, to, err)
	}
	k.ObserveErrors().Subscribe(context.Background(), g.note)
	return k
}

// becomes waits for a status of a call.
func (g *gopher) becomes(k *session.Call, want session.CallStatus) {
	g.t.Helper()
	ctx, cancel := context.WithTimeout(g.t.Context(), patience)
	defer cancel()
	if _, err := k.ObserveStatus().Wait(ctx, func(s session.CallStatus) bool { return s == want }); err != nil {
		g.t.Fatalf("%s's call did not become %v: it is %v: %v, %v", g.who, want, k.Status(), err, k.Err())
	}
}

// earRate is in samples a second.
const earRate = 8000

// An ear keeps the last half second of what a call hears.
type ear struct {
	mu  sync.Mutex
	pcm []int16
}

func (e *ear) hear(pcm []int16) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.pcm = append(e.pcm, pcm...)
	if over := len(e.pcm) - earRate/2; over > 0 {
		e.pcm = slices.Delete(e.pcm, 0, over)
	}
	return nil
}

// sound is the loudest frequency of the last half second, by brute force, and the level.
func (e *ear) sound() (s sound) {
	e.mu.Lock()
	pcm := slices.Clone(e.pcm)
	e.mu.Unlock()
	if len(pcm) < earRate/2 {
		return sound{}
	}
	best, sum := 0.0, 0.0
	for _, v := range pcm {
		sum += float64(v) * float64(v)
	}
	for hz := 100.0; hz < 2000; hz += 2 {
		var re, im float64
		for i, v := range pcm {
			a := 2 * math.Pi * hz * float64(i) / earRate
			re, im = re+float64(v)*math.Cos(a), im+float64(v)*math.Sin(a)
		}
		if power := re*re + im*im; power > best {
			best, s.Hz = power, hz
		}
	}
	s.Level = math.Sqrt(sum/float64(len(pcm))) / math.MaxInt16
	return s
}

// hears waits until e hears a steady tone of that frequency.
func (g *gopher) hears(e *ear, hz float64) {
	g.t.Helper()
	var s sound
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); pause() {
		if s = e.sound(); s.is(hz) {
			return
		}
	}
	g.t.Errorf("%s heard %.0f Hz at level %.3f, want %g Hz", g.who, s.Hz, s.Level, hz)
}

// A recording is a file in the making.
type recording struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (r *recording) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.b.Write(p)
}

func (r *recording) bytes() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return bytes.Clone(r.b.Bytes())
}

// pause lets a moment pass between two looks at what cannot be observed.
func pause() { <-time.After(100 * time.Millisecond) }
