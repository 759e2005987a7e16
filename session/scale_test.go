package session_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
	"go.uber.org/goleak"
)

// TestThousandClientsShareAProcess: over real sockets, each client connects,
// has an observer, sees its token refreshed on the live session, and closes;
// afterwards not one goroutine is left.
func TestThousandClientsShareAProcess(t *testing.T) {
	const clients, life = 1000, 24 * time.Second
	here := goleak.IgnoreCurrent()
	srv, err := sessiontest.Start(sessiontest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	shared := srv.Client()
	opts := session.Options{
		APIURL: srv.APIURL(), RelayURL: srv.RelayURL(), HTTPClient: shared, DPoPKey: sharedKey(),
		ConnectTimeout: time.Minute, RequestTimeout: time.Minute,
		// The first refresh is due half-way through the token's life.
		Refresh: session.RefreshPolicy{Lead: life / 2, ApplyTimeout: time.Minute},
	}
	provide := func(name string) session.CredentialProvider {
		return session.CredentialFunc(func(context.Context, session.AuthContext) (session.Credential, error) {
			s := srv.IssueSAT(sessiontest.SATRequest{Reference: name, TTL: life})
			return session.Credential{Token: s.Token, ExpiresAt: s.ExpiresAt}, nil
		})
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var wg sync.WaitGroup
	var failures, refreshed atomic.Int64
	slots := make(chan struct{}, 32) // connect so many at a time
	for i := range clients {
		wg.Go(func() {
			if err := liveOneLife(ctx, provide(fmt.Sprintf("user-%d", i)), opts, slots); err != nil {
				failures.Add(1)
				t.Errorf("client %d: %v", i, err)
				return
			}
			refreshed.Add(1)
		})
	}
	wg.Wait()
	t.Logf("%d clients connected, refreshed and closed", refreshed.Load())
	shared.CloseIdleConnections()
	srv.Close()
	goleak.VerifyNone(t, here)
}

// liveOneLife connects, waits for a refresh, makes a request and closes.
func liveOneLife(ctx context.Context, p session.CredentialProvider, opts session.Options, slots chan struct{}) error {
	c, err := session.New(p, opts)
	if err != nil {
		return err
	}
	defer c.Close()
	var last atomic.Pointer[error]
	c.ObserveErrors().Subscribe(ctx, func(err error) { last.Store(&err) })
	slots <- struct{}{}
	err = c.Connect(ctx)
	<-slots
	if err != nil {
		return err
	}
	first := c.Credential()
	if _, err := c.ObserveCredential().Wait(ctx, func(i session.CredentialInfo) bool {
		return i.ExpiresAt.After(first.ExpiresAt)
	}); err != nil {
		if told := last.Load(); told != nil {
			err = errors.Join(err, *told)
		}
		return fmt.Errorf("waiting for the refresh: %w", err)
	}
	return c.Execute(ctx, "signalwire.ping", nil, nil)
}
