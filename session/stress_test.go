package session_test

import (
	"context"
	"os"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// stressSeeds is the environment variable for how many storms to go through
// instead of the usual few. A seed fixes what is done, not in which order
// goroutines run: run a failing one with -run and -count.
const stressSeeds = "CALLRX_STRESS_SEEDS"

// A storm is everything going wrong at once, for ten minutes; then it is calm.
type storm struct {
	*rig
	*dice
	actors sync.WaitGroup
	end    time.Time

	mu           sync.Mutex // guards the rest
	calm         bool
	asking, most int // calls of the provider under way, now and ever
}

// inStorms runs test in one storm for each seed.
func inStorms(t *testing.T, usual int, test func(s *storm)) {
	seeds := usual
	if v := os.Getenv(stressSeeds); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil {
			t.Fatalf("%s: %v", stressSeeds, err)
		}
		seeds = n
	}
	for seed := range seeds {
		t.Run(strconv.Itoa(seed), func(t *testing.T) {
			inBubble(t, sessiontest.Options{}, func(r *rig) {
				test(&storm{rig: r, end: r.start.Add(10 * time.Minute), dice: newDice(uint64(seed), 7)})
			})
		})
	}
}

// again does something over and over until the storm ends.
func (s *storm) again(pause time.Duration, do func()) {
	s.actors.Go(func() {
		for time.Now().Before(s.end) {
			do()
			time.Sleep(s.upTo(pause))
		}
	})
}

// call is again for what takes a context.
func (s *storm) call(do func(ctx context.Context)) {
	s.again(6*time.Second, func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second+s.upTo(20*time.Second))
		defer cancel()
		do(ctx)
	})
}

// settle waits for the end of the storm and for what it leaves behind.
func (s *storm) settle() {
	s.actors.Wait()
	s.srv.ClearFaults()
	s.mu.Lock()
	s.calm = true
	s.mu.Unlock()
	time.Sleep(time.Minute)
	synctest.Wait() // the client has come to rest
}

// mint makes a short-lived token, bindable or not.
func (s *storm) mint(least time.Duration) session.Credential {
	ttl := least + s.upTo(100*time.Second)
	if s.n(2) == 0 {
		return s.bindable(ttl)
	}
	return s.sat(ttl, "")
}

// provider brings short-lived tokens, with mishaps while the storm lasts.
func (s *storm) provider(least time.Duration, mishap func(ctx context.Context) (session.Credential, error)) session.CredentialFunc {
	return func(ctx context.Context, _ session.AuthContext) (session.Credential, error) {
		s.mu.Lock()
		s.asking++
		s.most = max(s.most, s.asking)
		calm := s.calm
		s.mu.Unlock()
		defer func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.asking--
		}()
		if !calm {
			if c, err := mishap(ctx); err != nil || c != (session.Credential{}) {
				return c, err
			}
		}
		return s.mint(least), nil
	}
}

// dawdle takes a while.
func (s *storm) dawdle(ctx context.Context, most time.Duration) error {
	select {
	case <-time.After(s.upTo(most)):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// fail spoils answers, some at a time.
func (s *storm) fail(pause time.Duration, kinds ...sessiontest.FaultKind) {
	s.again(pause, func() {
		s.rpcFault(pick(s, rpcConnect, rpcReauthenticate, rpcOnline), 1+s.n(3),
			sessiontest.Action{Kind: pick(s, kinds...), Code: pick(s, -32000, -32002, -32003), Delay: s.upTo(4 * time.Second)})
	})
}

func (s *storm) failHTTP(pause time.Duration, status []int, kinds ...sessiontest.FaultKind) {
	s.again(pause, func() {
		s.fault(pick(s, pathInfo, pathInfo, pathDeviceToken, pathDeviceRefresh), 1+s.n(3),
			sessiontest.Action{Kind: pick(s, kinds...), Status: pick(s, status...), Delay: s.upTo(4 * time.Second)})
	})
}

func (s *storm) refuse(pause, most time.Duration) {
	s.again(pause, func() {
		f := s.srv.RefuseConnections(503, 0)
		time.Sleep(s.upTo(most))
		f.Remove()
	})
}

// wantLasting checks that a client stays online without another connect, while
// token after token runs out, and that the service counts by the same token.
func (s *storm) wantLasting() {
	s.t.Helper()
	connects := len(s.srv.Journal().RPC(rpcConnect))
	for range 40 {
		time.Sleep(30 * time.Second)
		s.wantOnline("in the calm")
		until := s.c.Credential().ExpiresAt
		for _, x := range s.srv.Sessions() {
			if x.Connected && !until.IsZero() && x.Deadline.Before(until.Add(-2*time.Second)) {
				s.t.Fatalf("the service ends the session at %v, the client's token at %v", x.Deadline, until)
			}
		}
	}
	if n := len(s.srv.Journal().RPC(rpcConnect)); n != connects {
		s.t.Errorf("%d connects in the calm", n-connects)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.most > 1 {
		s.t.Errorf("the provider was asked %d things at once", s.most)
	}
}

// Several goroutines use every method of one client while everything fails.
func TestClientSurvivesAStormOfCallsAndFailures(t *testing.T) {
	inStorms(t, 2, func(s *storm) {
		s.open(s.provider(20*time.Second, func(ctx context.Context) (session.Credential, error) {
			switch s.n(8) {
			case 0:
				return session.Credential{}, errBackend
			case 1:
				panic(errBackend)
			case 2:
				return session.Credential{}, s.dawdle(ctx, 20*time.Second)
			case 3:
				return session.Credential{ExpiresAt: s.start}, nil // no token
			case 4:
				return s.sat(-time.Second, ""), nil
			}
			return session.Credential{}, nil
		}))
		for range 2 {
			s.call(func(ctx context.Context) { _ = s.c.Connect(ctx) })
		}
		s.call(func(ctx context.Context) {
			if s.n(6) == 0 {
				_ = s.c.Disconnect(ctx)
			}
		})
		s.call(func(ctx context.Context) { _ = s.c.UpdateCredential(ctx, s.mint(20*time.Second)) })
		s.call(func(ctx context.Context) { _ = pick(s, s.c.Register, s.c.Unregister)(ctx) })
		s.call(func(ctx context.Context) { _ = s.c.Execute(ctx, "test.any", nil, nil) })
		s.again(6*time.Second, func() { s.srv.Drop("") })
		s.again(20*time.Second, func() { s.srv.Expire("ann") })
		s.refuse(6*time.Second, 5*time.Second)
		s.fail(6*time.Second, sessiontest.FaultRPCSilent, sessiontest.FaultSlow, sessiontest.FaultWSClose,
			sessiontest.FaultRPCError, sessiontest.FaultReset, sessiontest.FaultCommitThenFail)
		s.failHTTP(6*time.Second, []int{401, 403, 429, 500}, sessiontest.FaultStatus, sessiontest.FaultHTML,
			sessiontest.FaultTruncated, sessiontest.FaultNoToken, sessiontest.FaultSlow, sessiontest.FaultReset,
			sessiontest.FaultHang, sessiontest.FaultBadExpiry)
		s.settle()
		s.mustConnect()
		s.wantLasting()
		s.wantClosed()
	})
}

// wantClosed checks that Close returns soon and leaves nothing open.
func (s *storm) wantClosed() {
	s.t.Helper()
	began := time.Now()
	if err := s.c.Close(); err != nil || time.Since(began) > 2*time.Second {
		s.t.Errorf("Close = %v after %v", err, time.Since(began))
	}
	select {
	case <-s.c.Done():
	default:
		s.t.Error("Done is open after Close")
	}
	if s.c.Ready() || s.c.Connected() || s.c.Registered() || s.c.Status() != session.StatusClosed || s.c.Err() == nil {
		s.t.Errorf("after Close: ready %v, connected %v, registered %v, status %v, Err %v",
			s.c.Ready(), s.c.Connected(), s.c.Registered(), s.c.Status(), s.c.Err())
	}
}

// A program that only connects when the client is offline, over a bad network
// and with a slow backend.
func TestClientLeftToItselfHeals(t *testing.T) {
	inStorms(t, 3, func(s *storm) {
		s.open(s.provider(time.Minute, func(ctx context.Context) (session.Credential, error) {
			switch s.n(6) {
			case 0:
				return session.Credential{}, errBackend
			case 1, 2, 3:
				return session.Credential{}, s.dawdle(ctx, 12*time.Second)
			}
			return session.Credential{}, nil
		}))
		s.again(3*time.Second, func() {
			if now := s.c.Status(); now == session.StatusNew || now == session.StatusOffline {
				ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
				defer cancel()
				_ = s.c.Connect(ctx)
			}
		})
		s.again(12*time.Second, func() { s.srv.Drop("") })
		s.refuse(20*time.Second, 2*time.Second)
		s.fail(20*time.Second, sessiontest.FaultRPCSilent, sessiontest.FaultSlow, sessiontest.FaultWSClose)
		s.failHTTP(10*time.Second, []int{500}, sessiontest.FaultStatus, sessiontest.FaultHang, sessiontest.FaultSlow)
		s.settle()
		if s.c.Status() == session.StatusOffline { // it ended in the last moments of the storm
			s.mustConnect()
		}
		s.wantLasting()
	})
}
