package session_test

import (
	"testing"
	"time"

	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

func TestEmbedSessionOutlivesItsGuestToken(t *testing.T) {
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		r.srv.AddEmbed("c2c_kiosk")
		r.connect(session.EmbedTokenCredentials(r.srv.APIURL(), "c2c_kiosk", r.srv.Client()))
		r.to(3 * time.Hour)
		r.wantOnline("three guest tokens later")
		if f := r.refreshErrors(); len(f) != 0 {
			t.Errorf("failures %v", f)
		}
	})
}
