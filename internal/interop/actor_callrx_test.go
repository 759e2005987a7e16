package interop

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"sync"

	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/observable"
	"github.com/callrx/callrx/session"
)

// callrx is this SDK.
type callrx struct {
	*gopher
	incoming chan *session.Call
	k        *session.Call
	extra    *session.ExtraLeg

	seen  sync.Mutex // guards what follows
	all   map[string]string
	known map[*session.Call]bool
}

func newCallrx(g *gopher) *callrx {
	return &callrx{gopher: g, incoming: make(chan *session.Call, 8), all: map[string]string{}, known: map[*session.Call]bool{}}
}

func (r *callrx) observe(stream, value string) {
	r.seen.Lock()
	defer r.seen.Unlock()
	add(r.all, stream, value)
}

func (r *callrx) make(token string) {
	r.open(session.StaticCredentials(session.Credential{Token: token}), session.Options{})
	follow(r.c.ObserveReady(), func(v bool) { r.observe("ready", fmt.Sprint(v)) })
	follow(r.c.ObserveRegistered(), func(v bool) { r.observe("registered", fmt.Sprint(v)) })
	follow(r.c.ObserveErrors(), func(err error) { r.observe("errors", kindOf(err)) })
	follow(r.c.ObserveIncoming(), func(k *session.Call) { r.meet(k); r.incoming <- k })
	follow(r.c.ObserveCalls(), func(calls []*session.Call) {
		for _, k := range calls {
			r.meet(k)
		}
	})
}

// follow runs f on each value until the client or call ends the observable.
func follow[T any](o observable.Of[T], f func(T)) { o.Subscribe(context.Background(), f) }

// meet watches a call that is new.
func (r *callrx) meet(k *session.Call) {
	r.seen.Lock()
	known := r.known[k]
	r.known[k] = true
	r.seen.Unlock()
	if !known {
		follow(k.ObserveStatus(), func(s session.CallStatus) { r.observe("status", s.String()) })
	}
}

// kindOf names the type of an error without its package.
func kindOf(err error) string {
	_, name, _ := strings.Cut(fmt.Sprintf("%T", err), ".")
	return name
}

func (r *callrx) name() string   { return r.who }
func (r *callrx) token() string  { return r.sat.Token }
func (r *callrx) callID() string { return r.k.ID() }

func (r *callrx) enter() {
	r.make(r.sat.Token)
	r.must(r.c.Connect(r.t.Context()))
	r.must(r.c.Register(r.t.Context()))
}

func (r *callrx) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatalf("%s: %v", r.who, err)
	}
}

func (r *callrx) try(token string) error {
	r.make(token)
	return r.c.Connect(r.t.Context())
}

func (r *callrx) place(to string) (err error) {
	r.k, err = r.c.Dial(r.t.Context(), to, session.DialOptions{MediaOptions: session.MediaOptions{SettingEngine: onLoopback}})
	return err
}

func (r *callrx) ring() {
	ctx, cancel := context.WithTimeout(r.t.Context(), patience)
	defer cancel()
	select {
	case r.k = <-r.incoming:
	case <-ctx.Done():
		r.t.Fatalf("no call came to %s", r.who)
	}
}

func (r *callrx) accept() {
	r.must(r.k.Answer(r.t.Context(), session.MediaOptions{SettingEngine: onLoopback}))
}
func (r *callrx) refuse()        { r.must(r.k.Reject(r.t.Context())) }
func (r *callrx) end()           { r.must(r.k.Hangup(r.t.Context())); r.await("destroyed") }
func (r *callrx) press(d string) { r.must(r.k.SendDigits(r.t.Context(), d)) }
func (r *callrx) leave()         { r.must(r.c.Disconnect(r.t.Context())) }

func (r *callrx) hold(on bool) {
	if on {
		r.must(r.k.Hold(r.t.Context()))
		return
	}
	r.must(r.k.Unhold(r.t.Context()))
}

func (r *callrx) share(on bool) {
	if on {
		_, err := r.k.ObserveLayouts().Wait(r.t.Context(), func(l []string) bool { return len(l) > 0 }) // asked for by then
		r.must(err)
		x, err := r.k.ShareScreen(r.t.Context(), media.NewTestPattern(), session.MediaOptions{SettingEngine: onLoopback})
		r.must(err)
		r.extra = x
		return
	}
	r.must(r.extra.Stop(r.t.Context()))
}

func (r *callrx) await(status string) {
	r.t.Helper()
	for s := session.CallStatusNew; ; s++ {
		if s.String() == status {
			r.becomes(r.k, s)
			return
		}
	}
}

func (r *callrx) cut() {
	r.cable.pull()
	r.turns(r.c.ObserveReady(), false)
}

func (r *callrx) mend() {
	r.cable.plug()
	r.turns(r.c.ObserveRegistered(), true)
}

// turns waits until an observable has a value.
func (r *callrx) turns(o observable.Of[bool], want bool) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), patience)
	defer cancel()
	_, err := o.Wait(ctx, func(v bool) bool { return v == want })
	r.must(err)
}

func (r *callrx) states() map[string]string {
	r.seen.Lock()
	defer r.seen.Unlock()
	return maps.Clone(r.all)
}

func (r *callrx) sent() []Frame {
	r.gopher.mu.Lock()
	defer r.gopher.mu.Unlock()
	return append([]Frame(nil), r.frames...)
}
