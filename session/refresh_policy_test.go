package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/callrx/callrx/errs"
)

var (
	standard = Options{}.withDefaults().Refresh
	noon     = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
)

func TestRefreshIsDueALeadBeforeExpiry(t *testing.T) {
	const day = 24 * time.Hour
	for _, c := range []struct {
		name     string
		age, ttl time.Duration // since the token came; its life then
		want     time.Duration // from now
	}{
		{"two hours", 0, 2 * time.Hour, 2*time.Hour - 30*time.Second},
		{"fifteen minutes", 0, 15 * time.Minute, 15*time.Minute - 30*time.Second},
		{"exactly twice the lead", 0, time.Minute, 30 * time.Second},
		{"shorter than twice the lead: half of its life", 0, 40 * time.Second, 20 * time.Second},
		{"ten seconds", 0, 10 * time.Second, 5 * time.Second},
		{"two seconds", 0, 2 * time.Second, time.Second},
		{"one second: half of what is left", 0, time.Second, 500 * time.Millisecond},
		{"a millisecond", 0, time.Millisecond, 500 * time.Microsecond},
		{"sixty days: beyond what 32 bits of milliseconds hold", 0, 60 * day, 60*day - 30*time.Second},
		{"ten years", 0, 3650 * day, 3650*day - 30*time.Second},
		{"an old token keeps the lead of its whole life", time.Hour, 2 * time.Hour, time.Hour - 30*time.Second},
		{"past due: soon, not at once", 2*time.Hour - 20*time.Second, 2 * time.Hour, time.Second},
		{"nearly over: before its end", 2*time.Hour - time.Second, 2 * time.Hour, 500 * time.Millisecond},
		{"over", 2 * time.Hour, 2 * time.Hour, 0},
		{"long over", 3 * time.Hour, 2 * time.Hour, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			received := noon.Add(-c.age)
			if got := standard.dueAt(noon, received, received.Add(c.ttl)).Sub(noon); got != c.want {
				t.Errorf("due in %v, want %v", got, c.want)
			}
		})
	}
}

func TestRefreshIsNeverDueAtOnceNorAfterExpiry(t *testing.T) {
	for ttl := time.Millisecond; ttl < 100*24*time.Hour; ttl = ttl*3/2 + 1 {
		for percent := range 100 {
			received := noon.Add(-ttl * time.Duration(percent) / 100)
			expires := received.Add(ttl)
			due := standard.dueAt(noon, received, expires)
			if !due.After(noon) || !due.Before(expires) {
				t.Fatalf("life %v, %d%% of it over: due in %v, expiry in %v", ttl, percent, due.Sub(noon), expires.Sub(noon))
			}
		}
	}
}

func TestRefreshBackoffDoublesWithinItsBounds(t *testing.T) {
	for _, p := range []RefreshPolicy{standard, {MinBackoff: time.Nanosecond, MaxBackoff: time.Nanosecond}, {MinBackoff: time.Minute, MaxBackoff: time.Second}} {
		for n := range 80 {
			full := p.MaxBackoff
			if n >= 1 && n <= 20 {
				full = min(p.MinBackoff<<(n-1), p.MaxBackoff)
			}
			least, most := full, time.Duration(0)
			for range 500 {
				d := p.backoff(n)
				least, most = min(least, d), max(most, d)
			}
			if least < full/2 || most > full {
				t.Errorf("attempt %d: delays from %v to %v, want within %v and %v", n, least, most, full/2, full)
			}
			if full >= time.Second && most-least < full/4 {
				t.Errorf("attempt %d: delays from %v to %v are hardly random", n, least, most)
			}
		}
	}
}

func TestRefreshRetriesOnlyWhileItMakesSense(t *testing.T) {
	slow := &errs.HTTPError{Status: 429, RetryAfter: 7 * time.Second}
	wrapped := fmt.Errorf("endpoint: %w", slow)
	for _, c := range []struct {
		name    string
		attempt int
		left    time.Duration // until expiry; 0: unknown
		err     error
		again   bool
		wait    time.Duration // at least
	}{
		{"first of five", 1, time.Minute, errBoom, true, 500 * time.Millisecond},
		{"fourth of five", 4, time.Minute, errBoom, true, 4 * time.Second},
		{"fifth of five", 5, time.Minute, errBoom, false, 0},
		{"more than five", 6, time.Minute, errBoom, false, 0},
		{"the server's wish wins", 1, time.Minute, slow, true, 7 * time.Second},
		{"wherever it is wrapped", 1, time.Minute, wrapped, true, 7 * time.Second},
		{"a wish beyond the expiry", 1, 7 * time.Second, slow, false, 0},
		{"no time left", 1, 1400 * time.Millisecond, errBoom, false, 0},
		{"just enough time", 1, 2 * time.Second, errBoom, true, 500 * time.Millisecond},
		{"expired already", 1, -time.Second, errBoom, false, 0},
		{"expiry unknown", 1, 0, errBoom, true, 500 * time.Millisecond},
		{"a long wish for a token of unknown life", 1, 0, &errs.HTTPError{RetryAfter: time.Hour}, true, time.Hour},
	} {
		t.Run(c.name, func(t *testing.T) {
			expires := noon.Add(c.left)
			if c.left == 0 {
				expires = time.Time{}
			}
			for range 200 {
				at, again := standard.retryAt(noon, c.attempt, expires, c.err)
				if again != c.again {
					t.Fatalf("again %v at %v", again, at.Sub(noon))
				}
				if again && at.Sub(noon) < c.wait {
					t.Fatalf("waits %v, want %v or more", at.Sub(noon), c.wait)
				}
				if again && !expires.IsZero() && at.After(expires.Add(-time.Second)) {
					t.Fatalf("follows %v before expiry", expires.Sub(at))
				}
			}
		})
	}
}

var errBoom = errors.New("boom")

func TestRefreshFailuresAreClassified(t *testing.T) {
	status := func(s int) error { return fmt.Errorf("answer: %w", &errs.HTTPError{Status: s}) }
	bound, developer := errs.MechanismClientBound, errs.MechanismDeveloper
	for _, c := range []struct {
		err       error
		mechanism errs.RefreshMechanism
		permanent bool
	}{
		{status(400), bound, true}, {status(401), bound, true}, {status(403), bound, true}, {status(404), bound, true},
		{status(409), bound, true}, {status(410), bound, true}, {status(422), bound, true},
		{status(408), bound, false}, {status(425), bound, false}, {status(429), bound, false},
		{status(500), bound, false}, {status(502), bound, false}, {status(503), bound, false}, {status(599), bound, false},
		{errBoom, bound, false}, {io.ErrUnexpectedEOF, bound, false}, {&errs.ResponseError{}, bound, false},
		{&errs.RequestTimeoutError{}, bound, false}, {context.DeadlineExceeded, bound, false},
		{status(401), developer, false}, // the program's own backend: it says itself what is final
		{errBoom, developer, false},
		{&errs.InvalidCredentialsError{Reason: errs.CredentialEmpty}, developer, false},
		{fmt.Errorf("locked: %w", errs.ErrPermanent), developer, true},
		{errors.Join(status(403), errs.ErrPermanent), developer, true},
		{&errs.PanicError{Value: "x"}, developer, false},
	} {
		if got := permanent(c.mechanism, c.err); got != c.permanent {
			t.Errorf("%s, %v: permanent %v, want %v", c.mechanism, c.err, got, c.permanent)
		}
	}
}

func TestOnlyAVerdictOnTheTokenRejectsIt(t *testing.T) {
	for code, want := range map[int]bool{
		-32002: true, -32003: true, -32602: true, // authentication, requester, parameters
		-32001: false, -32000: false, -32601: false, 404: false, 0: false, 401: false,
	} {
		err := fmt.Errorf("apply: %w", &errs.JSONRPCError{Code: code})
		if got := rejected(err); got != want {
			t.Errorf("code %d: rejected %v, want %v", code, got, want)
		}
	}
	if rejected(errBoom) || rejected(nil) || rejected(&errs.HTTPError{Status: 401}) {
		t.Error("something that is no RPC error counts as a verdict")
	}
}

func TestALostConnectionIsNoRefreshFailure(t *testing.T) {
	gone := []error{
		&errs.TransportError{Stage: errs.TransportClosed}, fmt.Errorf("apply: %w", &errs.TransportError{}), &errs.NotConnectedError{},
	}
	for _, err := range gone {
		if !connectionGone(err) {
			t.Errorf("%v is a lost connection", err)
		}
	}
	for _, err := range []error{nil, errBoom, &errs.RPCTimeoutError{}, &errs.JSONRPCError{Code: -32002}, context.DeadlineExceeded} {
		if connectionGone(err) {
			t.Errorf("%v is no lost connection", err)
		}
	}
}

func TestStageSaysWhetherSomethingCame(t *testing.T) {
	for _, err := range []error{&errs.ResponseError{}, fmt.Errorf("x: %w", &errs.ResponseError{}), &errs.InvalidCredentialsError{Reason: errs.CredentialStale}} {
		if stageOf(err) != errs.StageParse {
			t.Errorf("%v: stage %s, want parse", err, stageOf(err))
		}
	}
	for _, err := range []error{errBoom, &errs.HTTPError{Status: 500}, context.DeadlineExceeded, &errs.TransportError{}} {
		if stageOf(err) != errs.StageObtain {
			t.Errorf("%v: stage %s, want obtain", err, stageOf(err))
		}
	}
}

func TestDeadlinesGetTheirType(t *testing.T) {
	typed := &errs.RequestTimeoutError{Operation: "mine"}
	if got := timedOut(typed, "other", time.Second); got != error(typed) {
		t.Errorf("a typed time-out became %v", got)
	}
	if got := timedOut(errBoom, "other", time.Second); got != errBoom {
		t.Errorf("another failure became %v", got)
	}
	var timeout *errs.RequestTimeoutError
	got := timedOut(fmt.Errorf("x: %w", context.DeadlineExceeded), "token refresh", 3*time.Second)
	if !errors.As(got, &timeout) || timeout.Operation != "token refresh" || timeout.After != 3*time.Second || !errors.Is(got, context.DeadlineExceeded) {
		t.Errorf("a deadline became %#v", got)
	}
}

func TestRefreshedTokenMustBeWorthHaving(t *testing.T) {
	old := token{expiresAt: noon.Add(30 * time.Second)}
	for name, c := range map[string]struct {
		fresh, old time.Time
		ok         bool
	}{
		"later":                        {noon.Add(time.Hour), old.expiresAt, true},
		"same":                         {old.expiresAt, old.expiresAt, false},
		"earlier":                      {noon.Add(20 * time.Second), old.expiresAt, false},
		"over in two seconds":          {noon.Add(2 * time.Second), time.Time{}, false},
		"over in a little more":        {noon.Add(3 * time.Second), time.Time{}, true},
		"past":                         {noon.Add(-time.Second), noon.Add(-time.Hour), false},
		"unknown":                      {time.Time{}, old.expiresAt, true},
		"known, in place of unknown":   {noon.Add(time.Minute), time.Time{}, true},
		"after one that expired today": {noon.Add(time.Minute), noon.Add(-time.Hour), true},
	} {
		err := progress(token{expiresAt: c.fresh}, token{expiresAt: c.old}, noon)
		var stale *errs.InvalidCredentialsError
		if (err == nil) != c.ok || err != nil && (!errors.As(err, &stale) || stale.Reason != errs.CredentialStale) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
