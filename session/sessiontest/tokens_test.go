package sessiontest_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/session/sessiontest"
)

func TestThumbprintVector(t *testing.T) {
	const n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknj" +
		"hMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQ" +
		"vRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
	if got := sessiontest.ThumbprintOf(n, "AQAB"); got != "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs" {
		t.Errorf("thumbprint is %s, RFC 7638 section 3.1 says otherwise", got)
	}
}

// header reads the only readable part of a token.
func header(t *testing.T, token string) obj {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 5 || parts[1] != "" {
		t.Fatalf("token has %d parts and key %q", len(parts), parts[1])
	}
	data, err := base64.RawURLEncoding.DecodeString(parts[0])
	if err != nil {
		t.Fatal(err)
	}
	var h obj
	if err := json.Unmarshal(data, &h); err != nil {
		t.Fatal(err)
	}
	return h
}

func TestTokensAreJWE(t *testing.T) {
	gw := sessiontest.NewServer(t)
	sat := gw.IssueSAT(sessiontest.SATRequest{})
	for name, c := range map[string]struct{ token, typ string }{
		"sat": {sat.Token, "SAT"}, "refresh": {sat.RefreshToken, "Refresh"}, "guest": {gw.IssueGuest(0).Token, "SAT"},
	} {
		h := header(t, c.token)
		if h["alg"] != "dir" || h["enc"] != "A256GCM" || h["typ"] != c.typ || h["ch"] != gw.ClusterHost() {
			t.Errorf("%s: header is %v", name, h)
		}
	}
	if !strings.HasPrefix(gw.ClusterHost(), "puc.callrx.localhost:") {
		t.Errorf("cluster host is %s", gw.ClusterHost())
	}
	bare := sessiontest.NewServer(t, sessiontest.Options{OmitClusterHost: true})
	if h := header(t, bare.IssueSAT(sessiontest.SATRequest{}).Token); h["ch"] != nil {
		t.Errorf("header is %v", h)
	}
}

func TestTokenHeaderIsSealedToo(t *testing.T) {
	gw := sessiontest.NewServer(t)
	token := gw.IssueSAT(sessiontest.SATRequest{}).Token
	h := header(t, token)
	h["ch"] = "puc.evil.example"
	data, _ := json.Marshal(h)
	_, rest, _ := strings.Cut(token, ".")
	forged := base64.RawURLEncoding.EncodeToString(data) + "." + rest
	if a := call(t, gw, "GET", pathInfo, bearer(forged), nil); a.Status != 401 {
		t.Errorf("token with a changed header: %d", a.Status)
	}
}

func TestPrintedTokenShowsNoSecret(t *testing.T) {
	gw := sessiontest.NewServer(t)
	sat := gw.IssueSAT(sessiontest.SATRequest{})
	for _, text := range []string{fmt.Sprint(sat), fmt.Sprintf("%+v", sat), fmt.Sprintf("%#v", sat), sat.LogValue().String()} {
		if strings.Contains(text, "eyJ") || !strings.Contains(text, sat.JTI) {
			t.Errorf("printed as %s", text)
		}
	}
}

func TestRefreshTokenIsSingleUseWithGrace(t *testing.T) {
	bubble(t, sessiontest.Options{}, func(t *testing.T, gw *sessiontest.Server) {
		sat := gw.IssueSAT(sessiontest.SATRequest{})
		renew := func() httpAnswer {
			return call(t, gw, "POST", pathRenew, project(gw), obj{"refresh_token": sat.RefreshToken})
		}
		first := renew()
		if first.Status != 201 || first.JSON["token"] == sat.Token {
			t.Fatalf("renew: %d %s", first.Status, first.Body)
		}
		wait(9 * time.Second)
		if again := renew(); again.Status != 201 || again.JSON["token"] != first.JSON["token"] {
			t.Errorf("within the grace: %d, same pair %v", again.Status, again.JSON["token"] == first.JSON["token"])
		}
		wait(time.Second)
		if late := renew(); errorCode(late) != "token_invalid refresh_token" {
			t.Errorf("after the grace: %d %s", late.Status, late.Body)
		}
		next := call(t, gw, "POST", pathRenew, project(gw), obj{"refresh_token": first.JSON["refresh_token"]})
		if next.Status != 201 {
			t.Errorf("the new refresh token: %d %s", next.Status, next.Body)
		}
		wait(2*time.Hour + 5*time.Minute)
		late := call(t, gw, "POST", pathRenew, project(gw), obj{"refresh_token": next.JSON["refresh_token"]})
		if errorCode(late) != "token_expired refresh_token" {
			t.Errorf("after its life: %d %s", late.Status, late.Body)
		}
	})
}

func TestStrictRotationKillsFamilyOnReuse(t *testing.T) {
	bubble(t, sessiontest.Options{StrictRotation: true}, func(t *testing.T, gw *sessiontest.Server) {
		sat := gw.IssueSAT(sessiontest.SATRequest{})
		body := obj{"refresh_token": sat.RefreshToken}
		token := call(t, gw, "POST", pathRenew, project(gw), body).JSON["token"].(string)
		wait(11 * time.Second)
		call(t, gw, "POST", pathRenew, project(gw), body)
		if a := call(t, gw, "GET", pathInfo, bearer(token), nil); a.Status != 401 {
			t.Errorf("successor after the theft: %d", a.Status)
		}
	})
}

func TestConcurrentRenewalsMakeOnePair(t *testing.T) {
	gw := sessiontest.NewServer(t)
	sat := gw.IssueSAT(sessiontest.SATRequest{})
	tokens := make(chan any, 8)
	for range cap(tokens) {
		go func() {
			a, err := tryCall(t.Context(), gw, "POST", pathRenew, project(gw), obj{"refresh_token": sat.RefreshToken})
			if err != nil {
				tokens <- err
				return
			}
			tokens <- a.JSON["token"]
		}()
	}
	first := <-tokens
	for range cap(tokens) - 1 {
		if other := <-tokens; other != first || first == nil {
			t.Errorf("two renewals gave %v and %v", first, other)
		}
	}
}

func TestBoundTokenLifetimes(t *testing.T) {
	bubble(t, sessiontest.Options{}, func(t *testing.T, gw *sessiontest.Server) {
		key := newProofKey(t, 0)
		life := func(a httpAnswer) time.Duration {
			at, _ := a.JSON["expires_at"].(float64)
			in, _ := a.JSON["expires_in"].(float64)
			if int64(at)-time.Now().Unix() != int64(in) {
				t.Errorf("expires_at %v and expires_in %v differ", at, in)
			}
			return time.Duration(in) * time.Second
		}
		ask := func(token string, seconds int) httpAnswer {
			return call(t, gw, "POST", pathBind, bearer(token), obj{"dpop_token": key.http(pathBind, ""), "expire_in": seconds})
		}
		hour := gw.IssueSAT(sessiontest.SATRequest{Scope: "sat:refresh", Fingerprint: key.Thumbprint, TTL: time.Hour})
		short := gw.IssueSAT(sessiontest.SATRequest{Scope: "sat:refresh", TTL: 40 * time.Second})
		for name, c := range map[string]struct {
			token string
			ask   int
			want  time.Duration
		}{
			"asked": {hour.Token, 100, 100 * time.Second}, "cap": {hour.Token, 3600, 15 * time.Minute},
			"parent": {short.Token, 900, 40 * time.Second},
		} {
			if got := life(ask(c.token, c.ask)); got != c.want {
				t.Errorf("%s: %v, want %v", name, got, c.want)
			}
		}
		bound := ask(short.Token, 900).JSON["token"].(string)
		a := call(t, gw, "POST", pathRefresh, bearer(bound), obj{"dpop_token": key.http(pathRefresh, bound), "expire_in": 900})
		if got := life(a); got != 15*time.Minute {
			t.Errorf("refreshed: %v", got)
		}
	})
}

func TestFamilyLimitEndsRefreshing(t *testing.T) {
	bubble(t, sessiontest.Options{MaxFamilyLifetime: time.Minute}, func(t *testing.T, gw *sessiontest.Server) {
		key := newProofKey(t, 0)
		bound := bind(t, gw, key, refreshable(gw, key.Thumbprint).Token)
		wait(50 * time.Second)
		token := bound["token"].(string)
		a := call(t, gw, "POST", pathRefresh, bearer(token), obj{"dpop_token": key.http(pathRefresh, token), "expire_in": 900})
		if in, _ := a.JSON["expires_in"].(float64); in != 10 {
			t.Errorf("granted %v s, the family has 10 s left: %s", in, a.Body)
		}
	})
}

func TestReplacedBoundToken(t *testing.T) {
	for name, strict := range map[string]bool{"default": false, "strict": true} {
		t.Run(name, func(t *testing.T) {
			bubble(t, sessiontest.Options{StrictRotation: strict}, func(t *testing.T, gw *sessiontest.Server) {
				key := newProofKey(t, 0)
				old := bind(t, gw, key, refreshable(gw, key.Thumbprint).Token)["token"].(string)
				c := dialWS(t, gw)
				c.connect(old, obj{"dpop_token": key.rpc("signalwire.connect")})
				refresh := func() httpAnswer {
					return call(t, gw, "POST", pathRefresh, bearer(old), obj{"dpop_token": key.http(pathRefresh, old), "expire_in": 900})
				}
				next, again := refresh(), refresh()
				if next.JSON["token"] == nil || next.JSON["token"] != again.JSON["token"] {
					t.Fatal("two refreshes in a row made two branches")
				}
				status := func() int { return call(t, gw, "GET", pathInfo, bearer(old), nil).Status }
				if status() != 200 {
					t.Fatal("replaced token is refused before its successor was used")
				}
				if f := c.reauthenticate(next.JSON["token"].(string), key.rpc("signalwire.reauthenticate")); code(f) != 0 {
					t.Fatalf("reauthenticate: %v", f)
				}
				synctest.Wait()
				if want := map[bool]int{false: 200, true: 401}[strict]; status() != want {
					t.Errorf("replaced token is answered %d after its successor was used, want %d", status(), want)
				}
			})
		})
	}
}

func TestReplacedBoundTokenEndsUnderStrictRotation(t *testing.T) {
	bubble(t, sessiontest.Options{StrictRotation: true}, func(t *testing.T, gw *sessiontest.Server) {
		key := newProofKey(t, 0)
		old := bind(t, gw, key, refreshable(gw, key.Thumbprint).Token)["token"].(string)
		call(t, gw, "POST", pathRefresh, bearer(old), obj{"dpop_token": key.http(pathRefresh, old), "expire_in": 900})
		wait(29 * time.Second)
		before := call(t, gw, "GET", pathInfo, bearer(old), nil).Status
		wait(time.Second)
		after := call(t, gw, "GET", pathInfo, bearer(old), nil).Status
		if before != 200 || after != 401 {
			t.Errorf("answered %d before and %d after 30 s", before, after)
		}
	})
}

func TestExpiryIsExactUnlessLeewayIsGiven(t *testing.T) {
	for _, leeway := range []time.Duration{0, 10 * time.Second} {
		bubble(t, sessiontest.Options{TokenLeeway: leeway}, func(t *testing.T, gw *sessiontest.Server) {
			sat := gw.IssueSAT(sessiontest.SATRequest{TTL: time.Minute})
			wait(time.Minute + leeway - time.Millisecond)
			before := call(t, gw, "GET", pathInfo, bearer(sat.Token), nil).Status
			wait(time.Millisecond)
			after := call(t, gw, "GET", pathInfo, bearer(sat.Token), nil).Status
			if before != 200 || after != 401 {
				t.Errorf("leeway %v: answered %d before and %d at the limit", leeway, before, after)
			}
		})
	}
}
