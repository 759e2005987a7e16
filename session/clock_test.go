package session_test

import (
	"testing"
	"time"

	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

func TestSigningInDoesNotNeedARightClock(t *testing.T) {
	for _, skew := range []time.Duration{-5 * time.Minute, -20 * time.Minute, 20 * time.Minute} {
		t.Run(skew.String(), func(t *testing.T) {
			inBubble(t, sessiontest.Options{}, func(r *rig) {
				t := r.t
				r.srv.SetClockSkew(skew)
				r.open(session.StaticCredentials(r.bare(time.Hour)))
				if err := r.c.Connect(t.Context()); err != nil {
					t.Errorf("Connect = %v", err)
				}
				if n := len(r.srv.Journal().RPC(rpcConnect)); n != 1 {
					t.Errorf("%d connects, want the first to succeed", n)
				}
			})
		})
	}
}
