package media_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
	"github.com/pion/dtls/v3"
	"github.com/pion/logging"
	"github.com/pion/turn/v5"
)

// A relayServer is a TURN server on loopback, over all that TURN goes over.
type relayServer struct {
	server              *turn.Server
	udp, tcp, tls, dtls string
	roots               *x509.CertPool
}

func startRelay(t *testing.T) *relayServer {
	t.Helper()
	certificate, roots := selfSigned(t)
	must := func(err error) {
		if err != nil {
			t.Helper()
			t.Fatal(err)
		}
	}
	udp, err := net.ListenPacket("udp4", "127.0.0.1:0")
	must(err)
	tcp, err := net.Listen("tcp4", "127.0.0.1:0")
	must(err)
	secure, err := tls.Listen("tcp4", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{certificate}})
	must(err)
	datagram, err := dtls.ListenWithOptions("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}, dtls.WithCertificates(certificate))
	must(err)
	relay := &turn.RelayAddressGeneratorStatic{RelayAddress: net.IPv4(127, 0, 0, 1), Address: "127.0.0.1"}
	server, err := turn.NewServer(turn.ServerConfig{
		Realm: "here", LoggerFactory: quiet{},
		AuthHandler: func(q *turn.RequestAttributes) (string, []byte, bool) {
			return q.Username, turn.GenerateAuthKey(q.Username, q.Realm, "right"), q.Username == "ann"
		},
		PacketConnConfigs: []turn.PacketConnConfig{{PacketConn: udp, RelayAddressGenerator: relay}},
		ListenerConfigs: []turn.ListenerConfig{
			{Listener: tcp, RelayAddressGenerator: relay}, {Listener: secure, RelayAddressGenerator: relay}, {Listener: datagram, RelayAddressGenerator: relay},
		},
	})
	must(err)
	t.Cleanup(func() { _ = server.Close() })
	return &relayServer{
		server: server, roots: roots,
		udp: "turn:" + udp.LocalAddr().String() + "?transport=udp", tcp: "turn:" + tcp.Addr().String() + "?transport=tcp",
		tls: "turns:" + secure.Addr().String() + "?transport=tcp", dtls: "turns:" + datagram.Addr().String() + "?transport=udp",
	}
}

// quiet has pion log nothing: what goes wrong here is meant to.
type quiet struct{}

func (quiet) NewLogger(string) logging.LeveledLogger {
	return logging.NewDefaultLeveledLoggerForScope("", logging.LogLevelDisabled, io.Discard)
}

func selfSigned(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}

func TestProbeAllocatesOnEveryTransport(t *testing.T) {
	r := startRelay(t)
	servers := []media.ICEServer{
		{URLs: []string{r.udp, r.tcp, r.tls, r.dtls}, Username: "ann", Credential: "right"},
		{URLs: []string{strings.Replace(strings.TrimSuffix(r.udp, "?transport=udp"), "turn:", "stun:", 1)}},
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	probes := media.ProbeICEWithRoots(ctx, servers, r.roots)
	if len(probes) != 5 {
		t.Fatalf("%d probes", len(probes))
	}
	for i, want := range []string{"udp", "tcp", "tls", "dtls", "udp"} {
		p := probes[i]
		if p.Err != nil || p.Protocol != want || p.Relay != (i < 4) || p.RoundTrip <= 0 || p.RoundTrip > p.Took {
			t.Errorf("probe %d: %+v", i, p)
		}
	}
	tick := time.NewTicker(2 * time.Millisecond) // the server hears of it by datagrams
	defer tick.Stop()
	for deadline := time.Now().Add(5 * time.Second); r.server.AllocationCount() > 0 && time.Now().Before(deadline); {
		<-tick.C
	}
	if n := r.server.AllocationCount(); n != 0 {
		t.Errorf("%d allocations are left at the server", n)
	}
}

func TestProbeSaysWhyAServerIsOfNoUse(t *testing.T) {
	r := startRelay(t)
	silent, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = silent.Close() }) // after the parallel tests
	closed, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	untrusted := func(err error) bool {
		_, ok := errors.AsType[*tls.CertificateVerificationError](err)
		return ok
	}
	timeout := func(err error) bool { return errors.Is(err, context.DeadlineExceeded) }
	network := func(err error) bool { _, ok := errors.AsType[*net.OpError](err); return ok }
	dns := func(err error) bool { _, ok := errors.AsType[*net.DNSError](err); return ok }
	any := func(error) bool { return true }
	for name, c := range map[string]struct {
		url, password string
		stage         errs.ICEServerStage
		code          int
		typed         func(error) bool
	}{
		"wrong password over UDP":  {r.udp, "wrong", errs.ICEServerAllocate, 401, any},
		"wrong password over TCP":  {r.tcp, "wrong", errs.ICEServerAllocate, 401, any},
		"unknown certificate":      {r.tls, "right", errs.ICEServerTLS, 0, untrusted},
		"unknown DTLS certificate": {r.dtls, "right", errs.ICEServerTLS, 0, any},
		"nobody answers":           {"turn:" + silent.LocalAddr().String(), "right", errs.ICEServerAllocate, 0, timeout},
		"no STUN answer":           {"stun:" + silent.LocalAddr().String(), "right", errs.ICEServerBinding, 0, timeout},
		"closed TCP port":          {"turn:" + closed.Addr().String() + "?transport=tcp", "right", errs.ICEServerConnect, 0, network},
		"closed UDP port":          {"turn:" + closed.Addr().String(), "right", errs.ICEServerAllocate, 0, network},
		"unknown host":             {"turn:nobody.invalid", "right", errs.ICEServerResolve, 0, dns},
		"no ICE server":            {"https://example.com", "right", errs.ICEServerURL, 0, any},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			p := media.ProbeICE(ctx, []media.ICEServer{{URLs: []string{c.url}, Username: "ann", Credential: c.password}})[0]
			e, ok := errors.AsType[*errs.ICEServerError](p.Err)
			if !ok || e.Stage != c.stage || e.Code != c.code || !c.typed(p.Err) {
				t.Errorf("probe %+v: %#v", p, p.Err)
			}
			if ok && strings.Contains(e.Error(), c.password) {
				t.Errorf("the error shows the password: %v", e)
			}
		})
	}
}

func TestProbeEndsWithItsContext(t *testing.T) {
	silent, err := net.Listen("tcp4", "127.0.0.1:0") // accepts, and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	for _, url := range []string{"turn:" + silent.Addr().String() + "?transport=tcp", "turns:" + silent.Addr().String() + "?transport=tcp"} {
		ctx, cancel := context.WithCancelCause(t.Context())
		why := errors.New("somebody pulled the plug")
		stop := time.AfterFunc(50*time.Millisecond, func() { cancel(why) })
		began := time.Now()
		p := media.ProbeICE(ctx, []media.ICEServer{{URLs: []string{url}}})[0]
		if stop.Stop(); !errors.Is(p.Err, why) || time.Since(began) > 5*time.Second {
			t.Errorf("after %v: %v", time.Since(began), p.Err)
		}
	}
}

func TestProbeTriesASource(t *testing.T) {
	tone, err := media.NewTone(440, -12)
	if err != nil {
		t.Fatal(err)
	}
	mute, err := media.NewPCMFunc(8000, 1, func([]int16) (int, error) { return 0, errors.New("unplugged") })
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		kind    media.Kind
		cfg     media.LegConfig
		packets uint64
		codec   string
		level   float64
		fails   bool
	}{
		"tone":          {media.KindAudio, media.LegConfig{AudioSource: tone}, 5, "PCMU/8000", -12, false},
		"test picture":  {media.KindVideo, media.LegConfig{VideoSource: media.NewTestPattern()}, 5, "VP8/90000", -127, false},
		"none":          {media.KindAudio, media.LegConfig{}, 0, "", 0, false},
		"unplugged":     {media.KindAudio, media.LegConfig{AudioSource: mute}, 0, "", -127, true},
		"mute for ever": {media.KindAudio, media.LegConfig{AudioSource: blocked{}}, 0, "", -127, true},
	} {
		t.Run(name, func(t *testing.T) {
			c.cfg.Directions = bothKinds
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			p, err := media.ProbeSource(ctx, c.kind, c.cfg)
			if (err != nil) != c.fails || p.Packets < c.packets || p.Codec != c.codec || p.Level > c.level+1 || p.Level < c.level-1 {
				t.Errorf("probe %+v, %v", p, err)
			}
		})
	}
}

// blocked is a source that has nothing to say.
type blocked struct{}

func (blocked) Codecs() []string { return []string{media.PCM} }
func (blocked) Send(ctx context.Context, _ *media.Output) error {
	<-ctx.Done()
	return ctx.Err()
}
