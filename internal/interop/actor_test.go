package interop

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/observable"
	"github.com/callrx/callrx/session"
)

// An actor plays a scenario with one of the two SDKs. Its verbs are about its newest call, and fail the test.
type actor interface {
	name() string           // of its subscriber
	enter()                 // sign in and register
	try(token string) error // sign in with a token
	place(to string) error  // dial
	ring()                  // wait for a call that comes in
	accept()
	refuse()
	end()
	hold(on bool)
	press(digits string)
	share(on bool) // a screen
	await(status string)
	cut()   // lose the socket
	mend()  // have a network again, and wait until it is registered
	leave() // disconnect
	callID() string
	token() string
	states() map[string]string // what was observable: each stream's values, in order
	sent() []Frame
}

// settled are the states of an actor once they have not changed for half a second: the last of them may still be on their
// way when a scenario is over.
func settled(a actor) map[string]string {
	for last, since := a.states(), time.Now(); ; pause() {
		if now := a.states(); !maps.Equal(now, last) {
			last, since = now, time.Now()
		}
		if time.Since(since) > 500*time.Millisecond {
			return last
		}
	}
}

// official is the official SDK in a page.
type official struct {
	*Page
	k    pageCall
	then int // number of the first observation after the socket was lost
}

func (o *official) name() string { return o.who }
func (o *official) enter()       { o.signIn() }
func (o *official) ring()        { o.k = o.incoming() }
func (o *official) accept() {
	o.do(nil, "%s.answer(proof.quiet({audio: true, video: false}))", o.k.js())
}
func (o *official) refuse()   { o.do(nil, "%s.reject()", o.k.js()) }
func (o *official) end()      { o.hangUp(o.k) }
func (o *official) hold(bool) { o.do(nil, "%s.toggleHold()", o.k.js()) }
func (o *official) press(d string) {
	o.do(nil, "%s.sendDigits(%s)", o.k.js(), quote(d))
}
func (o *official) await(status string) { o.wait(o.k.on("status"), status) }
func (o *official) token() string       { return o.sat.Token }
func (o *official) leave()              { o.do(nil, "proof.client.disconnect()") }
func (o *official) callID() string      { return o.leg(o.k).CallID }

func (o *official) cut() {
	o.then = o.mark()
	o.cable.pull()
	o.waitFrom(o.then, "ready", false)
}

func (o *official) mend() {
	o.cable.plug()
	o.waitFrom(o.then, "ready", true)
	o.waitFrom(o.then, "registered", true)
}

func (o *official) try(token string) error {
	o.make(token, "{}")
	var failure struct{ Message string }
	_ = json.Unmarshal(o.wait("errors", nil).Value, &failure)
	return fmt.Errorf("%s", failure.Message)
}

func (o *official) place(to string) error {
	return o.Page.try("proof.dial("+quote(to)+", {})", &o.k)
}

func (o *official) share(on bool) {
	if on {
		o.gesture("%s.self.startScreenShare()", o.k.js())
		o.holds(o.k.js()+".self.screenShareStatus", "started")
		return
	}
	o.do(nil, "%s.self.stopScreenShare()", o.k.js())
}

func (o *official) states() map[string]string {
	all := map[string]string{}
	for _, e := range o.seen("ready", "registered", "errors", "call0.status", "call0.errors") {
		var v any
		_ = json.Unmarshal(e.Value, &v)
		if failure, ok := v.(map[string]any); ok {
			v = failure["name"]
		}
		add(all, strings.TrimPrefix(e.What, "call0."), fmt.Sprint(v))
	}
	return all
}

func (o *official) sent() []Frame { return o.Frames() }

// add appends a value to a stream. How often an error is repeated depends on the time.
func add(all map[string]string, stream, value string) {
	if stream == "errors" && strings.HasSuffix(all[stream], value) {
		return
	}
	all[stream] = strings.TrimSpace(all[stream] + " " + value)
}

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

var (
	_ actor = (*official)(nil)
	_ actor = (*callrx)(nil)
)
