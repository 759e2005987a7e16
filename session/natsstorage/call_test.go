package natsstorage_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// dialVariable makes a caller of a process: what it calls. Without it the process
// takes the call up that is left.
const dialVariable = "NATSSTORAGE_TEST_DIAL"

// stayInACall is a client like any other over a bucket. It says which call it has
// and what it hears.
func stayInACall() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	store, leave, err := bucketOf(ctx)
	if err != nil {
		return err
	}
	defer leave()
	ear, err := media.NewPCMSink(pcmRate, 1, tellPitch())
	if err != nil {
		return err
	}
	sound := session.MediaOptions{AudioSink: ear, SettingEngine: onLoopback}
	client, err := session.Open(ctx, session.StaticCredentials(session.Credential{Token: os.Getenv(tokenVariable)}), session.Options{
		APIURL: os.Getenv(apiVariable), RelayURL: os.Getenv(socketVariable), Storage: store, PersistSession: true,
		ReconnectAttachedCalls: true, ReattachMedia: func(*session.Call) session.MediaOptions { return sound },
	})
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	if to := os.Getenv(dialVariable); to != "" {
		if _, err := client.Dial(ctx, to, session.DialOptions{MediaOptions: sound}); err != nil {
			return err
		}
	}
	calls, err := client.ObserveCalls().Wait(ctx, func(calls []*session.Call) bool { return len(calls) > 0 })
	if err != nil {
		return err
	}
	k := calls[0]
	if _, err := k.ObserveStatus().Wait(ctx, func(s session.CallStatus) bool { return s == session.CallStatusConnected }); err != nil {
		return errors.Join(err, k.Err())
	}
	fmt.Println("call", k.ID(), k.SelfID())
	<-k.Done()
	return nil
}

func onLoopback(e *webrtc.SettingEngine) {
	e.SetIncludeLoopbackCandidate(true)
	e.SetIPFilter(net.IP.IsLoopback)
	e.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
}

const pcmRate = 16000

// tellPitch tells of each fifth of a second of sound how often it swings up.
func tellPitch() func([]int16) error {
	var last int16
	samples, rises := 0, 0
	return func(pcm []int16) error {
		for _, v := range pcm {
			if last < 0 && v >= 0 {
				rises++
			}
			last = v
		}
		if samples += len(pcm); samples >= pcmRate/5 {
			fmt.Println("hears", rises*pcmRate/samples)
			samples, rises = 0, 0
		}
		return nil
	}
}

// A caller is such a process, seen from outside.
type caller struct {
	*exec.Cmd
	lines        *bufio.Scanner
	call, member string
}

// callsOver starts a process that has a call and hears the tone of the gateway.
func callsOver(t *testing.T, b *broker, gw *sessiontest.Server, dial string) *caller {
	t.Helper()
	sat := gw.IssueSAT(sessiontest.SATRequest{Reference: "ann", TTL: time.Hour})
	c := &caller{Cmd: exec.CommandContext(t.Context(), os.Args[0])}
	c.Env = append(os.Environ(), roleVariable+"="+callerRole, natsVariable+"="+b.ClientURL(), apiVariable+"="+gw.APIURL(),
		socketVariable+"="+gw.RelayURL(), tokenVariable+"="+sat.Token, dialVariable+"="+dial)
	out, err := c.StdoutPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.kill)
	said := ""
	for c.lines = bufio.NewScanner(out); c.lines.Scan(); {
		var hz float64
		said += c.lines.Text() + "\n"
		_, _ = fmt.Sscanf(c.lines.Text(), "call %s %s", &c.call, &c.member)
		if _, _ = fmt.Sscanf(c.lines.Text(), "hears %g", &hz); c.call != "" && math.Abs(hz-440) < 10 {
			return c
		}
	}
	t.Fatalf("it hears no tone in a call, but says\n%s", said)
	return nil
}

// kill ends the process with SIGKILL.
func (c *caller) kill() {
	_ = c.Process.Kill()
	_ = c.Wait()
}

// TestCallOutlivesItsKilledProcessOnAnotherMachine: all that the next process has is
// the bucket. It resumes the session and the call, as the same member, and hears it.
func TestCallOutlivesItsKilledProcessOnAnotherMachine(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for a real lease")
	}
	b, gw := newBroker(t), sessiontest.NewServer(t)
	first := callsOver(t, b, gw, "/public/tone")
	first.kill()
	second := callsOver(t, b, gw, "")
	if second.call != first.call || second.member != first.member {
		t.Errorf("call %s as %s, want %s as %s", second.call, second.member, first.call, first.member)
	}
	if sessions, calls := len(gw.Sessions()), len(gw.Calls()); sessions != 1 || calls != 1 {
		t.Errorf("%d sessions and %d calls, want those that were there", sessions, calls)
	}
}
