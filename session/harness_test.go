package session_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// sharedKey spares each test the making of an RSA key.
var sharedKey = sync.OnceValue(func() *session.DPoPKey {
	key, err := session.GenerateDPoPKey()
	if err != nil {
		panic(err)
	}
	return key
})

const (
	pathDeviceToken   = "/api/fabric/subscriber/devices/token"
	pathDeviceRefresh = "/api/fabric/subscriber/devices/refresh"
	pathInfo          = "/api/fabric/subscriber/info"
	rpcConnect        = "signalwire.connect"
	rpcReauthenticate = "signalwire.reauthenticate"
	rpcOnline         = "subscriber.online"
)

// A rig is a gateway in memory and one client of it, in a bubble where time
// costs nothing.
type rig struct {
	t     *testing.T
	srv   *sessiontest.Server
	opts  session.Options
	c     *session.Client
	start time.Time

	mu       sync.Mutex
	errors   []error
	warnings []session.Warning
}

// inBubble runs test over a gateway in memory.
func inBubble(t *testing.T, o sessiontest.Options, test func(r *rig)) {
	t.Helper()
	key := sharedKey()
	synctest.Test(t, func(t *testing.T) {
		o.InMemory = true
		r := &rig{t: t, srv: sessiontest.NewServer(t, o), start: time.Now()}
		r.opts = session.Options{
			APIURL: r.srv.APIURL(), RelayURL: r.srv.RelayURL(), HTTPClient: r.srv.Client(), DPoPKey: key,
		}
		defer func() {
			if r.c != nil {
				_ = r.c.Close()
			}
		}()
		test(r)
	})
}

// sat mints a token for ann.
func (r *rig) sat(ttl time.Duration, scope string) session.Credential {
	s := r.srv.IssueSAT(sessiontest.SATRequest{Reference: "ann", TTL: ttl, Scope: scope})
	return session.Credential{Token: s.Token, ExpiresAt: s.ExpiresAt}
}

// bindable mints a token that the client may exchange for a bound one. Named
// with the client's key it may live as long as asked for.
func (r *rig) bindable(ttl time.Duration) session.Credential {
	s := r.srv.IssueSAT(sessiontest.SATRequest{
		Reference: "ann", TTL: ttl, Scope: "sat:refresh", Fingerprint: sharedKey().Fingerprint(),
	})
	return session.Credential{Token: s.Token, ExpiresAt: s.ExpiresAt}
}

// open makes and watches a client without connecting it.
func (r *rig) open(p session.CredentialProvider) {
	r.t.Helper()
	c, err := session.New(p, r.opts)
	if err != nil {
		r.t.Fatal(err)
	}
	r.c = c
	c.ObserveErrors().Subscribe(context.Background(), func(err error) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.errors = append(r.errors, err)
	})
	c.ObserveWarnings().Subscribe(context.Background(), func(w session.Warning) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.warnings = append(r.warnings, w)
	})
}

// connect opens a client and connects it.
func (r *rig) connect(p session.CredentialProvider) {
	r.t.Helper()
	r.open(p)
	if err := r.c.Connect(r.t.Context()); err != nil {
		r.t.Fatalf("Connect: %v", err)
	}
	synctest.Wait() // activation and events have settled
}

// to sleeps until so long after the start of the test.
func (r *rig) to(at time.Duration) {
	time.Sleep(time.Until(r.start.Add(at)))
	synctest.Wait() // whatever was due has happened
}

// refreshErrors are the TokenRefreshErrors so far.
func (r *rig) refreshErrors() []*errs.TokenRefreshError {
	return allErrors[*errs.TokenRefreshError](r)
}

func allErrors[E error](r *rig) (found []E) {
	synctest.Wait() // observers have caught up
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, err := range r.errors {
		var refresh *errs.TokenRefreshError
		var e E
		if errors.As(err, &e) && (any(e) == any(err) || !errors.As(err, &refresh)) {
			found = append(found, e)
		}
	}
	return found
}

func (r *rig) warningReasons() (reasons []string) {
	synctest.Wait() // observers have caught up
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, w := range r.warnings {
		if f, ok := w.(*session.RefreshFallbackWarning); ok {
			reasons = append(reasons, string(f.Reason))
		} else {
			reasons = append(reasons, string(w.Code()))
		}
	}
	return reasons
}

func (r *rig) fault(path string, times int, a sessiontest.Action) *sessiontest.InjectedFault {
	return r.srv.Inject(sessiontest.Fault{Match: sessiontest.Match{Path: path}, Times: times, Action: a})
}

func (r *rig) rpcFault(method string, times int, a sessiontest.Action) *sessiontest.InjectedFault {
	return r.srv.Inject(sessiontest.Fault{Match: sessiontest.Match{RPC: method}, Times: times, Action: a})
}

func (r *rig) wantOnline(when string) {
	r.t.Helper()
	synctest.Wait()
	if got := r.c.Status(); got != session.StatusOnline {
		r.t.Fatalf("%s the client is %v, want online; errors %v", when, got, r.errors)
	}
}

func (r *rig) wantEnded(at time.Duration, cause errs.EndCause) *errs.SessionEndedError {
	r.t.Helper()
	select {
	case <-r.c.Done():
	case <-time.After(24 * time.Hour):
		r.t.Fatal("the session has not ended")
	}
	if got := time.Since(r.start); got < at || got > at+1100*time.Millisecond { // closing the socket may take a second
		r.t.Errorf("the session ended after %v, want %v", got, at)
	}
	var ended *errs.SessionEndedError
	if !errors.As(r.c.Err(), &ended) || ended.Cause != cause {
		r.t.Fatalf("Err() = %v, want cause %v", r.c.Err(), cause)
	}
	return ended
}

// A scripted provider signs in with first and refreshes by next, which is told
// how often it was asked.
type scripted struct {
	first session.Credential
	next  func(ctx context.Context, n int) (session.Credential, error)

	mu    sync.Mutex
	asked int
}

func (s *scripted) Authenticate(context.Context, session.AuthContext) (session.Credential, error) {
	return s.first, nil
}

func (s *scripted) Refresh(ctx context.Context, _ session.AuthContext) (session.Credential, error) {
	s.mu.Lock()
	s.asked++
	n := s.asked
	s.mu.Unlock()
	return s.next(ctx, n)
}

func (s *scripted) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}
