package sessiontest_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/session/sessiontest"
)

// lost connects with a token of that life, has the socket cut and returns what a resume needs.
func lost(t *testing.T, gw *sessiontest.Server, ttl time.Duration) (token string, resume obj) {
	t.Helper()
	sat := gw.IssueSAT(sessiontest.SATRequest{TTL: ttl})
	c := dialWS(t, gw)
	f := c.connect(sat.Token)
	resume = obj{"protocol": dig(f, "result", "protocol"), "authorization_state": c.state()}
	c.rpc("subscriber.online", obj{})
	if n := gw.Drop(""); n != 1 {
		t.Fatalf("dropped %d sockets", n)
	}
	synctest.Wait() // the server has noticed
	return sat.Token, resume
}

func TestResumeKeepsProtocol(t *testing.T) {
	bubble(t, sessiontest.Options{}, func(t *testing.T, gw *sessiontest.Server) {
		token, resume := lost(t, gw, time.Hour)
		if s := gw.Sessions(); len(s) != 1 || s[0].Connected || s[0].Registered {
			t.Fatalf("after the loss: %+v", s)
		}
		c := dialWS(t, gw)
		f := c.connect(token, resume)
		if dig(f, "result", "protocol") != resume["protocol"] {
			t.Fatalf("resume: %v", f)
		}
		if c.state() == resume["authorization_state"] {
			t.Error("authorization state is the old one")
		}
		if s := gw.Sessions(); len(s) != 1 || !s[0].Connected || s[0].Registered {
			t.Errorf("after the resume: %+v", s)
		}
	})
}

func TestResumeWithExpiredTokenWantsFreshOne(t *testing.T) {
	bubble(t, sessiontest.Options{}, func(t *testing.T, gw *sessiontest.Server) {
		token, resume := lost(t, gw, 40*time.Second)
		wait(50 * time.Second)
		c := dialWS(t, gw)
		if f := c.connect(token, resume); code(f) != 0 {
			t.Fatalf("resume: %v", f)
		}
		wait(30*time.Second - time.Millisecond)
		if c.closeCode() != 0 {
			t.Error("closed before the time to re-authenticate was over")
		}
		wait(time.Millisecond)
		if c.closeCode() != 4401 {
			t.Errorf("ended with %d", c.closeCode())
		}
	})
}

func TestResumedSessionLivesOnWithFreshToken(t *testing.T) {
	bubble(t, sessiontest.Options{}, func(t *testing.T, gw *sessiontest.Server) {
		token, resume := lost(t, gw, 40*time.Second)
		wait(50 * time.Second)
		c := dialWS(t, gw)
		c.connect(token, resume)
		if f := c.reauthenticate(gw.IssueSAT(sessiontest.SATRequest{TTL: time.Hour}).Token, ""); code(f) != 0 {
			t.Fatalf("reauthenticate: %v", f)
		}
		wait(59 * time.Minute)
		if c.closeCode() != 0 {
			t.Errorf("ended with %d", c.closeCode())
		}
	})
}

func TestResumeIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(gw *sessiontest.Server, token string, resume obj) string
		code  int
	}{
		"unknown state": {func(_ *sessiontest.Server, token string, r obj) string {
			r["authorization_state"] = "forged"
			return token
		}, -32003},
		"another protocol": {func(_ *sessiontest.Server, token string, r obj) string {
			r["protocol"] = "signalwire_x"
			return token
		}, -32003},
		"no protocol": {func(_ *sessiontest.Server, token string, r obj) string {
			delete(r, "protocol")
			return token
		}, -32003},
		"another subscriber": {func(gw *sessiontest.Server, _ string, _ obj) string {
			return gw.IssueSAT(sessiontest.SATRequest{Reference: "other"}).Token
		}, -32003},
		"window over": {func(_ *sessiontest.Server, token string, _ obj) string {
			wait(301 * time.Second)
			return token
		}, -32003},
		"garbage token": {func(*sessiontest.Server, string, obj) string { return "x" }, -32002},
		"bad proof": {func(_ *sessiontest.Server, token string, r obj) string {
			r["dpop_token"] = "a.b.c"
			return token
		}, -32002},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, sessiontest.Options{}, func(t *testing.T, gw *sessiontest.Server) {
				token, resume := lost(t, gw, time.Hour)
				token = c.spoil(gw, token, resume)
				k := dialWS(t, gw)
				if f := k.connect(token, resume); code(f) != c.code {
					t.Fatalf("answered %v, want code %d", f, c.code)
				}
				if f := k.connect(gw.IssueSAT(sessiontest.SATRequest{}).Token); code(f) != 0 {
					t.Errorf("fresh connect after it: %v", f)
				}
			})
		})
	}
}

func TestResumeJustInsideWindow(t *testing.T) {
	bubble(t, sessiontest.Options{}, func(t *testing.T, gw *sessiontest.Server) {
		token, resume := lost(t, gw, time.Minute)
		wait(299 * time.Second)
		if f := dialWS(t, gw).connect(token, resume); code(f) != 0 {
			t.Errorf("resume: %v", f)
		}
	})
}

func TestBoundSessionResumesWithoutProof(t *testing.T) {
	gw := sessiontest.NewServer(t)
	key := newProofKey(t, 0)
	bound := bind(t, gw, key, refreshable(gw, key.Thumbprint).Token)["token"].(string)
	c := dialWS(t, gw)
	f := c.connect(bound, obj{"dpop_token": key.rpc("signalwire.connect")})
	resume := obj{"protocol": dig(f, "result", "protocol"), "authorization_state": c.state()}
	if s := gw.Sessions(); !s[0].ClientBound {
		t.Errorf("session is %+v", s[0])
	}
	if f := dialWS(t, gw).connect(bound, resume); code(f) != 0 {
		t.Errorf("resume: %v", f)
	}
}

func TestSecondSocketReplacesFirst(t *testing.T) {
	bubble(t, sessiontest.Options{}, func(t *testing.T, gw *sessiontest.Server) {
		sat := gw.IssueSAT(sessiontest.SATRequest{})
		first := dialWS(t, gw)
		f := first.connect(sat.Token)
		resume := obj{"protocol": dig(f, "result", "protocol"), "authorization_state": first.state()}
		first.rpc("subscriber.online", obj{})
		second := dialWS(t, gw)
		if f := second.connect(sat.Token, resume); code(f) != 0 {
			t.Fatalf("resume: %v", f)
		}
		synctest.Wait() // the first socket is cut
		if first.closeCode() == 0 || second.closeCode() != 0 {
			t.Errorf("sockets ended with %d and %d", first.closeCode(), second.closeCode())
		}
		if s := gw.Sessions(); len(s) != 1 || !s[0].Connected || s[0].Registered {
			t.Errorf("sessions: %+v", s)
		}
	})
}

func TestEventsWaitForResume(t *testing.T) {
	bubble(t, sessiontest.Options{}, func(t *testing.T, gw *sessiontest.Server) {
		token, resume := lost(t, gw, time.Hour)
		for _, kind := range []string{"member.joined", "member.left"} {
			if n, err := gw.SendEvent("", kind, nil, obj{"kind": kind}); n != 1 || err != nil {
				t.Fatalf("sent to %d: %v", n, err)
			}
		}
		c := dialWS(t, gw)
		c.connect(token, resume)
		if e := c.event("member.joined"); dig(e, "params", "kind") != "member.joined" {
			t.Errorf("event is %v", e)
		}
		c.event("member.left")
	})
}
