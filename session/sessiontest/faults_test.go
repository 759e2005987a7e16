package sessiontest_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"nhooyr.io/websocket"

	"github.com/callrx/callrx/session/sessiontest"
)

// refresher prepares a bound token and returns a function that refreshes it once.
func refresher(t *testing.T, gw *sessiontest.Server) func(ctx context.Context) (httpAnswer, error) {
	t.Helper()
	key := newProofKey(t, 0)
	bound := bind(t, gw, key, refreshable(gw, key.Thumbprint).Token)["token"].(string)
	return func(ctx context.Context) (httpAnswer, error) {
		body := obj{"dpop_token": key.http(pathRefresh, bound), "expire_in": 300}
		return tryCall(ctx, gw, "POST", pathRefresh, bearer(bound), body)
	}
}

func onRefresh(a sessiontest.Action) sessiontest.Fault {
	return sessiontest.Fault{Match: sessiontest.Match{Method: "POST", Path: pathRefresh}, Action: a}
}

func TestAnsweredFaults(t *testing.T) {
	var syntax *json.SyntaxError
	parse := func(a httpAnswer) error { return json.Unmarshal(a.Body, new(obj)) }
	for _, c := range []struct {
		name   string
		action sessiontest.Action
		status int
		check  func(a httpAnswer) bool
	}{
		{"500", sessiontest.Action{Kind: sessiontest.FaultStatus}, 500, func(a httpAnswer) bool {
			return a.JSON["error"] == "Internal Server Error"
		}},
		{"429", sessiontest.Action{Kind: sessiontest.FaultStatus, Status: 429, Headers: map[string]string{"Retry-After": "7"}}, 429,
			func(a httpAnswer) bool { return a.Header.Get("Retry-After") == "7" }},
		{"401 with body", sessiontest.Action{Kind: sessiontest.FaultStatus, Status: 401, Body: "no"}, 401,
			func(a httpAnswer) bool { return string(a.Body) == "no" }},
		{"html", sessiontest.Action{Kind: sessiontest.FaultHTML}, 200, func(a httpAnswer) bool {
			return strings.HasPrefix(a.Header.Get("Content-Type"), "text/html") && strings.HasPrefix(string(a.Body), "<!doctype")
		}},
		{"truncated", sessiontest.Action{Kind: sessiontest.FaultTruncated}, 200, func(a httpAnswer) bool {
			return errors.As(parse(a), &syntax) && strings.HasPrefix(string(a.Body), `{"token":"ey`)
		}},
		{"no token", sessiontest.Action{Kind: sessiontest.FaultNoToken}, 200, func(a httpAnswer) bool { return string(a.Body) == "{}" }},
		{"wrong type", sessiontest.Action{Kind: sessiontest.FaultWrongType}, 200, func(a httpAnswer) bool { return a.JSON["token"] == 42.0 }},
		{"wrong type, list", sessiontest.Action{Kind: sessiontest.FaultWrongType, Body: "[]"}, 200,
			func(a httpAnswer) bool { return string(a.Body) == "[]" }},
		{"empty", sessiontest.Action{Kind: sessiontest.FaultEmpty}, 200, func(a httpAnswer) bool { return len(a.Body) == 0 }},
		{"empty 204", sessiontest.Action{Kind: sessiontest.FaultEmpty, Status: 204}, 204, func(a httpAnswer) bool { return len(a.Body) == 0 }},
		{"bad expiry", sessiontest.Action{Kind: sessiontest.FaultBadExpiry}, 200, func(a httpAnswer) bool {
			at, _ := a.JSON["expires_at"].(float64)
			return a.JSON["token"] != nil && a.JSON["expires_in"] == 0.0 && int64(at) < time.Now().Unix()
		}},
		{"no expiry", sessiontest.Action{Kind: sessiontest.FaultNoExpiry}, 200, func(a httpAnswer) bool {
			return a.JSON["token"] != nil && len(a.JSON) == 1
		}},
		{"expires_in only", sessiontest.Action{Kind: sessiontest.FaultExpiresInOnly}, 200, func(a httpAnswer) bool {
			return a.JSON["expires_in"] == 300.0 && len(a.JSON) == 2
		}},
		{"commit then fail", sessiontest.Action{Kind: sessiontest.FaultCommitThenFail, Status: 503}, 503, func(a httpAnswer) bool {
			return a.JSON["token"] == nil
		}},
		{"no CORS", sessiontest.Action{Kind: sessiontest.FaultNoCORS}, 200, func(a httpAnswer) bool {
			return a.JSON["token"] != nil && a.Header.Get("Access-Control-Allow-Origin") == ""
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, sessiontest.Options{}, func(t *testing.T, gw *sessiontest.Server) {
				refresh := refresher(t, gw)
				fault := gw.Inject(onRefresh(c.action))
				a, err := refresh(t.Context())
				if err != nil || a.Status != c.status || !c.check(a) {
					t.Errorf("answered %d %q %v %v", a.Status, a.Body, a.Header, err)
				}
				j := gw.Journal().HTTP(pathRefresh)
				if fault.Hits() != 1 || j[0].Fault != string(c.action.Kind) || j[0].Status != c.status {
					t.Errorf("%d hits, journal %+v", fault.Hits(), j)
				}
				if a, err := refresh(t.Context()); err != nil || a.Status != 200 || a.JSON["token"] == nil {
					t.Errorf("next attempt: %d %q %v", a.Status, a.Body, err)
				}
			})
		})
	}
}

func TestBrokenConnectionFaults(t *testing.T) {
	for _, c := range []struct {
		kind sessiontest.FaultKind
		is   error
	}{
		{sessiontest.FaultHang, context.DeadlineExceeded},
		{sessiontest.FaultStallBody, context.DeadlineExceeded},
		{sessiontest.FaultShortBody, io.ErrUnexpectedEOF},
		{sessiontest.FaultReset, syscall.ECONNRESET},
	} {
		try := func(t *testing.T, gw *sessiontest.Server, timeout time.Duration) {
			refresh := refresher(t, gw)
			gw.Inject(onRefresh(sessiontest.Action{Kind: c.kind}))
			ctx, cancel := context.WithTimeout(t.Context(), timeout)
			defer cancel()
			a, err := refresh(ctx)
			if !errors.Is(err, c.is) {
				t.Errorf("answered %d, error %v, want %v", a.Status, err, c.is)
			}
			if j := gw.Journal().HTTP(pathRefresh); len(j) != 1 || j[0].Fault != string(c.kind) {
				t.Errorf("journal: %+v", j)
			}
			if a, err := refresh(t.Context()); err != nil || a.Status != 200 {
				t.Errorf("next attempt: %d %v", a.Status, err)
			}
		}
		t.Run(string(c.kind)+" in memory", func(t *testing.T) {
			bubble(t, sessiontest.Options{}, func(t *testing.T, gw *sessiontest.Server) { try(t, gw, 10*time.Second) })
		})
		t.Run(string(c.kind)+" over TLS", func(t *testing.T) {
			try(t, sessiontest.NewServer(t, sessiontest.Options{TLS: true}), 200*time.Millisecond)
		})
	}
}

func TestSlowFault(t *testing.T) {
	bubble(t, sessiontest.Options{}, func(t *testing.T, gw *sessiontest.Server) {
		refresh := refresher(t, gw)
		gw.Inject(onRefresh(sessiontest.Action{Kind: sessiontest.FaultSlow, Delay: 3 * time.Second}))
		start := time.Now()
		a, err := refresh(t.Context())
		if err != nil || a.Status != 200 || time.Since(start) != 3*time.Second {
			t.Errorf("answered %d after %v: %v", a.Status, time.Since(start), err)
		}
	})
}

func TestClockSkewFault(t *testing.T) {
	bubble(t, sessiontest.Options{}, func(t *testing.T, gw *sessiontest.Server) {
		refresh := refresher(t, gw)
		gw.Inject(onRefresh(sessiontest.Action{Kind: sessiontest.FaultClockSkew, Delay: 10 * time.Minute}))
		a, err := refresh(t.Context())
		date, _ := http.ParseTime(a.Header.Get("Date"))
		if err != nil || a.Status != 401 || time.Until(date).Round(time.Second) != 10*time.Minute {
			t.Errorf("answered %d with Date %v: %v", a.Status, date, err)
		}
	})
}

func TestSkipTimesAndRemove(t *testing.T) {
	bubble(t, sessiontest.Options{}, func(t *testing.T, gw *sessiontest.Server) {
		refresh := refresher(t, gw)
		var got []int
		run := func(n int) {
			got = nil
			for range n {
				a, _ := refresh(t.Context())
				got = append(got, a.Status)
			}
		}
		f := onRefresh(sessiontest.Action{Kind: sessiontest.FaultStatus, Status: 503})
		f.Skip, f.Times = 1, 2
		gw.Inject(f)
		run(4)
		if want := [4]int{200, 503, 503, 200}; [4]int(got) != want {
			t.Errorf("skip 1, times 2: %v", got)
		}
		f.Skip, f.Times = 0, -1
		forever := gw.Inject(f)
		run(4)
		if want := [4]int{503, 503, 503, 503}; [4]int(got) != want || forever.Hits() != 4 {
			t.Errorf("forever: %v, %d hits", got, forever.Hits())
		}
		forever.Remove()
		run(1)
		if got[0] != 200 {
			t.Errorf("after the removal: %v", got)
		}
		f.Probability = 0.5
		chance := gw.Inject(f)
		run(64)
		if n := chance.Hits(); n < 16 || n > 48 {
			t.Errorf("%d of 64 spoiled with probability 0.5", n)
		}
		gw.ClearFaults()
		run(1)
		if got[0] != 200 {
			t.Errorf("after clearing: %v", got)
		}
	})
}

func TestFaultMatchesHolder(t *testing.T) {
	gw := sessiontest.NewServer(t)
	mara, other := gw.IssueSAT(sessiontest.SATRequest{Reference: "m"}), gw.IssueSAT(sessiontest.SATRequest{Reference: "o"})
	guest := gw.IssueGuest(0, mara.AddressID)
	status := func(token sessiontest.Token) int {
		return call(t, gw, "GET", pathInfo, bearer(token.Token), nil).Status
	}
	gw.Inject(sessiontest.Fault{
		Match: sessiontest.Match{Subscriber: mara.SubscriberID}, Times: -1, Action: sessiontest.Action{Kind: sessiontest.FaultStatus},
	})
	gw.Inject(sessiontest.Fault{
		Match: sessiontest.Match{TokenKind: sessiontest.KindGuest}, Times: -1,
		Action: sessiontest.Action{Kind: sessiontest.FaultStatus, Status: 418},
	})
	if a, b, c := status(mara), status(other), status(guest); a != 500 || b != 200 || c != 418 {
		t.Errorf("answered %d, %d and %d", a, b, c)
	}
}

func onRPC(method string, a sessiontest.Action) sessiontest.Fault {
	return sessiontest.Fault{Match: sessiontest.Match{RPC: method}, Action: a}
}

func TestRPCFaults(t *testing.T) {
	const method = "signalwire.reauthenticate"
	bubble(t, sessiontest.Options{}, func(t *testing.T, gw *sessiontest.Server) {
		sat := gw.IssueSAT(sessiontest.SATRequest{})
		c := dialWS(t, gw)
		c.connect(sat.Token)

		gw.Inject(onRPC(method, sessiontest.Action{Kind: sessiontest.FaultRPCError, Code: -32602, Message: "odd"}))
		if f := c.reauthenticate(sat.Token, ""); code(f) != -32602 || dig(f, "error", "message") != "odd" {
			t.Errorf("rpc_error: %v", f)
		}

		gw.Inject(onRPC(method, sessiontest.Action{Kind: sessiontest.FaultRPCSilent}))
		swallowed := c.send(method, obj{"authentication": obj{"jwt_token": sat.Token}})
		if f := c.reauthenticate(sat.Token, ""); code(f) != 0 {
			t.Errorf("request behind a swallowed one: %v", f)
		}
		for _, e := range gw.Journal().RPC(method) {
			if e.ID == swallowed && (!e.Answered.IsZero() || e.Fault != "rpc_silent") {
				t.Errorf("swallowed request: %+v", e)
			}
		}

		next := gw.IssueSAT(sessiontest.SATRequest{})
		gw.Inject(onRPC(method, sessiontest.Action{Kind: sessiontest.FaultCommitThenFail}))
		if f := c.reauthenticate(next.Token, ""); code(f) != -32000 || gw.Sessions()[0].TokenID != next.JTI {
			t.Errorf("commit_then_fail: %v, session %+v", f, gw.Sessions()[0])
		}

		gw.Inject(onRPC(method, sessiontest.Action{Kind: sessiontest.FaultSlow, Delay: 7 * time.Second}))
		start := time.Now()
		if f := c.reauthenticate(sat.Token, ""); code(f) != 0 || time.Since(start) != 7*time.Second {
			t.Errorf("slow: %v after %v", f, time.Since(start))
		}

		gw.Inject(onRPC(method, sessiontest.Action{Kind: sessiontest.FaultWSClose, Code: 4000, Message: "bye"}))
		c.send(method, obj{})
		var ce websocket.CloseError
		if err := <-c.ended; !errors.As(err, &ce) || ce.Code != 4000 || ce.Reason != "bye" {
			t.Errorf("ws_close: %v", err)
		}

		d := dialWS(t, gw)
		gw.Inject(onRPC("signalwire.connect", sessiontest.Action{Kind: sessiontest.FaultReset}))
		d.send("signalwire.connect", obj{})
		if err := <-d.ended; websocket.CloseStatus(err) != -1 {
			t.Errorf("reset: %v", err)
		}
	})
}

func TestRefusedConnections(t *testing.T) {
	gw := sessiontest.NewServer(t)
	dial := func() (*http.Response, error) {
		c, resp, err := websocket.Dial(t.Context(), gw.RelayURL(), &websocket.DialOptions{HTTPClient: gw.Client()})
		if err == nil {
			_ = c.CloseNow()
		}
		return resp, err
	}
	busy := gw.RefuseConnections(503, 3*time.Second)
	if resp, err := dial(); err == nil || resp == nil || resp.StatusCode != 503 || resp.Header.Get("Retry-After") != "3" {
		t.Errorf("handshake: %v %v", resp, err)
	}
	busy.Remove()
	gone := gw.RefuseConnections(0, 0)
	if _, err := dial(); err == nil {
		t.Error("handshake went through a cut connection")
	}
	if a := call(t, gw, "GET", pathInfo, nil, nil); a.Status != 401 {
		t.Errorf("REST meanwhile: %d", a.Status)
	}
	gone.Remove()
	if _, err := dial(); err != nil {
		t.Errorf("handshake afterwards: %v", err)
	}
}
