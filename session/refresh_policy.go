package session

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/callrx/callrx/errs"
)

// lead is how long before expiry a token of the given life is refreshed.
func (p RefreshPolicy) lead(life time.Duration) time.Duration {
	return min(p.Lead, life/2)
}

// dueAt is when to start refreshing a token: never at once, never past expiry.
func (p RefreshPolicy) dueAt(now, received, expires time.Time) time.Time {
	due := expires.Add(-p.lead(expires.Sub(received)))
	soonest := now.Add(min(time.Second, max(0, expires.Sub(now)/2)))
	if due.Before(soonest) {
		return soonest
	}
	return due
}

// backoff is the wait before the attempt that follows the n-th: it doubles, and
// half of it is random.
func (p RefreshPolicy) backoff(n int) time.Duration {
	d := p.MaxBackoff
	if n >= 1 && p.MinBackoff <= p.MaxBackoff>>(n-1) {
		d = p.MinBackoff << (n - 1)
	}
	return d/2 + rand.N(d/2+1)
}

// retryAt is when to follow a failed attempt, and whether to at all: not after
// a failure that repeating cannot cure, not without end, and not so late that
// the token would be gone.
func (p RefreshPolicy) retryAt(now time.Time, attempt int, expires time.Time, err error) (time.Time, bool) {
	at := now.Add(max(p.backoff(attempt), retryAfter(err)))
	late := !expires.IsZero() && at.After(expires.Add(-time.Second))
	return at, attempt < p.MaxAttempts && !late
}

// retryAfter is how long the server asked to wait.
func retryAfter(err error) time.Duration {
	var h *errs.HTTPError
	if errors.As(err, &h) {
		return h.RetryAfter
	}
	return 0
}

// permanent reports whether obtaining a token would fail again: the program's
// provider says so itself, the service by its status.
func permanent(m errs.RefreshMechanism, err error) bool {
	var h *errs.HTTPError
	if m == errs.MechanismClientBound && errors.As(err, &h) {
		return !h.Retryable()
	}
	return errors.Is(err, errs.ErrPermanent)
}

// rejected reports whether the service refused the token itself.
func rejected(err error) bool {
	var rpc *errs.JSONRPCError
	if !errors.As(err, &rpc) {
		return false
	}
	switch rpc.Code {
	case errs.CodeAuthenticationFailed, errs.CodeRequesterValidationFailed, errs.CodeInvalidParams:
		return true
	}
	return false
}

// connectionGone reports whether an apply step ended because its connection
// did. That is no failure: the next one is opened with the new token.
func connectionGone(err error) bool {
	var lost *errs.TransportError
	var none *errs.NotConnectedError
	return errors.As(err, &lost) || errors.As(err, &none)
}

// stageOf tells whether nothing came, or something that cannot be used.
func stageOf(err error) errs.RefreshStage {
	var response *errs.ResponseError
	var credential *errs.InvalidCredentialsError
	if errors.As(err, &response) || errors.As(err, &credential) {
		return errs.StageParse
	}
	return errs.StageObtain
}

// timedOut gives a deadline its type, unless err has one already.
func timedOut(err error, operation string, after time.Duration) error {
	var typed *errs.RequestTimeoutError
	if errors.Is(err, context.DeadlineExceeded) && !errors.As(err, &typed) {
		return &errs.RequestTimeoutError{Operation: operation, After: after, OriginalError: err}
	}
	return err
}
