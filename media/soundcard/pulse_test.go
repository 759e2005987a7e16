package soundcard_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// The tests have a PulseAudio of their own, with a loudspeaker "desk".
func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "soundcard")
	if err != nil {
		panic(err)
	}
	s, err := startServer(dir, "desk")
	if err != nil {
		fmt.Fprintf(os.Stderr, "these tests need PulseAudio (Debian: pulseaudio, pulseaudio-utils): %v\n", err)
		os.Exit(1)
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		s.stop()
		_ = os.RemoveAll(dir)
		os.Exit(code)
	}))
}

// A server is a PulseAudio that nobody else uses.
type server struct {
	dir string
	cmd *exec.Cmd
}

// startServer starts one with these loudspeakers, and has the process use it.
func startServer(dir string, sinks ...string) (*server, error) {
	socket := filepath.Join(dir, "native")
	args := []string{
		"--daemonize=no", "-n", "--exit-idle-time=-1", "--use-pid-file=no", "--disable-shm=yes",
		"--realtime=no", "--high-priority=no", "--load=module-native-protocol-unix auth-anonymous=1 socket=" + socket,
	}
	for _, sink := range sinks {
		args = append(args, "--load="+null(sink))
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	for _, name := range []string{"HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME"} {
		os.Setenv(name, dir)
	}
	os.Setenv("PULSE_SERVER", "unix:"+socket)
	s := &server{dir, exec.Command("pulseaudio", args...)}
	s.cmd.Stdout, s.cmd.Stderr = log, log
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	if err := s.ready(socket); err != nil {
		s.stop()
		text, _ := os.ReadFile(log.Name())
		return nil, fmt.Errorf("%w\n%s", err, text)
	}
	return s, nil
}

func null(sink string) string {
	return fmt.Sprintf("module-null-sink sink_name=%s sink_properties=device.description=The_%[1]s rate=48000", sink)
}

// ready waits until somebody listens.
func (s *server) ready(socket string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := net.Dial("unix", socket)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), err)
		}
	}
}

func (s *server) stop() {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
}

// ownServer is a server for one test, which may stop it.
func ownServer(t *testing.T, sinks ...string) *server {
	t.Helper()
	for _, name := range []string{"HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "PULSE_SERVER"} {
		t.Setenv(name, os.Getenv(name)) // to have it back afterwards
	}
	s, err := startServer(t.TempDir(), sinks...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.stop)
	return s
}

func pactl(t testing.TB, args ...string) string {
	t.Helper()
	out, err := exec.Command("pactl", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("pactl %q: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// plugIn adds a loudspeaker for the test. The function takes it away.
func plugIn(t testing.TB, sink string) (unplug func()) {
	t.Helper()
	module := pactl(t, append([]string{"load-module"}, strings.Fields(null(sink))...)...)
	gone := false
	unplug = func() {
		if !gone {
			gone = true
			pactl(t, "unload-module", module)
		}
	}
	t.Cleanup(unplug)
	return unplug
}
