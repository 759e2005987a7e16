package session_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// A faulty storage does the same wrong thing whatever it is asked.
type faulty func(ctx context.Context) error

func (f faulty) Get(ctx context.Context, _ session.Scope, _ string) ([]byte, bool, error) {
	return []byte("garbage"), true, f(ctx)
}
func (f faulty) Set(ctx context.Context, _ session.Scope, _ string, _ []byte) error { return f(ctx) }
func (f faulty) Delete(ctx context.Context, _ session.Scope, _ string) error        { return f(ctx) }
func (f faulty) Clear(ctx context.Context, _ session.Scope, _ string) error         { return f(ctx) }

func TestFaultyStorageFailsNoClient(t *testing.T) {
	errDisk := errors.New("disk full")
	for name, c := range map[string]struct {
		storage func(release <-chan struct{}) faulty
		cause   func(error) bool
	}{
		"fails": {func(<-chan struct{}) faulty {
			return func(context.Context) error { return errDisk }
		}, func(err error) bool { return errors.Is(err, errDisk) }},
		"panics": {func(<-chan struct{}) faulty {
			return func(context.Context) error { panic("out of order") }
		}, func(err error) bool { var p *errs.PanicError; return errors.As(err, &p) }},
		"hangs": {func(<-chan struct{}) faulty {
			return func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		}, func(err error) bool { return errors.Is(err, context.DeadlineExceeded) }},
		"hangs, deaf to its context": {func(release <-chan struct{}) faulty {
			return func(context.Context) error { <-release; return nil }
		}, func(err error) bool { return errors.Is(err, context.DeadlineExceeded) }},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, sessiontest.Options{MaxBoundLifetime: 2 * time.Minute}, func(r *rig) {
				t := r.t
				release := make(chan struct{})
				defer close(release)
				r.opts.Storage, r.opts.PersistSession, r.opts.DPoPKey = c.storage(release), true, nil
				p := &switchable{}
				p.to(func(context.Context) (session.Credential, error) {
					s := r.srv.IssueSAT(sessiontest.SATRequest{Reference: "ann", TTL: time.Minute, Scope: "sat:refresh"})
					return session.Credential{Token: s.Token, ExpiresAt: s.ExpiresAt}, nil
				})
				r.connect(p)
				if took := time.Since(r.start); took > 5*time.Second {
					t.Errorf("Connect took %v", took)
				}
				if err := r.c.Register(t.Context()); err != nil {
					t.Errorf("Register: %v", err)
				}
				r.to(10 * time.Minute)
				r.wantOnline("with a faulty storage")
				if !r.c.Credential().ClientBound {
					t.Error("the session is not key-bound")
				}
				if f := allErrors[*errs.StorageError](r); len(f) != 1 || !c.cause(f[0]) || len(r.errors) != 1 {
					t.Errorf("errors %v, want one storage error", r.errors)
				}
				if err := r.c.Disconnect(t.Context()); err != nil {
					t.Error(err)
				}
				if err := r.c.Connect(t.Context()); err != nil {
					t.Errorf("Connect again: %v", err)
				}
				closing := time.Now()
				_ = r.c.Close()
				if took := time.Since(closing); took > 2500*time.Millisecond {
					t.Errorf("Close took %v", took)
				}
			})
		})
	}
}

func TestStorageThatHangsLateHoldsNeitherSessionNorClose(t *testing.T) {
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		t := r.t
		release := make(chan struct{})
		defer close(release)
		r.opts.PersistSession = true
		r.opts.Storage = faulty(func(context.Context) error {
			if time.Since(r.start) > 30*time.Second {
				<-release
			}
			return nil
		})
		p := &scripted{first: r.sat(90*time.Second, "")}
		p.next = func(context.Context, int) (session.Credential, error) { return r.sat(90*time.Second, ""), nil }
		r.connect(p)
		r.to(61 * time.Second) // a refresh is being written
		closing := time.Now()
		_ = r.c.Close()
		if took := time.Since(closing); took > 2500*time.Millisecond {
			t.Errorf("Close took %v", took)
		}
		lost := 0
		for _, e := range allErrors[*errs.StorageError](r) {
			if e.Op == "write" {
				lost++
			}
		}
		if lost != 1 {
			t.Errorf("errors %v, want the value that was not written", r.errors)
		}
	})
}

func TestConnectContextBoundsAHangingStorage(t *testing.T) {
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		t := r.t
		release := make(chan struct{})
		defer close(release)
		r.opts.PersistSession, r.opts.DPoPKey = true, nil
		r.opts.Storage = faulty(func(context.Context) error { <-release; return nil })
		r.open(session.StaticCredentials(r.sat(time.Hour, "")))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := r.c.Connect(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(r.start) > 2*time.Second {
			t.Errorf("Connect = %v after %v", err, time.Since(r.start))
		}
		synctest.Wait()
		if err := r.c.Connect(t.Context()); err != nil {
			t.Errorf("Connect with more patience: %v", err)
		}
	})
}
