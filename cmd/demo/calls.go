package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/observable"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
	"github.com/pion/webrtc/v4"
)

// What acts 6, 7 and 8 share: clients that call, and what is shown of their calls.

// A caller is a client whose calls are shown.
type caller struct {
	*session.Client
	s       *story
	name    string
	close   func() // the client, and shows the rest of it
	showing []*observable.Subscription
}

// caller signs somebody in, registered for calls, with a token that outlives the
// story.
func (s *story) caller(ctx context.Context, name, reference string) (*caller, error) {
	sat := s.gw.IssueSAT(sessiontest.SATRequest{Reference: reference, DisplayName: name, TTL: time.Hour})
	c, err := session.Open(ctx, session.StaticCredentials(session.Credential{Token: sat.Token}),
		session.Options{HTTPClient: s.gw.Client(), DPoPKey: s.key})
	if err != nil {
		return nil, fmt.Errorf("%s signs in: %w", name, err)
	}
	return &caller{Client: c, s: s, name: name, close: s.watch(c)}, nil
}

// end closes the client, which ends its calls, and waits until all has been shown.
func (c *caller) end() {
	c.close()
	for _, sub := range c.showing {
		<-sub.Done()
	}
}

// watchCall shows where a call stands, and what it complains about.
func (c *caller) watchCall(k *session.Call) {
	ctx := context.Background()
	c.showing = append(c.showing,
		k.ObserveStatus().Subscribe(ctx, func(st session.CallStatus) { c.s.tl.say(c.name+"'s call$", "%s", st) }),
		k.ObserveErrors().Subscribe(ctx, func(err error) { c.s.tl.say("errors$", "%T\n%v", err, err) }))
}

// showEnd checks why a call ended, and shows it.
func (c *caller) showEnd(k *session.Call, by errs.EndedBy) error {
	e := k.EndReason()
	if e == nil || e.By != by || e.Code != errs.CauseNormalClearing || e.OriginalError != nil {
		return fmt.Errorf("%s's call ended with %w, want a normal end by the %s side", c.name, k.Err(), by)
	}
	c.s.tl.say(c.name+"'s Err()", "*errs.CallEndedError{By: %q, Cause: %q, Code: %d}", e.By, e.Cause, e.Code)
	return nil
}

// onLoopback keeps media on this machine: no other address is even offered.
func onLoopback(e *webrtc.SettingEngine) {
	e.SetIncludeLoopbackCandidate(true)
	e.SetIPFilter(net.IP.IsLoopback)
	e.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
}

// reach waits until a call stands where it should, or tells why it never will.
func reach(ctx context.Context, k *session.Call, want session.CallStatus) error {
	if _, err := k.ObserveStatus().Wait(ctx, func(st session.CallStatus) bool { return st == want }); err != nil {
		return fmt.Errorf("the call is %s, not %s: %w", k.Status(), want, errors.Join(err, k.Err()))
	}
	return nil
}
