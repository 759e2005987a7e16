package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/observable"
	"github.com/callrx/callrx/session"
)

// watch shows what a client's streams deliver. The refresh errors are left to
// the acts, which show them as they check them. The function it returns closes
// the client and waits until all has been shown.
func (s *story) watch(c *session.Client) (end func()) {
	ctx := context.Background()
	settled := observable.Filter(c.ObserveCredential(), func(i session.CredentialInfo) bool {
		return i.Refresh == "armed" || i.Refresh == "exhausted" || i.Refresh == "expired"
	})
	watching := []*observable.Subscription{
		c.ObserveStatus().Subscribe(ctx, func(st session.Status) { s.tl.say("status$", "%s", st) }),
		c.ObserveWarnings().Subscribe(ctx, func(w session.Warning) { s.tl.say("warnings$", "%s", w) }),
		settled.Subscribe(ctx, func(i session.CredentialInfo) { s.tl.say("credential$", "%s", s.describe(i)) }),
		c.ObserveErrors().Subscribe(ctx, func(err error) {
			var refresh *errs.TokenRefreshError
			if !errors.As(err, &refresh) {
				s.tl.say("errors$", "%T\n%v", err, err)
			}
		}),
	}
	return func() {
		_ = c.Close()
		for _, w := range watching {
			<-w.Done()
		}
	}
}

// describe tells how a credential stands, on the timeline's scale.
func (s *story) describe(i session.CredentialInfo) string {
	text := fmt.Sprintf("%s valid until %s", i.Fingerprint, s.tl.at(i.ExpiresAt))
	if i.ClientBound {
		text += ", bound to our key"
	}
	if i.RefreshAt.IsZero() {
		return text + ", refresh " + i.Refresh
	}
	return text + ", next refresh at " + s.tl.at(i.RefreshAt)
}

// showRefreshError shows a failed attempt as a program would read it.
func (s *story) showRefreshError(e *errs.TokenRefreshError) {
	what := fmt.Sprintf("again at %s", s.tl.at(e.RetryAt))
	if e.Final {
		what = "no further attempt"
	}
	s.tl.say("errors$", "*errs.TokenRefreshError, attempt %d of %d, %s; the session lives until %s\n%v",
		e.Attempt, e.MaxAttempts, what, s.tl.at(e.ExpiresAt), e.OriginalError)
}

// ask sends a request over the session and says how long the answer took.
func ask(ctx context.Context, c *session.Client) (string, error) {
	sent := time.Now()
	var pong struct {
		Timestamp float64 `json:"timestamp"`
	}
	if err := c.Execute(ctx, "signalwire.ping", map[string]any{"timestamp": sent.Unix()}, &pong); err != nil {
		return "", fmt.Errorf("a request on the session: %w", err)
	}
	return fmt.Sprintf("a request was answered in %s", time.Since(sent).Round(10*time.Microsecond)), nil
}

// waitUntil returns at t, or earlier with an error if the session or ctx ends.
func waitUntil(ctx context.Context, c *session.Client, t time.Time) error {
	timer := time.NewTimer(time.Until(t))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-c.Done():
		return fmt.Errorf("the session ended early: %w", c.Err())
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
