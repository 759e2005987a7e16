package session_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// wantPhase checks that a preflight test failed in a phase, and returns the cause.
func wantPhase(t *testing.T, res *session.PreflightResult, err error, phase errs.PreflightPhase) error {
	t.Helper()
	failed, ok := errors.AsType[*errs.PreflightError](err)
	if !ok || failed.Phase != phase {
		t.Fatalf("Preflight = %v, want a failure in %s", err, phase)
	}
	if res.OK || !slices.Contains(res.Errors, failed) {
		t.Errorf("the result is OK: %v, with errors %v", res.OK, res.Errors)
	}
	return failed.OriginalError
}

func TestPreflightOfAGoodNetwork(t *testing.T) {
	srv := sessiontest.NewServer(t)
	ann := onLoopback(t, srv, "ann")
	var phases []string
	done := ann.ObservePreflight().Subscribe(t.Context(), func(p session.PreflightProgress) {
		phases = append(phases, fmt.Sprint(p.Phase, " ", p.Done, " ", p.Err, " ", p.Result.Signaling.Samples))
	})
	sink := newListener(t)
	res, err := ann.Preflight(t.Context(), "/public/echo", session.PreflightOptions{
		MediaOptions: onLoop(session.MediaOptions{AudioSource: newTone(t, 440, -12), AudioSink: sink}), Duration: 3 * time.Second,
	})
	if err != nil || !res.OK || len(res.Errors) != 0 || len(res.Warnings) != 0 {
		t.Errorf("Preflight = %+v, %v", res, err)
	}
	if s := res.Signaling; !s.Reachable || s.Samples != 5 || s.Lost != 0 || s.MinRTT <= 0 || s.MinRTT > s.RTT || s.RTT > s.MaxRTT {
		t.Errorf("signaling %+v", s)
	}
	if d := res.Devices; !d.AudioInput.Working || math.Abs(d.AudioInput.Level+12) > 1 || d.AudioInput.Codec != "PCMU/8000" ||
		!d.AudioOutput.Available || d.VideoInput.Given || d.VideoOutput.Given {
		t.Errorf("devices %+v", d)
	}
	c := res.Connectivity
	if c.Type != session.ConnectivityDirect || !c.TURNReachable || !c.STUNReachable || c.RTT <= 0 || len(c.Servers) != 2 {
		t.Errorf("connectivity %+v", c)
	}
	b := res.Bandwidth
	if b == nil {
		t.Fatal("media was not measured")
	}
	if off := math.Abs(float64(b.Upload)/64000 - 1); off > 0.2 {
		t.Errorf("upload %d bit/s, G.711 sends 64000", b.Upload)
	}
	if off := math.Abs(float64(b.Download)/64000 - 1); off > 0.2 {
		t.Errorf("download %d bit/s, G.711 sends 64000", b.Download)
	}
	if b.UploadLoss != 0 || b.DownloadLoss != 0 || b.Path.String() != "host-host/udp" || b.SendCodec != "PCMU/8000" ||
		b.SetupTime <= 0 || b.Measured < 3*time.Second || b.Measured > 4*time.Second || b.RTT <= 0 || b.RTT > time.Second {
		t.Errorf("media %+v", b)
	}
	_ = ann.Close()
	<-done.Done()
	want := []string{"signaling false <nil> 0", "signaling true <nil> 5", "devices false <nil> 5", "devices true <nil> 5",
		"ice false <nil> 5", "ice true <nil> 5", "media false <nil> 5", "media true <nil> 5"}
	if !slices.Equal(phases, want) {
		t.Errorf("progress %q", phases)
	}
	wantNoLegs(t, srv)
}

// closedPort is an address where a datagram is turned away.
func closedPort(t *testing.T) string {
	t.Helper()
	c, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.LocalAddr().String()
}

func TestPreflightNamesTheServersThatAreDead(t *testing.T) {
	srv := sessiontest.NewServer(t)
	ann := onLoopback(t, srv, "ann")
	dead := "turn:" + closedPort(t) + "?transport=udp"
	o := session.PreflightOptions{MediaOptions: onLoop(session.MediaOptions{}), Duration: 200 * time.Millisecond, Timeout: 5 * time.Second}

	o.ICEServers = append(ann.ICEServers(), media.ICEServer{URLs: []string{dead}, Username: "ann", Credential: "secret"})
	res, err := ann.Preflight(t.Context(), "/public/echo", o)
	if err != nil || !res.OK || res.Connectivity.Type != session.ConnectivityDirect {
		t.Errorf("with one dead server of three: %+v, %v", res.Connectivity, err)
	}
	if len(res.Warnings) != 1 || !strings.Contains(res.Warnings[0], dead) {
		t.Errorf("warnings %q do not name %s", res.Warnings, dead)
	}

	o.ICEServers = o.ICEServers[1:]
	res, err = ann.Preflight(t.Context(), "/public/echo", o)
	cause := wantPhase(t, res, err, errs.PreflightICE)
	for _, want := range []string{"no connectivity", "TURN servers not reachable"} {
		if !slices.Contains(res.Warnings, want) {
			t.Errorf("with no server that works: warnings %q lack %q", res.Warnings, want)
		}
	}
	if e, ok := errors.AsType[*errs.ICEServerError](cause); !ok || e.URL != dead || e.Stage != errs.ICEServerAllocate {
		t.Errorf("cause %v", cause)
	}
	if res.Connectivity.Type != session.ConnectivityFailed || res.Signaling.Samples != 5 || res.Bandwidth == nil {
		t.Errorf("what the other phases found is lost: %+v", res)
	}
}

func TestPreflightOfARelayWithAWrongPassword(t *testing.T) {
	srv := sessiontest.NewServer(t)
	ann := onLoopback(t, srv, "ann")
	servers := ann.ICEServers()
	right := servers[0].Credential
	servers[0].Credential = "not-" + right
	res, err := ann.Preflight(t.Context(), "", session.PreflightOptions{
		MediaOptions: session.MediaOptions{ICEServers: servers}, SkipMediaTest: true,
	})
	cause := wantPhase(t, res, err, errs.PreflightICE)
	if e, ok := errors.AsType[*errs.ICEServerError](cause); !ok || e.Code != 401 || e.Stage != errs.ICEServerAllocate {
		t.Errorf("cause %v", cause)
	}
	if strings.Contains(fmt.Sprintf("%+v %v", res, err), right) || res.Bandwidth != nil {
		t.Errorf("result %+v, %v", res, err)
	}
}

// onlyHosts is what the service's lack of ICE servers comes to.
const onlyHosts = "no ICE servers: only host candidates"

func TestPreflightOfSlowSignaling(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		ann := b.client(t, "ann")
		b.srv.Inject(sessiontest.Fault{
			Match: sessiontest.Match{RPC: "signalwire.ping"}, Times: -1,
			Action: sessiontest.Action{Kind: sessiontest.FaultSlow, Delay: 700 * time.Millisecond},
		})
		res, err := ann.Preflight(t.Context(), "", session.PreflightOptions{Samples: 3, SkipMediaTest: true})
		if s := res.Signaling; err != nil || s.RTT < 700*time.Millisecond || s.RTT > 720*time.Millisecond || s.Samples != 3 {
			t.Errorf("signaling %+v, %v", s, err)
		}
		if len(res.Warnings) != 2 || !strings.Contains(res.Warnings[0], "slow") || res.Warnings[1] != onlyHosts {
			t.Errorf("warnings %q", res.Warnings)
		}
	})
}

func TestPreflightOfASilentService(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		ann := b.client(t, "ann")
		b.srv.Inject(sessiontest.Fault{
			Match: sessiontest.Match{RPC: "signalwire.ping"}, Times: -1, Action: sessiontest.Action{Kind: sessiontest.FaultRPCSilent},
		})
		res, err := ann.Preflight(t.Context(), "/public/echo", session.PreflightOptions{
			MediaOptions: ann.media(session.MediaOptions{}), Timeout: 12 * time.Second, Duration: 5 * time.Second,
		})
		cause := wantPhase(t, res, err, errs.PreflightSignaling)
		if !errors.As(cause, new(*errs.RPCTimeoutError)) || res.Signaling.Reachable || res.Signaling.Lost != 3 {
			t.Errorf("cause %v, %+v", cause, res.Signaling)
		}
		if res.Bandwidth == nil || res.Bandwidth.Download < 50_000 {
			t.Errorf("the other phases: %+v", res.Bandwidth)
		}
	})
}

// The measured loss is that of the network, within a fifth.
func TestPreflightMeasuresALossyNetwork(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		ann := b.client(t, "ann")
		progress := ann.ObservePreflight()
		progress.Subscribe(t.Context(), func(p session.PreflightProgress) {
			if p.Phase == errs.PreflightMedia && !p.Done {
				b.loss.Store(10)
			}
		})
		res, err := ann.Preflight(t.Context(), "/public/tone", session.PreflightOptions{
			MediaOptions: ann.media(session.MediaOptions{}), Duration: time.Minute,
		})
		if err != nil {
			t.Fatal(err)
		}
		if m := res.Bandwidth; m.DownloadLoss < 0.08 || m.DownloadLoss > 0.12 || m.UploadLoss != 0 ||
			m.Download < 51_840 || m.Download > 64_000 || m.Upload < 63_000 || m.Upload > 65_000 {
			t.Errorf("with a loss of 0.1 inwards: %+v", m)
		}
		wantOver(t, b.srv, ann.Client)
	})
}

func TestPreflightOfADestinationThatIsBusy(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		ann := b.client(t, "ann")
		for to, want := range map[string]func(error) bool{
			"/public/busy": func(err error) bool {
				ended, ok := errors.AsType[*errs.CallEndedError](err)
				return ok && ended.Code == errs.CauseUserBusy
			},
			"/public/ring": func(err error) bool { return errors.Is(err, context.DeadlineExceeded) },
			"":             func(err error) bool { return errors.As(err, new(*errs.InvalidParamsError)) },
		} {
			res, err := ann.Preflight(t.Context(), to, session.PreflightOptions{
				MediaOptions: ann.media(session.MediaOptions{AudioSource: newTone(t, 440, -12)}), Duration: time.Second, Timeout: 3 * time.Second,
			})
			if cause := wantPhase(t, res, err, errs.PreflightMedia); !want(cause) {
				t.Errorf("%q: %v", to, cause)
			}
			if !slices.Equal(res.Warnings, []string{onlyHosts, "media test failed"}) {
				t.Errorf("%q: warnings %q", to, res.Warnings)
			}
			if !res.Signaling.Reachable || !res.Devices.AudioInput.Working || res.Bandwidth != nil || len(res.Errors) != 1 {
				t.Errorf("%q: %+v", to, res)
			}
			pass(3 * time.Second)
			wantOver(t, b.srv, ann.Client)
		}
	})
}

func TestPreflightOfSourcesThatDoNotWork(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		ann := b.client(t, "ann")
		unplugged := errors.New("unplugged")
		broken, err := media.NewPCMFunc(8000, 1, func([]int16) (int, error) { return 0, unplugged })
		if err != nil {
			t.Fatal(err)
		}
		_, picture := patternSource(t)
		res, err := ann.Preflight(t.Context(), "", session.PreflightOptions{
			MediaOptions: session.MediaOptions{AudioSource: broken, VideoSource: picture}, SkipMediaTest: true,
		})
		cause := wantPhase(t, res, err, errs.PreflightDevices)
		if e, ok := errors.AsType[*errs.MediaAccessError](cause); !ok || e.Media != "audio" || !errors.Is(cause, unplugged) {
			t.Errorf("cause %v", cause)
		}
		if d := res.Devices; d.AudioInput.Working || !d.AudioInput.Given || !d.VideoInput.Working || d.VideoInput.Codec != "VP8/90000" {
			t.Errorf("devices %+v", d) // one that fails costs only itself
		}
	})
}

// stuck is a source that has nothing to send, and counts how often it is closed.
type stuck struct{ closed *atomic.Int32 }

func (s stuck) Codecs() []string { return []string{media.PCM} }
func (s stuck) Close() error     { s.closed.Add(1); return nil }
func (s stuck) Send(ctx context.Context, _ *media.Output) error {
	<-ctx.Done()
	return ctx.Err()
}
