package session_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// With a fixed token nothing can refresh it, and the client says so.
func ExampleStaticCredentials() {
	gw, opts := exampleGateway()
	defer gw.Close()
	ctx := context.Background()
	client, err := session.Open(ctx, session.StaticCredentials(annsToken(gw, time.Hour)), opts)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = client.Close() }()

	w, err := client.ObserveWarnings().Wait(ctx, nil)
	fmt.Println(w.Code(), err)
	// Output: credential_no_refresh_handler <nil>
}

// A function is asked to sign in, and again shortly before the token expires.
func ExampleCredentialFunc() {
	gw, opts := exampleGateway()
	defer gw.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()

	life := 3 * time.Second
	provider := session.CredentialFunc(func(context.Context, session.AuthContext) (session.Credential, error) {
		fmt.Println("asked for a token")
		defer func() { life = time.Hour }()
		return annsToken(gw, life), nil
	})
	client, err := session.Open(ctx, provider, opts)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = client.Close() }()

	fresh, err := client.ObserveCredential().Wait(ctx, func(i session.CredentialInfo) bool {
		return i.Refresh == "armed" && time.Until(i.ExpiresAt) > time.Minute
	})
	fmt.Println(fresh.Mechanism, err)
	// Output:
	// asked for a token
	// asked for a token
	// developer <nil>
}

// A web page's embed token is enough to sign in as a guest, who cannot register.
func ExampleEmbedTokenCredentials() {
	gw, opts := exampleGateway()
	defer gw.Close()
	gw.AddEmbed("c2c_7acc0e5e968706a032983cd80cdca219")

	opts.SkipRegister = true
	provider := session.EmbedTokenCredentials(gw.APIURL(), "c2c_7acc0e5e968706a032983cd80cdca219", gw.Client())
	client, err := session.Open(context.Background(), provider, opts)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = client.Close() }()

	fmt.Println(client.Status(), client.Credential().Mechanism)
	var invalid *errs.InvalidCredentialsError
	if err := client.Register(context.Background()); errors.As(err, &invalid) {
		fmt.Println(invalid.Reason)
	}
	// Output:
	// online developer
	// register-failed
}

// A trusted server mints its own tokens. Bound to the client's key, they are of
// no use to anybody else, and the client refreshes them by itself.
func ExampleProjectCredentials() {
	gw, opts := exampleGateway()
	defer gw.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()

	project, apiToken := gw.Project()
	provider, err := session.ProjectCredentials(session.Project{
		Space:       gw.APIURL(), // "example.signalwire.com"
		ProjectID:   project,
		Token:       apiToken,
		Reference:   "ann",
		ClientBound: true,
		HTTPClient:  gw.Client(),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	client, err := session.Open(ctx, provider, opts)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = client.Close() }()

	info, err := client.ObserveCredential().Wait(ctx, func(i session.CredentialInfo) bool { return i.ClientBound })
	fmt.Println(info.Mechanism, err)
	// Output: client-bound <nil>
}

// A program that has a fresh token hands it over, at any time. The session goes
// on: no other connection, nothing lost.
func ExampleClient_UpdateCredential() {
	gw, opts := exampleGateway()
	defer gw.Close()
	ctx := context.Background()
	client, err := session.Open(ctx, session.StaticCredentials(annsToken(gw, time.Minute)), opts)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = client.Close() }()
	old := client.Credential().ExpiresAt

	if err := client.UpdateCredential(ctx, annsToken(gw, time.Hour)); err != nil {
		fmt.Println(err)
	}
	fmt.Println(client.Credential().ExpiresAt.Sub(old) > 50*time.Minute)
	fmt.Println(len(gw.Journal().RPC("signalwire.connect")), "connection")

	gone := annsToken(gw, -time.Minute)
	var invalid *errs.InvalidCredentialsError
	if err := client.UpdateCredential(ctx, gone); errors.As(err, &invalid) {
		fmt.Println(invalid.Reason, "-", client.Status(), "still")
	}
	// Output:
	// true
	// 1 connection
	// expired - online still
}

// The key's fingerprint goes to whoever mints the token; the key itself stays.
func ExampleGenerateDPoPKey() {
	gw, opts := exampleGateway()
	defer gw.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()

	key, err := session.GenerateDPoPKey()
	if err != nil {
		fmt.Println(err)
		return
	}
	sat := gw.IssueSAT(sessiontest.SATRequest{Reference: "ann", Scope: "sat:refresh", Fingerprint: key.Fingerprint()})
	opts.DPoPKey = key
	client, err := session.Open(ctx, session.StaticCredentials(session.Credential{Token: sat.Token}), opts)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = client.Close() }()

	_, err = client.ObserveCredential().Wait(ctx, func(i session.CredentialInfo) bool { return i.ClientBound })
	fmt.Println(client.Credential().Mechanism, err)
	// Output: client-bound <nil>
}
