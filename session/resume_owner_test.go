package session_test

import (
	"testing"
	"time"

	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

func TestAnotherUserDoesNotResumeTheSessionOfTheFirst(t *testing.T) {
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		t := r.t
		r.opts.Storage, r.opts.PersistSession = session.NewMemoryStorage(), true
		r.connect(session.StaticCredentials(r.sat(time.Minute, "")))
		ann := r.c.User().ID
		<-r.c.Done() // what can resume the session is kept
		bob := r.srv.IssueSAT(sessiontest.SATRequest{Reference: "bob", TTL: time.Hour})
		if err := r.c.UpdateCredential(t.Context(), session.Credential{Token: bob.Token}); err != nil {
			t.Fatal(err)
		}
		r.mustConnect()
		if r.c.User().ID == ann {
			t.Error("the user is still the first one")
		}
		s := r.srv.Journal().RPC(rpcConnect)
		if len(s) != 2 || s[1].Code != 0 || s[1].Session == s[0].Session {
			t.Errorf("connects %+v, want one for each user, the second with a session of its own", s)
		}
	})
}
