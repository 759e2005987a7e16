package sessiontest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"
	"nhooyr.io/websocket"

	"github.com/callrx/callrx/session/sessiontest"
)

// obj is a JSON object.
type obj = map[string]any

// httpAnswer is an HTTP response with its body read.
type httpAnswer struct {
	Status int
	Header http.Header
	Body   []byte
	JSON   obj
}

// call sends an HTTP request; body is encoded as JSON unless nil.
func call(t *testing.T, gw *sessiontest.Server, method, path string, auth func(*http.Request), body any) httpAnswer {
	t.Helper()
	a, err := tryCall(t.Context(), gw, method, path, auth, body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return a
}

func tryCall(ctx context.Context, gw *sessiontest.Server, method, path string, auth func(*http.Request), body any) (httpAnswer, error) {
	var in io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return httpAnswer{}, err
		}
		in = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, gw.APIURL()+path, in)
	if err != nil {
		return httpAnswer{}, err
	}
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if auth != nil {
		auth(req)
	}
	resp, err := gw.Client().Do(req)
	if err != nil {
		return httpAnswer{}, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	a := httpAnswer{Status: resp.StatusCode, Header: resp.Header, Body: data}
	_ = json.Unmarshal(data, &a.JSON)
	return a, err
}

func bearer(token string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
}

func project(gw *sessiontest.Server) func(*http.Request) {
	return func(r *http.Request) { r.SetBasicAuth(gw.Project()) }
}

// wsClient is a bare client of the socket: it answers pings and acks nothing.
type wsClient struct {
	t      *testing.T
	conn   *websocket.Conn
	frames chan obj
	ended  chan error
	silent bool
}

func dialWS(t *testing.T, gw *sessiontest.Server, opts ...func(*wsClient)) *wsClient {
	t.Helper()
	conn, _, err := websocket.Dial(t.Context(), gw.RelayURL(), &websocket.DialOptions{HTTPClient: gw.Client()})
	if err != nil {
		t.Fatalf("dial: %v", err)
	}
	conn.SetReadLimit(32 << 20)
	c := &wsClient{t: t, conn: conn, frames: make(chan obj, 1024), ended: make(chan error, 1)}
	for _, o := range opts {
		o(c)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.ended <- c.read()
	}()
	t.Cleanup(func() {
		_ = conn.CloseNow()
		<-done
	})
	return c
}

func silent(c *wsClient) { c.silent = true }

func (c *wsClient) read() error {
	for {
		_, data, err := c.conn.Read(context.Background())
		if err != nil {
			return err
		}
		var f obj
		if json.Unmarshal(data, &f) != nil {
			f = obj{"raw": string(data)}
		}
		if f["method"] == "signalwire.ping" && !c.silent {
			c.write(obj{"jsonrpc": "2.0", "id": f["id"], "result": obj{"timestamp": 1}})
		}
		c.frames <- f
	}
}

func (c *wsClient) write(v any) {
	data, _ := json.Marshal(v)
	_ = c.conn.Write(context.Background(), websocket.MessageText, data)
}

// send writes a request and returns its id.
func (c *wsClient) send(method string, params any) string {
	id := uuid.NewString()
	c.write(obj{"jsonrpc": "2.0", "id": id, "method": method, "params": params})
	return id
}

// rpc sends a request and returns its answer.
func (c *wsClient) rpc(method string, params any) obj {
	c.t.Helper()
	id := c.send(method, params)
	return c.expect(func(f obj) bool { return f["id"] == id })
}

// expect returns the next frame that match holds for.
func (c *wsClient) expect(match func(obj) bool) obj {
	c.t.Helper()
	timeout := time.NewTimer(5 * time.Minute)
	defer timeout.Stop()
	for {
		select {
		case f := <-c.frames:
			if match(f) {
				return f
			}
		case err := <-c.ended:
			c.ended <- err
			c.t.Fatalf("socket ended while waiting: %v", err)
		case <-timeout.C:
			c.t.Fatal("frame did not come")
		}
	}
}

func (c *wsClient) event(kind string) obj {
	c.t.Helper()
	f := c.expect(func(f obj) bool { return dig(f, "params", "event_type") == kind })
	return f["params"].(obj)
}

func (c *wsClient) connect(token string, extra ...obj) obj {
	c.t.Helper()
	p := obj{
		"authentication": obj{"jwt_token": token}, "version": obj{"major": 4, "minor": 0, "revision": 0},
		"agent": "test", "contexts": []any{}, "eventing": []any{}, "topics": []any{}, "event_acks": true,
	}
	for _, e := range extra {
		for k, v := range e {
			p[k] = v
		}
	}
	return c.rpc("signalwire.connect", p)
}

func (c *wsClient) state() string {
	c.t.Helper()
	s, _ := dig(c.event("signalwire.authorization.state"), "params", "authorization_state").(string)
	return s
}

// dig follows keys into nested objects; nil when one is missing.
func dig(v any, path ...string) any {
	for _, key := range path {
		m, ok := v.(obj)
		if !ok {
			return nil
		}
		v = m[key]
	}
	return v
}

// code returns the JSON-RPC error code of an answer, 0 for a result.
func code(f obj) int {
	n, _ := dig(f, "error", "code").(float64)
	return int(n)
}
