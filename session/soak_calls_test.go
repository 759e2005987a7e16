package session_test

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// callsWanted is the environment variable that says how many calls are made one after the other, such as "2000".
const callsWanted = "CALLRX_CALLS"

const (
	callsUsually = "48"
	callsAtOnce  = 4
	callRounds   = 8 // measured after each; the first quarter of them warms up
)

// What may be left of a call. A process at rest is not the same twice: that is what the slack is for.
const (
	leftHeap       = 1 << 10 // bytes for each call
	leftHeapSlack  = 1 << 20
	leftGoroutines = 20 // for all of them
)

// A usage is what the process uses at rest.
type usage struct {
	calls, goroutines int
	heap, resident    int64 // bytes; resident is 0 where nobody tells
}

// TestCallsLeaveNothingBehind: a client and a gateway that live long need no more memory after any number of
// calls. Each call is one of real media: it hears itself and hangs up.
func TestCallsLeaveNothingBehind(t *testing.T) {
	n, err := strconv.Atoi(cmp.Or(os.Getenv(callsWanted), callsUsually))
	if err != nil || n < callRounds*callsAtOnce {
		t.Fatalf("%s: want a number of %d or more: %v", callsWanted, callRounds*callsAtOnce, err)
	}
	srv := sessiontest.NewServer(t, sessiontest.Options{JournalLimit: 500})
	c := onLoopback(t, srv, "ann")
	var prints []usage
	for round := 1; round <= callRounds; round++ {
		made := n * round / callRounds
		callAll(t, c, made-n*(round-1)/callRounds)
		prints = append(prints, usageAfter(made))
		t.Logf("%+v", prints[len(prints)-1])
	}
	first, last := prints[callRounds/4-1], prints[callRounds-1]
	calls := int64(last.calls - first.calls)
	t.Logf("from call %d on, each left %d bytes of heap and %d of resident memory",
		first.calls, (last.heap-first.heap)/calls, (last.resident-first.resident)/calls)
	if grown := last.heap - first.heap; grown > leftHeap*calls+leftHeapSlack {
		t.Errorf("the heap has grown by %d bytes with %d calls", grown, calls)
	}
	if grown := last.goroutines - first.goroutines; grown > leftGoroutines {
		t.Errorf("%d goroutines are left of %d calls", grown, calls)
	}
	if len(c.Calls()) != 0 {
		t.Errorf("the client still has %d calls", len(c.Calls()))
	}
}

// callAll makes so many calls, some at once, and returns when nothing is left of them.
func callAll(t *testing.T, c *session.Client, calls int) {
	t.Helper()
	var callers sync.WaitGroup
	due := make(chan struct{}, calls)
	for range calls {
		due <- struct{}{}
	}
	close(due)
	for range callsAtOnce {
		callers.Go(func() {
			for range due {
				if err := callOnce(t.Context(), c); err != nil {
					t.Error(err)
				}
			}
		})
	}
	callers.Wait()
}

// callOnce hears itself for a tenth of a second.
func callOnce(ctx context.Context, c *session.Client) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	k, err := c.Dial(ctx, "/public/echo", dialing())
	if err != nil {
		return err
	}
	if _, err := k.ObserveStatus().Wait(ctx, func(s session.CallStatus) bool { return s == session.CallStatusConnected }); err != nil {
		return fmt.Errorf("the call is %v: %w", k.Status(), err)
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for k.Stats().Audio.PacketsReceived < 5 {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("nothing is heard: %w", ctx.Err())
		}
	}
	if err := k.Hangup(ctx); err != nil {
		return err
	}
	<-k.Done()
	return nil
}

// usageAfter waits until the goroutines have settled: the far ends of the last calls end a little later.
func usageAfter(calls int) usage {
	goroutines := runtime.NumGoroutine()
	for still := 0; still < 10; still++ {
		<-time.After(50 * time.Millisecond)
		if now := runtime.NumGoroutine(); now < goroutines {
			goroutines, still = now, 0
		}
	}
	return usage{calls: calls, goroutines: runtime.NumGoroutine(), heap: heapNow(), resident: residentNow()}
}

// residentNow is what the process takes of the machine's memory, on Linux.
func residentNow() int64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(text))
	if len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}
