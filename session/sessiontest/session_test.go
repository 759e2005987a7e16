package sessiontest_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"nhooyr.io/websocket"

	"github.com/callrx/callrx/session/sessiontest"
)

// bubble runs f in a synctest bubble with a server in memory.
func bubble(t *testing.T, o sessiontest.Options, f func(t *testing.T, gw *sessiontest.Server)) {
	t.Helper()
	o.InMemory = true
	synctest.Test(t, func(t *testing.T) { f(t, sessiontest.NewServer(t, o)) })
}

// wait lets d pass and everything it sets off settle.
func wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// closeCode returns how the socket ended: a close code, -1 for a cut connection, 0 for not at all.
func (c *wsClient) closeCode() int {
	select {
	case err := <-c.ended:
		c.ended <- err
		return int(websocket.CloseStatus(err))
	default:
		return 0
	}
}

func (c *wsClient) reauthenticate(token, proof string) obj {
	c.t.Helper()
	p := obj{"authentication": obj{"jwt_token": token, "project": ""}}
	if proof != "" {
		p["dpop_token"] = proof
	}
	return c.rpc("signalwire.reauthenticate", p)
}

func TestConnectResultDescribesToken(t *testing.T) {
	gw := sessiontest.NewServer(t)
	key := newProofKey(t, 0)
	sat := gw.IssueSAT(sessiontest.SATRequest{
		TTL: time.Hour, Scope: "sat:refresh", Fingerprint: key.Thumbprint, ApplicationID: "app-1",
	})
	r, _ := dialWS(t, gw).connect(sat.Token, obj{"dpop_token": key.rpc("signalwire.connect")})["result"].(obj)
	projectID, _ := gw.Project()
	for _, c := range []struct {
		path []string
		want any
	}{
		{[]string{"authorization", "jti"}, sat.JTI},
		{[]string{"authorization", "project_id"}, projectID},
		{[]string{"authorization", "cnf", "jkt"}, key.Thumbprint},
		{[]string{"authorization", "fabric_subscriber", "subscriber_id"}, sat.SubscriberID},
		{[]string{"authorization", "fabric_subscriber", "application_id"}, "app-1"},
		{[]string{"authorization", "fabric_subscriber", "expires_at"}, float64(sat.ExpiresAt.Unix())},
	} {
		if got := dig(r, c.path...); got != c.want {
			t.Errorf("%v is %v, want %v", c.path, got, c.want)
		}
	}
	if s, _ := r["protocol"].(string); s == "" || s != gw.Sessions()[0].Protocol {
		t.Errorf("protocol is %q, the server has %+v", s, gw.Sessions())
	}
	if s, _ := r["identity"].(string); s == "" {
		t.Error("identity is missing")
	}
}

func TestConnectRefusesTokens(t *testing.T) {
	gw := sessiontest.NewServer(t)
	revoked := gw.IssueSAT(sessiontest.SATRequest{})
	gw.Revoke(revoked.JTI)
	sat := gw.IssueSAT(sessiontest.SATRequest{})
	for name, c := range map[string]struct {
		token string
		code  int
	}{
		"expired":       {gw.IssueSAT(sessiontest.SATRequest{TTL: -time.Minute}).Token, -32002},
		"revoked":       {revoked.Token, -32002},
		"refresh token": {sat.RefreshToken, -32002},
		"garbage":       {"not.a.token", -32002},
		"tampered":      {sat.Token[:len(sat.Token)-2] + "AA", -32002},
		"another's":     {sessiontest.NewServer(t).IssueSAT(sessiontest.SATRequest{}).Token, -32002},
		"missing":       {"", -32602},
	} {
		t.Run(name, func(t *testing.T) {
			c1 := dialWS(t, gw)
			if f := c1.connect(c.token); code(f) != c.code {
				t.Fatalf("answered %v, want code %d", f, c.code)
			}
			if f := c1.connect(sat.Token); code(f) != 0 {
				t.Errorf("socket is of no use after a refusal: %v", f)
			}
		})
	}
}

func TestRequestsBeforeConnectAreRefused(t *testing.T) {
	bubble(t, sessiontest.Options{}, func(t *testing.T, gw *sessiontest.Server) {
		c := dialWS(t, gw)
		for _, method := range []string{"subscriber.online", "signalwire.reauthenticate", "webrtc.verto", "call.mute"} {
			if f := c.rpc(method, obj{}); code(f) != -32002 {
				t.Errorf("%s: %v", method, f)
			}
		}
		if f := c.rpc("signalwire.ping", obj{}); dig(f, "result", "timestamp") == nil {
			t.Errorf("ping: %v", f)
		}
		wait(59 * time.Second)
		if c.closeCode() != 0 {
			t.Error("socket was closed before the idle limit")
		}
		wait(2 * time.Second)
		if c.closeCode() != int(websocket.StatusPolicyViolation) {
			t.Errorf("socket ended with %d after the idle limit", c.closeCode())
		}
	})
}

func TestUnknownMethodsAreAnswered(t *testing.T) {
	gw := sessiontest.NewServer(t)
	c := dialWS(t, gw)
	c.connect(gw.IssueSAT(sessiontest.SATRequest{}).Token)
	for _, method := range []string{"video.play", "call.fly", "no.such"} {
		if f := c.rpc(method, obj{}); code(f) != -32601 {
			t.Errorf("%s: %v", method, f)
		}
	}
}

func TestSessionIsClosedAtExpiryNotBefore(t *testing.T) {
	for name, c := range map[string]struct{ slack, at time.Duration }{
		"no slack": {0, time.Minute}, "slack": {5 * time.Second, 65 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, sessiontest.Options{ExpirySlack: c.slack}, func(t *testing.T, gw *sessiontest.Server) {
				sat := gw.IssueSAT(sessiontest.SATRequest{TTL: time.Minute})
				k := dialWS(t, gw)
				protocol := dig(k.connect(sat.Token), "result", "protocol")
				state := k.state()
				wait(c.at - time.Millisecond)
				if k.closeCode() != 0 {
					t.Fatal("closed before the expiry")
				}
				wait(time.Millisecond)
				var ce websocket.CloseError
				if err := <-k.ended; !errors.As(err, &ce) || ce.Code != 4401 || ce.Reason != "token_expired" {
					t.Fatalf("ended with %v", err)
				}
				fresh := gw.IssueSAT(sessiontest.SATRequest{})
				f := dialWS(t, gw).connect(fresh.Token, obj{"authorization_state": state, "protocol": protocol})
				if code(f) != -32003 {
					t.Errorf("resume of an expired session: %v", f)
				}
			})
		})
	}
}

func TestReauthenticateMovesDeadline(t *testing.T) {
	bubble(t, sessiontest.Options{}, func(t *testing.T, gw *sessiontest.Server) {
		c := dialWS(t, gw)
		c.connect(gw.IssueSAT(sessiontest.SATRequest{TTL: time.Minute}).Token)
		first := c.state()
		wait(50 * time.Second)
		next := gw.IssueSAT(sessiontest.SATRequest{TTL: time.Minute})
		if f := c.reauthenticate(next.Token, ""); dig(f, "result", "authorization", "jti") != next.JTI {
			t.Fatalf("reauthenticate: %v", f)
		}
		if c.state() == first {
			t.Error("authorization state did not change")
		}
		if d := gw.Sessions()[0].Deadline; !d.Equal(next.ExpiresAt) {
			t.Errorf("deadline is %v, want %v", d, next.ExpiresAt)
		}
		wait(59 * time.Second)
		if c.closeCode() != 0 {
			t.Error("closed at the old deadline")
		}
		wait(2 * time.Second)
		if c.closeCode() != 4401 {
			t.Errorf("ended with %d at the new deadline", c.closeCode())
		}
	})
}

func TestRefusedReauthenticateChangesNothing(t *testing.T) {
	gw := sessiontest.NewServer(t)
	sat := gw.IssueSAT(sessiontest.SATRequest{Reference: "a"})
	c := dialWS(t, gw)
	c.connect(sat.Token)
	for name, token := range map[string]string{
		"expired":   gw.IssueSAT(sessiontest.SATRequest{Reference: "a", TTL: -time.Second}).Token,
		"another's": gw.IssueSAT(sessiontest.SATRequest{Reference: "b"}).Token,
	} {
		if f := c.reauthenticate(token, ""); code(f) != -32002 {
			t.Errorf("%s: %v", name, f)
		}
	}
	if s := gw.Sessions()[0]; s.TokenID != sat.JTI || !s.Connected {
		t.Errorf("session is %+v", s)
	}
}

func TestRegistration(t *testing.T) {
	gw := sessiontest.NewServer(t)
	sat := gw.IssueSAT(sessiontest.SATRequest{})
	c := dialWS(t, gw)
	c.connect(sat.Token)
	for _, step := range []struct {
		method string
		want   bool
	}{{"subscriber.online", true}, {"subscriber.offline", false}, {"subscriber.online", true}} {
		if f := c.rpc(step.method, obj{}); dig(f, "result", "code") != "200" {
			t.Errorf("%s: %v", step.method, f)
		}
		if got := gw.Sessions()[0].Registered; got != step.want {
			t.Errorf("after %s registered is %v", step.method, got)
		}
	}
}

func TestGuestsCannotRegister(t *testing.T) {
	for name, lenient := range map[string]bool{"strict": false, "lenient": true} {
		t.Run(name, func(t *testing.T) {
			gw := sessiontest.NewServer(t, sessiontest.Options{GuestsMayGoOnline: lenient})
			sat := gw.IssueSAT(sessiontest.SATRequest{})
			for kind, token := range map[string]sessiontest.Token{
				"guest": gw.IssueGuest(time.Hour, sat.AddressID), "invite": gw.IssueInvite(time.Hour, sat.AddressID),
			} {
				c := dialWS(t, gw)
				if f := c.connect(token.Token); code(f) != 0 {
					t.Fatalf("%s: connect: %v", kind, f)
				}
				want := -32001
				if lenient {
					want = 0
				}
				if f := c.rpc("subscriber.online", obj{}); code(f) != want {
					t.Errorf("%s: %v, want code %d", kind, f, want)
				}
			}
			for _, s := range gw.Sessions() {
				if s.Registered {
					t.Errorf("%+v is registered", s)
				}
			}
		})
	}
}

func TestServerPings(t *testing.T) {
	bubble(t, sessiontest.Options{}, func(t *testing.T, gw *sessiontest.Server) {
		answers, ignores := dialWS(t, gw), dialWS(t, gw, silent)
		token := gw.IssueSAT(sessiontest.SATRequest{}).Token
		answers.connect(token)
		ignores.connect(token)
		wait(10*time.Second + 15*time.Second - time.Millisecond)
		if ignores.closeCode() != 0 {
			t.Error("closed before the ping timeout")
		}
		wait(10 * time.Millisecond)
		if ignores.closeCode() != int(websocket.StatusPolicyViolation) {
			t.Errorf("silent socket ended with %d", ignores.closeCode())
		}
		wait(time.Hour)
		if answers.closeCode() != 0 {
			t.Error("socket that answers was closed")
		}
		if n := len(gw.Journal().Sent("signalwire.ping")); n < 360 {
			t.Errorf("%d pings in an hour", n)
		}
	})
}

func TestPingsCanBeOff(t *testing.T) {
	bubble(t, sessiontest.Options{PingInterval: -1}, func(t *testing.T, gw *sessiontest.Server) {
		c := dialWS(t, gw, silent)
		c.connect(gw.IssueSAT(sessiontest.SATRequest{}).Token)
		wait(time.Hour)
		if c.closeCode() != 0 || len(gw.Journal().Sent("signalwire.ping")) != 0 {
			t.Errorf("closed with %d after %d pings", c.closeCode(), len(gw.Journal().Sent("signalwire.ping")))
		}
	})
}

func TestClockSkewMovesDeadlines(t *testing.T) {
	bubble(t, sessiontest.Options{}, func(t *testing.T, gw *sessiontest.Server) {
		sat := gw.IssueSAT(sessiontest.SATRequest{TTL: time.Hour})
		c := dialWS(t, gw)
		c.connect(sat.Token)
		gw.SetClockSkew(59 * time.Minute)
		wait(59 * time.Second)
		if c.closeCode() != 0 {
			t.Error("closed too early")
		}
		wait(time.Second)
		if c.closeCode() != 4401 {
			t.Errorf("ended with %d", c.closeCode())
		}
		a := call(t, gw, "GET", "/api/fabric/subscriber/info", bearer(sat.Token), nil)
		date, _ := time.Parse("Mon, 02 Jan 2006 15:04:05 GMT", a.Header.Get("Date"))
		if ahead := time.Until(date).Round(time.Second); a.Status != 401 || ahead != 59*time.Minute {
			t.Errorf("answered %d with a Date %v ahead", a.Status, ahead)
		}
	})
}
