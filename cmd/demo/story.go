package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// A step is something the story has to observe.
type step string

const (
	stepOnline     step = "the session is online"
	stepRegistered step = "registered: inbound calls would reach ann"
	stepBound      step = "the token is bound to this client's key"
	stepRefreshed  step = "a good refresh on the live session"
	step500        step = "500 seen as a typed error"
	stepHTML       step = "HTML seen as a typed error"
	stepTruncated  step = "half a JSON object seen as a typed error"
	step401        step = "401 seen as a typed error"
	stepHandedOver step = "the fresh token was accepted"
	stepSurvived   step = "the session lived past the old expiry"
	stepNoLoss     step = "nothing was lost meanwhile"
	stepClosed     step = "closed by the program"
	stepOnline2    step = "bob is online with project credentials"
	stepGaveUp     step = "every refresh failed, and the session went on"
	stepAlive      step = "still answering just before the expiry"
	stepTornDown   step = "torn down at the expiry, not before"
	stepReason     step = "the reason is typed, down to the HTTP status"

	stepEchoUp     step = "a call to the echo is connected"
	stepEchoFlows  step = "packets flowed both ways"
	stepEchoEnded  step = "hung up"
	stepEchoLength step = "the recording is as long as the call"
	stepEchoHeard  step = "what came back is speech"

	stepBobAnswers  step = "bob's phone rang and he answered"
	stepToneHeard   step = "bob hears what ann sends"
	stepDigitsThere step = "ann's digits arrived"
	stepDigitsBack  step = "bob's digits arrived"
	stepHeld        step = "on hold he hears nothing"
	stepUnheld      step = "off hold he hears it again"
	stepBothEnded   step = "each end knows who hung up, and why"

	stepRoomFull    step = "three clients and two bots are in a room"
	stepRoomTalk    step = "everybody is told who talks"
	stepRoomMute    step = "a moderator's mute is seen by everybody"
	stepRoomHand    step = "a raised hand is seen by everybody"
	stepRoomLayout  step = "the layout is another, with a place reserved"
	stepRoomScreen  step = "a shared screen is a member for as long as it lasts"
	stepRoomLocked  step = "the room is locked"
	stepRoomRemoved step = "who is removed knows it"
)

// plan is every step, in order.
func plan() []step {
	return []step{
		stepOnline, stepRegistered, stepBound, stepRefreshed,
		step500, stepHTML, stepTruncated, step401,
		stepHandedOver, stepSurvived, stepNoLoss, stepClosed,
		stepOnline2, stepGaveUp, stepAlive, stepTornDown, stepReason,
		stepEchoUp, stepEchoFlows, stepEchoEnded, stepEchoLength, stepEchoHeard,
		stepBobAnswers, stepToneHeard, stepDigitsThere, stepDigitsBack, stepHeld, stepUnheld, stepBothEnded,
		stepRoomFull, stepRoomTalk, stepRoomMute, stepRoomHand, stepRoomLayout, stepRoomScreen, stepRoomLocked, stepRoomRemoved,
	}
}

// A pace is how fast the story goes, and where it leaves its recording.
type pace struct {
	life      time.Duration // of a token
	refresh   session.RefreshPolicy
	recording string // a file; empty: a new one among the temporary files
}

// shortestLife leaves room for four failed attempts before the expiry.
const shortestLife = 6 * time.Second

// paceFor makes refreshing begin half a token's life before its end.
func paceFor(life time.Duration) pace {
	return pace{life: life, refresh: session.RefreshPolicy{
		Lead:        life / 2,
		MinBackoff:  life / 60,
		MaxBackoff:  life / 20,
		ExpiryGrace: 300 * time.Millisecond,
	}}
}

// patience bounds each step beyond the time that it takes by its nature.
const patience = 10 * time.Second

// A story plays the acts, one after the other.
type story struct {
	tl   *timeline
	pace pace
	gw   *sessiontest.Server
	key  *session.DPoPKey
	seen []step

	ann       *session.Client
	endAnn    func()
	oldExpiry time.Time // of the token that could not be refreshed
	beats     int       // requests answered while a fresh token was handed over
	late      time.Duration
	echo      echo
}

func newStory(tl *timeline, p pace) (*story, error) {
	gw, err := sessiontest.Start(sessiontest.Options{TLS: true, TokenTTL: p.life})
	if err != nil {
		return nil, err
	}
	key, err := session.GenerateDPoPKey()
	if err != nil {
		gw.Close()
		return nil, err
	}
	return &story{tl: tl, pace: p, gw: gw, key: key}, nil
}

// end leaves nothing running.
func (s *story) end() {
	if s.endAnn != nil {
		s.endAnn()
	}
	s.gw.Close()
}

// tell plays every act and makes sure that every step of the plan was seen.
func (s *story) tell(ctx context.Context) error {
	s.tl.say("gateway", "REST at %s\nWebSocket at %s", s.gw.APIURL(), s.gw.RelayURL())
	acts := []struct {
		title string
		play  func(context.Context) error
	}{
		{"Ann signs in", s.signIn},
		{"A good refresh on the live session", s.goodRefresh},
		{"The refresh endpoint fails in four ways", s.failingRefresh},
		{"The program brings a fresh token by itself", s.rescue},
		{"Bob's refresh fails and nobody helps", s.abandoned},
		{"Ann calls the echo", s.callEcho},
		{"Ann calls Bob", s.callTwo},
		{"Ann, Bob and Cleo meet in a room", s.meetInRoom},
	}
	for i, act := range acts {
		s.tl.heading(i+1, act.title)
		if err := act.play(ctx); err != nil {
			return err
		}
	}
	if !slices.Equal(s.seen, plan()) {
		return fmt.Errorf("steps seen: %q, planned: %q", s.seen, plan())
	}
	return nil
}

// observe runs one step under a deadline. wait returns when it has seen what the
// step is about, with a few words on it, or the reason why it cannot be.
func (s *story) observe(ctx context.Context, what step, limit time.Duration, wait func(context.Context) (string, error)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("not seen within %s", limit))
	defer cancel()
	detail, err := wait(ctx)
	if err != nil {
		return fmt.Errorf("step %q failed: %w", what, err)
	}
	s.seen = append(s.seen, what)
	s.tl.seen(what, detail)
	return nil
}

// lessons is the story in plain words, with its figures.
func (s *story) lessons() []string {
	return []string{
		fmt.Sprintf("All %d steps were observed, over HTTPS, WebSockets and WebRTC on loopback.", len(s.seen)),
		"A token was refreshed on a live session, by proof of a key, without a new connection.",
		"Four ways to fail gave four typed errors on errors$, and the session answered requests throughout.",
		fmt.Sprintf("A token handed over in time kept the session past its old expiry: %d requests and %d events, none lost.", s.beats, s.beats),
		fmt.Sprintf("Without help the session ended %s after its token's expiry, not before,", s.late.Round(time.Millisecond)),
		"and client.Err() told who ended it, why, and which answer of which endpoint was behind it.",
		fmt.Sprintf("Speech went to the echo and back through WebRTC, and was recorded at %.1f dBFS: %s", s.echo.level, s.echo.path),
		"Two clients talked: a tone measured at the far end, digits both ways, hold, and one typed reason at each end.",
		"Three clients and two bots met in a room, and each of them saw who talked, was muted, raised a hand, showed a screen and left.",
	}
}
