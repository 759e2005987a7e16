package session_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

var errNoBackend = errors.New("the backend is away")

// markEvent is the type of numbered events that a user gets once a second.
const markEvent = "soak.mark"

// A soakUser is a client with its calls and what watches them.
type soakUser struct {
	name  string
	c     *session.Client
	mics  *media.VirtualDevices // desk and headset
	order sessiontest.SessionOrder
	met   atomic.Bool  // has been online
	mark  atomic.Int64 // the last that came

	missed, dialled, failed, ended atomic.Int64
}

// newSoakUser has tokens of half a minute, so that refreshes meet the faults, and
// a backend that fails now and then.
func newSoakUser(s *soak, name string) *soakUser {
	u := &soakUser{name: name, mics: virtual(s.t)}
	for _, d := range []media.Device{headset, desk} {
		plug(s.t, u.mics, media.VirtualDevice{Device: d}) // of silence, which costs little
	}
	provider := session.CredentialFunc(func(context.Context, session.AuthContext) (session.Credential, error) {
		if u.met.Load() && s.n(8) == 0 && !s.over() {
			return session.Credential{}, errNoBackend
		}
		sat := s.srv.IssueSAT(sessiontest.SATRequest{Reference: name, TTL: 30 * time.Second})
		return session.Credential{Token: sat.Token, ExpiresAt: sat.ExpiresAt}, nil
	})
	c, err := session.New(provider, session.Options{
		APIURL: s.srv.APIURL(), RelayURL: s.srv.RelayURL(), HTTPClient: s.srv.Client(), DPoPKey: sharedKey(),
		Refresh:   session.RefreshPolicy{Lead: 15 * time.Second, MaxAttempts: 10, MinBackoff: 100 * time.Millisecond, MaxBackoff: time.Second},
		Reconnect: session.ReconnectPolicy{PingInterval: 2 * time.Second, PingTimeout: 3 * time.Second},
		Devices:   u.mics, Preferences: preferring(func(p *session.PreferenceValues) { p.DeviceDebounce = 100 * time.Millisecond }),
	})
	if err != nil {
		s.t.Fatal(err)
	}
	u.c = c
	s.t.Cleanup(func() { _ = c.Close() })
	c.ObserveSignalingEvents().Subscribe(context.Background(), func(e *session.Event) {
		u.order.Saw(e.Sequence, e.Type, e.Payload)
		if e.Type == markEvent {
			u.marked(s, e.Payload)
		}
	})
	c.ObserveErrors().Subscribe(context.Background(), func(err error) { wantTyped(s.t, name, err) })
	if err := c.Connect(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	u.met.Store(true)
	return u
}

// marked checks that numbered events come in order, and none twice, and counts those missing.
func (u *soakUser) marked(s *soak, payload json.RawMessage) {
	var mark struct{ N int64 }
	if err := json.Unmarshal(payload, &mark); err != nil {
		s.t.Errorf("%s: %v", u.name, err)
	}
	last := u.mark.Swap(mark.N)
	if mark.N <= last {
		s.t.Errorf("%s: event %d after event %d", u.name, mark.N, last)
	}
	u.missed.Add(mark.N - last - 1)
}

// keepCall has one call under way until the end, and another when it ends.
func (u *soakUser) keepCall(s *soak) {
	for !s.over() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		k, err := u.c.Dial(ctx, s.destination(), dialing())
		cancel()
		if err != nil {
			u.failed.Add(1)
			wantTyped(s.t, u.name+": Dial", err)
			s.rest(s.between(100*time.Millisecond, time.Second))
			continue
		}
		u.dialled.Add(1)
		u.follow(s, k)
	}
}

func (s *soak) destination() string {
	return pick(s, "/public/echo", "/public/tone", fmt.Sprint("/public/room-", s.n(5)))
}

// follow uses a call until it ends, or the faults do.
func (u *soakUser) follow(s *soak, k *session.Call) {
	order := sessiontest.CallOrder{Late: true}
	seen := watch(k)
	ordered := k.ObserveEvents().Subscribe(context.Background(), func(e *session.Event) { order.Saw(e.Sequence, e.Type, e.Payload) })
	ended := func() bool {
		select {
		case <-k.Done():
			return true
		default:
			return false
		}
	}
	for !s.over() && !ended() {
		u.use(s, k)
		select {
		case <-k.Done():
		case <-time.After(min(s.between(200*time.Millisecond, 3*time.Second), time.Until(s.end))):
		}
	}
	if err := order.Err(); err != nil {
		s.t.Errorf("%s: call %s: %v", u.name, k.ID(), err)
	}
	if !ended() {
		return
	}
	u.ended.Add(1)
	<-ordered.Done()
	forward(s.t, seen.all(s.t))
	if r := k.EndReason(); r == nil || r.By == "" {
		s.t.Errorf("%s: call %s ended and does not say why: %v", u.name, k.ID(), r)
	}
}

// use does something to a call. It may fail, with an error that says how.
func (u *soakUser) use(s *soak, k *session.Call) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	doing := []struct {
		what string
		do   func() error
	}{
		{"Hold", func() error { return errors.Join(k.Hold(ctx), k.Unhold(ctx)) }},
		{"SendDigits", func() error { return k.SendDigits(ctx, "17#") }},
		{"SetDirections", func() error {
			return errors.Join(k.SetDirections(ctx, media.Directions{Audio: media.RecvOnly}), k.SetDirections(ctx, media.Directions{Audio: media.SendRecv}))
		}},
		{"RestartICE", func() error { return k.RestartICE(ctx) }},
		{"Hangup", func() error { return k.Hangup(ctx) }},
		{"SelectAudioInput", func() error {
			self := k.Self()
			if self == nil {
				return nil
			}
			return self.SelectAudioInput(ctx, pick(s, &desk, &headset, nil), session.SelectDeviceOptions{})
		}},
		{"AddAudioInputDevice", func() error {
			self := k.Self()
			if self == nil {
				return nil
			}
			return self.AddAudioInputDevice(ctx, nil)
		}},
		{"nothing", func() error { return nil }},
		{"nothing", func() error { return nil }},
	}[s.n(9)]
	if err := doing.do(); err != nil {
		wantTyped(s.t, fmt.Sprintf("%s: %s", u.name, doing.what), err)
	}
}

// open is how many microphones the user's calls have open.
func (u *soakUser) open() int {
	return u.mics.InUse(media.DeviceAudioInput, "desk") + u.mics.InUse(media.DeviceAudioInput, "headset")
}
