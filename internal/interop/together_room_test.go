package interop

import (
	"context"
	"testing"

	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/observable"
	"github.com/callrx/callrx/session"
)

// A browser and callrx are in one room: each hears and sees the other, each knows of the other, and the room goes on
// when one leaves.
func TestBrowserAndGopherMeetInARoom(t *testing.T) {
	t.Parallel()
	ann, bob := open(t, "ann"), newGopher(t, "bob").online()
	ann.signIn()
	room := "/public/" + unique(t, "room") + "?channel=video"
	k := ann.connect(room, "{preferredAudioCodecs: ['PCMU']}") // the gateway does not transcode, and callrx sends PCM so
	var hears ear
	var sees recording
	o := toShow(bob.toSpeak(&hears), &sees)
	o.AudioSource = media.NewSilence() // a room lets one speak at a time
	quiet := bob.dial(room, o)
	bob.becomes(quiet, session.CallStatusConnected)
	ann.holds(k.js()+".participants.map((p) => p.name).sort().join()", "ann,bob")
	bob.hears(&hears, MicrophoneHz)
	bob.sees(&sees)
	isPattern(t, ann.see(k))
	if err := quiet.Hangup(t.Context()); err != nil {
		t.Error(err)
	}
	ann.holds(k.js()+".participants.length", 1)

	ann.do(nil, "%s.self.mute()", k.js())
	loud := bob.dial(room, toShow(bob.toSpeak(&ear{}), &recording{}))
	bob.becomes(loud, session.CallStatusConnected)
	isTone(t, ann.hear(k), GopherHz)
	ann.hangUp(k)
	if loud.Status() != session.CallStatusConnected {
		t.Errorf("callrx's call is %v when the browser has left", loud.Status())
	}
	ann.isQuiet()
	bob.isQuiet()
}

// next waits for one value.
func (g *gopher) next(calls observable.Of[*session.Call]) *session.Call {
	g.t.Helper()
	ctx, cancel := context.WithTimeout(g.t.Context(), patience)
	defer cancel()
	k, err := calls.Wait(ctx, nil)
	if err != nil {
		g.t.Fatalf("no call came to %s: %v", g.who, err)
	}
	return k
}
