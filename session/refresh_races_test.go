package session_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// What a token may do is unknown while subscriber info fails; the reconnect asks
// again, and a refresh is under way.
func TestReconnectLeavesARefreshUnderWayAlone(t *testing.T) {
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		t := r.t
		p := &scripted{first: r.sat(2*time.Minute, "")}
		p.next = func(ctx context.Context, n int) (session.Credential, error) {
			if n == 2 {
				select {
				case <-time.After(5 * time.Second):
				case <-ctx.Done():
					return session.Credential{}, ctx.Err()
				}
			}
			return r.sat(2*time.Minute, ""), nil
		}
		r.connect(p)
		r.fault(pathInfo, -1, sessiontest.Action{Kind: sessiontest.FaultStatus, Status: 500})
		r.to(182 * time.Second)
		if p.count() != 2 {
			t.Fatalf("%d refreshes have begun, want the second to be under way", p.count())
		}
		r.srv.Drop("ann")
		r.to(10 * time.Minute)
		r.wantOnline("long after the reconnect")
		if f := r.refreshErrors(); len(f) != 0 || p.count() < 5 {
			t.Errorf("%d refreshes, failures %v", p.count(), f)
		}
	})
}

func TestRefusedSubscriberInfoAfterARefreshLeadsToNoOther(t *testing.T) {
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		t := r.t
		p := &scripted{first: r.sat(2*time.Minute, "")}
		p.next = func(_ context.Context, n int) (session.Credential, error) {
			if n > 20 {
				return session.Credential{}, errs.ErrPermanent // or the test would never end
			}
			time.Sleep(100 * time.Millisecond)
			return r.sat(2*time.Minute+time.Duration(n)*time.Second, ""), nil
		}
		r.connect(p)
		r.fault(pathInfo, -1, sessiontest.Action{Kind: sessiontest.FaultStatus, Status: 401})
		r.to(2 * time.Minute)
		if n := p.count(); n != 1 {
			t.Errorf("%d refreshes in the life of the first token, want one", n)
		}
		r.wantOnline("after the refresh")
	})
}

func TestTokenObtainedWhileReconnectingWithTheOldOneIsApplied(t *testing.T) {
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		t := r.t
		p := &scripted{first: r.sat(2*time.Minute, "")}
		p.next = func(context.Context, int) (session.Credential, error) { return r.sat(time.Hour, ""), nil }
		r.connect(p)
		r.to(89 * time.Second)
		r.rpcFault(rpcConnect, 1, sessiontest.Action{Kind: sessiontest.FaultSlow, Delay: 3 * time.Second})
		r.srv.Drop("ann")
		r.to(100 * time.Second)
		r.wantOnline("after the reconnect")
		if p.count() != 1 {
			t.Fatalf("%d refreshes, want one during the reconnect", p.count())
		}
		fresh := r.start.Add(90*time.Second + time.Hour)
		if s := r.srv.Sessions(); len(s) != 1 || !s[0].Deadline.Equal(fresh) || !r.c.Credential().ExpiresAt.Equal(fresh) {
			t.Errorf("the service has %+v, the client a token until %v; want both until %v", s, r.c.Credential().ExpiresAt, fresh)
		}
		r.to(5 * time.Minute)
		r.wantOnline("after the old expiry")
		if n := len(r.srv.Journal().RPC(rpcConnect)); n != 2 {
			t.Errorf("%d connects, want no more than the reconnect", n)
		}
	})
}

// The second connection breaks as soon as it is authenticated: there is none for
// the new token to be applied on.
func TestRefreshAppliesNothingOnALinkThatDiedBeforeItWasLive(t *testing.T) {
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		t := r.t
		service := &playedService{play: func(dial int) (*playedSocket, error) {
			if dial > 2 {
				return nil, errors.New("the network is down")
			}
			return playSocket(func(s *playedSocket, id, _ string) {
				s.welcome(id)
				if dial == 1 {
					s.frames <- `{"jsonrpc":"2.0","id":"e1","method":"signalwire.event","params":` +
						`{"event_type":"signalwire.authorization.state","params":{"authorization_state":"state"}}}`
					time.AfterFunc(80*time.Second, s.hangUp)
					return
				}
				s.hangUp()
			}), nil
		}}
		r.opts.DialSocket = service.dial
		p := &scripted{first: r.sat(2*time.Minute, "")}
		p.next = func(context.Context, int) (session.Credential, error) { return r.sat(time.Hour, ""), nil }
		r.connect(p)
		r.to(110 * time.Second)
		if p.count() != 1 || service.count() < 3 {
			t.Fatalf("%d refreshes, %d dials", p.count(), service.count())
		}
		if f := r.refreshErrors(); len(f) > 0 {
			t.Errorf("failures %v, though the token was obtained", f)
		}
	})
}
