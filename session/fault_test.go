package session_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
	"github.com/pion/transport/v5/vnet"
	"github.com/pion/webrtc/v4"
)

// A victim is a client with a call that something happens to, and all that its
// user sees of it. The call is to the echo, and was well for 15 seconds. Each
// second the service sends a numbered event.
type victim struct {
	*roamer
	t        *testing.T
	fault    *fault
	provider *ailing
	mics     *media.VirtualDevices // if the fault is about them
	sent     int                   // numbered events
	jitter   atomic.Int64          // of what the client sends, at most
	order    sessiontest.SessionOrder

	mu       sync.Mutex // guards the rest
	got      []int      // numbered events
	statuses []session.Status
	errors   []error   // of client and call
	lostAt   time.Time // the service; zero: it is there
	away     time.Duration
	heard    time.Time // when something arrived last
	packets  uint64
	silence  time.Duration // the longest
}

// An ailing provider fails when it is to.
type ailing struct {
	srv  *sessiontest.Server
	ttl  time.Duration
	mu   sync.Mutex
	down bool
}

func (a *ailing) Authenticate(ctx context.Context, at session.AuthContext) (session.Credential, error) {
	return a.Refresh(ctx, at)
}

func (a *ailing) Refresh(context.Context, session.AuthContext) (session.Credential, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.down {
		return session.Credential{}, errBackend
	}
	sat := a.srv.IssueSAT(sessiontest.SATRequest{Reference: "ann", TTL: a.ttl})
	return session.Credential{Token: sat.Token, ExpiresAt: sat.ExpiresAt}, nil
}

func (a *ailing) fail(is bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.down = is
}

// steady are the pauses between attempts to connect without their jitter.
func steady(attempt int) time.Duration {
	return min(100*time.Millisecond<<min(attempt-1, 10), 3*time.Second) * 3 / 4
}

// inFaultBubble has a victim of f.
func inFaultBubble(t *testing.T, f *fault, test func(v *victim)) {
	t.Helper()
	inCallBubble(t, f.gateway, func(t *testing.T, b *callBubble) {
		v := &victim{t: t, fault: f, provider: &ailing{srv: b.srv, ttl: cmp.Or(f.tokens, time.Hour)}}
		v.roamer = &roamer{plug: newCable()}
		o := session.Options{
			APIURL: b.srv.APIURL(), RelayURL: b.srv.RelayURL(), HTTPClient: b.srv.Client(), DPoPKey: sharedKey(),
			Network: v.plug.source, Reconnect: session.ReconnectPolicy{Delay: steady},
		}
		if f.mics {
			v.mics = virtual(t, headset, desk)
			o.Devices = v.mics
		}
		c, err := session.Open(t.Context(), v.provider, o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		v.watchClient(c)
		k := connected(t, c, "/public/echo", v.dialling(b))
		k.ObserveErrors().Subscribe(context.Background(), v.failed)
		v.casualty = watched(t, b, lineOf{Client: c}, k)
		stop := make(chan struct{})
		defer close(stop)
		go v.listen(stop)
		pass(3 * second) // it listens, and the first events come
		v.began = time.Now()
		test(v)
	})
}

// dialling puts the call's media on a machine with two addresses, and it at home.
func (v *victim) dialling(b *callBubble) session.DialOptions {
	host, err := vnet.NewNet(&vnet.NetConfig{StaticIPs: []string{home, elsewhere}})
	if err == nil {
		err = b.world.AddNet(host)
	}
	if err != nil {
		v.t.Fatal(err)
	}
	v.arrive(b, home)
	v.plug.in(home)
	o := session.DialOptions{MediaOptions: session.MediaOptions{SettingEngine: func(s *webrtc.SettingEngine) {
		s.SetNet(jitteryNet{host, &v.jitter})
		s.SetIPFilter(func(ip net.IP) bool { return ip.String() == *v.at.Load() })
	}}}
	if v.fault.prepare != nil {
		v.fault.prepare(v, b, &o)
	}
	return o
}

func (v *victim) watchClient(c *session.Client) {
	c.ObserveSignalingEvents().Subscribe(context.Background(), func(e *session.Event) {
		v.order.Saw(e.Sequence, e.Type, e.Payload)
		var mark struct{ N int }
		if e.Type == markEvent && json.Unmarshal(e.Payload, &mark) == nil {
			v.mu.Lock()
			defer v.mu.Unlock()
			v.got = append(v.got, mark.N)
		}
	})
	c.ObserveErrors().Subscribe(context.Background(), v.failed)
	c.ObserveStatus().Subscribe(context.Background(), func(s session.Status) {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.statuses = append(v.statuses, s)
		switch {
		case s != session.StatusOnline && v.lostAt.IsZero():
			v.lostAt = time.Now()
		case s == session.StatusOnline && !v.lostAt.IsZero():
			v.away += time.Since(v.lostAt)
			v.lostAt = time.Time{}
		}
	})
}

func (v *victim) failed(err error) {
	wantTyped(v.t, v.fault.name, err)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.errors = append(v.errors, err)
}

// listen measures silence, and has a numbered event sent each second.
func (v *victim) listen(stop <-chan struct{}) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	v.heard = time.Now()
	for n := 1; ; n++ {
		select {
		case <-tick.C:
		case <-stop:
			return
		}
		if n%50 == 0 {
			v.sent++
			if _, err := v.b.srv.SendEvent("ann", markEvent, nil, map[string]any{"n": v.sent}); err != nil {
				v.sent--
			}
		}
		v.mu.Lock()
		if p := v.Stats().Audio.PacketsReceived; p > v.packets {
			v.silence = max(v.silence, time.Since(v.heard))
			v.packets, v.heard = p, time.Now()
		}
		v.mu.Unlock()
	}
}

// seen is a row of the table: what the user saw.
func (v *victim) seen() row {
	synctest.Wait() // the observers have caught up
	v.mu.Lock()
	defer v.mu.Unlock()
	r := row{fault: v.fault.name, away: v.away, silence: v.silence}
	for _, s := range v.statuses[slices.Index(v.statuses, session.StatusOnline):] {
		r.client = append(r.client, s.String())
	}
	for _, s := range v.casualty.statuses.all() {
		r.call = append(r.call, s.String())
	}
	actions, _ := v.actions()
	for _, a := range actions {
		r.recovery = append(r.recovery, string(a))
	}
	for _, err := range v.errors {
		r.errors = append(r.errors, kindOf(err))
	}
	if why := v.EndReason(); why != nil {
		r.ends = strings.TrimSpace(fmt.Sprintf("%s, by the %s", why.Cause, why.By))
		r.lasted = v.heard.Sub(v.began)
	}
	return r
}

// kindOf is the type of an error, and what a call's is about. Which of two types a
// lost connection is depends on whether it was read or written first.
func kindOf(err error) string {
	name := reflect.TypeOf(err).Elem().Name()
	switch e := err.(type) {
	case *errs.TransportError, *errs.WebSocketError:
		return "TransportError or WebSocketError"
	case *errs.CallError:
		if e.OriginalError != nil {
			return name + "(" + kindOf(e.OriginalError) + ")"
		}
	}
	return name
}

// wantIntact checks that nothing else broke: every event came, once and in order,
// the session and the call do what they are for, and who ended says why.
func (v *victim) wantIntact() {
	v.t.Helper()
	if err := v.order.Err(); err != nil {
		v.t.Error(err)
	}
	v.wantMarks()
	v.wantCallIntact()
	if err := v.line.Close(); err != nil {
		v.t.Error(err)
	}
}

// wantMarks checks the numbered events. A session that was replaced begins anew.
func (v *victim) wantMarks() {
	v.t.Helper()
	v.mu.Lock()
	defer v.mu.Unlock()
	missed := 0
	for i, n := range v.got {
		last := 0
		if i > 0 {
			last = v.got[i-1]
		}
		if n <= last {
			v.t.Errorf("event %d after event %d", n, last)
		}
		missed += n - last - 1
	}
	if last := v.got[len(v.got)-1]; last < v.sent-1 { // the last one may be on its way
		v.t.Errorf("event %d came last, of %d", last, v.sent)
	}
	if missed > 0 && !v.fault.replaced {
		v.t.Errorf("%d of %d events are missing", missed, v.sent)
	}
}

func (v *victim) wantCallIntact() {
	v.t.Helper()
	if why := v.EndReason(); why != nil {
		if why.By == "" || why.Cause == "" {
			v.t.Errorf("ended, and does not say why: %#v", why)
		}
		wantOver(v.t, v.b.srv, v.line.Client, v.Call)
		return
	}
	if !v.line.Ready() {
		v.t.Errorf("the client is %v: %v", v.line.Status(), v.line.Err())
	}
	v.wantFlow(v.t)
}
