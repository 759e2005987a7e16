package session_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
	"github.com/google/go-cmp/cmp"
)

// picturesSent is how many packets of video a call sends in two seconds.
func picturesSent(k *session.Call) uint64 {
	before := k.Stats().Video.PacketsSent
	pass(2 * second)
	return k.Stats().Video.PacketsSent - before
}

// asked are the requests about mutes that the gateway got for a call.
func asked(srv *sessiontest.Server) (methods []string) {
	for _, e := range srv.Journal() {
		if e.Direction == "in" && (e.Method == "call.mute" || e.Method == "call.unmute") {
			methods = append(methods, e.Method)
		}
	}
	return methods
}

// inVideoBubble has a call in a room that sends pictures.
func inVideoBubble(t *testing.T, mute bool, test func(t *testing.T, p *casualty)) {
	t.Helper()
	_, pattern := patternSource(t)
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		line := b.client(t, "ann")
		change(t, line.Client, func(v *session.PreferenceValues) { v.AutoMuteVideoOnSuspend = mute })
		p := examined(t, b, line, session.MediaOptions{VideoSource: pattern}, "/public/room?channel=video")
		if p.Self() == nil || picturesSent(p.Call) == 0 {
			t.Fatal("no pictures are sent")
		}
		test(t, p)
		p.b.over(t, p.line, p.Call)
	})
}

// TestVideoIsNotSentWhileSuspendedIfPreferred: the service is told, and both are
// undone.
func TestVideoIsNotSentWhileSuspendedIfPreferred(t *testing.T) {
	inVideoBubble(t, true, func(t *testing.T, p *casualty) {
		seen := taped(t, p.line.ObserveSuspended())
		p.line.Suspend()
		p.line.Suspend() // once is enough
		if n := picturesSent(p.Call); n != 0 || p.Self().LocalVideoMuted() || !p.Self().VideoMuted() {
			t.Errorf("suspended: %d packets, muted here %v, there %v", n, p.Self().LocalVideoMuted(), p.Self().VideoMuted())
		}
		if err := p.line.Resume(t.Context()); err != nil {
			t.Error(err)
		}
		if n := picturesSent(p.Call); n == 0 || p.Self().VideoMuted() {
			t.Errorf("resumed: %d packets, muted there %v", n, p.Self().VideoMuted())
		}
		if diff := cmp.Diff([]string{"call.mute", "call.unmute"}, asked(p.b.srv)); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]bool{false, true, false}, seen.all()); diff != "" {
			t.Error(diff)
		}
	})
	inVideoBubble(t, false, func(t *testing.T, p *casualty) {
		p.line.Suspend()
		if n := picturesSent(p.Call); n == 0 || len(asked(p.b.srv)) != 0 {
			t.Errorf("not preferred: %d packets, %v", n, asked(p.b.srv))
		}
		if err := p.line.Resume(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// TestResumeUndoesWhatSuspendDidAndNoMore: the user's mute is the user's.
func TestResumeUndoesWhatSuspendDidAndNoMore(t *testing.T) {
	mute := func(t *testing.T, p *casualty) {
		if err := p.Self().MuteVideo(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for name, at := range map[string]struct{ before, meanwhile func(*testing.T, *casualty) }{
		"muted before": {mute, func(*testing.T, *casualty) {}}, "muted meanwhile": {func(*testing.T, *casualty) {}, mute},
	} {
		t.Run(name, func(t *testing.T) {
			inVideoBubble(t, true, func(t *testing.T, p *casualty) {
				at.before(t, p)
				p.line.Suspend()
				pass(second)
				at.meanwhile(t, p)
				if err := p.line.Resume(t.Context()); err != nil {
					t.Error(err)
				}
				if n := picturesSent(p.Call); n != 0 || !p.Self().LocalVideoMuted() || !p.Self().VideoMuted() {
					t.Errorf("resumed: %d packets, muted here %v, there %v", n, p.Self().LocalVideoMuted(), p.Self().VideoMuted())
				}
			})
		})
	}
}

// TestResumeReplacesADeadConnectionIfPreferred, and returns when there is another.
func TestResumeReplacesADeadConnectionIfPreferred(t *testing.T) {
	for _, preferred := range []bool{true, false} {
		inBubble(t, sessiontest.Options{PingTimeout: -1}, func(r *rig) {
			r.connect(session.StaticCredentials(r.sat(time.Hour, "")))
			change(r.t, r.c, func(v *session.PreferenceValues) { v.CheckConnectionOnResume = preferred })
			r.c.Suspend()
			r.srv.Stall("ann", sessiontest.StallDeaf)
			began := time.Now()
			if err := r.c.Resume(r.t.Context()); err != nil {
				t.Errorf("Resume: %v", err)
			}
			took, connects := time.Since(began), len(r.srv.Journal().RPC(rpcConnect))
			if preferred && (took > 3*time.Second || connects != 2 || !r.c.Ready()) || !preferred && (took > 0 || connects != 1) {
				t.Errorf("preferred %v: it took %v, %d connects, ready %v", preferred, took, connects, r.c.Ready())
			}
		})
	}
}

// TestResumeOfWhatIsWellTakesNoTime and changes nothing.
func TestResumeOfWhatIsWellTakesNoTime(t *testing.T) {
	inRecoveryBubble(t, session.MediaOptions{}, "/public/echo", func(t *testing.T, p *casualty) {
		began := time.Now()
		if err := p.line.Resume(t.Context()); err != nil || time.Since(began) > 200*time.Millisecond {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		p.wantActions(t)
		p.wantFlow(t)
	})
}

// TestResumeLooksForNewPathsWhereNothingArrives: at once.
func TestResumeLooksForNewPathsWhereNothingArrives(t *testing.T) {
	inRoamingBubble(t, session.Options{}, func(t *testing.T, m *roamer) {
		m.arrive(m.b, elsewhere) // and nobody has told
		if err := m.line.Resume(t.Context()); err != nil {
			t.Error(err)
		}
		pass(2 * second)
		m.wantActions(t, session.RecoveryCallRecovering, session.RecoveryReinviteStarted,
			session.RecoveryReinviteSucceeded, session.RecoveryCallRecovered)
		if e := m.events.all()[1]; e.Reason != "resume" {
			t.Errorf("%+v", e)
		}
		pass(10 * second)
		m.wantFlow(t)
	})
}

// TestResumeSaysWhatItCannotDo.
func TestResumeSaysWhatItCannotDo(t *testing.T) {
	inBubble(t, sessiontest.Options{PingTimeout: -1}, func(r *rig) {
		r.open(session.StaticCredentials(r.sat(time.Hour, "")))
		r.c.Suspend()
		if err := r.c.Resume(r.t.Context()); err != nil {
			t.Errorf("before Connect: %v", err)
		}
		if err := r.c.Connect(r.t.Context()); err != nil {
			t.Fatal(err)
		}
		r.srv.Stall("ann", sessiontest.StallDeaf)
		ctx, cancel := context.WithTimeout(r.t.Context(), time.Second)
		defer cancel()
		if err := r.c.Resume(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("in a second: %v", err)
		}
		done := make(chan error)
		go func() { done <- r.c.Resume(r.t.Context()) }()
		synctest.Wait() // it asks
		if err := r.c.Disconnect(r.t.Context()); err != nil {
			t.Error(err)
		}
		var none *errs.NotConnectedError
		if err := <-done; !errors.As(err, &none) {
			t.Errorf("disconnected meanwhile: %v", err)
		}
		_ = r.c.Close()
		r.c.Suspend() // does nothing
		if err := r.c.Resume(r.t.Context()); !errors.Is(err, errs.ErrClosed) {
			t.Errorf("closed: %v", err)
		}
	})
}

// sleep is what a night does to a machine: its wall clock is ahead, its timers are
// late, and its connection is dead.
func (r *rig) sleep(d time.Duration) {
	session.Sleep(r.c, d)
	r.srv.SetClockSkew(d)
	r.srv.Drop("ann")
}

// TestTokenThatIsDueAfterSleepIsRefreshedAtOnce: by Resume, or else within a minute.
func TestTokenThatIsDueAfterSleepIsRefreshedAtOnce(t *testing.T) {
	for name, c := range map[string]struct {
		left, within time.Duration
		resume       bool
	}{"resumed": {10 * time.Second, 0, true}, "not told": {70 * time.Second, time.Minute, false}} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, sessiontest.Options{}, func(r *rig) {
				p := &scripted{first: r.sat(time.Hour, "")}
				p.next = func(context.Context, int) (session.Credential, error) { return r.sat(time.Hour, ""), nil }
				r.connect(p)
				session.Sleep(r.c, time.Hour-c.left)
				r.srv.SetClockSkew(time.Hour - c.left)
				if c.resume {
					if err := r.c.Resume(r.t.Context()); err != nil {
						t.Error(err)
					}
				}
				r.to(c.within)
				r.wantOnline("after the refresh")
				if p.count() != 1 || len(r.refreshErrors()) != 0 {
					t.Errorf("asked %d times, errors %v", p.count(), r.refreshErrors())
				}
			})
		})
	}
}

// TestTokenThatExpiredInSleepIsReplaced: nobody was awake to refresh it in time.
func TestTokenThatExpiredInSleepIsReplaced(t *testing.T) {
	for name, c := range map[string]struct {
		network bool // is there at once
		backend bool // is, too
		lasts   bool // the provider has another one
	}{
		"at once": {true, true, true}, "when the network is there": {false, false, true},
		"when the backend is there": {true, false, true}, "or not": {true, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, sessiontest.Options{}, func(r *rig) {
				p := &scripted{first: r.sat(time.Hour, "")}
				awake := time.Now().Add(8 * time.Second)
				p.next = func(context.Context, int) (session.Credential, error) {
					if !c.lasts || !c.backend && time.Now().Before(awake) {
						return session.Credential{}, errBackend
					}
					return r.sat(time.Hour, ""), nil
				}
				r.connect(p)
				if !c.network {
					down := r.srv.RefuseConnections(503, 0)
					time.AfterFunc(8*time.Second, down.Remove)
				}
				r.sleep(8 * time.Hour)
				err := r.c.Resume(r.t.Context())
				if !c.lasts {
					<-r.c.Done()
					var none *errs.NotConnectedError // unless it was resumed for a while
					var ended *errs.SessionEndedError
					if err != nil && !errors.As(err, &none) || !errors.As(r.c.Err(), &ended) || !errors.Is(ended, errBackend) || time.Since(r.start) < 20*time.Second || time.Since(r.start) > 50*time.Second {
						t.Errorf("after %v: Resume: %v; ended %v", time.Since(r.start), err, r.c.Err())
					}
					return
				}
				if err != nil {
					t.Errorf("Resume: %v", err)
				}
				r.to(20 * time.Second)
				r.wantOnline("after the night")
				r.to(10 * time.Minute)
				r.wantOnline("all day")
			})
		})
	}
}
