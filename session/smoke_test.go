package session_test

import (
	"context"
	"testing"
	"time"

	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

func TestSmoke(t *testing.T) {
	srv := sessiontest.NewServer(t)
	sat := srv.IssueSAT(sessiontest.SATRequest{Reference: "ann", TTL: time.Hour})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	c, err := session.Open(ctx, session.StaticCredentials(session.Credential{Token: sat.Token}), session.Options{
		APIURL: srv.APIURL(), RelayURL: srv.RelayURL(), HTTPClient: srv.Client(),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(c.User(), c.Status(), c.Registered(), c.Credential())
	c.Close()
	t.Log(c.Err())
}
