package interop

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
)

// A party is a room with ann and bea in browsers and, once he has come, bob in callrx.
type party struct {
	t     *testing.T
	room  string
	pages []*Page // ann's and bea's
	calls []pageCall
	bob   *gopher
	call  *session.Call // bob's
}

// throwParty brings ann and bea into a room of their own, where each shows its camera and everybody may do everything.
func throwParty(t *testing.T) *party {
	t.Helper()
	y := &party{t: t, room: "/public/" + unique(t, "room"), pages: []*Page{open(t, "ann"), open(t, "bea")}}
	for i, p := range y.pages {
		p.signIn()
		y.calls = append(y.calls, p.connect(y.room, []string{"{video: true}", "{video: true, receiveVideo: true}"}[i]))
	}
	return y
}

// invite brings bob.
func (y *party) invite() {
	y.t.Helper()
	y.bob = newGopher(y.t, "bob").online()
	o := y.bob.toSpeak(&ear{})
	o.AudioSource, o.VideoSource = media.NewSilence(), media.NewTestPattern()
	y.call = y.bob.dial(y.room, o)
	y.bob.becomes(y.call, session.CallStatusConnected)
	y.eventually("bob knows himself and the others", func() bool { return y.call.Self() != nil && len(y.call.Participants()) == 3 })
	y.everyPage("%s.participants.some((p) => p.name === 'bob')", true)
}

// js is a participant as a page knows it.
func (y *party) js(page int, name string) string {
	return fmt.Sprintf("%s.participants.find((p) => p.name === %s && p.type === 'member')", y.calls[page].js(), quote(name))
}

// self is a page's own participant.
func (y *party) self(page int) string { return y.calls[page].js() + ".self" }

// asks has a page call what must succeed.
func (y *party) asks(page int, format string, args ...any) {
	y.t.Helper()
	y.pages[page].do(nil, format, args...)
}

// everyPage waits until an expression holds on both; its %s stands for the call.
func (y *party) everyPage(expression string, value any) {
	y.t.Helper()
	for i, p := range y.pages {
		p.holds(fmt.Sprintf(expression, y.calls[i].js()), value)
	}
}

// eventually waits for what bob shows.
func (y *party) eventually(what string, holds func() bool) {
	y.t.Helper()
	y.pages[0].eventually(what, holds)
}

// of is a participant as bob knows it, nil if he does not.
func (y *party) of(name string) *session.Participant {
	for _, p := range y.call.Participants() {
		if p.Name() == name && p.Type() == "member" {
			return p
		}
	}
	return nil
}

// types waits until everybody sees participants of these types.
func (y *party) types(want string) {
	y.t.Helper()
	y.everyPage("%s.participants.map((p) => p.type).sort().join()", want)
	if y.call != nil {
		y.eventually("bob sees "+want, func() bool { return typesOf(y.call) == want })
	}
}

// within bounds what bob does.
func (y *party) within() (context.Context, context.CancelFunc) {
	return context.WithTimeout(y.t.Context(), patience)
}

// does fails unless bob succeeds.
func (y *party) does(what string, err error) {
	y.t.Helper()
	if err != nil {
		y.t.Fatalf("%s: %v", what, err)
	}
}

func typesOf(k *session.Call) string {
	var types []string
	for _, p := range k.Participants() {
		types = append(types, p.Type())
	}
	slices.Sort(types)
	return strings.Join(types, ",")
}
