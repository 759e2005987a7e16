//go:build unix

package session_test

import (
	"bufio"
	"context"
	"fmt"
	"math"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// survivorProcess in the environment is a directory: it makes the test binary a
// program that keeps its session and calls there, and hears what they say.
const survivorProcess = "CALLRX_TEST_SURVIVOR"

// TestSurvivorProcess is the program that TestCallOutlivesAProcessThatIsKilled
// kills and starts again, and otherwise nothing.
func TestSurvivorProcess(t *testing.T) {
	dir := os.Getenv(survivorProcess)
	if dir == "" {
		return
	}
	heard := newListener(t)
	sound := onLoop(session.MediaOptions{AudioSink: heard})
	c, err := session.Open(t.Context(), session.StaticCredentials(session.Credential{Token: os.Getenv("TOKEN")}), session.Options{
		APIURL: os.Getenv("API_URL"), RelayURL: os.Getenv("RELAY_URL"),
		PersistSession: true, Storage: fileStorage(t, dir), ReconnectAttachedCalls: true,
		ReattachMedia: func(*session.Call) session.MediaOptions { return sound },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var k *session.Call
	if os.Getenv("DIAL") != "" {
		k = mustDial(t, c, os.Getenv("DIAL"), session.DialOptions{MediaOptions: sound})
	} else {
		calls, err := c.ObserveCalls().Wait(t.Context(), func(calls []*session.Call) bool { return len(calls) > 0 })
		if err != nil {
			t.Fatal(err)
		}
		k = calls[0]
	}
	awaitStatus(t, k, session.CallStatusConnected)
	hear(t, heard, 500*time.Millisecond)
	hz, level := loudest(hear(t, heard, 200*time.Millisecond), 16000)
	fmt.Println("hears", k.ID(), k.SelfID(), hz, level)
	<-k.Done()
	fmt.Println("over", k.EndReason().Code)
}

// A survivor is that program while it runs.
type survivor struct {
	cmd   *exec.Cmd
	lines *bufio.Scanner
}

func startSurvivor(t *testing.T, srv *sessiontest.Server, dir, dial string) *survivor {
	t.Helper()
	sat := srv.IssueSAT(sessiontest.SATRequest{Reference: "ann", TTL: time.Hour})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	s := &survivor{cmd: exec.CommandContext(ctx, os.Args[0], "-test.run", "^TestSurvivorProcess$", "-test.v")}
	s.cmd.Env = append(os.Environ(), survivorProcess+"="+dir, "DIAL="+dial,
		"API_URL="+srv.APIURL(), "RELAY_URL="+srv.RelayURL(), "TOKEN="+sat.Token)
	out, err := s.cmd.StdoutPipe()
	if err == nil {
		err = s.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = s.cmd.Wait()
	})
	s.lines = bufio.NewScanner(out)
	return s
}

// says waits for a line that begins with word, and reads what follows.
func (s *survivor) says(t *testing.T, word string, into ...any) {
	t.Helper()
	var said string
	for s.lines.Scan() {
		said += s.lines.Text() + "\n"
		var first string
		if _, err := fmt.Sscan(s.lines.Text(), append([]any{&first}, into...)...); err == nil && first == word {
			return
		}
	}
	t.Fatalf("the process does not say %q but\n%s", word, said)
}

// TestCallOutlivesAProcessThatIsKilled with kill -9, in mid-call: another process
// over the same files resumes the session and the call, and hears the tone again.
func TestCallOutlivesAProcessThatIsKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for real leases")
	}
	srv, dir := sessiontest.NewServer(t), t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	var id, member, again, as string
	var hz, level float64
	first := startSurvivor(t, srv, dir, "/public/tone")
	first.says(t, "hears", &id, &member, &hz, &level)
	if err := first.cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	second := startSurvivor(t, srv, dir, "")
	second.says(t, "hears", &again, &as, &hz, &level)
	if again != id || as != member {
		t.Errorf("call %s as %s, want %s as %s", again, as, id, member)
	}
	if math.Abs(hz-440) > 5 || math.Abs(level+6) > 1.5 {
		t.Errorf("it hears %.1f Hz at %.1f dBFS, want 440 at -6", hz, level)
	}
	if n := len(srv.Sessions()); n != 1 {
		t.Errorf("%d sessions, want the first one resumed", n)
	}
	info, _ := srv.Call(id)
	if n := len(srv.Calls()); n != 1 || info.MemberID != member {
		t.Errorf("the gateway has %d calls, this one of %s", n, info.MemberID)
	}
	if !srv.HangupCall(id, "NORMAL_CLEARING", errs.CauseNormalClearing) {
		t.Error("there is no such call")
	}
	var code int
	second.says(t, "over", &code)
	wantNoLegs(t, srv)
}
