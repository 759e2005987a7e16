package sessiontest_test

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"nhooyr.io/websocket"

	"github.com/callrx/callrx/session/sessiontest"
)

func TestURLs(t *testing.T) {
	for name, c := range map[string]struct {
		opts       sessiontest.Options
		api, relay string
	}{
		"plain":  {sessiontest.Options{}, "http://127.0.0.1:", "ws://127.0.0.1:"},
		"tls":    {sessiontest.Options{TLS: true}, "https://fabric.callrx.localhost:", "wss://puc.callrx.localhost:"},
		"domain": {sessiontest.Options{TLS: true, Domain: "sw.localhost"}, "https://fabric.sw.localhost:", "wss://puc.sw.localhost:"},
		"memory": {sessiontest.Options{InMemory: true}, "http://fabric.callrx.localhost", "ws://puc.callrx.localhost"},
	} {
		gw := sessiontest.NewServer(t, c.opts)
		if !strings.HasPrefix(gw.APIURL(), c.api) || !strings.HasPrefix(gw.RelayURL(), c.relay) {
			t.Errorf("%s: %s and %s", name, gw.APIURL(), gw.RelayURL())
		}
	}
}

func TestClientReachesEveryNameOfTheDomain(t *testing.T) {
	gw := sessiontest.NewServer(t, sessiontest.Options{TLS: true})
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(gw.APIURL(), "https://"))
	for _, host := range []string{"space.callrx.localhost:" + port, "embeds.callrx.localhost", "localhost:" + port, "127.0.0.1:" + port} {
		resp, err := gw.Client().Get("https://" + host + pathInfo)
		if err != nil {
			t.Errorf("%s: %v", host, err)
			continue
		}
		_ = resp.Body.Close()
		if resp.StatusCode != 401 {
			t.Errorf("%s: %d", host, resp.StatusCode)
		}
	}
	if _, err := gw.Client().Get("https://fabric.example.org" + pathInfo); err == nil || !strings.Contains(err.Error(), "loopback") {
		t.Errorf("foreign host: %v", err)
	}
}

func TestCertificateIsTrustedOnlyThroughPool(t *testing.T) {
	gw := sessiontest.NewServer(t, sessiontest.Options{TLS: true})
	addr := strings.TrimPrefix(gw.APIURL(), "https://fabric.callrx.localhost")
	dial := func(c *tls.Config) error {
		conn, err := tls.Dial("tcp", "127.0.0.1"+addr, c)
		if err == nil {
			_ = conn.Close()
		}
		return err
	}
	if dial(&tls.Config{ServerName: "fabric.callrx.localhost"}) == nil {
		t.Error("trusted without the pool")
	}
	if err := dial(&tls.Config{ServerName: "fabric.callrx.localhost", RootCAs: gw.CertPool()}); err != nil {
		t.Error(err)
	}
	if dial(&tls.Config{ServerName: "fabric.other.localhost", RootCAs: gw.CertPool()}) == nil {
		t.Error("certificate covers another domain")
	}
}

func TestOriginListGuardsSocket(t *testing.T) {
	gw := sessiontest.NewServer(t, sessiontest.Options{AllowedOrigins: []string{"https://app.example.org"}})
	for origin, want := range map[string]bool{"": true, "https://app.example.org": true, "https://evil.example": false} {
		h := http.Header{}
		if origin != "" {
			h.Set("Origin", origin)
		}
		c, _, err := websocket.Dial(t.Context(), gw.RelayURL(), &websocket.DialOptions{HTTPClient: gw.Client(), HTTPHeader: h})
		if err == nil {
			_ = c.CloseNow()
		}
		if (err == nil) != want {
			t.Errorf("origin %q: %v", origin, err)
		}
	}
}

func TestStartFailsOnBadAddress(t *testing.T) {
	for _, o := range []sessiontest.Options{{Addr: "256.0.0.1:0"}, {AdminAddr: "256.0.0.1:0"}, {AdminAddr: "0.0.0.0:0"}} {
		if s, err := sessiontest.Start(o); err == nil {
			s.Close()
			t.Errorf("%+v started", o)
		}
	}
}

func TestThousandSocketsComeAndGo(t *testing.T) {
	const n = 1000
	bubble(t, sessiontest.Options{}, func(t *testing.T, gw *sessiontest.Server) {
		var wg sync.WaitGroup
		conns := make([]*websocket.Conn, n)
		for i := range n {
			wg.Go(func() {
				sat := gw.IssueSAT(sessiontest.SATRequest{Reference: fmt.Sprint(i)})
				c, _, err := websocket.Dial(t.Context(), gw.RelayURL(), &websocket.DialOptions{HTTPClient: gw.Client()})
				if err != nil {
					t.Error(err)
					return
				}
				conns[i] = c
				req, _ := json.Marshal(obj{"jsonrpc": "2.0", "id": "1", "method": "signalwire.connect",
					"params": obj{"authentication": obj{"jwt_token": sat.Token}}})
				if err := c.Write(t.Context(), websocket.MessageText, req); err != nil {
					t.Error(err)
				}
				if _, _, err := c.Read(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if got := len(gw.Sessions()); got != n {
			t.Errorf("%d sessions", got)
		}
		gw.Close()
		for _, c := range conns {
			_ = c.CloseNow()
		}
	})
}

// adminOf returns a client of the admin API.
func adminOf(t *testing.T, gw *sessiontest.Server) func(method, path, body string) (int, obj, string) {
	return func(method, path, body string) (int, obj, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, gw.AdminURL()+path, bytes.NewBufferString(body))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := gw.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		data, _ := io.ReadAll(resp.Body)
		var o obj
		_ = json.Unmarshal(data, &o)
		return resp.StatusCode, o, string(data)
	}
}

func TestAdminAPI(t *testing.T) {
	gw := sessiontest.NewServer(t, sessiontest.Options{AdminAddr: "127.0.0.1:0"})
	admin := adminOf(t, gw)
	status, _, text := admin("POST", "/faults", `{"match":{"method":"GET","path":"`+pathInfo+`"},"skip":0,"times":2,
		"action":{"kind":"status","status":429,"headers":{"Retry-After":"7"},"delay_ms":50}}`)
	if status != 201 || !strings.Contains(text, `"delay_ms":50`) {
		t.Fatalf("add: %d %s", status, text)
	}
	if a := call(t, gw, "GET", pathInfo, nil, nil); a.Status != 429 || a.Header.Get("Retry-After") != "7" {
		t.Errorf("faulty request: %d", a.Status)
	}
	if _, _, text := admin("GET", "/faults", ""); !strings.Contains(text, `"hits":1`) {
		t.Errorf("list: %s", text)
	}
	if status, _, _ := admin("DELETE", "/faults/1", ""); status != 204 {
		t.Errorf("remove: %d", status)
	}
	if status, _, _ := admin("DELETE", "/faults/1", ""); status != 404 {
		t.Errorf("remove again: %d", status)
	}
	if status, _, _ := admin("POST", "/faults", `{"action":{"kind":"nonsense"}}`); status != 400 {
		t.Errorf("unknown kind: %d", status)
	}
	if _, _, text := admin("GET", "/journal", ""); !strings.Contains(text, `"path":"`+pathInfo+`"`) {
		t.Errorf("journal: %s", text)
	}
	c, protocol := connected(t, gw, "ann")
	if status, _, text := admin("GET", "/calls", ""); status != 200 || strings.TrimSpace(text) != "[]" {
		t.Errorf("calls: %d %s", status, text)
	}
	if status, _, _ := admin("POST", "/calls/none/hangup", ""); status != 404 {
		t.Errorf("hangup of no call: %d", status)
	}
	if _, _, text := admin("GET", "/sessions", ""); !strings.Contains(text, protocol) {
		t.Errorf("sessions: %s", text)
	}
	if status, _, _ := admin("POST", "/sessions/"+protocol+"/expire", ""); status != 200 {
		t.Errorf("expire: %d", status)
	}
	if err := <-c.ended; websocket.CloseStatus(err) != 4401 {
		t.Errorf("socket ended with %v", err)
	}
	sat := gw.IssueSAT(sessiontest.SATRequest{})
	if status, _, _ := admin("POST", "/tokens/"+sat.JTI+"/revoke", ""); status != 204 {
		t.Errorf("revoke: %d", status)
	}
	if a := call(t, gw, "GET", pathInfo, bearer(sat.Token), nil); a.Status != 401 {
		t.Errorf("revoked token: %d", a.Status)
	}
	_, o, _ := admin("POST", "/clock", `{"skew_ms":3600000}`)
	at, _ := o["now"].(string)
	if now, err := time.Parse(time.RFC3339Nano, at); err != nil || time.Until(now) < 59*time.Minute {
		t.Errorf("clock: %v", o)
	}
	req, _ := http.NewRequest("GET", gw.AdminURL()+"/journal", nil)
	req.Header.Set("Origin", "https://evil.example")
	resp, err := gw.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != 403 {
		t.Errorf("page of another origin: %d", resp.StatusCode)
	}
}
