package session_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

const (
	pathMint      = "/api/fabric/subscribers/tokens"
	pathMintAgain = "/api/fabric/subscribers/tokens/refresh"
	pathEmbed     = "/api/fabric/embeds/tokens"
)

// project is access to the gateway's own project.
func (r *rig) project(change func(p *session.Project)) session.Refresher {
	r.t.Helper()
	id, token := r.srv.Project()
	p := session.Project{Space: r.srv.APIURL(), ProjectID: id, Token: token, Reference: "ann", HTTPClient: r.srv.Client()}
	if change != nil {
		change(&p)
	}
	provider, err := session.ProjectCredentials(p)
	if err != nil {
		r.t.Fatal(err)
	}
	return provider
}

func TestProjectCredentialsMintAndRotate(t *testing.T) {
	inBubble(t, sessiontest.Options{TokenTTL: time.Hour, RotationGrace: -1, StrictRotation: true}, func(r *rig) {
		t := r.t
		r.connect(r.project(func(p *session.Project) { p.Lifetime = 10 * time.Minute }))
		if u := r.c.User(); u == nil || u.ID == "" {
			t.Fatalf("user %+v", u)
		}
		if at := r.c.Credential().ExpiresAt; !at.Equal(r.start.Add(10 * time.Minute)) {
			t.Errorf("expiry %v, want the lifetime asked for", at.Sub(r.start))
		}
		r.to(5 * time.Hour)
		r.wantOnline("after refreshes")
		minted, rotated := r.srv.Journal().HTTP(pathMint), r.srv.Journal().HTTP(pathMintAgain)
		if len(minted) != 1 || len(rotated) < 3 {
			t.Errorf("minted %d times, rotated %d times; want once and at least three times", len(minted), len(rotated))
		}
		for _, e := range rotated {
			if e.Status != http.StatusCreated {
				t.Errorf("rotation answered %d: %s", e.Status, e.Reason)
			}
		}
		if f := r.refreshErrors(); len(f) != 0 {
			t.Errorf("failures %v", f)
		}
	})
}

func TestProjectCredentialsMintAnewWhenRotationIsRefused(t *testing.T) {
	for _, status := range []int{401, 404, 422} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			inBubble(t, sessiontest.Options{}, func(r *rig) {
				t := r.t
				r.fault(pathMintAgain, -1, sessiontest.Action{Kind: sessiontest.FaultStatus, Status: status})
				r.connect(r.project(func(p *session.Project) { p.Lifetime = 10 * time.Minute }))
				r.to(25 * time.Minute)
				r.wantOnline("after refused rotations")
				if n := len(r.srv.Journal().HTTP(pathMint)); n != 3 {
					t.Errorf("minted %d times, want 3", n)
				}
				if f := r.refreshErrors(); len(f) != 0 {
					t.Errorf("failures %v", f)
				}
			})
		})
	}
}

func TestProjectCredentialsLostAnswerCostsOneRefreshToken(t *testing.T) {
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		t := r.t
		r.connect(r.project(func(p *session.Project) { p.Lifetime = 10 * time.Minute }))
		r.fault(pathMintAgain, 1, sessiontest.Action{Kind: sessiontest.FaultCommitThenFail})
		r.to(11 * time.Minute)
		r.wantOnline("after a lost answer")
		if f := r.refreshErrors(); len(f) != 1 || f[0].Final || !hasStatus(500)(f[0]) {
			t.Errorf("failures %v, want one 500", f)
		}
		if rotated := r.srv.Journal().HTTP(pathMintAgain); len(rotated) != 1 || len(r.srv.Journal().HTTP(pathMint)) != 2 {
			t.Errorf("rotated %d times; want the used-up token not to be presented again", len(rotated))
		}
	})
}

func TestProjectCredentialsClientBoundIsRefreshedByTheClient(t *testing.T) {
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		t := r.t
		r.connect(r.project(func(p *session.Project) { p.ClientBound = true }))
		if !r.c.Credential().ClientBound {
			t.Fatalf("credential %+v, want a bound token", r.c.Credential())
		}
		r.to(time.Hour)
		r.wantOnline("after refreshes by key")
		if n := len(r.srv.Journal().HTTP(pathMint)); n != 1 {
			t.Errorf("minted %d times, want once", n)
		}
		if n := len(r.srv.Journal().HTTP(pathDeviceRefresh)); n < 3 {
			t.Errorf("refreshed by key %d times", n)
		}
		if warnings := r.warningReasons(); len(warnings) != 0 {
			t.Errorf("warnings %v", warnings)
		}
	})
}

func TestProjectCredentialsRefusalIsPermanent(t *testing.T) {
	const wrong = "PT-wrong-token"
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		t := r.t
		provider := r.project(func(p *session.Project) { p.Token = wrong })
		_, err := provider.Authenticate(t.Context(), session.AuthContext{})
		if !errors.Is(err, errs.ErrPermanent) || !hasStatus(401)(err) {
			t.Errorf("Authenticate = %v, want a permanent 401", err)
		}
		for form, text := range inAllForms(t, err) {
			if strings.Contains(text, wrong) {
				t.Errorf("the error as %s shows the project's token: %s", form, text)
			}
		}
		r.open(provider)
		var invalid *errs.InvalidCredentialsError
		if err := r.c.Connect(t.Context()); !errors.As(err, &invalid) || invalid.Reason != errs.CredentialProviderFailed || !hasStatus(401)(err) {
			t.Errorf("Connect = %v", err)
		}
	})
}

func TestProjectTokenWithdrawnEndsRefreshingAtOnce(t *testing.T) {
	inBubble(t, patient, func(r *rig) {
		t := r.t
		r.connect(r.project(func(p *session.Project) { p.Lifetime = 10 * time.Minute }))
		for _, path := range []string{pathMint, pathMintAgain} {
			r.fault(path, -1, sessiontest.Action{Kind: sessiontest.FaultStatus, Status: 401})
		}
		r.to(599 * time.Second)
		r.wantOnline("until its token expires")
		if f := r.refreshErrors(); len(f) != 1 || !f[0].Final || !errors.Is(f[0], errs.ErrPermanent) {
			t.Errorf("failures %v, want one final", f)
		}
		r.wantEnded(602*time.Second, errs.EndTokenExpired)
	})
}

func TestProjectMustBeComplete(t *testing.T) {
	complete := session.Project{Space: "example.signalwire.com", ProjectID: "id", Token: "token", Reference: "ann"}
	for field, clear := range map[string]func(p *session.Project){
		"Project.Space":     func(p *session.Project) { p.Space = "" },
		"Project.ProjectID": func(p *session.Project) { p.ProjectID = "" },
		"Project.Token":     func(p *session.Project) { p.Token = "" },
		"Project.Reference": func(p *session.Project) { p.Reference = "" },
		"Project.Lifetime":  func(p *session.Project) { p.Lifetime = -time.Second },
	} {
		p := complete
		clear(&p)
		_, err := session.ProjectCredentials(p)
		var config *errs.ConfigError
		if !errors.As(err, &config) || config.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}

func TestEmbedTokenIsExchangedForAGuestToken(t *testing.T) {
	const embed = "c2c_0123456789abcdef"
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		t := r.t
		r.srv.AddEmbed(embed)
		provider := session.EmbedTokenCredentials(r.srv.APIURL()+"/ignored/path", embed, r.srv.Client())
		r.connect(provider)
		if i := r.c.Credential(); i.Mechanism != errs.MechanismDeveloper || !i.ExpiresAt.Equal(r.start.Add(time.Hour)) {
			t.Errorf("credential %+v, want one of an hour that the provider refreshes", i)
		}
		again, err := provider.Refresh(t.Context(), session.AuthContext{})
		if err != nil || again.Token == "" || fingerprintOf(again.Token) == r.c.Credential().Fingerprint {
			t.Errorf("exchanged again: %v, %v", again, err)
		}
		if n := len(r.srv.Journal().HTTP(pathEmbed)); n != 2 {
			t.Errorf("exchanged %d times, want twice", n)
		}
		var refused *errs.InvalidCredentialsError
		if err := r.c.Register(t.Context()); !errors.As(err, &refused) || refused.Reason != errs.CredentialRegisterFailed {
			t.Errorf("Register of a guest = %v", err)
		}
		r.wantOnline("after a refused registration")
	})
}

func TestEmbedTokenFailures(t *testing.T) {
	const embed = "c2c_unknown_0123456789"
	for name, c := range map[string]struct {
		action *sessiontest.Action
		asked  int
		typed  func(error) bool
	}{
		"unknown":    {nil, 1, func(err error) bool { var h *errs.HTTPError; return errors.As(err, &h) && h.Status/100 == 4 }},
		"500, twice": {&sessiontest.Action{Kind: sessiontest.FaultStatus, Status: 500}, 2, hasStatus(500)},
		"no token": {&sessiontest.Action{Kind: sessiontest.FaultNoToken}, 1, func(err error) bool {
			var r *errs.ResponseError
			return errors.As(err, &r)
		}},
		"hang": {&sessiontest.Action{Kind: sessiontest.FaultHang}, 2, func(err error) bool { return errors.Is(err, context.DeadlineExceeded) }},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, sessiontest.Options{}, func(r *rig) {
				t := r.t
				if c.action != nil {
					r.fault(pathEmbed, -1, *c.action)
				}
				_, err := session.EmbedTokenCredentials(r.srv.APIURL(), embed, r.srv.Client()).Authenticate(t.Context(), session.AuthContext{})
				if !c.typed(err) || strings.Contains(fmt.Sprintf("%+v", err), embed) {
					t.Errorf("error %v", err)
				}
				if n := len(r.srv.Journal().HTTP(pathEmbed)); n != c.asked {
					t.Errorf("asked %d times, want %d", n, c.asked)
				}
			})
		})
	}
}

func TestProvidersRefuseToSendSecretsInClear(t *testing.T) {
	hosts := []string{"http://example.com", "ftp://example.com", "example.com:port", "http://127.0.0.1.example.com"}
	provider := func(host string) session.Refresher {
		p, err := session.ProjectCredentials(session.Project{Space: host, ProjectID: "i", Token: "t", Reference: "r"})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	for i, host := range slices.Concat(hosts, hosts) {
		p := provider(host)
		if i < len(hosts) {
			p = session.EmbedTokenCredentials(host, "c2c_x", nil)
		}
		var config *errs.ConfigError
		if _, err := p.Authenticate(t.Context(), session.AuthContext{}); !errors.As(err, &config) {
			t.Errorf("%s: %v, want a refusal without any request", host, err)
		}
	}
}
