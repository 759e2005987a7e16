package session_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

func TestRefusedTokenWithoutAnotherEndsWithAVerdict(t *testing.T) {
	for name, c := range map[string]struct {
		err    error // what the provider says when asked for another
		within time.Duration
	}{
		"provider says never":         {fmt.Errorf("account closed: %w", errs.ErrPermanent), 5 * time.Second},
		"provider has the lapsed one": {nil, 5 * time.Second},
		"provider keeps failing":      {errBackend, 2 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, sessiontest.Options{}, func(r *rig) {
				t := r.t
				p := &scripted{first: r.sat(time.Minute, "")}
				p.next = func(context.Context, int) (session.Credential, error) { return p.first, c.err }
				r.connect(p)
				good := r.srv.IssueSAT(sessiontest.SATRequest{Reference: "ann", TTL: 24 * time.Hour})
				if err := r.c.UpdateCredential(t.Context(), session.Credential{Token: good.Token, ExpiresAt: good.ExpiresAt}); err != nil {
					t.Fatal(err)
				}
				r.to(5 * time.Minute)
				r.srv.Revoke(good.JTI)
				r.srv.Expire("ann")
				select {
				case <-r.c.Done():
				case <-time.After(c.within):
					t.Fatalf("no verdict after %v; status %v", c.within, r.c.Status())
				}
				var ended *errs.SessionEndedError
				if !errors.As(r.c.Err(), &ended) || c.err != nil && !errors.Is(ended, c.err) {
					t.Errorf("Err = %v, want %v inside", r.c.Err(), c.err)
				}
				connects := len(r.srv.Journal().RPC(rpcConnect))
				r.to(time.Hour)
				if n := len(r.srv.Journal().RPC(rpcConnect)); n != connects || r.c.Status() != session.StatusOffline {
					t.Errorf("%d connects after the verdict; status %v", n-connects, r.c.Status())
				}
			})
		})
	}
}

func TestStaticTokenOfUnknownExpiryEndsWithIt(t *testing.T) {
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		r.connect(session.StaticCredentials(r.sat(5*time.Minute, "")))
		if err := r.c.UpdateCredential(r.t.Context(), r.bare(10*time.Minute)); err != nil {
			r.t.Fatal(err)
		}
		r.wantEnded(10*time.Minute, errs.EndTokenExpired)
	})
}

func TestConnectAnsweredThenCutThenRefusedReturns(t *testing.T) {
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		t := r.t
		r.opts.DialSocket = (&playedService{play: func(dial int) (*playedSocket, error) {
			return playSocket(func(s *playedSocket, id, _ string) {
				if dial == 1 {
					s.welcome(id)
					s.hangUp()
					return
				}
				s.refuse(id, errs.CodeAuthenticationFailed)
			}), nil
		}}).dial
		r.open(session.StaticCredentials(r.sat(time.Hour, "")))
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Minute)
		defer cancel()
		err := r.c.Connect(ctx)
		if took := time.Since(r.start); took > time.Minute || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Connect = %v after %v", err, took)
		}
		select {
		case <-r.c.Done():
		case <-time.After(time.Minute):
			t.Errorf("the session has not ended; status %v", r.c.Status())
		}
	})
}

// A program that connects again as soon as it hears that the token expired: the
// end of the old session is none of the new one's.
func TestDoneOfTheNextSessionIsOpen(t *testing.T) {
	for name, hear := range map[string]func(c *session.Client, then func()){
		"from the error": func(c *session.Client, then func()) {
			c.ObserveErrors().Subscribe(context.Background(), func(err error) {
				if errors.As(err, new(*errs.InvalidCredentialsError)) {
					then()
				}
			})
		},
		"from the status": func(c *session.Client, then func()) {
			c.ObserveStatus().Subscribe(context.Background(), func(s session.Status) {
				if s == session.StatusOffline {
					then()
				}
			})
		},
	} {
		for _, deaf := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, service deaf %v", name, deaf), func(t *testing.T) {
				inBubble(t, sessiontest.Options{ExpirySlack: time.Minute}, func(r *rig) {
					t := r.t
					r.connect(session.StaticCredentials(r.sat(time.Minute, "")))
					connected := make(chan error, 1)
					var first sync.Once // the test's own Close is heard as well
					hear(r.c, func() {
						first.Do(func() {
							err := r.c.UpdateCredential(context.Background(), r.sat(time.Hour, ""))
							connected <- errors.Join(err, r.c.Connect(context.Background()))
						})
					})
					if r.to(55 * time.Second); deaf { // then saying goodbye takes a while
						r.srv.Stall("ann", sessiontest.StallBoth)
					}
					if err := <-connected; err != nil {
						t.Fatal(err)
					}
					time.Sleep(5 * time.Second)
					r.wantOnline("in the new session")
					select {
					case <-r.c.Done():
						t.Errorf("Done is closed; Err = %v", r.c.Err())
					default:
					}
				})
			})
		}
	}
}
