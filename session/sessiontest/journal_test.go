package sessiontest_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/session/sessiontest"
)

func TestJournalHoldsNoSecrets(t *testing.T) {
	gw := sessiontest.NewServer(t)
	key := newProofKey(t, 0)
	sat := refreshable(gw, key.Thumbprint)
	bound := bind(t, gw, key, sat.Token)["token"].(string)
	proof := key.rpc("signalwire.connect")
	c := dialWS(t, gw)
	c.connect(bound, obj{"dpop_token": proof})
	state := c.state()
	call(t, gw, "POST", pathRenew, project(gw), obj{"refresh_token": sat.RefreshToken})
	data, err := json.Marshal(gw.Journal())
	if err != nil {
		t.Fatal(err)
	}
	_, projectToken := gw.Project()
	for name, secret := range map[string]string{
		"sat": sat.Token, "bound": bound, "refresh": sat.RefreshToken, "proof": proof, "state": state, "project": projectToken, "any token": "eyJ",
	} {
		if strings.Contains(string(data), secret) {
			t.Errorf("journal holds the %s", name)
		}
	}
}

func TestJournalTellsExchanges(t *testing.T) {
	gw := sessiontest.NewServer(t)
	key := newProofKey(t, 0)
	sat := refreshable(gw, key.Thumbprint)
	proof := key.http(pathBind, "", set("claims", "jti", "the-jti"))
	call(t, gw, "POST", pathBind, bearer(sat.Token), obj{"dpop_token": proof, "expire_in": 60})
	j := gw.Journal().HTTP(pathBind)
	if len(j) != 1 {
		t.Fatalf("journal: %+v", j)
	}
	e := j[0]
	if e.Method != "POST" || e.Status != 200 || e.TokenID != sat.JTI || e.TokenKind != sessiontest.KindSAT ||
		e.Subscriber != sat.SubscriberID || !strings.HasPrefix(e.Token, "tok:sha256:") || e.Answered.IsZero() {
		t.Errorf("entry: %+v", e)
	}
	if e.Proof == nil || e.Proof.JTI != "the-jti" || e.Proof.Thumbprint != key.Thumbprint || e.Proof.HTU != pathBind {
		t.Errorf("proof: %+v", e.Proof)
	}
	c := dialWS(t, gw)
	c.connect(sat.Token, obj{"dpop_token": key.rpc("signalwire.connect")})
	r := gw.Journal().RPC("signalwire.connect")
	if len(r) != 1 || r[0].Session == "" || r[0].Proof.Method != "signalwire.connect" || r[0].Code != 0 {
		t.Errorf("connect: %+v", r)
	}
	c.state()
	if s := gw.Journal().Sent("signalwire.authorization.state"); len(s) != 1 || s[0].Session != r[0].Session {
		t.Errorf("state event: %+v", s)
	}
	if h := gw.Journal().HTTP("/"); len(h) != 1 || h[0].Status != 101 {
		t.Errorf("handshake: %+v", h)
	}
}

func TestWaitFor(t *testing.T) {
	bubble(t, sessiontest.Options{}, func(t *testing.T, gw *sessiontest.Server) {
		answered := func(e sessiontest.Entry) bool { return e.Path == pathInfo && e.Status == 401 }
		got := make(chan error, 1)
		go func() {
			_, err := gw.WaitFor(t.Context(), answered)
			got <- err
		}()
		synctest.Wait() // the wait has begun
		call(t, gw, "GET", pathInfo, nil, nil)
		if err := <-got; err != nil {
			t.Errorf("future entry: %v", err)
		}
		if e, err := gw.WaitFor(t.Context(), answered); err != nil || e.Path != pathInfo {
			t.Errorf("past entry: %+v %v", e, err)
		}
		never := func(sessiontest.Entry) bool { return false }
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := gw.WaitFor(ctx, never); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("entry that never comes: %v", err)
		}
		go func() {
			_, err := gw.WaitFor(t.Context(), never)
			got <- err
		}()
		synctest.Wait() // the wait has begun
		gw.Close()
		if err := <-got; !errors.Is(err, sessiontest.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
	})
}

func TestJournalIsBounded(t *testing.T) {
	gw := sessiontest.NewServer(t, sessiontest.Options{JournalLimit: 16})
	for range 40 {
		call(t, gw, "GET", pathInfo, nil, nil)
	}
	if n := len(gw.Journal()); n > 16 || n < 8 {
		t.Errorf("journal holds %d entries", n)
	}
}
