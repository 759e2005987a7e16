package relay_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/internal/relay"
	"github.com/callrx/callrx/internal/wire"
)

const where = "wss://puc.example.com"

// config is a client as the session configures it, with callbacks that drop
// everything.
func config(s *fakeService) relay.Config {
	return relay.Config{
		URL:  func() string { return where },
		Dial: s.dial,
		Authenticate: func(ctx context.Context, l *relay.Link) error {
			_, err := l.Call(ctx, wire.MethodConnect, wire.NewConnectParams("dummy", "test"))
			return err
		},
		Event:          func(wire.Event) {},
		OnStatus:       func(relay.Status, error) {},
		Report:         func(error) {},
		Retry:          func() relay.Retry { return relay.Retry{Min: 100 * time.Millisecond, Max: 3 * time.Second} },
		ConnectTimeout: func() time.Duration { return 10 * time.Second },
		AuthTimeout:    15 * time.Second,
		RequestTimeout: 5 * time.Second,
		WriteTimeout:   10 * time.Second,
		PingInterval:   30 * time.Second,
		PingTimeout:    5 * time.Second,
		StableAfter:    10 * time.Second,
		CloseTimeout:   time.Second,
		QueueLimit:     256,
		Logger:         slog.New(slog.DiscardHandler),
	}
}

// An owner is what stands above a relay: it writes down what it is told.
type owner struct {
	*relay.Relay
	t       testing.TB
	service *fakeService

	mu       sync.Mutex
	events   []string
	statuses []relay.Status
	causes   []error
	reports  []error
}

// start runs a relay against s until the test ends. tweak may be nil.
func start(t testing.TB, s *fakeService, tweak func(*relay.Config)) *owner {
	o := &owner{t: t, service: s}
	cfg := config(s)
	cfg.Event = func(e wire.Event) {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.events = append(o.events, e.Type)
	}
	cfg.OnStatus = func(s relay.Status, cause error) {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.statuses, o.causes = append(o.statuses, s), append(o.causes, cause)
	}
	cfg.Report = func(err error) {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.reports = append(o.reports, err)
	}
	if tweak != nil {
		tweak(&cfg)
	}
	o.Relay = relay.New(cfg)
	o.Start()
	t.Cleanup(func() { o.Close("", errTestOver) })
	return o
}

type sentinel string

func (s sentinel) Error() string { return string(s) }

const (
	errTestOver = sentinel("the test is over")
	errDropped  = sentinel("connection reset")
	errRefused  = sentinel("connection refused")
	errClosed   = sentinel("closed by the owner")
)

// delivered returns the types of the events delivered so far.
func (o *owner) delivered() []string {
	synctest.Wait() // the reader has delivered what arrived
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]string{}, o.events...)
}

// reported returns the reports so far.
func (o *owner) reported() []error {
	synctest.Wait()
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]error{}, o.reports...)
}

// states returns the states so far.
func (o *owner) states() []relay.Status {
	synctest.Wait()
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]relay.Status{}, o.statuses...)
}

// lastCause returns the cause of the latest status.
func (o *owner) lastCause() error {
	synctest.Wait()
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.causes[len(o.causes)-1]
}

// A reply is what a request of the test came to.
type reply struct {
	result wire.Raw
	err    error
	after  time.Duration
}

// ask sends a request from a goroutine of its own.
func (o *owner) ask(ctx context.Context, method string) <-chan reply {
	done := make(chan reply, 1)
	began := time.Now()
	go func() {
		result, err := o.Call(ctx, method, nil)
		done <- reply{result, err, time.Since(began)}
	}()
	synctest.Wait() // the request is sent or queued
	return done
}

// now returns a reply that must be there already.
func (o *owner) now(done <-chan reply) reply {
	o.t.Helper()
	synctest.Wait()
	select {
	case r := <-done:
		return r
	default:
		o.t.Fatal("the request is still waiting")
		return reply{}
	}
}

// waiting fails the test if the request has ended.
func (o *owner) waiting(done <-chan reply) {
	o.t.Helper()
	synctest.Wait()
	select {
	case r := <-done:
		o.t.Fatalf("the request ended: %+v", r)
	default:
	}
}

// bubble runs f in a synctest bubble with a service.
func bubble(t *testing.T, f func(*testing.T, *fakeService)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { f(t, newFakeService(t)) })
}
