package rest_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/internal/rest"
	"github.com/google/go-cmp/cmp"
	"nhooyr.io/websocket"
)

func TestLoopbackNamesAreRecognised(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "LocalHost": true, "localhost.": true, "fabric.swdev.localhost": true,
		"127.0.0.1": true, "127.255.0.9": true, "::1": true, "::ffff:127.0.0.1": true,
		"": false, "localhost.example.org": false, "notlocalhost": false, "128.0.0.1": false,
		"0.0.0.0": false, "::": false, "10.0.0.1": false, "127.1": false, "signalwire.com": false,
	} {
		if got := rest.IsLoopback(host); got != want {
			t.Errorf("IsLoopback(%q) = %t", host, got)
		}
	}
}

func TestLoopbackDialerNeedsNoResolver(t *testing.T) {
	refused := errors.New("refused")
	for _, tc := range []struct {
		name, address string
		up            string // the address that answers
		want          []string
		err           error
	}{
		{"IPv4 first", "fabric.swdev.localhost:8443", "127.0.0.1:8443", []string{"127.0.0.1:8443"}, nil},
		{"then IPv6", "localhost:8443", "[::1]:8443", []string{"127.0.0.1:8443", "[::1]:8443"}, nil},
		{"neither", "localhost:8443", "", []string{"127.0.0.1:8443", "[::1]:8443"}, refused},
		{"other names", "fabric.signalwire.com:443", "fabric.signalwire.com:443", []string{"fabric.signalwire.com:443"}, nil},
		{"no port", "localhost", "localhost", []string{"localhost"}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var dialled []string
			dial := rest.LoopbackDialer(func(_ context.Context, _, address string) (net.Conn, error) {
				dialled = append(dialled, address)
				if address != tc.up {
					return nil, refused
				}
				conn, other := net.Pipe()
				other.Close()
				return conn, nil
			})
			conn, err := dial(t.Context(), "tcp", tc.address)
			if !errors.Is(err, tc.err) || (err == nil) != (conn != nil) {
				t.Errorf("connection %v, error %v", conn, err)
			}
			if diff := cmp.Diff(tc.want, dialled); diff != "" {
				t.Error("dialled (-want +got):\n" + diff)
			}
		})
	}
}

func TestLoopbackDialerStopsWhenTheCallerGivesUp(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	dials := 0
	dial := rest.LoopbackDialer(func(context.Context, string, string) (net.Conn, error) {
		dials++
		cancel()
		return nil, ctx.Err()
	})
	if _, err := dial(ctx, "tcp", "localhost:1"); !errors.Is(err, context.Canceled) || dials != 1 {
		t.Errorf("%d dials, error %v", dials, err)
	}
}

func TestBaseMustBeHTTPSOrThisMachine(t *testing.T) {
	for _, tc := range []struct{ base, problem string }{
		{"http://fabric.signalwire.com", "must be https"},
		{"http://10.0.0.1", "must be https"},
		{"ftp://localhost", "must be https"},
		{"wss://localhost", "must be https"},
		{"https://", "is not an address"},
		{"https://a b", "is not an address"},
		{"https://me:secret-0009@fabric.signalwire.com", "more than scheme"},
		{"https://fabric.signalwire.com?token=secret-0009", "more than scheme"},
		{"https://fabric.signalwire.com#x", "more than scheme"},
	} {
		client := rest.New(rest.Config{Base: func() string { return tc.base }, Token: func() string { return sessionToken }})
		_, err := client.SubscriberInfo(t.Context())
		config, ok := errors.AsType[*errs.ConfigError](err)
		if !ok || !strings.Contains(config.Problem, tc.problem) || strings.Contains(chain(err), "secret") {
			t.Errorf("base %q: %T %v, want a problem with %q", tc.base, err, err, tc.problem)
		}
		client.Close()
	}
}

func TestDefaultClientReachesAnyNameBelowLocalhost(t *testing.T) {
	server := httptest.NewServer(okInfo)
	defer server.Close()
	port := server.Listener.Addr().(*net.TCPAddr).Port
	client := rest.New(rest.Config{
		Base:  func() string { return "http://fabric.any.localhost:" + itoa(port) },
		Token: func() string { return sessionToken },
	})
	defer client.Close()
	if _, err := client.SubscriberInfo(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestResetConnectionIsANetworkFailure(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_ = conn.(*net.TCPConn).SetLinger(0) // close with RST
		conn.Close()
	}))
	defer server.Close()
	client := rest.New(rest.Config{Base: func() string { return server.URL }})
	defer client.Close()
	_, err := client.DeviceRefresh(t.Context(), boundToken, proofSecret, time.Minute)
	isNetwork(0, nil)(t, err)
	if strings.Contains(chain(err), boundToken) {
		t.Error("the token shows in the error")
	}
}

func TestDefaultClientUsesProxiesExceptForThisMachine(t *testing.T) {
	proxyFor := rest.DefaultHTTPClient().Transport.(*http.Transport).Proxy
	for address, want := range map[string]string{
		"https://fabric.signalwire.com/": "http://proxy.invalid:3128",
		"https://fabric.swdev.localhost": "",
		"https://127.0.0.1:8443":         "",
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
		if err != nil {
			t.Fatal(err)
		}
		proxy, err := proxyFor(request)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if proxy != nil {
			got = proxy.String()
		}
		if got != want {
			t.Errorf("proxy for %s is %q, want %q", address, got, want)
		}
	}
}

// TestDefaultClientUpgradesToWebSocket holds the promise that one client serves
// the API, over HTTP/2, and the WebSocket, over HTTP/1.1.
func TestDefaultClientUpgradesToWebSocket(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") == "" {
			_, _ = io.WriteString(w, r.Proto)
			return
		}
		socket, err := websocket.Accept(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		_ = socket.Write(r.Context(), websocket.MessageText, []byte("hello"))
		_ = socket.Close(websocket.StatusNormalClosure, "")
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()

	client := rest.DefaultHTTPClient()
	defer client.CloseIdleConnections()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	client.Transport.(*http.Transport).TLSClientConfig.RootCAs = roots

	response, err := client.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if proto, _ := io.ReadAll(response.Body); string(proto) != "HTTP/2.0" {
		t.Errorf("the API was reached over %s", proto)
	}
	socket, _, err := websocket.Dial(t.Context(), "wss"+strings.TrimPrefix(server.URL, "https"), &websocket.DialOptions{HTTPClient: client})
	if err != nil {
		t.Fatal(err)
	}
	defer socket.CloseNow()
	if _, message, err := socket.Read(t.Context()); err != nil || string(message) != "hello" {
		t.Errorf("read %q, %v", message, err)
	}
}

func TestUntrustedAndOutdatedTLSIsRefused(t *testing.T) {
	for _, tc := range []struct {
		name  string
		trust bool
		max   uint16
	}{
		{"unknown certificate", false, tls.VersionTLS13},
		{"TLS 1.1", true, tls.VersionTLS11},
	} {
		t.Run(tc.name, func(t *testing.T) {
			server := httptest.NewUnstartedServer(okInfo)
			server.Config.ErrorLog = log.New(io.Discard, "", 0)
			server.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tc.max}
			server.StartTLS()
			defer server.Close()
			h := rest.DefaultHTTPClient()
			defer h.CloseIdleConnections()
			if tc.trust {
				roots := x509.NewCertPool()
				roots.AddCert(server.Certificate())
				h.Transport.(*http.Transport).TLSClientConfig.RootCAs = roots
			}
			client := rest.New(rest.Config{Base: func() string { return server.URL }, HTTP: h})
			_, err := client.DeviceToken(t.Context(), sessionToken, proofSecret, time.Minute)
			if _, ok := errors.AsType[*errs.RequestError](err); !ok || !strings.Contains(err.Error(), "tls") {
				t.Errorf("%T: %v, want a TLS failure", err, err)
			}
		})
	}
}
