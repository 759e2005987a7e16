package interop

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
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
	defer s.close()
	stage = s
	return m.Run()
}

func complain(err error) int {
	fmt.Fprintln(os.Stderr, "the browser suite cannot start:", err)
	return 1
}

// artifacts is where a failing scenario leaves its screenshot.
func artifacts() string { return filepath.Join(os.TempDir(), "callrx-browser") }
