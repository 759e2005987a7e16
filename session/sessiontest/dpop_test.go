package sessiontest_test

import (
	"crypto/rand"
	"crypto/rsa"
	"strings"
	"testing"
	"time"

	"github.com/callrx/callrx/session/sessiontest"
)

const (
	pathBind    = "/api/fabric/subscriber/devices/token"
	pathRefresh = "/api/fabric/subscriber/devices/refresh"
)

func set(part, name string, value any) func(header, claims obj) {
	return func(header, claims obj) {
		switch part {
		case "header":
			header[name] = value
		case "jwk":
			header["jwk"].(obj)[name] = value
		case "claims":
			claims[name] = value
		}
	}
}

func refreshable(gw *sessiontest.Server, fingerprint string) sessiontest.Token {
	return gw.IssueSAT(sessiontest.SATRequest{Scope: "sat:refresh", Fingerprint: fingerprint, TTL: time.Hour})
}

// bind activates a bound token and returns the answer's body.
func bind(t *testing.T, gw *sessiontest.Server, key *proofKey, token string) obj {
	t.Helper()
	a := call(t, gw, "POST", pathBind, bearer(token), obj{"dpop_token": key.http(pathBind, ""), "expire_in": 900})
	if a.Status != 200 {
		t.Fatalf("bind: %d %s", a.Status, a.Body)
	}
	return a.JSON
}

// lastReason returns why the newest request to path was refused.
func lastReason(gw *sessiontest.Server, path string) string {
	j := gw.Journal().HTTP(path)
	return j[len(j)-1].Reason
}

func TestProofIsRefusedByRule(t *testing.T) {
	gw := sessiontest.NewServer(t)
	key, other := newProofKey(t, 0), newProofKey(t, 1)
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().Unix()
	for _, c := range []struct {
		name, rule string
		proof      string
	}{
		{"two parts", "V1", "a.b"},
		{"typ", "V1", key.http(pathBind, "", set("header", "typ", "JWT"))},
		{"alg", "V1", key.http(pathBind, "", set("header", "alg", "none"))},
		{"kty", "V2", key.http(pathBind, "", set("jwk", "kty", "EC"))},
		{"private member", "V2", key.http(pathBind, "", set("jwk", "d", "AQAB"))},
		{"even exponent", "V2", key.http(pathBind, "", set("jwk", "e", "AQAC"))},
		{"short modulus", "V2", wrapKey(weak).http(pathBind, "")},
		{"no modulus", "V2", key.http(pathBind, "", set("jwk", "n", 1))},
		{"foreign signature", "V3", key.http(pathBind, "", set("header", "jwk", other.header["jwk"]))},
		{"no signature", "V3", strings.Join(strings.Split(key.http(pathBind, ""), ".")[:2], ".") + "."},
		{"method", "V4", key.http(pathBind, "", set("claims", "htm", "GET"))},
		{"path", "V4", key.http(pathRefresh, "")},
		{"rpc proof", "V4", key.rpc("signalwire.connect")},
		{"old", "V6", key.http(pathBind, "", set("claims", "iat", now-302))},
		{"future", "V6", key.http(pathBind, "", set("claims", "iat", now+302))},
		{"fraction", "V6", key.http(pathBind, "", set("claims", "iat", 1.5))},
		{"no jti", "V7", key.http(pathBind, "", set("claims", "jti", ""))},
		{"long jti", "V7", key.http(pathBind, "", set("claims", "jti", strings.Repeat("x", 129)))},
		{"wrong ath", "V8", key.http(pathBind, "another token")},
		{"other key", "V9", other.http(pathBind, "")},
	} {
		t.Run(c.name, func(t *testing.T) {
			sat := refreshable(gw, key.Thumbprint)
			a := call(t, gw, "POST", pathBind, bearer(sat.Token), obj{"dpop_token": c.proof, "expire_in": 900})
			if reason := lastReason(gw, pathBind); a.Status != 401 || !strings.HasPrefix(reason, c.rule+":") {
				t.Errorf("answered %d because of %q, want 401 because of %s", a.Status, reason, c.rule)
			}
		})
	}
}

func TestProofIsAccepted(t *testing.T) {
	gw := sessiontest.NewServer(t)
	key := newProofKey(t, 0)
	for name, htu := range map[string]string{
		"path": pathBind, "absolute URL": "https://fabric.example.org" + pathBind + "?x=1",
	} {
		t.Run(name, func(t *testing.T) {
			sat := refreshable(gw, key.Thumbprint)
			a := call(t, gw, "POST", pathBind, bearer(sat.Token), obj{
				"dpop_token": key.http(pathBind, sat.Token, set("claims", "htu", htu)), "expire_in": 60,
			})
			if a.Status != 200 {
				t.Errorf("answered %d because of %q", a.Status, lastReason(gw, pathBind))
			}
		})
	}
}

func TestReplayedProofIsRefused(t *testing.T) {
	gw := sessiontest.NewServer(t)
	key := newProofKey(t, 0)
	sat := refreshable(gw, key.Thumbprint)
	body := obj{"dpop_token": key.http(pathBind, ""), "expire_in": 60}
	first := call(t, gw, "POST", pathBind, bearer(sat.Token), body)
	second := call(t, gw, "POST", pathBind, bearer(sat.Token), body)
	if first.Status != 200 || second.Status != 401 {
		t.Errorf("answered %d then %d, want 200 then 401", first.Status, second.Status)
	}
}

func TestProofSurvivesServerFailure(t *testing.T) {
	for _, strict := range []bool{false, true} {
		gw := sessiontest.NewServer(t, sessiontest.Options{StrictProofs: strict})
		key := newProofKey(t, 0)
		sat := refreshable(gw, key.Thumbprint)
		gw.Inject(sessiontest.Fault{
			Match: sessiontest.Match{Path: pathBind}, Action: sessiontest.Action{Kind: sessiontest.FaultCommitThenFail},
		})
		body := obj{"dpop_token": key.http(pathBind, ""), "expire_in": 60}
		first := call(t, gw, "POST", pathBind, bearer(sat.Token), body)
		second := call(t, gw, "POST", pathBind, bearer(sat.Token), body)
		want := map[bool]int{false: 200, true: 401}[strict]
		if first.Status != 500 || second.Status != want {
			t.Errorf("strict %v: answered %d then %d, want 500 then %d", strict, first.Status, second.Status, want)
		}
	}
}

func TestUnboundTokenIsBoundOnFirstUse(t *testing.T) {
	gw := sessiontest.NewServer(t)
	key, other := newProofKey(t, 0), newProofKey(t, 1)
	sat := refreshable(gw, "")
	bind(t, gw, key, sat.Token)
	bind(t, gw, key, sat.Token)
	a := call(t, gw, "POST", pathBind, bearer(sat.Token), obj{"dpop_token": other.http(pathBind, ""), "expire_in": 60})
	if a.Status != 401 || !strings.HasPrefix(lastReason(gw, pathBind), "V10:") {
		t.Errorf("second key was answered %d because of %q", a.Status, lastReason(gw, pathBind))
	}
}

func TestRefreshWantsBoundTokenAndItsHash(t *testing.T) {
	gw := sessiontest.NewServer(t)
	key := newProofKey(t, 0)
	sat := refreshable(gw, key.Thumbprint)
	bound := bind(t, gw, key, sat.Token)["token"].(string)
	for _, c := range []struct{ name, rule, token, proof string }{
		{"plain SAT", "V11", sat.Token, key.http(pathRefresh, sat.Token)},
		{"no ath", "V8", bound, key.http(pathRefresh, "")},
		{"ath of another token", "V8", bound, key.http(pathRefresh, sat.Token)},
		{"good", "", bound, key.http(pathRefresh, bound)},
	} {
		a := call(t, gw, "POST", pathRefresh, bearer(c.token), obj{"dpop_token": c.proof, "expire_in": 60})
		if reason := lastReason(gw, pathRefresh); !strings.HasPrefix(reason, c.rule) || (a.Status == 200) != (c.rule == "") {
			t.Errorf("%s: answered %d because of %q, want rule %q", c.name, a.Status, reason, c.rule)
		}
	}
}

func TestSocketProofs(t *testing.T) {
	gw := sessiontest.NewServer(t)
	key, other := newProofKey(t, 0), newProofKey(t, 1)
	plain := gw.IssueSAT(sessiontest.SATRequest{})
	named := refreshable(gw, key.Thumbprint)
	bound := bind(t, gw, key, named.Token)["token"].(string)
	const method = "signalwire.connect"
	replayed := key.rpc(method)
	for _, c := range []struct{ name, token, proof, rule string }{
		{"plain without proof", plain.Token, "", ""},
		{"plain with good proof", plain.Token, replayed, ""},
		{"plain with replayed proof", plain.Token, replayed, "V7"},
		{"plain with proof for another method", plain.Token, key.rpc("signalwire.reauthenticate"), "V5"},
		{"plain with HTTP proof", plain.Token, key.http(pathBind, ""), "V5"},
		{"named key without proof", named.Token, "", "V12"},
		{"bound without proof", bound, "", "V12"},
		{"bound with another key", bound, other.rpc(method), "V9"},
		{"bound with its key", bound, key.rpc(method), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			extra := obj{}
			if c.proof != "" {
				extra["dpop_token"] = c.proof
			}
			f := dialWS(t, gw).connect(c.token, extra)
			j := gw.Journal().RPC(method)
			reason := j[len(j)-1].Reason
			if (code(f) == 0) != (c.rule == "") || !strings.HasPrefix(reason, c.rule) {
				t.Errorf("answered %v because of %q, want rule %q", f, reason, c.rule)
			}
			if c.rule != "" && code(f) != -32002 {
				t.Errorf("code %d, want -32002", code(f))
			}
		})
	}
}
