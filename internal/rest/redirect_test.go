package rest_test

import (
	"errors"
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/internal/rest"
)

func TestReadFollowsRedirectsWithinItsOriginOnly(t *testing.T) {
	for _, tc := range []struct {
		name, location string
		follows        bool
	}{
		{"path", "/moved", true},
		{"same origin", base + "/moved", true},
		{"other host", "http://evil.test.localhost/moved", false},
		{"subdomain", "http://a.fabric.test.localhost/moved", false},
		{"other scheme", "https://fabric.test.localhost/moved", false},
		{"other port", "http://fabric.test.localhost:81/moved", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := newMemoryServer(t, func(w http.ResponseWriter, r *http.Request) {
					if r.URL.Path == "/moved" {
						okInfo(w, r)
						return
					}
					respond(302, "", "Location", tc.location)(w, r)
				})
				client, _ := newClient(t, server)
				_, err := client.SubscriberInfo(t.Context())
				if !tc.follows {
					isStatus(t, err, 302)
					if n := len(server.seen()); n != 1 {
						t.Errorf("%d requests, want 1", n)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				if got := server.seen()[1]; got.authorization != "Bearer "+sessionToken {
					t.Errorf("the redirected request is %+v", got)
				}
			})
		})
	}
}

func TestRedirectLoopEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newMemoryServer(t, respond(302, "", "Location", "/again"))
		client, _ := newClient(t, server)
		_, err := client.SubscriberInfo(t.Context())
		isStatus(t, err, 302)
		if n := len(server.seen()); n != 6 {
			t.Errorf("%d requests, want the first and five redirects", n)
		}
	})
}

func TestInjectedClientKeepsItsOwnRules(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newMemoryServer(t, respond(302, "", "Location", "/moved"))
		own := errors.New("no redirects here")
		injected := server.httpClient(t)
		injected.CheckRedirect = func(*http.Request, []*http.Request) error { return own }
		before := *injected
		client := rest.New(rest.Config{
			Base: func() string { return base }, HTTP: injected, Token: func() string { return sessionToken },
		})
		_, err := client.SubscriberInfo(t.Context())
		if _, ok := errors.AsType[*errs.RequestError](err); !ok || !errors.Is(err, own) {
			t.Errorf("%T: %v, want the client's own refusal", err, err)
		}
		client.Close()
		if injected.Transport != before.Transport || injected.Timeout != before.Timeout || injected.Jar != before.Jar ||
			injected.CheckRedirect(nil, nil) != own {
			t.Error("the injected client was changed")
		}
	})
}
