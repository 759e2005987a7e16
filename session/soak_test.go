package session_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
	"go.uber.org/goleak"
)

// Environment variables of the soak: for how long faults go on, such as "1h", and
// the seed of a run that failed. A seed fixes what is done, not how it interleaves.
const (
	soakFor  = "CALLRX_SOAK"
	soakSeed = "CALLRX_SOAK_SEED"
)

const (
	soakClients = 10
	soakUsually = 15 * time.Second
	soakCalm    = time.Minute // the most that everything may take to be well again
)

// What the process may use: goroutines for each call, and bytes beside those that
// were there before, with both its ends and its share of everything else. Who leaks
// either on every fault is found out in a long run.
const (
	soakGoroutines = 150
	soakHeap       = 4 << 20
)

// A soak is calls of real media, fifty without the race detector, whose network, service and token endpoint
// fail at random, and what must hold of them meanwhile and afterwards.
type soak struct {
	*dice
	t      *testing.T
	srv    *sessiontest.Server
	end    time.Time
	seed   uint64
	users  []*soakUser
	faults sync.Map // kind of fault: how often
	before uint64   // heap in use at the start
	heap   uint64   // the most that was in use since, beyond that
	marks  int      // events sent to everybody

	mu       sync.Mutex                   // guards the rest
	replaced []*sessiontest.InjectedFault // refused resumptions
}

// TestCallsLiveThroughRandomFaults: whatever happens, a call is owned by one
// client, its events come in order and once, who ends says why, and nothing piles
// up; when the faults are over everybody is online, every call that is left hears
// again, and no call is left that its client does not know.
func TestCallsLiveThroughRandomFaults(t *testing.T) {
	here := goleak.IgnoreCurrent()
	s := newSoak(t)
	t.Logf("%s=%d %s=%v", soakSeed, s.seed, soakFor, time.Until(s.end).Round(time.Second))
	var actors sync.WaitGroup
	for _, u := range s.users {
		for range soakCalls {
			actors.Go(func() { u.keepCall(s) })
		}
	}
	actors.Go(s.faultAfterFault)
	s.watchOver()
	actors.Wait()
	s.srv.ClearFaults()
	s.srv.Stall("", sessiontest.StallNone)
	s.wantWell()
	s.report()
	stuck := time.AfterFunc(soakCalm, func() {
		debug.SetTraceback("all") // or nobody learns who waits for whom
		panic("clients and gateway are not closed after " + soakCalm.String())
	})
	defer stuck.Stop()
	for _, u := range s.users {
		_ = u.c.Close()
		if n := u.open(); n != 0 {
			t.Errorf("%s has left %d microphones open", u.name, n)
		}
	}
	s.srv.Client().CloseIdleConnections()
	s.srv.Close()
	goleak.VerifyNone(t, here)
}

func newSoak(t *testing.T) *soak {
	duration, err := time.ParseDuration(cmp.Or(os.Getenv(soakFor), soakUsually.String()))
	if err != nil {
		t.Fatalf("%s: %v", soakFor, err)
	}
	seed, err := strconv.ParseUint(cmp.Or(os.Getenv(soakSeed), strconv.FormatUint(rand.Uint64(), 10)), 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", soakSeed, err)
	}
	srv, err := sessiontest.Start(sessiontest.Options{
		PingInterval: 2 * time.Second, PingTimeout: 3 * time.Second, JournalLimit: 20000,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(srv.Close)
	s := &soak{t: t, srv: srv, before: uint64(heapNow()), end: time.Now().Add(duration), seed: seed, dice: newDice(seed, 0)}
	for i := range soakClients {
		s.users = append(s.users, newSoakUser(s, fmt.Sprint("user-", i)))
	}
	return s
}

func (s *soak) over() bool { return time.Now().After(s.end) }

// rest waits, but not beyond the end of the faults.
func (s *soak) rest(d time.Duration) { <-time.After(min(d, time.Until(s.end))) }

// watchOver checks the invariants until the end of the faults.
func (s *soak) watchOver() {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for !s.over() {
		<-tick.C
		s.wantOrder()
		s.wantOneOwner()
		s.wantBounded()
	}
}

// wantOrder checks what every observer has got so far.
func (s *soak) wantOrder() {
	for _, u := range s.users {
		if err := u.order.Err(); err != nil {
			s.t.Errorf("%s: %v", u.name, err)
		}
	}
}

// wantOneOwner: no call is in the hands of two, here or at the gateway.
func (s *soak) wantOneOwner() {
	owners := map[string]string{}
	for _, u := range s.users {
		for _, k := range u.c.Calls() {
			if other, ok := owners[k.ID()]; ok {
				s.t.Errorf("call %s is in the lists of %s and %s", k.ID(), other, u.name)
			}
			owners[k.ID()] = u.name
		}
	}
	legs := map[string]bool{}
	for _, leg := range s.liveLegs() {
		if legs[leg.CallID] {
			s.t.Errorf("the gateway has two legs of call %s", leg.CallID)
		}
		legs[leg.CallID] = true
	}
}

func (s *soak) liveLegs() (live []sessiontest.CallInfo) {
	for _, leg := range s.srv.Calls() {
		if leg.State != sessiontest.CallEnded {
			live = append(live, leg)
		}
	}
	return live
}

func (s *soak) wantBounded() {
	if n := runtime.NumGoroutine(); n > soakGoroutines*soakClients*soakCalls {
		s.t.Errorf("%d goroutines", n)
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	s.heap = max(s.heap, m.HeapAlloc-min(m.HeapAlloc, s.before))
	if s.heap > soakHeap*soakClients*soakCalls {
		s.t.Errorf("%d MB of heap", s.heap>>20)
	}
}

// wantWell checks that everything comes to rest: everybody online, every call
// connected and hearing, and the gateway with the same calls as their clients.
func (s *soak) wantWell() {
	ctx, cancel := context.WithTimeout(s.t.Context(), soakCalm)
	defer cancel()
	var deaf sync.WaitGroup
	for _, u := range s.users {
		if _, err := u.c.ObserveReady().Wait(ctx, func(ready bool) bool { return ready }); err != nil {
			s.t.Errorf("%s is not online in the calm but %v: %v", u.name, u.c.Status(), u.c.Err())
		}
		for _, k := range u.c.Calls() {
			deaf.Go(func() {
				if err := s.hears(ctx, k); err != nil {
					leg, _ := s.srv.Call(k.ID())
					s.t.Errorf("%s: call %s to %s is %v in the calm: %v, %v\n%+v\n%+v", u.name, k.ID(), k.To().URI, k.Status(), err, k.Err(), k.Stats(), leg)
				}
			})
		}
	}
	deaf.Wait()
	s.wantOrder()
	s.wantNothingLost(ctx)
	s.wantNoOrphans(ctx)
	for _, u := range s.users {
		for u.open() > len(u.c.Calls()) { // one is about to take the place of another
			select {
			case <-time.After(20 * time.Millisecond):
			case <-ctx.Done():
				s.t.Errorf("%s has %d microphones open for %d calls", u.name, u.open(), len(u.c.Calls()))
				return
			}
		}
	}
}

// wantNothingLost: whoever kept the session got every numbered event.
func (s *soak) wantNothingLost(ctx context.Context) {
	s.mark()
	gaps := 0
	for _, u := range s.users {
		for int(u.mark.Load()) != s.marks {
			select {
			case <-time.After(20 * time.Millisecond):
			case <-ctx.Done():
				s.t.Errorf("%s got event %d last, not %d", u.name, u.mark.Load(), s.marks)
				return
			}
		}
		if u.missed.Load() > 0 {
			gaps++
		}
	}
	replaced := 0
	for _, f := range s.replaced {
		replaced += f.Hits()
	}
	if gaps > replaced {
		s.t.Errorf("%d clients have not got every event, but only %d sessions were replaced", gaps, replaced)
	}
}

// wantNoOrphans waits until the gateway and the clients have the same calls.
func (s *soak) wantNoOrphans(ctx context.Context) {
	for {
		theirs := map[string]sessiontest.CallInfo{}
		for _, leg := range s.liveLegs() {
			theirs[leg.CallID] = leg
		}
		var lost []string
		for _, u := range s.users {
			for _, k := range u.c.Calls() {
				if _, ok := theirs[k.ID()]; !ok {
					lost = append(lost, fmt.Sprintf("%s has call %s, which is %v", u.name, k.ID(), k.Status()))
				}
				delete(theirs, k.ID())
			}
		}
		for _, leg := range theirs {
			lost = append(lost, fmt.Sprintf("the gateway has leg %+v\n%s", leg, story(s.srv.Journal().Call(leg.CallID))))
		}
		if len(lost) == 0 {
			return
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			s.t.Errorf("after %v of calm %s", soakCalm, strings.Join(lost, "\n"))
			return
		}
	}
}

// hears undoes what may have been left half done, and waits until the call has
// ended, or its sound arrives over there and, where there is any, sound from there.
func (s *soak) hears(ctx context.Context, k *session.Call) error {
	if _, err := k.ObserveStatus().Wait(ctx, func(st session.CallStatus) bool {
		return st == session.CallStatusConnected || st == session.CallStatusDestroyed
	}); err != nil {
		return err
	}
	err := errors.Join(k.Unhold(ctx), k.SetDirections(ctx, media.Directions{Audio: media.SendRecv}))
	leg, _ := s.srv.Call(k.ID())
	sent, received := leg.Section("audio").PacketsIn, k.Stats().Audio.PacketsReceived
	for {
		select {
		case <-time.After(20 * time.Millisecond):
		case <-k.Done():
			return nil
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		}
		if err != nil {
			return err
		}
		leg, _ = s.srv.Call(k.ID())
		alone := strings.HasPrefix(leg.Destination, "/public/room")
		if leg.Section("audio").PacketsIn > sent+10 && (alone || k.Stats().Audio.PacketsReceived > received+10) {
			return nil
		}
	}
}

func (s *soak) report() {
	var text []string
	s.faults.Range(func(kind, n any) bool {
		text = append(text, fmt.Sprintf("%v %v times", kind, n))
		return true
	})
	var dialled, failed, ended int64
	for _, u := range s.users {
		dialled, failed, ended = dialled+u.dialled.Load(), failed+u.failed.Load(), ended+u.ended.Load()
	}
	slices.Sort(text)
	s.t.Logf("%d calls dialled, %d more could not be, %d ended before the end; at most %d MB of heap; %d events to everybody; %s",
		dialled, failed, ended, s.heap>>20, s.marks, strings.Join(text, ", "))
}

// wantTyped checks that an error is one that a program can act on.
func wantTyped(t *testing.T, what string, err error) {
	t.Helper()
	if !typed(err) {
		t.Errorf("%s: %T %v is no error of package errs", what, err, err)
	}
}

// typed reports whether an error, or every one of those joined in it, is of
// package errs or the end of a context.
func typed(err error) bool {
	if joined, ok := err.(interface{ Unwrap() []error }); ok && reflect.TypeOf(err).String() == "*errors.joinError" {
		return !slices.ContainsFunc(joined.Unwrap(), func(e error) bool { return !typed(e) })
	}
	for e := err; e != nil; e = errors.Unwrap(e) {
		ours := reflect.TypeFor[errs.CallEndedError]().PkgPath()
		if of := reflect.TypeOf(e); of.Kind() == reflect.Pointer && of.Elem().PkgPath() == ours {
			return true
		}
		if e == context.Canceled || e == context.DeadlineExceeded {
			return true
		}
	}
	return false
}

// story is a journal that people can read.
func story(j sessiontest.Journal) string {
	var lines []string
	for _, e := range j {
		lines = append(lines, fmt.Sprint(e.Time.Format("05.000"), " ", e.Direction, " ", cmp.Or(e.Verto, e.Event, e.Method), " ", e.Code, " ", e.Fault))
	}
	return strings.Join(lines, "\n")
}
