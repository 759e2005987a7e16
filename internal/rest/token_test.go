package rest_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/internal/rest"
	"github.com/google/go-cmp/cmp"
)

func TestDeviceRequestsCarryTokenProofAndLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newMemoryServer(t, respond(200, fullReply))
		client, _ := newClient(t, server)
		if _, err := client.DeviceToken(t.Context(), "a-sat", "proof-1", 15*time.Minute); err != nil {
			t.Fatal(err)
		}
		if _, err := client.DeviceRefresh(t.Context(), "a-bound", "proof-2", 300*time.Millisecond); err != nil {
			t.Fatal(err)
		}
		got := server.seen()
		want := []seen{
			{"POST", "fabric.test.localhost", rest.DeviceTokenPath, "Bearer a-sat", `{"dpop_token":"proof-1","expire_in":900}`, nil},
			{"POST", "fabric.test.localhost", rest.DeviceRefreshPath, "Bearer a-bound", `{"dpop_token":"proof-2","expire_in":1}`, nil},
		}
		for i := range got {
			header := got[i].header
			if header.Get("User-Agent") != "callrx-go/"+rest.Version || header.Get("Accept") != "application/json" || header.Get("Content-Type") != "application/json" {
				t.Errorf("headers %v", header)
			}
			got[i].header = nil
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(seen{})); diff != "" {
			t.Error("requests (-want +got):\n" + diff)
		}
	})
}

func TestExpiryIsFixedWhenTheReplyArrives(t *testing.T) {
	absolute := time.Unix(1795374900, 0)
	for _, tc := range []struct {
		name, fields string
		want         func(arrived time.Time) time.Time
	}{
		{"absolute", `"expires_at":1795374900`, func(time.Time) time.Time { return absolute }},
		{"absolute wins", `"expires_at":1795374900,"expires_in":900`, func(time.Time) time.Time { return absolute }},
		{"absolute as text", `"expires_at":"1795374900"`, func(time.Time) time.Time { return absolute }},
		{"absolute with fraction", `"expires_at":1795374900.0`, func(time.Time) time.Time { return absolute }},
		{"relative", `"expires_in":900`, func(a time.Time) time.Time { return a.Add(15 * time.Minute) }},
		{"relative with null", `"expires_in":900,"expires_at":null`, func(a time.Time) time.Time { return a.Add(15 * time.Minute) }},
		{"relative with zero", `"expires_in":900,"expires_at":0`, func(a time.Time) time.Time { return a.Add(15 * time.Minute) }},
		{"at once", `"expires_in":0`, func(a time.Time) time.Time { return a }},
		{"past", `"expires_at":1`, func(time.Time) time.Time { return time.Unix(1, 0) }},
		{"in 3000 years", `"expires_in":94608000000`, func(a time.Time) time.Time { return time.Unix(a.Unix()+94608000000, int64(a.Nanosecond())) }},
		{"neither", `"x":1`, func(time.Time) time.Time { return time.Time{} }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, _ := newClient(t, newMemoryServer(t, respond(200, `{"token":"t",`+tc.fields+`}`)))
				reply, err := client.DeviceToken(t.Context(), sessionToken, proofSecret, time.Minute)
				if err != nil {
					t.Fatal(err)
				}
				if want := tc.want(time.Now()); !reply.ExpiresAt.Equal(want) {
					t.Errorf("expires at %s, want %s", reply.ExpiresAt, want)
				}
			})
		})
	}
}

func TestEmbedExchangeGoesToTheHostNamed(t *testing.T) {
	for _, tc := range []struct{ host, dialled, seenHost string }{
		{"", "embeds.signalwire.com:443", "embeds.signalwire.com"},
		{"embeds.example.org", "embeds.example.org:443", "embeds.example.org"},
		{"https://embeds.example.org/some/page", "embeds.example.org:443", "embeds.example.org"},
		{"embeds.example.org:8443", "embeds.example.org:8443", "embeds.example.org:8443"},
		{"http://localhost:8080", "localhost:8080", "localhost:8080"},
	} {
		t.Run(tc.host, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := newMemoryServer(t, respond(201, `{"token":"guest"}`))
				client, _ := newClient(t, server)
				reply, err := client.EmbedToken(t.Context(), tc.host, "c2c_0f3e")
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(rest.TokenReply{Token: "guest"}, reply, compareReplies); diff != "" {
					t.Error("reply (-want +got):\n" + diff)
				}
				got := server.seen()[0]
				if server.dialled[0] != tc.dialled || got.host != tc.seenHost || got.path != "/api/fabric/embeds/tokens" ||
					got.body != `{"token":"c2c_0f3e"}` || got.authorization != "" {
					t.Errorf("dialled %s, request %+v", server.dialled[0], got)
				}
			})
		})
	}
}

// compareReplies looks past the redacted formatting.
var compareReplies = cmp.Comparer(func(a, b rest.TokenReply) bool { return a == b })

var project = rest.Project{Space: "http://acme.test.localhost", ID: "c0ffee00", Token: "project-secret-0005"}

func TestProjectIssuesAndRefreshesSubscriberTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newMemoryServer(t, sequence(
			respond(200, `{"subscriber_id":"sub-1","token":"sat-1","refresh_token":"refresh-1"}`),
			respond(201, `{"token":"sat-2","refresh_token":"refresh-2"}`)))
		client, _ := newClient(t, server)

		issued, err := client.SubscriberToken(t.Context(), project, rest.SubscriberTokenRequest{
			Reference: "mara@example.org", Fingerprint: "print", Scope: "sat:refresh", ExpireAt: 1795374000,
		})
		if err != nil {
			t.Fatal(err)
		}
		refreshed, err := client.SubscriberTokenRefresh(t.Context(), project, issued.RefreshToken)
		if err != nil {
			t.Fatal(err)
		}
		want := []rest.TokenReply{
			{SubscriberID: "sub-1", Token: "sat-1", RefreshToken: "refresh-1"},
			{Token: "sat-2", RefreshToken: "refresh-2"},
		}
		if diff := cmp.Diff(want, []rest.TokenReply{issued, refreshed}, compareReplies); diff != "" {
			t.Error("replies (-want +got):\n" + diff)
		}

		basic := "Basic " + base64.StdEncoding.EncodeToString([]byte("c0ffee00:project-secret-0005"))
		wantBodies := []string{
			`{"reference":"mara@example.org","expire_at":1795374000,"fingerprint":"print","scope":"sat:refresh"}`,
			`{"refresh_token":"refresh-1"}`,
		}
		for i, r := range server.seen() {
			if r.host != "acme.test.localhost" || r.authorization != basic || r.body != wantBodies[i] {
				t.Errorf("request %+v", r)
			}
		}
	})
}

func TestProjectSecretsNeverShow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, logged := newClient(t, newMemoryServer(t, echo(422)))
		request := rest.SubscriberTokenRequest{Reference: "mara", Password: "password-secret-0006"}
		_, err := client.SubscriberToken(t.Context(), project, request)
		isStatus(t, err, 422)
		_, err2 := client.SubscriberTokenRefresh(t.Context(), project, "refresh-secret-0007")
		isStatus(t, err2, 422)

		reply := rest.TokenReply{Token: issuedToken, RefreshToken: "refresh-secret-0007"}
		var out bytes.Buffer
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
			fmt.Fprintf(&out, verb+verb+verb, project, request, &reply)
		}
		for _, log := range []*slog.Logger{slog.New(slog.NewJSONHandler(&out, nil)), slog.New(slog.NewTextHandler(&out, nil))} {
			log.Info("all", "project", project, "request", request, "reply", reply)
		}
		marshalled, _ := json.Marshal(reply)
		everything := chain(err) + chain(err2) + logged.String() + out.String() + string(marshalled)
		for _, secret := range []string{
			project.Token, request.Password, reply.Token, reply.RefreshToken,
			base64.StdEncoding.EncodeToString([]byte(project.ID + ":" + project.Token)),
		} {
			if strings.Contains(everything, secret) {
				t.Errorf("%q shows in\n%s", secret, everything)
			}
		}
	})
}

func TestMissingCredentialsSendNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newMemoryServer(t, okInfo)
		client, _ := newClient(t, server, func(c *rest.Config) { c.Token = nil })
		_, info := client.SubscriberInfo(t.Context())
		_, device := client.DeviceToken(t.Context(), "", proofSecret, time.Minute)
		_, issue := client.SubscriberToken(t.Context(), rest.Project{Space: project.Space, ID: "p"}, rest.SubscriberTokenRequest{})
		for _, err := range []error{info, device, issue} {
			if _, ok := errors.AsType[*errs.DependencyError](err); !ok {
				t.Errorf("%T: %v, want *errs.DependencyError", err, err)
			}
		}
		if n := len(server.seen()); n != 0 {
			t.Errorf("%d requests were sent", n)
		}
	})
}

func TestTokenThatFitsNoHeaderIsRefusedUnseen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newMemoryServer(t, okInfo)
		client, _ := newClient(t, server)
		_, err := client.DeviceToken(t.Context(), "broken\r\nsecret-0008", proofSecret, time.Minute)
		if _, ok := errors.AsType[*errs.RequestError](err); !ok || strings.Contains(chain(err), "secret-0008") {
			t.Errorf("%T: %v", err, err)
		}
		if n := len(server.seen()); n != 0 {
			t.Errorf("%d requests were sent", n)
		}
	})
}
