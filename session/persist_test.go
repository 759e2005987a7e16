package session_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// restart closes the client and opens another over the same directory, as the
// next process would. Time passes meanwhile.
func (r *rig) restart(dir string, p session.CredentialProvider, after time.Duration) {
	r.t.Helper()
	if r.c != nil {
		_ = r.c.Close()
	}
	time.Sleep(after)
	synctest.Wait() // nobody is delivering any more
	r.mu.Lock()
	r.errors, r.warnings = nil, nil
	r.mu.Unlock()
	r.opts.Storage, r.opts.PersistSession = fileStorage(r.t, dir), true
	r.open(p)
}

// lastConnect is the latest signalwire.connect.
func (r *rig) lastConnect() sessiontest.Entry {
	all := r.srv.Journal().RPC(rpcConnect)
	return all[len(all)-1]
}

func (r *rig) mustConnect() {
	r.t.Helper()
	if err := r.c.Connect(r.t.Context()); err != nil {
		r.t.Fatalf("Connect: %v", err)
	}
	synctest.Wait()
}

func TestNextProcessGoesOnWithTheSession(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		t := r.t
		r.restart(dir, session.StaticCredentials(r.sat(time.Hour, "")), 0)
		r.mustConnect()
		protocol, token := r.srv.Sessions()[0].Protocol, r.c.Credential().Fingerprint

		r.restart(dir, nil, time.Minute)
		r.mustConnect()
		if e := r.lastConnect(); e.Session != protocol || e.Token != token || e.Code != 0 {
			t.Errorf("connect %+v, want session %s resumed with %s", e, protocol, token)
		}
		if s := r.srv.Sessions(); len(s) != 1 || s[0].Protocol != protocol || !s[0].Connected {
			t.Errorf("sessions %+v, want the old one and no other", s)
		}
		if at := r.c.Credential().ExpiresAt; !at.Equal(r.start.Add(time.Hour)) {
			t.Errorf("the expiry was not kept: %v", at.Sub(r.start))
		}
		if n := len(r.srv.Journal().RPC(rpcConnect)); n != 2 || len(r.errors) != 0 {
			t.Errorf("%d connects, errors %v", n, r.errors)
		}
		r.wantEnded(time.Hour, errs.EndTokenExpired)
	})
}

func TestNextProcessRefreshesTheBoundTokenWithItsKey(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		t := r.t
		r.opts.DPoPKey = nil // made and stored
		r.restart(dir, session.StaticCredentials(r.sat(time.Minute, "sat:refresh")), 0)
		r.mustConnect()
		protocol, token := r.srv.Sessions()[0].Protocol, r.c.Credential()
		if !token.ClientBound {
			t.Fatalf("credential %+v, want a bound token", token)
		}

		r.restart(dir, nil, 10*time.Second)
		r.mustConnect()
		if i := r.c.Credential(); i.Fingerprint != token.Fingerprint || !i.ClientBound || i.Mechanism != errs.MechanismClientBound || !i.RefreshAt.Equal(token.RefreshAt) {
			t.Errorf("credential %+v, want %+v", i, token)
		}
		if e := r.lastConnect(); e.Session != protocol || e.TokenKind != sessiontest.KindBound {
			t.Errorf("connect %+v, want session %s resumed with the bound token", e, protocol)
		}
		r.to(time.Hour)
		r.wantOnline("after refreshes")
		exchanges, refreshes := r.srv.Journal().HTTP(pathDeviceToken), r.srv.Journal().HTTP(pathDeviceRefresh)
		if len(exchanges) != 1 || len(refreshes) < 3 || refreshes[0].Proof.Thumbprint != exchanges[0].Proof.Thumbprint {
			t.Errorf("%d exchanges, %d refreshes; want one and several, by one key", len(exchanges), len(refreshes))
		}

		// What was refreshed last is what the third process finds.
		token = r.c.Credential()
		r.restart(dir, nil, time.Second)
		r.mustConnect()
		if i := r.c.Credential(); i.Fingerprint != token.Fingerprint {
			t.Errorf("token %s, want the refreshed one %s", i.Fingerprint, token.Fingerprint)
		}
	})
}

func TestBoundTokenWithoutItsKeyIsUseless(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	other, err := session.GenerateDPoPKey()
	if err != nil {
		t.Fatal(err)
	}
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		t := r.t
		r.restart(dir, session.StaticCredentials(r.bindable(time.Hour)), 0)
		r.mustConnect()
		requests := len(r.srv.Journal())
		for name, change := range map[string]func(o *session.Options){
			"another key": func(o *session.Options) { o.DPoPKey = other },
			"no key":      func(o *session.Options) { o.DPoPKey, o.DisableDPoP = nil, true },
		} {
			change(&r.opts)
			r.restart(dir, nil, time.Second)
			var invalid *errs.InvalidCredentialsError
			if err := r.c.Connect(t.Context()); !errors.As(err, &invalid) || invalid.Reason != errs.CredentialNoProvider {
				t.Errorf("%s: Connect = %v", name, err)
			}
			if n := len(tokensIn(r.srv.Journal()[requests:])); n != 0 {
				t.Errorf("%s: the token was presented", name)
			}
		}
	})
}

func TestProviderWinsOverWhatIsStored(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		t := r.t
		r.restart(dir, session.StaticCredentials(r.sat(time.Hour, "")), 0)
		r.mustConnect()
		protocol := r.srv.Sessions()[0].Protocol
		fresh := r.sat(2*time.Hour, "")
		r.restart(dir, session.StaticCredentials(fresh), time.Second)
		r.mustConnect()
		if e := r.lastConnect(); e.Token != fingerprintOf(fresh.Token) || e.Session != protocol {
			t.Errorf("connect %+v, want the provider's token and session %s", e, protocol)
		}
		r.restart(dir, nil, time.Second) // and it is what is stored from now on
		r.mustConnect()
		if i := r.c.Credential(); i.Fingerprint != fingerprintOf(fresh.Token) {
			t.Errorf("credential %+v", i)
		}
	})
}

func TestDisconnectErasesWhatResumesCloseKeepsIt(t *testing.T) {
	for name, c := range map[string]struct {
		end     func(r *rig) error
		resumed bool
	}{
		"Close":      {func(r *rig) error { return r.c.Close() }, true},
		"Disconnect": {func(r *rig) error { return r.c.Disconnect(r.t.Context()) }, false},
	} {
		dir := filepath.Join(t.TempDir(), "store")
		t.Run(name, func(t *testing.T) {
			inBubble(t, sessiontest.Options{}, func(r *rig) {
				t := r.t
				r.restart(dir, session.StaticCredentials(r.sat(time.Hour, "")), 0)
				r.mustConnect()
				user, protocol := r.c.User().ID, r.srv.Sessions()[0].Protocol
				if err := c.end(r); err != nil {
					t.Fatal(err)
				}
				_ = r.c.Close()
				for _, key := range []string{"sw:" + user + ":as", "sw:" + user + ":pt"} {
					if _, ok, err := fileStorage(t, dir).Get(t.Context(), lasting, key); err != nil || ok != c.resumed {
						t.Errorf("%s is stored: %v, %v; want %v", key, ok, err, c.resumed)
					}
				}
				r.restart(dir, nil, time.Second) // the credential is there either way
				r.mustConnect()
				if e := r.lastConnect(); (e.Session == protocol) != c.resumed {
					t.Errorf("connect %+v, want resumed = %v", e, c.resumed)
				}
			})
		})
	}
}

// A recording storage tells which scopes were written to.
type recording struct {
	session.Storage
	written chan session.Scope
}

func (s recording) Set(ctx context.Context, scope session.Scope, key string, value []byte) error {
	s.written <- scope
	return s.Storage.Set(ctx, scope, key, value)
}

func TestNothingLastsUnlessAskedTo(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		t := r.t
		written := make(chan session.Scope, 1000)
		r.opts.Storage, r.opts.DPoPKey = recording{fileStorage(t, dir), written}, nil
		r.connect(session.StaticCredentials(r.sat(time.Minute, "sat:refresh")))
		r.to(30 * time.Minute)
		r.wantOnline("after refreshes")
		_ = r.c.Close()
		if len(written) == 0 {
			t.Error("nothing was stored for the session")
		}
		for range len(written) {
			if scope := <-written; scope != session.ScopeSession {
				t.Errorf("stored in scope %q", scope)
			}
		}
		if f := files(t, dir); len(f) != 0 {
			t.Errorf("files %v", f)
		}
	})
}

func TestStoredGarbageIsNoSession(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		t := r.t
		r.opts.DPoPKey = nil
		r.restart(dir, session.StaticCredentials(r.sat(time.Minute, "sat:refresh")), 0)
		r.mustConnect()
		for _, junk := range []string{"", "{", "null", "[]", `{"token":42}`, `{"token":"%%%"}`, `{"token":"e30.x","cluster":"evil@example.com","bound_to":"` + sharedKey().Fingerprint() + `"}`, strings.Repeat("\x00", 4096)} {
			_ = r.c.Close() // what it stores is stored
			for _, path := range files(t, dir) {
				if err := os.WriteFile(path, []byte(junk), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			r.restart(dir, nil, 0)
			var invalid *errs.InvalidCredentialsError
			if err := r.c.Connect(t.Context()); !errors.As(err, &invalid) || invalid.Reason != errs.CredentialNoProvider {
				t.Errorf("%.20q stored: Connect = %v", junk, err)
			}
			r.restart(dir, session.StaticCredentials(r.sat(time.Hour, "")), 0)
			if err := r.c.Connect(t.Context()); err != nil {
				t.Errorf("%.20q stored: Connect with a provider: %v", junk, err)
			}
		}
	})
}
