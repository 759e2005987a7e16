//go:build unix

package storagetest_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/session"
)

// The test binary is the program whose processes these tests start and kill.
const (
	dirVariable  = "STORAGETEST_DIR"
	roleVariable = "STORAGETEST_ROLE"
)

const lasting = session.ScopePersistent

// play is what such a process does with the file storage in dir. It tells each
// step when it is done.
func play(role, dir string) {
	s, err := session.NewFileStorage(dir)
	if err != nil {
		fmt.Println("failed:", err)
		return
	}
	switch ctx := context.Background(); role {
	case "writer":
		for i := 0; err == nil; i++ {
			if err = s.Set(ctx, lasting, "k", numbered(i)); err == nil {
				fmt.Println(i)
			}
		}
	case "counter":
		for i := 0; i < increments && err == nil; i++ {
			if err = increment(ctx, s.(session.SharedStorage)); err == nil {
				fmt.Println(i)
			}
		}
	case "crowded":
		err = fillDisk(ctx, s, dir)
	}
	if err != nil {
		fmt.Println("failed:", err)
	}
}

// numbered is a large value that tells its number, and whether it is whole.
func numbered(i int) []byte {
	return append(fmt.Appendf(nil, "%d:", i), bytes.Repeat([]byte{byte('a' + i%26)}, 100_000+50_000*(i%7))...)
}

func numberOf(value []byte) (int, bool) {
	head, _, _ := strings.Cut(string(value), ":")
	i, err := strconv.Atoi(head)
	return i, err == nil && bytes.Equal(value, numbered(i))
}

const increments = 40

func increment(ctx context.Context, s session.SharedStorage) error {
	for {
		old, _, err := s.Get(ctx, lasting, "count")
		if err != nil {
			return err
		}
		n, _ := strconv.Atoi(string(old))
		if ok, err := s.Swap(ctx, lasting, "count", old, []byte(strconv.Itoa(n+1))); ok || err != nil {
			return err
		}
	}
}

// A process is a child of the test and the lines that it prints.
type process struct {
	*exec.Cmd
	lines *bufio.Scanner
}

func begin(t *testing.T, role, dir string) *process {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), dirVariable+"="+dir, roleVariable+"="+role)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	return &process{Cmd: cmd, lines: bufio.NewScanner(out)}
}

// told reads up to count lines and returns the number in the last one, which is
// that of the last step that was done.
func (p *process) told(t *testing.T, count int) int {
	t.Helper()
	last := -1
	for ; count > 0 && p.lines.Scan(); count-- {
		n, err := strconv.Atoi(p.lines.Text())
		if err != nil {
			t.Fatalf("the child says %q", p.lines.Text())
		}
		last = n
	}
	return last
}

// kill ends p at once, and returns the last step that it has told of.
func (p *process) kill(t *testing.T, before int) int {
	t.Helper()
	if err := p.Process.Signal(syscall.SIGKILL); err != nil {
		t.Error(err)
	}
	last := max(before, p.told(t, 1<<30))
	_ = p.Wait()
	return last
}

func tempFiles(t *testing.T, dir string) int {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "*.tmp-*"))
	if err != nil {
		t.Fatal(err)
	}
	return len(found)
}

func TestKilledWriterLeavesTheOldValueOrTheNewOne(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 0))
	rounds, unfinished := 40, 0
	if testing.Short() {
		rounds = 10
	}
	dir := filepath.Join(t.TempDir(), "store")
	for round := range rounds {
		p := begin(t, "writer", dir)
		told := p.told(t, 1+random.IntN(3))
		<-time.After(time.Duration(random.IntN(4000)) * time.Microsecond) // somewhere in the next write
		told = p.kill(t, told)
		unfinished += tempFiles(t, dir)

		s, err := session.NewFileStorage(dir)
		if err != nil {
			t.Fatal(err)
		}
		value, ok, err := s.Get(t.Context(), lasting, "k")
		n, whole := numberOf(value)
		if !ok || err != nil || !whole || n != told && n != told+1 {
			t.Fatalf("seed %d, round %d: after write %d: number %d, whole %v, %d bytes, %v", seed, round, told, n, whole, len(value), err)
		}
		if left := tempFiles(t, dir); left != 0 {
			t.Errorf("seed %d, round %d: %d unfinished files are still there", seed, round, left)
		}
		if ok, err := s.(session.SharedStorage).Swap(t.Context(), lasting, "k", value, numbered(0)); !ok || err != nil {
			t.Errorf("seed %d, round %d: Swap after the kill: %v, %v", seed, round, ok, err)
		}
	}
	if t.Logf("%d of %d kills left an unfinished file", unfinished, rounds); unfinished == 0 {
		t.Errorf("seed %d: no kill met a write", seed)
	}
}

func TestProcessesLoseNoSwapAndNoLockWhenOneIsKilled(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	all := []*process{begin(t, "counter", dir), begin(t, "counter", dir), begin(t, "counter", dir)}
	victim := all[0]
	done := 1 + victim.kill(t, victim.told(t, increments/2))
	for _, p := range all[1:] {
		if n := 1 + p.told(t, 1<<30); n != increments {
			t.Errorf("a process did %d of %d", n, increments)
		}
		done += increments
		if err := p.Wait(); err != nil {
			t.Error(err)
		}
	}
	s, err := session.NewFileStorage(dir)
	if err != nil {
		t.Fatal(err)
	}
	value, _, err := s.Get(t.Context(), lasting, "count")
	if n, _ := strconv.Atoi(string(value)); err != nil || n != done && n != done+1 {
		t.Errorf("counted %s, %v; want %d, or one more that was not told of", value, err, done)
	}
}

// fillDisk tries what does not fit, by a limit on the size of files, which the
// system reports as it does a disk that is full.
func fillDisk(ctx context.Context, s session.Storage, dir string) error {
	if err := s.Set(ctx, lasting, "k", []byte("old")); err != nil {
		return err
	}
	signal.Ignore(syscall.SIGXFSZ)
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 4096, Max: 4096}); err != nil {
		return err
	}
	_, swap := s.(session.SharedStorage).Swap(ctx, lasting, "k", []byte("old"), make([]byte, 10_000))
	for _, err := range []error{s.Set(ctx, lasting, "k", make([]byte, 10_000)), swap} {
		var storage *errs.StorageError
		fmt.Println(errors.As(err, &storage) && storage.Op == "write" && storage.Key == "k", errors.Is(err, syscall.EFBIG))
	}
	value, ok, err := s.Get(ctx, lasting, "k")
	left, _ := filepath.Glob(filepath.Join(dir, "*.tmp-*"))
	fmt.Println(string(value), ok, err, len(left))
	return s.Set(ctx, lasting, "k", []byte("new"))
}

func TestFullDiskIsATypedErrorAndKeepsTheOldValue(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), dirVariable+"="+dir, roleVariable+"=crowded")
	cmd.Stderr = io.Discard
	said, err := cmd.Output()
	if want := "true true\ntrue true\nold true <nil> 0\n"; err != nil || string(said) != want {
		t.Errorf("the child says %q, %v; want %q", said, err, want)
	}
	s, err := session.NewFileStorage(dir)
	if err != nil {
		t.Fatal(err)
	}
	if v, ok, err := s.Get(t.Context(), lasting, "k"); !ok || err != nil || string(v) != "new" {
		t.Errorf("what fits is written again: %q, %v, %v", v, ok, err)
	}
}
