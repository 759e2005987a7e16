package rest

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/callrx/callrx/errs"
)

// retry says how often a class of request is sent, and after which failures.
type retry struct {
	attempts int
	after    func(error) bool
}

var (
	retryNone  = retry{attempts: 1}
	retryReads = retry{attempts: 3, after: passing}
	retrySends = retry{attempts: 3, after: unheard}
	retryEmbed = retry{attempts: 2, after: func(err error) bool {
		status := statusOf(err)
		return passing(err) && (status == 0 || status >= 500)
	}}
)

const (
	firstDelay    = 500 * time.Millisecond
	longestDelay  = 8 * time.Second
	longestServer = 60 * time.Second // most that a Retry-After can make us wait
)

// again reports whether another attempt follows the one with that number.
func (p retry) again(attempt int, err error) bool {
	return attempt < p.attempts && p.after(err)
}

// delay returns how long to wait after the attempt with that number: doubling
// from half a second to 8 seconds, at random between half and all of it, and not
// less than the server asked for.
func (p retry) delay(attempt int, err error) time.Duration {
	full := min(firstDelay<<(attempt-1), longestDelay)
	delay := full/2 + rand.N(full/2+1)
	if refused, ok := errors.AsType[*errs.HTTPError](err); ok {
		delay = max(delay, min(refused.RetryAfter, longestServer))
	}
	return delay
}

// passing reports whether a failure may be gone on the next attempt: the network,
// time, or a status that says so.
func passing(err error) bool {
	if _, unusable := errors.AsType[*errs.ResponseError](err); unusable {
		return false
	}
	return errs.Retryable(err)
}

// unheard reports whether a request that must not be done twice may be sent again:
// no connection was made, or the server has put it off.
func unheard(err error) bool {
	if network, ok := errors.AsType[*net.OpError](err); ok && network.Op == "dial" {
		return passing(err)
	}
	refused, ok := errors.AsType[*errs.HTTPError](err)
	return ok && (refused.Status == http.StatusTooManyRequests ||
		refused.Status == http.StatusServiceUnavailable && refused.RetryAfter > 0)
}

// pause waits. It returns false, at once, when the context ends before the pause
// would.
func pause(ctx context.Context, delay time.Duration) bool {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= delay {
		return false
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// statusOf returns the status of an answer other than 2xx, 0 for other errors.
func statusOf(err error) int {
	if refused, ok := errors.AsType[*errs.HTTPError](err); ok {
		return refused.Status
	}
	return 0
}

// RetryAfter reads how long the server that sent header wants to be left alone,
// by its own clock where it tells it. It is 0 when the server does not say.
func RetryAfter(header http.Header) time.Duration { return retryAfter(header, serverTime(header)) }

// retryAfter reads a Retry-After header (RFC 9110 section 10.2.3): seconds, or a
// date, which is compared with the server's own clock where that is known. It
// returns 0 for a header that is missing, unreadable or in the past.
func retryAfter(header http.Header, serverTime time.Time) time.Duration {
	value := header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(value, 10, 32); err == nil {
		return time.Duration(seconds) * time.Second
	}
	date, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	if serverTime.IsZero() {
		serverTime = time.Now()
	}
	return max(0, date.Sub(serverTime))
}

// serverTime reads the Date header (RFC 9110 section 6.6.1), zero if there is
// none.
func serverTime(header http.Header) time.Time {
	date, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		return time.Time{}
	}
	return date
}
