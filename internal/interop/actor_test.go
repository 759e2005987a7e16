package interop

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"time"
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
			// The end of the media and the message about it come by different ways, so either may be first.
			last["status"] = strings.ReplaceAll(last["status"], "recovering disconnected", "disconnected")
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

var (
	_ actor = (*official)(nil)
	_ actor = (*callrx)(nil)
)
