package session_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/observable"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// stayOnline signs in and stays online until ctx ends. The client asks provider
// for a token, and for another one before it expires; spare is the way out when
// that fails.
func stayOnline(ctx context.Context, provider session.Refresher, spare session.CredentialFunc, opts session.Options, log func(...any)) error {
	client, err := session.Open(ctx, provider, opts) // sign in, connect, register for calls
	if err != nil {
		return err
	}
	defer client.Close()
	log(client.User().DisplayName, "is", client.Status())

	refreshErrors := observable.Select[*errs.TokenRefreshError](client.ObserveErrors())
	refreshErrors.Subscribe(ctx, func(e *errs.TokenRefreshError) {
		var answer *errs.HTTPError
		if errors.As(e, &answer) {
			log("the token endpoint answered", answer.Status)
		}
		if e.Final { // the client has given up; the session lives until e.ExpiresAt
			fresh, err := spare(ctx, session.AuthContext{})
			if err == nil {
				err = client.UpdateCredential(ctx, fresh)
			}
			log("a fresh token was handed over:", err)
		}
	})

	select {
	case <-client.Done():
		return client.Err() // who ended the session, and why
	case <-ctx.Done():
		return nil
	}
}

// Signing in, watching errors, and handing over a fresh token in time.
func Example() {
	gw, opts := exampleGateway()
	defer gw.Close()
	opts.Refresh.MaxAttempts = 1
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()

	project, apiToken := gw.Project()
	gw.IssueSAT(sessiontest.SATRequest{Reference: "ann", DisplayName: "Ann"}) // she has a name
	provider, err := session.ProjectCredentials(session.Project{
		Space: gw.APIURL(), ProjectID: project, Token: apiToken, Reference: "ann",
		Lifetime: 4 * time.Second, HTTPClient: gw.Client(),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	spare := func(context.Context, session.AuthContext) (session.Credential, error) {
		sat := gw.IssueSAT(sessiontest.SATRequest{Reference: "ann"})
		return session.Credential{Token: sat.Token, ExpiresAt: sat.ExpiresAt}, nil
	}
	gw.Inject(sessiontest.Fault{
		Match:  sessiontest.Match{Path: "/api/fabric/subscribers/tokens/refresh"},
		Action: sessiontest.Action{Kind: sessiontest.FaultStatus, Status: 503},
	})

	lines := 0
	log := func(text ...any) {
		fmt.Println(text...)
		if lines++; lines == 3 {
			cancel() // enough seen
		}
	}
	fmt.Println(stayOnline(ctx, provider, spare, opts, log))
	// Output:
	// Ann is online
	// the token endpoint answered 503
	// a fresh token was handed over: <nil>
	// <nil>
}

// TestStaysOnlineWhenTheNetworkFails shows how a program tests what it builds on
// callrx: offline, against the embedded gateway.
func TestStaysOnlineWhenTheNetworkFails(t *testing.T) {
	gw := sessiontest.NewServer(t)
	sat := gw.IssueSAT(sessiontest.SATRequest{Reference: "ann"})
	client, err := session.Open(t.Context(), session.StaticCredentials(session.Credential{Token: sat.Token}),
		session.Options{APIURL: gw.APIURL(), RelayURL: gw.RelayURL(), HTTPClient: gw.Client()})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()

	var seen []bool
	for ready := range client.ObserveReady().Seq(t.Context()) {
		if seen = append(seen, ready); len(seen) == 1 {
			gw.Drop("ann")
		}
		if len(seen) == 3 {
			break
		}
	}
	if want := []bool{true, false, true}; !slices.Equal(seen, want) {
		t.Errorf("ready was %v, want %v", seen, want)
	}
}
