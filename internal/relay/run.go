package relay

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/internal/wire"
)

type verdict struct {
	error
	fatal bool
}

func (v *verdict) Unwrap() error { return v.error }

// Fatal marks an authentication failure after which nothing is tried again.
func Fatal(err error) error { return &verdict{err, true} }

// Again marks an authentication failure to be retried at once, unreported.
func Again(err error) error { return &verdict{err, false} }

const closeNormal = 1000 // RFC 6455 section 7.4.1

// run opens one link after another until the relay is closed or gives up.
func (r *Relay) run() {
	r.cfg.OnStatus(Connecting, nil)
	down := time.Now() // since when there has been no live link
	for attempt := 1; r.ctx.Err() == nil; attempt++ {
		began := time.Now()
		hint, err := r.once(&down)
		if r.ctx.Err() != nil {
			break
		}
		if down.Sub(began) >= r.cfg.StableAfter {
			attempt = 1
		}
		var v *verdict
		isVerdict := errors.As(err, &v)
		switch {
		case isVerdict && v.fatal:
			r.end(v.error)
			return
		case isVerdict:
			attempt = 1
		default:
			r.cfg.Report(err)
		}
		r.cfg.OnStatus(Reconnecting, err)
		retry := r.cfg.Retry()
		wait, spent := retry.withinBudget(retry.delay(attempt, hint), time.Since(down))
		r.pause(wait, &attempt)
		if spent && r.ctx.Err() == nil && time.Since(down) >= retry.Budget { // not if cut short
			r.end(&BudgetError{After: retry.Budget, Last: err})
			return
		}
	}
	r.end(context.Cause(r.ctx))
}

// BudgetError says that no connection came up for as long as Retry.Budget.
type BudgetError struct {
	After time.Duration
	Last  error
}

func (e *BudgetError) Error() string { return "no connection for " + e.After.String() }
func (e *BudgetError) Unwrap() error { return e.Last }

// pause waits out the back-off; Reconnect cuts it short and starts it afresh.
func (r *Relay) pause(d time.Duration, attempt *int) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-r.ctx.Done():
	case <-r.kick:
		*attempt = 0
	}
}

// once lives through one connection and says why it ended. It sets down to the
// moment a live link was lost.
func (r *Relay) once(down *time.Time) (hint time.Duration, err error) {
	l, hint, err := r.open()
	if err != nil {
		return hint, err
	}
	reason := "not authenticated"
	if err = r.authenticate(l); err == nil {
		r.adopt(l)
		err = r.watch(l)
		*down = time.Now()
		if r.ctx.Err() == nil {
			l.fail(err) // no farewell: what is lost may be half open
		}
	}
	r.mu.Lock()
	r.live = nil
	if r.ctx.Err() != nil {
		reason = r.closing
	}
	r.mu.Unlock()
	l.close(closeNormal, reason, err)
	return 0, err
}

// open dials one socket.
func (r *Relay) open() (*Link, time.Duration, error) {
	limit := r.cfg.ConnectTimeout()
	ctx, cancel := context.WithTimeout(r.ctx, limit)
	defer cancel()
	ctx, abandon := context.WithCancelCause(ctx)
	defer abandon(nil)
	r.setDialing(abandon)
	address := r.cfg.URL()
	socket, hint, err := r.cfg.Dial(ctx, address)
	r.setDialing(nil)
	if err != nil {
		if errors.Is(context.Cause(ctx), errOverdue) {
			return nil, 0, Again(errOverdue)
		}
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return nil, hint, &errs.WebSocketTimeoutError{URL: where(address), After: limit}
		}
		return nil, hint, dialError(where(address), err)
	}
	l := newLink(r, r.generation.Add(1), where(address), socket)
	r.mu.Lock()
	r.current = l
	select { // l satisfies every Reconnect asked for so far
	case <-r.kick:
	default:
	}
	r.mu.Unlock()
	return l, 0, nil
}

// dialError says at which stage the connection to where failed.
func dialError(where string, err error) error {
	var verdict *verdict
	if errors.As(err, &verdict) {
		return err
	}
	var full *url.Error
	if errors.As(err, &full) {
		err = full.Err // without the address, which may hold a secret
	}
	stage := "handshake"
	var dns *net.DNSError
	var op *net.OpError
	var cert *tls.CertificateVerificationError
	var alert tls.AlertError
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &dns):
		stage = "dns"
	case errors.As(err, &cert), errors.As(err, &alert), errors.As(err, &record):
		stage = "tls"
	case errors.As(err, &op) && op.Op == "dial":
		stage = "dial"
	case op != nil && (op.Op == "remote error" || op.Op == "local error"), // a TLS alert
		errors.Is(err, http.ErrSchemeMismatch):
		stage = "tls"
	}
	return &errs.TransportError{Stage: stage, URL: where, OriginalError: err}
}

// authenticate lets the owner authenticate l. The attempt belongs to l: it ends
// with it, and a later link starts its own.
func (r *Relay) authenticate(l *Link) error {
	ctx, cancel := context.WithTimeout(r.ctx, r.cfg.AuthTimeout)
	defer cancel()
	ctx, abandon := context.WithCancelCause(ctx)
	defer abandon(nil)
	stop := context.AfterFunc(l.ctx, func() { abandon(l.lost()) })
	defer stop()
	err := r.cfg.Authenticate(ctx, l)
	if l.ctx.Err() != nil && (err == nil || errors.Is(err, context.Canceled)) {
		err = l.lost()
	}
	return err
}

// adopt sends what has been waiting, in order, and then opens l to everybody.
// If l is lost before that, what was not yet sent waits on.
func (r *Relay) adopt(l *Link) {
	for {
		r.mu.Lock()
		batch := r.queue
		r.queue = nil
		if len(batch) == 0 {
			r.live = l
			r.mu.Unlock()
			break
		}
		r.mu.Unlock()
		for i, c := range batch {
			if c.dropped.Load() {
				continue
			}
			if l.submit(r.ctx, c) != nil {
				r.mu.Lock()
				r.queue = append(batch[i:len(batch):len(batch)], r.queue...)
				r.mu.Unlock()
				return
			}
			if c.dropped.Load() { // meanwhile
				l.forget(c)
			}
		}
	}
	r.cfg.OnStatus(Live, nil)
}

// watch keeps l under observation until it is lost, left or useless, and
// returns the reason.
func (r *Relay) watch(l *Link) error {
	idle := r.cfg.PingInterval
	t := time.NewTimer(max(idle, 0))
	defer t.Stop()
	if idle < 0 {
		t.Stop()
	}
	for {
		select {
		case <-r.ctx.Done():
			return context.Cause(r.ctx)
		case <-l.ctx.Done():
			return context.Cause(l.ctx)
		case <-l.leaving:
			return r.drain(l)
		case <-t.C:
		}
		quiet := time.Since(time.Unix(0, l.answered.Load()))
		if quiet < idle {
			t.Reset(idle - quiet)
			continue
		}
		if err := r.probe(r.ctx, l, r.cfg.PingTimeout); err != nil {
			return err
		}
		t.Reset(idle)
	}
}

// probe asks the peer for a sign of life. Events coming in are none: a socket
// may still receive after it can no longer send.
func (r *Relay) probe(within context.Context, l *Link, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(within, limit)
	defer cancel()
	_, err := l.Call(ctx, wire.MethodPing, wire.Ping{Timestamp: float64(time.Now().UnixMilli()) / 1e3})
	var refused *errs.JSONRPCError
	if err == nil || errors.As(err, &refused) { // a refusal is an answer
		return nil
	}
	switch {
	case within.Err() != nil:
		return context.Cause(within)
	case l.ctx.Err() != nil: // lost for another reason
		return context.Cause(l.ctx)
	}
	return &errs.TransportError{Stage: errs.TransportLiveness, URL: l.where, OriginalError: err}
}

var errLeaving = errors.New("the service is about to restart this connection")

// drain follows signalwire.disconnect: nothing new is sent, requests under way
// may still be answered, then another connection is opened.
func (r *Relay) drain(l *Link) error {
	r.mu.Lock()
	r.live = nil
	r.mu.Unlock()
	t := time.NewTimer(r.cfg.CloseTimeout)
	defer t.Stop()
	select {
	case <-t.C:
	case <-l.ctx.Done():
	case <-r.ctx.Done():
		return context.Cause(r.ctx)
	}
	return Again(errLeaving)
}

// end refuses everything from now on and answers those who still wait.
func (r *Relay) end(cause error) {
	r.mu.Lock()
	queue := r.queue
	r.queue, r.ended = nil, cause
	r.mu.Unlock()
	for _, c := range queue {
		c.finish(outcome{err: cause})
	}
	r.cfg.OnStatus(Ended, cause)
	close(r.done)
}
