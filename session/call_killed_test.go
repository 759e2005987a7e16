//go:build unix

package session_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// recorderProcess in the environment is a directory: it makes the test binary a
// program that records calls there and knows nothing of signals.
const recorderProcess = "CALLRX_TEST_RECORDER"

// recordCalls calls the echo of a gateway twice, says so, and records until it is
// killed.
func recordCalls(t *testing.T, dir, apiURL, relayURL, token string) {
	c, err := session.Open(t.Context(), session.StaticCredentials(session.Credential{Token: token}),
		session.Options{APIURL: apiURL, RelayURL: relayURL, DPoPKey: sharedKey()})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	in := func(name string) media.Sink { return recorder(t, filepath.Join(dir, name)) }
	_, pattern := patternSource(t)
	connected(t, c, "/public/echo?channel=video", session.DialOptions{MediaOptions: onLoop(session.MediaOptions{
		AudioSource: endless(t, media.PCMU), AudioSink: in("heard.wav"), VideoSource: pattern, VideoSink: in("seen.ivf"),
	})})
	connected(t, c, "/public/echo", session.DialOptions{MediaOptions: onLoop(session.MediaOptions{
		AudioSource: endless(t, media.Opus), AudioSink: in("heard.ogg"),
	})})
	fmt.Println("recording")
	<-c.Done()
}

// TestRecorderProcess is the program that TestRecordingsAreWholeWhenTheProcessIsKilled
// kills, and otherwise nothing.
func TestRecorderProcess(t *testing.T) {
	if dir := os.Getenv(recorderProcess); dir != "" {
		recordCalls(t, dir, os.Getenv("API_URL"), os.Getenv("RELAY_URL"), os.Getenv("TOKEN"))
	}
}

// TestRecordingsAreWholeWhenTheProcessIsKilled in the middle of its calls: files
// say what they hold, and can be played in another call.
func TestRecordingsAreWholeWhenTheProcessIsKilled(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		t.Run(signal.String(), func(t *testing.T) {
			dir := t.TempDir()
			recordAndKill(t, dir, signal)
			wav, ogg := wavLength(t, dir+"/heard.wav"), oggLength(t, dir+"/heard.ogg")
			if wav < time.Second || ogg < time.Second {
				t.Errorf("the recordings last %v and %v", wav, ogg)
			}
			file, err := os.ReadFile(dir + "/seen.ivf")
			if err != nil {
				t.Fatal(err)
			}
			frames, _ := pictures(t, file)
			said := int(binary.LittleEndian.Uint32(file[24:]))
			if len(frames) < 10 || said < len(frames)-1 || said > len(frames) {
				t.Errorf("the header says %d pictures, and %d are there", said, len(frames))
			}
			playAgain(t, dir, len(frames))
		})
	}
}

// recordAndKill runs a recorder until it has recorded more than a second.
func recordAndKill(t *testing.T, dir string, signal syscall.Signal) {
	t.Helper()
	srv := sessiontest.NewServer(t)
	sat := srv.IssueSAT(sessiontest.SATRequest{Reference: "ann", TTL: time.Hour})
	cmd := exec.Command(os.Args[0], "-test.run", "^TestRecorderProcess$", "-test.v")
	cmd.Env = append(os.Environ(), recorderProcess+"="+dir,
		"API_URL="+srv.APIURL(), "RELAY_URL="+srv.RelayURL(), "TOKEN="+sat.Token)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	lines := bufio.NewScanner(io.TeeReader(out, &said))
	for lines.Scan() && lines.Text() != "recording" {
	}
	if lines.Text() != "recording" {
		_ = cmd.Wait()
		t.Fatalf("the recorder does not record:\n%s", said.String())
	}
	for name, size := range map[string]int64{"heard.wav": 44 + 2*18000, "heard.ogg": 6000, "seen.ivf": 6000} {
		eventually(t, name+" grows", func() bool {
			info, err := os.Stat(filepath.Join(dir, name))
			return err == nil && info.Size() > size
		})
	}
	if err := cmd.Process.Signal(signal); err != nil {
		t.Error(err)
	}
	_ = cmd.Wait() // says that it was killed
	if status := cmd.ProcessState.Sys().(syscall.WaitStatus); status.Signal() != signal {
		t.Errorf("the recorder ended with %v, not by %v", cmd.ProcessState, signal)
	}
}

// wantRecorded checks that all of a recording, and only that, is heard. How loud it
// is is up to the moment in which it was made: where the machine was too busy for a
// tone in real time there are gaps.
func wantRecorded(t *testing.T, file string, l *media.Listener) {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	was := make([]int16, wavLength(t, file)*16000/time.Second)
	for i := range was {
		was[i] = int16(binary.LittleEndian.Uint16(content[44+2*i:]))
	}
	now := hear(t, l, wavLength(t, file)+time.Second)
	if d := 10 * math.Log10(energy(now)/energy(was)); math.IsNaN(d) || math.Abs(d) > 1.5 {
		t.Errorf("what is heard has %.1f dB more energy than the recording", d)
	}
	if hz, _ := loudest(now, 16000); math.Abs(hz-440) > 5 {
		t.Errorf("heard %.1f Hz, want 440", hz)
	}
}

func energy(pcm []int16) (sum float64) {
	for _, s := range pcm {
		sum += float64(s) * float64(s)
	}
	return sum
}

// playAgain plays recordings to the echo and looks at what comes back.
func playAgain(t *testing.T, dir string, frames int) {
	t.Helper()
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		wav, wavErr := media.NewWAVSource(reopen(t, dir+"/heard.wav"), nil)
		ogg, oggErr := media.NewOggSource(reopen(t, dir+"/heard.ogg"), nil)
		ivf, ivfErr := media.NewIVFSource(reopen(t, dir+"/seen.ivf"), nil)
		if err := errors.Join(wavErr, oggErr, ivfErr); err != nil {
			t.Fatal(err)
		}
		ann, tone, again := b.client(t, "ann"), newListener(t), dir+"/again.ivf"
		k := connected(t, ann.Client, "/public/echo?channel=video", ann.dialing(session.MediaOptions{
			AudioSource: wav, AudioSink: tone, VideoSource: ivf, VideoSink: recorder(t, again),
		}))
		wantRecorded(t, dir+"/heard.wav", tone)
		pass(5 * time.Second)
		b.over(t, ann, k)
		file, err := os.ReadFile(again)
		if err != nil || len(file) < 32 {
			t.Fatalf("no picture came back: %v", err)
		}
		if got, _ := pictures(t, file); len(got) != frames {
			t.Errorf("%d pictures of %d came back", len(got), frames)
		}
		speech := newListener(t)
		k = connected(t, ann.Client, "/public/echo", ann.dialing(session.MediaOptions{AudioSource: ogg, AudioSink: speech}))
		if level, _ := voice(hear(t, speech, 4*time.Second)); level < -40 {
			t.Errorf("the speech is at %.1f dBFS", level)
		}
		b.over(t, ann, k)
	})
}

func reopen(t *testing.T, name string) *os.File {
	t.Helper()
	file, err := os.Open(name) // the call closes it
	if err != nil {
		t.Fatal(err)
	}
	return file
}
