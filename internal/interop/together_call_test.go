package interop

import (
	"testing"

	"github.com/callrx/callrx/session"
)

// A browser calls callrx; both hear and see each other; the browser hangs up.
func TestBrowserCallsGopher(t *testing.T) {
	t.Parallel()
	ann, bob := open(t, "ann"), newGopher(t, "bob").online()
	ann.signIn()
	incoming := bob.c.ObserveIncoming()
	k := ann.dial("/private/"+bob.who+"?channel=video", "{}")
	in := bob.next(incoming)
	var hears ear
	var sees recording
	if err := in.Answer(t.Context(), toShow(bob.toSpeak(&hears), &sees)); err != nil {
		t.Fatal(err)
	}
	ann.wait(k.on("status"), "connected")
	bob.becomes(in, session.CallStatusConnected)
	bob.hears(&hears, MicrophoneHz)
	isTone(t, ann.hear(k), GopherHz)
	isPattern(t, ann.see(k))
	bob.sees(&sees)
	ann.hangUp(k)
	bob.becomes(in, session.CallStatusDestroyed)
	if end := in.EndReason(); end == nil || end.Cause != "NORMAL_CLEARING" {
		t.Errorf("callrx was told %v", end)
	}
	ann.isQuiet()
	bob.isQuiet()
}

// callrx calls a browser; both hear and see each other; callrx hangs up.
func TestGopherCallsBrowser(t *testing.T) {
	t.Parallel()
	ann, bob := newGopher(t, "ann").online(), open(t, "bob")
	bob.signIn()
	var hears ear
	var sees recording
	out := ann.dial("/private/"+bob.who+"?channel=video", toShow(ann.toSpeak(&hears), &sees))
	k := bob.incoming()
	bob.do(nil, "%s.answer(proof.quiet({audio: true, video: true}))", k.js())
	bob.wait(k.on("status"), "connected")
	ann.becomes(out, session.CallStatusConnected)
	ann.hears(&hears, MicrophoneHz)
	isTone(t, bob.hear(k), GopherHz)
	isPattern(t, bob.see(k))
	ann.sees(&sees)
	if err := out.Hangup(t.Context()); err != nil {
		t.Error(err)
	}
	bob.wait(k.on("status"), "destroyed")
	ann.isQuiet()
	bob.isQuiet()
}

// Who is called hangs up, in either direction.
func TestTheCalledHangsUp(t *testing.T) {
	t.Parallel()
	ann, bob := open(t, "ann"), newGopher(t, "bob").online()
	ann.signIn()
	incoming := bob.c.ObserveIncoming()
	k := ann.dial("/private/"+bob.who, "{}")
	in := bob.next(incoming)
	if err := in.Answer(t.Context(), bob.toSpeak(&ear{})); err != nil {
		t.Fatal(err)
	}
	ann.wait(k.on("status"), "connected")
	bob.becomes(in, session.CallStatusConnected)
	if err := in.Hangup(t.Context()); err != nil {
		t.Error(err)
	}
	ann.wait(k.on("status"), "destroyed")

	out := bob.dial("/private/"+ann.who, bob.toSpeak(&ear{}))
	k = ann.incoming()
	ann.do(nil, "%s.answer(proof.quiet({audio: true, video: false}))", k.js())
	ann.wait(k.on("status"), "connected")
	bob.becomes(out, session.CallStatusConnected)
	ann.hangUp(k)
	bob.becomes(out, session.CallStatusDestroyed)
	ann.isQuiet()
}

// A browser's refusal reaches callrx with its cause, and the other way round.
func TestTheCalledRefuses(t *testing.T) {
	t.Parallel()
	ann, bob := open(t, "ann"), newGopher(t, "bob").online()
	ann.signIn()
	out := bob.dial("/private/"+ann.who, bob.toSpeak(&ear{}))
	k := ann.incoming()
	ann.do(nil, "%s.reject()", k.js())
	bob.becomes(out, session.CallStatusDestroyed)
	if end := out.EndReason(); end == nil || end.Cause != "USER_BUSY" || end.Code != 17 {
		t.Errorf("callrx was told %v", end)
	}
	incoming := bob.c.ObserveIncoming()
	k = ann.dial("/private/"+bob.who, "{}")
	if err := bob.next(incoming).Reject(t.Context()); err != nil {
		t.Error(err)
	}
	ann.wait(k.on("status"), "destroyed")
	ann.isQuiet()
}
