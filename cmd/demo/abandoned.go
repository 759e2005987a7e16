package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/observable"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// Act 5: bob, whose token the program's own provider refreshes, until it cannot.

const (
	bob          = "bob@example.org"
	mintPath     = "/api/fabric/subscribers/tokens"
	bobsAttempts = 3
)

// abandoned lets every refresh fail and watches the session to its end.
func (s *story) abandoned(ctx context.Context) error {
	id, apiToken := s.gw.Project()
	provider, err := session.ProjectCredentials(session.Project{
		Space: s.gw.APIURL(), ProjectID: id, Token: apiToken, Reference: bob,
		Lifetime: s.pace.life, HTTPClient: s.gw.Client(),
	})
	if err != nil {
		return err
	}
	policy := s.pace.refresh
	policy.MaxAttempts = bobsAttempts
	c, err := session.New(provider, session.Options{HTTPClient: s.gw.Client(), DPoPKey: s.key, Refresh: policy})
	if err != nil {
		return err
	}
	defer s.watch(c)()
	err = s.observe(ctx, stepOnline2, patience, func(ctx context.Context) (string, error) {
		return "his tokens come from the project API", errors.Join(c.Connect(ctx), c.Register(ctx))
	})
	if err != nil {
		return err
	}
	s.tl.say("gateway", "from now on every request for a token will be answered 503")
	for _, path := range []string{mintPath, mintPath + "/refresh"} {
		s.gw.Inject(sessiontest.Fault{
			Match: sessiontest.Match{Path: path}, Times: -1,
			Action: sessiontest.Action{Kind: sessiontest.FaultStatus, Status: 503},
		})
	}
	return s.watchTheEnd(ctx, c)
}

// watchTheEnd follows a session that nobody saves.
func (s *story) watchTheEnd(ctx context.Context, c *session.Client) error {
	var expires time.Time
	err := s.observe(ctx, stepGaveUp, s.pace.life+patience, func(ctx context.Context) (string, error) {
		last, n := s.followRefresh(ctx, c)
		if last == nil {
			return "", context.Cause(ctx)
		}
		expires = last.ExpiresAt
		reply, err := ask(ctx, c)
		return fmt.Sprintf("%d attempts, the last one marked final; %s", n, reply), err
	})
	if err != nil {
		return err
	}
	err = s.observe(ctx, stepAlive, s.pace.life+patience, func(ctx context.Context) (string, error) {
		if err := waitUntil(ctx, c, expires.Add(-400*time.Millisecond)); err != nil {
			return "", err
		}
		return ask(ctx, c)
	})
	if err != nil {
		return err
	}
	err = s.observe(ctx, stepTornDown, patience, func(ctx context.Context) (string, error) {
		select {
		case <-c.Done():
		case <-ctx.Done():
			return "", context.Cause(ctx)
		}
		s.late = time.Since(expires)
		if s.late < 0 || s.late > s.pace.refresh.ExpiryGrace+2*time.Second {
			return "", fmt.Errorf("it ended %s after the expiry", s.late)
		}
		return fmt.Sprintf("the token expired at %s", s.tl.at(expires)), nil
	})
	if err != nil {
		return err
	}
	return s.observe(ctx, stepReason, patience, func(context.Context) (string, error) {
		return s.readReason(c.Err())
	})
}

// followRefresh shows the refresh errors as a program does that uses the typed
// selection, up to the final one.
func (s *story) followRefresh(ctx context.Context, c *session.Client) (last *errs.TokenRefreshError, n int) {
	s.tl.say("app", "for e := range observable.Select[*errs.TokenRefreshError](client.ObserveErrors()).Seq(ctx)")
	for e := range observable.Select[*errs.TokenRefreshError](c.ObserveErrors()).Seq(ctx) {
		n++
		s.showRefreshError(e)
		if e.Final {
			return e, n
		}
	}
	return nil, n
}

// readReason takes the reason apart, layer by layer.
func (s *story) readReason(err error) (string, error) {
	var ended *errs.SessionEndedError
	var invalid *errs.InvalidCredentialsError
	var refresh *errs.TokenRefreshError
	var answer *errs.HTTPError
	switch {
	case !errors.As(err, &ended) || ended.By != errs.EndedByExpiry || ended.Cause != errs.EndTokenExpired:
		return "", fmt.Errorf("want *errs.SessionEndedError by expiry, got %w", err)
	case !errors.As(err, &invalid) || invalid.Reason != errs.CredentialExpired:
		return "", fmt.Errorf("want *errs.InvalidCredentialsError inside %w", err)
	case !errors.As(err, &refresh) || !refresh.Final:
		return "", fmt.Errorf("want the last *errs.TokenRefreshError inside %w", err)
	case !errors.As(err, &answer) || answer.Status != 503:
		return "", fmt.Errorf("want *errs.HTTPError{Status: 503} inside %w", err)
	}
	s.tl.say("client.Err()", "*errs.SessionEndedError{By: %q, Cause: %q}\n└ *errs.InvalidCredentialsError{Reason: %q}\n"+
		"  └ *errs.TokenRefreshError{Mechanism: %q, Attempt: %d, Final: %t}\n    └ *errs.HTTPError{Status: %d}",
		ended.By, ended.Cause, invalid.Reason, refresh.Mechanism, refresh.Attempt, refresh.Final, answer.Status)
	return "a program can decide what to tell its user", nil
}
