package interop

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "callrx-browser-")
	if err != nil {
		return complain(err)
	}
	defer os.RemoveAll(dir)
	s, err := startStage(dir)
	if err != nil {
		return complain(err)
	}
	stage = s
	status := m.Run()
	s.close()
	if err := goleak.Find(); err != nil && status == 0 {
		fmt.Fprintln(os.Stderr, "goroutines are left:", err)
		return 1
	}
	return status
}

func complain(err error) int {
	fmt.Fprintln(os.Stderr, "the browser suite cannot start:", err)
	return 1
}

// artifacts is where a failing scenario leaves its screenshot.
func artifacts() string { return filepath.Join(os.TempDir(), "callrx-browser") }
