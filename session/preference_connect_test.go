package session_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// preferring are starting preferences.
func preferring(f func(*session.PreferenceValues)) *session.PreferenceValues {
	p := session.DefaultPreferences()
	f(&p)
	return &p
}

func TestConnectWaitsForASocketAsLongAsPreferred(t *testing.T) {
	for name, c := range map[string]struct {
		option, want time.Duration
	}{"preference": {0, 3 * time.Second}, "option": {time.Second, time.Second}} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, sessiontest.Options{}, func(r *rig) {
				r.opts.DialSocket = func(ctx context.Context, _ string) (session.Socket, error) {
					<-ctx.Done()
					return nil, ctx.Err()
				}
				r.opts.ConnectTimeout = c.option
				r.opts.Preferences = preferring(func(p *session.PreferenceValues) { p.ConnectionTimeout = 3 * time.Second })
				r.open(session.StaticCredentials(r.sat(time.Hour, "")))
				var late *errs.WebSocketTimeoutError
				if err := r.c.Connect(r.t.Context()); !errors.As(err, &late) || late.After != c.want {
					t.Errorf("Connect: %v, want a time-out after %v", err, c.want)
				}
			})
		})
	}
}

func TestClientConnectsToThePreferredRelay(t *testing.T) {
	for name, set := range map[string]func(o *session.Options, p *session.PreferenceValues){
		"preference": func(o *session.Options, p *session.PreferenceValues) {
			p.RelayURL, o.RelayURL = o.RelayURL, ""
		},
		"option": func(_ *session.Options, p *session.PreferenceValues) { p.RelayURL = "wss://elsewhere.example.com" },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, sessiontest.Options{}, func(r *rig) {
				r.opts.Preferences = preferring(func(p *session.PreferenceValues) { set(&r.opts, p) })
				r.connect(session.StaticCredentials(r.sat(time.Hour, "")))
				r.wantOnline("at the preferred relay")
			})
		})
	}
}

// A handshakes is a transport that notes when a WebSocket was asked for.
type handshakes struct {
	http.RoundTripper
	mu sync.Mutex
	at []time.Time
}

func (h *handshakes) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Header.Get("Upgrade") != "" {
		h.mu.Lock()
		h.at = append(h.at, time.Now())
		h.mu.Unlock()
	}
	return h.RoundTripper.RoundTrip(r)
}

// gaps are the times between attempts from the n-th on.
func (h *handshakes) gaps(n int) (gaps []time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := max(n, 1); i < len(h.at); i++ {
		gaps = append(gaps, h.at[i].Sub(h.at[i-1]))
	}
	return gaps
}

func (h *handshakes) count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.at)
}

func TestReconnectWaitsAsLongAsPreferred(t *testing.T) {
	both := func(d time.Duration) *session.PreferenceValues {
		return preferring(func(p *session.PreferenceValues) { p.ReconnectDelayMin, p.ReconnectDelayMax = d, d })
	}
	for name, c := range map[string]struct {
		preferred *session.PreferenceValues
		option    session.ReconnectPolicy
		longest   time.Duration
	}{
		"preference":        {both(10 * time.Second), session.ReconnectPolicy{}, 10 * time.Second},
		"options":           {both(10 * time.Second), session.ReconnectPolicy{MinDelay: 2 * time.Second, MaxDelay: 2 * time.Second}, 2 * time.Second},
		"option at least":   {both(10 * time.Second), session.ReconnectPolicy{MinDelay: 20 * time.Second}, 20 * time.Second},
		"option at most":    {both(10 * time.Second), session.ReconnectPolicy{MaxDelay: 2 * time.Second}, 2 * time.Second},
		"built in, at most": {nil, session.ReconnectPolicy{MinDelay: 3 * time.Second}, 3 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, sessiontest.Options{}, func(r *rig) {
				seen := &handshakes{RoundTripper: r.opts.HTTPClient.Transport}
				r.opts.HTTPClient.Transport = seen
				r.opts.Preferences, r.opts.Reconnect = c.preferred, c.option
				r.connect(session.StaticCredentials(r.sat(time.Hour, "")))
				r.srv.RefuseConnections(503, 0)
				r.srv.Drop("ann")
				r.to(5 * time.Minute)
				gaps := seen.gaps(2)
				if len(gaps) < 10 {
					t.Fatalf("%d attempts", len(gaps))
				}
				for _, gap := range gaps {
					if gap < c.longest/2 || gap > c.longest {
						t.Errorf("waited %v, want between half of %v and all", gap, c.longest)
					}
				}
			})
		})
	}
}

func TestPreferencesChangedWhileReconnectingHoldFromTheNextAttemptOn(t *testing.T) {
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		seen := &handshakes{RoundTripper: r.opts.HTTPClient.Transport}
		r.opts.HTTPClient.Transport = seen
		r.connect(session.StaticCredentials(r.sat(time.Hour, "")))
		r.srv.RefuseConnections(503, 0)
		r.srv.Drop("ann")
		r.to(time.Minute)
		change(t, r.c, func(p *session.PreferenceValues) { p.ReconnectDelayMin, p.ReconnectDelayMax = time.Minute, time.Minute })
		before := seen.count()
		r.to(10 * time.Minute)
		gaps := seen.gaps(before + 1)
		if len(gaps) < 5 {
			t.Fatalf("%d attempts", len(gaps))
		}
		for _, gap := range gaps {
			if gap < 30*time.Second {
				t.Errorf("waited %v", gap)
			}
		}
	})
}
