package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
	"github.com/reactivex/rxgo/v2"
)

// Acts 1 to 4: ann, whose token the client refreshes by proof of its key.

const (
	ann         = "ann@example.org"
	refreshPath = "/api/fabric/subscriber/devices/refresh"
)

// annsToken plays her backend: it mints a token that only this client's key can
// use and refresh.
func (s *story) annsToken() session.Credential {
	t := s.gw.IssueSAT(sessiontest.SATRequest{
		Reference: ann, DisplayName: "Ann", TTL: s.pace.life,
		Scope: "sat:refresh", Fingerprint: s.key.Fingerprint(),
	})
	return session.Credential{Token: t.Token, ExpiresAt: t.ExpiresAt}
}

// signIn connects, registers, and waits for the token to be bound.
func (s *story) signIn(ctx context.Context) error {
	c, err := session.New(session.StaticCredentials(s.annsToken()), session.Options{
		HTTPClient: s.gw.Client(), // trusts the gateway's certificate; the token names its address
		DPoPKey:    s.key, Refresh: s.pace.refresh,
	})
	if err != nil {
		return err
	}
	s.ann, s.endAnn = c, s.watch(c)
	err = s.observe(ctx, stepOnline, patience, func(ctx context.Context) (string, error) {
		if err := c.Connect(ctx); err != nil {
			return "", err
		}
		_, err := c.ObserveReady().Wait(ctx, func(ready bool) bool { return ready })
		return "the service knows her as " + c.User().DisplayName, err
	})
	if err != nil {
		return err
	}
	err = s.observe(ctx, stepRegistered, patience, func(ctx context.Context) (string, error) {
		if err := c.Register(ctx); err != nil {
			return "", err
		}
		for _, on := range s.gw.Sessions() {
			if on.Reference == ann && on.Registered {
				return "the gateway has her on its list", nil
			}
		}
		return "", errors.New("the gateway does not have her on its list")
	})
	if err != nil {
		return err
	}
	return s.observe(ctx, stepBound, patience, func(ctx context.Context) (string, error) {
		_, err := c.ObserveCredential().Wait(ctx, func(i session.CredentialInfo) bool { return i.ClientBound && i.Refresh == "armed" })
		return "a thief could not use it", err
	})
}

// goodRefresh waits for the client to refresh in time, by itself.
func (s *story) goodRefresh(ctx context.Context) error {
	old := s.ann.Credential()
	return s.observe(ctx, stepRefreshed, s.pace.life+patience, func(ctx context.Context) (string, error) {
		fresh, err := s.ann.ObserveCredential().Wait(ctx, func(i session.CredentialInfo) bool {
			return i.Refresh == "armed" && i.ExpiresAt.After(old.ExpiresAt)
		})
		if err != nil {
			return "", err
		}
		if _, err := s.gw.WaitFor(ctx, answered("signalwire.reauthenticate")); err != nil {
			return "", fmt.Errorf("the gateway was not told of the new token: %w", err)
		}
		gained := fresh.ExpiresAt.Sub(old.ExpiresAt)
		return fmt.Sprintf("the session now lives %s longer, on the same connection", gained), s.oneConnection()
	})
}

func answered(rpc string) func(sessiontest.Entry) bool {
	return func(e sessiontest.Entry) bool { return e.Method == rpc && !e.Answered.IsZero() && e.Code == 0 }
}

// oneConnection makes sure that the gateway has seen ann connect only once.
func (s *story) oneConnection() error {
	if n := len(s.gw.Journal().RPC("signalwire.connect")); n != 1 {
		return fmt.Errorf("the gateway saw %d connections, want 1", n)
	}
	return nil
}

// A failure is one way in which the refresh endpoint fails, and how a program
// recognises it.
type failure struct {
	what  step
	fault sessiontest.Action
	found func(error) (string, bool)
}

func failures() []failure {
	return []failure{
		{step500, sessiontest.Action{Kind: sessiontest.FaultStatus, Status: 500}, hasStatus(500)},
		{stepHTML, sessiontest.Action{Kind: sessiontest.FaultHTML}, isSyntaxError},
		{stepTruncated, sessiontest.Action{Kind: sessiontest.FaultTruncated}, isCutShort},
		{step401, sessiontest.Action{Kind: sessiontest.FaultStatus, Status: 401}, hasStatus(401)},
	}
}

func hasStatus(status int) func(error) (string, bool) {
	return func(err error) (string, bool) {
		var answer *errs.HTTPError
		return fmt.Sprintf("errors.As finds *errs.HTTPError{Status: %d}", status),
			errors.As(err, &answer) && answer.Status == status
	}
}

func isSyntaxError(err error) (string, bool) {
	var answer *errs.ResponseError
	var syntax *json.SyntaxError
	return "errors.As finds *errs.ResponseError and *json.SyntaxError", errors.As(err, &answer) && errors.As(err, &syntax)
}

func isCutShort(err error) (string, bool) {
	var answer *errs.ResponseError
	var syntax *json.SyntaxError
	cut := errors.As(err, &syntax) || errors.Is(err, io.ErrUnexpectedEOF)
	return "errors.As finds *errs.ResponseError and the decoder's error", errors.As(err, &answer) && cut
}

// failingRefresh spoils four refreshes in a row and looks at the errors as a
// program does that uses rxgo: Filter, with errors.As inside.
func (s *story) failingRefresh(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for _, f := range failures() {
		s.gw.Inject(sessiontest.Fault{Match: sessiontest.Match{Path: refreshPath}, Action: f.fault})
	}
	s.tl.say("gateway", "the next four refreshes will be answered 500, HTML, half a JSON object, 401")
	s.tl.say("app", "client.ObserveErrors().Filter(func(v any) bool { return errors.As(v.(error), &refresh) })")
	s.tl.say("app", "waiting for %s, when the next refresh is due", s.tl.at(s.ann.Credential().RefreshAt))
	refreshErrors := s.ann.ObserveErrors().Filter(func(v any) bool {
		var refresh *errs.TokenRefreshError
		return errors.As(v.(error), &refresh)
	}).Observe(rxgo.WithContext(ctx))
	for i, f := range failures() {
		err := s.observe(ctx, f.what, s.pace.life+patience, func(ctx context.Context) (string, error) {
			return s.meetFailure(ctx, f, i+1, refreshErrors)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// meetFailure takes the next refresh error and checks that it is the one that
// was provoked, and that the session does not care.
func (s *story) meetFailure(ctx context.Context, f failure, attempt int, refreshErrors <-chan rxgo.Item) (string, error) {
	var refresh *errs.TokenRefreshError
	select {
	case item := <-refreshErrors:
		if err, _ := item.V.(error); !errors.As(err, &refresh) {
			return "", fmt.Errorf("the stream delivered %v", item)
		}
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
	s.showRefreshError(refresh)
	s.oldExpiry = refresh.ExpiresAt
	found, ok := f.found(refresh)
	switch last := attempt == len(failures()); {
	case !ok:
		return "", fmt.Errorf("%w is not what was provoked", refresh)
	case refresh.Attempt != attempt || refresh.Final != last:
		return "", fmt.Errorf("attempt %d, final %t; want attempt %d, final %t", refresh.Attempt, refresh.Final, attempt, last)
	}
	reply, err := ask(ctx, s.ann)
	return found + "; " + reply, err
}

// rescue hands over a fresh token while requests and events are under way, and
// waits until the old one would have ended the session.
func (s *story) rescue(ctx context.Context) error {
	p := s.startPulse(ctx)
	defer p.stop()
	err := s.observe(ctx, stepHandedOver, patience, func(ctx context.Context) (string, error) {
		s.tl.say("app", "client.UpdateCredential(ctx, fresh)")
		err := s.ann.UpdateCredential(ctx, s.annsToken())
		return "in time, " + time.Until(s.oldExpiry).Round(100*time.Millisecond).String() + " before the end", err
	})
	if err != nil {
		return err
	}
	past := s.oldExpiry.Add(s.pace.refresh.ExpiryGrace + 500*time.Millisecond)
	err = s.observe(ctx, stepSurvived, s.pace.life+patience, func(ctx context.Context) (string, error) {
		s.tl.say("app", "waiting for %s, when the old token's session would be over", s.tl.at(past))
		if err := waitUntil(ctx, s.ann, past); err != nil {
			return "", err
		}
		reply, err := ask(ctx, s.ann)
		return "same session, same connection, " + reply, errors.Join(err, s.oneConnection())
	})
	if err != nil {
		return err
	}
	err = s.observe(ctx, stepNoLoss, patience, func(ctx context.Context) (string, error) {
		beats, err := p.settle(ctx)
		s.beats = beats
		return fmt.Sprintf("%d requests answered, %d events received in order", beats, beats), err
	})
	if err != nil {
		return err
	}
	return s.observe(ctx, stepClosed, patience, func(context.Context) (string, error) {
		s.endAnn()
		if err := s.ann.Err(); !errors.Is(err, errs.ErrClosed) {
			return "", fmt.Errorf("client.Err() is %w", err)
		}
		return "client.Err() is errs.ErrClosed", nil
	})
}
