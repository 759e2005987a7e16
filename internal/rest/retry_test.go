package rest_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/internal/rest"
	"github.com/google/go-cmp/cmp"
)

const infoBody = `{"id":"sub-1","email":"mara@example.org"}`

var okInfo = respond(200, infoBody)

func TestReadsAreRetriedAfterPassingFailures(t *testing.T) {
	drop := func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			_, _ = conn.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{"))
			conn.Close()
		}
	}
	for _, tc := range []struct {
		name     string
		handler  http.HandlerFunc
		requests int
		atLeast  time.Duration
		atMost   time.Duration
		fails    bool
	}{
		{"no failure", okInfo, 1, 0, 0, false},
		{"two failures", sequence(respond(503, ""), respond(500, ""), okInfo), 3, 750 * time.Millisecond, 1500 * time.Millisecond, false},
		{"three failures", respond(503, ""), 3, 750 * time.Millisecond, 1500 * time.Millisecond, true},
		{"408", sequence(respond(408, ""), okInfo), 2, 250 * time.Millisecond, 500 * time.Millisecond, false},
		{"425", sequence(respond(425, ""), okInfo), 2, 250 * time.Millisecond, 500 * time.Millisecond, false},
		{"429", sequence(respond(429, ""), okInfo), 2, 250 * time.Millisecond, 500 * time.Millisecond, false},
		{"429 with Retry-After", sequence(respond(429, "", "Retry-After", "7"), okInfo), 2, 7 * time.Second, 7 * time.Second, false},
		{"Retry-After beyond the cap", sequence(respond(429, "", "Retry-After", "3600"), okInfo), 2, time.Minute, time.Minute, false},
		{"connection dropped", sequence(drop, okInfo), 2, 250 * time.Millisecond, 500 * time.Millisecond, false},
		{"time-out", sequence(hang, okInfo), 2, 30*time.Second + 250*time.Millisecond, 30*time.Second + 500*time.Millisecond, false},
		{"404", respond(404, ""), 1, 0, 0, true},
		{"401", respond(401, ""), 1, 0, 0, true},
		{"unusable answer", respond(200, "<html>"), 1, 0, 0, true},
		{"no id", respond(200, "{}"), 1, 0, 0, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := newMemoryServer(t, tc.handler)
				client, _ := newClient(t, server)
				started := time.Now()
				subscriber, err := client.SubscriberInfo(t.Context())
				took := time.Since(started)

				if (err != nil) != tc.fails || (err == nil) != (subscriber.ID == "sub-1") {
					t.Errorf("subscriber %+v, error %v", subscriber, err)
				}
				if n := len(server.seen()); n != tc.requests {
					t.Errorf("%d requests, want %d", n, tc.requests)
				}
				if took < tc.atLeast || took > tc.atMost {
					t.Errorf("took %s, want %s to %s", took, tc.atLeast, tc.atMost)
				}
			})
		})
	}
}

func TestRetriesVaryTheirPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, _ := newClient(t, newMemoryServer(t, respond(503, "")))
		pauses := map[time.Duration]bool{}
		for range 10 {
			started := time.Now()
			_, _ = client.SubscriberInfo(t.Context())
			pauses[time.Since(started)] = true
		}
		if len(pauses) < 2 {
			t.Errorf("ten retries took %v, without jitter", pauses)
		}
	})
}

func TestPauseThatOutlastsTheCallerIsNotBegun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, _ := newClient(t, newMemoryServer(t, respond(429, "", "Retry-After", "20")))
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		started := time.Now()
		_, err := client.SubscriberInfo(ctx)
		if took := time.Since(started); took != 0 {
			t.Errorf("waited %s for nothing", took)
		}
		if refused, ok := errors.AsType[*errs.HTTPError](err); !ok || refused.RetryAfter != 20*time.Second {
			t.Errorf("%T: %v, want the server's answer", err, err)
		}
	})
}

func TestCancellationEndsAPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, _ := newClient(t, newMemoryServer(t, respond(429, "", "Retry-After", "20")))
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(5*time.Second, cancel)
		started := time.Now()
		_, err := client.SubscriberInfo(ctx)
		if took := time.Since(started); took != 5*time.Second {
			t.Errorf("ended after %s, want 5s", took)
		}
		if _, ok := errors.AsType[*errs.HTTPError](err); !ok || !errors.Is(err, context.Canceled) || errs.Retryable(err) {
			t.Errorf("%T: %v, want the cancellation and the failure before it", err, err)
		}
	})
}

func TestRetrySendsTheNewestToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var token atomic.Value
		token.Store("first")
		server := newMemoryServer(t, sequence(
			func(w http.ResponseWriter, _ *http.Request) {
				token.Store("second")
				w.WriteHeader(503)
			}, okInfo))
		client, _ := newClient(t, server, func(c *rest.Config) {
			c.Token = func() string { return token.Load().(string) }
		})
		if _, err := client.SubscriberInfo(t.Context()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"Bearer first", "Bearer second"}, authorizations(server)); diff != "" {
			t.Error("tokens sent (-want +got):\n" + diff)
		}
	})
}

func TestUnauthorizedRequestIsReplayedOnceWithANewToken(t *testing.T) {
	for _, tc := range []struct {
		name    string
		handler http.HandlerFunc
		renew   bool
		want    []string
		asked   []string
		fails   bool
	}{
		{"renewed", sequence(respond(401, ""), okInfo), true, []string{"Bearer old", "Bearer new"}, []string{"old"}, false},
		{"not renewed", sequence(respond(401, ""), okInfo), false, []string{"Bearer old"}, []string{"old"}, true},
		{"refused again", respond(401, ""), true, []string{"Bearer old", "Bearer new"}, []string{"old"}, true},
		{"403", respond(403, ""), true, []string{"Bearer old"}, nil, true},
		{"keeps its retries", sequence(respond(401, ""), respond(503, ""), respond(503, ""), okInfo), true,
			[]string{"Bearer old", "Bearer new", "Bearer new", "Bearer new"}, []string{"old"}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := newMemoryServer(t, tc.handler)
				token := "old"
				var asked []string
				client, _ := newClient(t, server, func(c *rest.Config) {
					c.Token = func() string { return token }
					c.OnUnauthorized = func(_ context.Context, refused string) bool {
						asked = append(asked, refused)
						token = "new"
						return tc.renew
					}
				})
				_, err := client.SubscriberInfo(t.Context())
				if (err != nil) != tc.fails {
					t.Errorf("error %v", err)
				}
				if diff := cmp.Diff(tc.want, authorizations(server)); diff != "" {
					t.Error("tokens sent (-want +got):\n" + diff)
				}
				if diff := cmp.Diff(tc.asked, asked); diff != "" {
					t.Error("tokens reported (-want +got):\n" + diff)
				}
			})
		})
	}
}

func TestTokenEndpointsAreNotReplayed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newMemoryServer(t, respond(401, ""))
		client, _ := newClient(t, server, func(c *rest.Config) {
			c.OnUnauthorized = func(context.Context, string) bool { t.Error("asked for a new token"); return true }
		})
		_, err := client.DeviceToken(t.Context(), sessionToken, proofSecret, time.Minute)
		isStatus(t, err, 401)
		if n := len(server.seen()); n != 1 {
			t.Errorf("%d requests, want 1", n)
		}
	})
}

func TestEmbedExchangeIsRetriedOnce(t *testing.T) {
	for _, tc := range []struct {
		name     string
		handler  http.HandlerFunc
		requests int
	}{
		{"500", respond(500, ""), 2},
		{"hang", hang, 2},
		{"429", respond(429, ""), 1},
		{"404", respond(404, ""), 1},
		{"unusable", respond(200, "{"), 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := newMemoryServer(t, tc.handler)
				client, _ := newClient(t, server)
				if _, err := client.EmbedToken(t.Context(), "embeds.test.localhost", "c2c_1"); err == nil {
					t.Error("no error")
				}
				if n := len(server.seen()); n != tc.requests {
					t.Errorf("%d requests, want %d", n, tc.requests)
				}
			})
		})
	}
}

func TestDialFailureIsARetryableRequestError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refused := &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused for Bearer " + sessionToken)}
		transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return nil, refused }}
		client := rest.New(rest.Config{Base: func() string { return base }, HTTP: &http.Client{Transport: transport}})
		_, err := client.DeviceToken(t.Context(), sessionToken, proofSecret, time.Minute)
		if _, ok := errors.AsType[*errs.RequestError](err); !ok || !errors.Is(err, refused) || !errs.Retryable(err) {
			t.Errorf("%T: %v, want a retryable request error around the network's", err, err)
		}
		if got, want := err.Error(), "request to obtain client bound token: dial tcp: connection refused for Bearer tok:sha256:"; len(got) < len(want) || got[:len(want)] != want {
			t.Errorf("message %q, want %q…", got, want)
		}
	})
}

func authorizations(server *memoryServer) []string {
	var sent []string
	for _, r := range server.seen() {
		sent = append(sent, r.authorization)
	}
	return sent
}

func isStatus(t *testing.T, err error, status int) {
	t.Helper()
	if refused, ok := errors.AsType[*errs.HTTPError](err); !ok || refused.Status != status {
		t.Errorf("%T: %v, want status %d", err, err, status)
	}
}

// TestMessagesAreSentAgainOnlyIfTheySurelyWereNotTaken (rest.md 7.3).
func TestMessagesAreSentAgainOnlyIfTheySurelyWereNotTaken(t *testing.T) {
	taken := respond(201, "{}")
	for _, tc := range []struct {
		name     string
		handler  http.HandlerFunc
		refused  int // connections that are refused first
		requests int
		fails    bool
	}{
		{"taken", taken, 0, 1, false},
		{"put off", sequence(respond(429, ""), respond(503, "", "Retry-After", "2"), taken), 0, 3, false},
		{"put off for good", respond(429, ""), 0, 3, true},
		{"no connection", taken, 2, 1, false},
		{"503", sequence(respond(503, ""), taken), 0, 1, true},
		{"500", sequence(respond(500, ""), taken), 0, 1, true},
		{"502", sequence(respond(502, ""), taken), 0, 1, true},
		{"no answer", sequence(hang, taken), 0, 1, true},
		{"connection lost", sequence(hijack(func(io.ReadWriteCloser) {}), taken), 0, 1, true},
		{"422", respond(422, ""), 0, 1, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := newMemoryServer(t, tc.handler)
				refused := tc.refused
				client, _ := newClient(t, server, func(c *rest.Config) {
					c.HTTP.Transport.(*http.Transport).DialTLSContext = func(ctx context.Context, network, address string) (net.Conn, error) {
						if refused--; refused >= 0 {
							return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
						}
						return server.dial(ctx, network, address)
					}
				})
				err := client.SendMessage(t.Context(), "group", "own", "hello")
				if n := len(server.seen()); n != tc.requests || (err != nil) != tc.fails {
					t.Errorf("%d requests, want %d; error %v", n, tc.requests, err)
				}
			})
		})
	}
}
