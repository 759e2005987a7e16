package session

import (
	"context"
	"os"
	"path/filepath"
	"time"
)

// lockName is the file in a storage's directory that whoever writes there holds
// locked. It is never removed: a lock on a removed file keeps nobody out.
const lockName = ".lock"

// Between two tries to get the lock, which the system cannot be waited for with
// a context.
const (
	lockFirstPause   = time.Millisecond
	lockLongestPause = 20 * time.Millisecond
)

// A dirLock lets one goroutine of one process at a time write to a directory.
// The system releases it when the process ends, however it ends.
type dirLock struct {
	root *os.Root
	turn chan struct{} // filled by the goroutine of this storage whose turn it is
}

func newDirLock(root *os.Root) *dirLock {
	return &dirLock{root: root, turn: make(chan struct{}, 1)}
}

// hold calls do while it holds the lock.
func (l *dirLock) hold(ctx context.Context, do func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case l.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-l.turn }()
	file, err := l.open()
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // and with it the lock
	if err := wait(ctx, file); err != nil {
		return err
	}
	return do()
}

// open refuses what would lock something else.
func (l *dirLock) open() (*os.File, error) {
	if info, err := l.root.Lstat(lockName); err == nil && !info.Mode().IsRegular() {
		return nil, notRegular(filepath.Join(l.root.Name(), lockName))
	}
	return l.root.OpenFile(lockName, os.O_RDWR|os.O_CREATE, 0o600)
}

func wait(ctx context.Context, file *os.File) error {
	for pause := lockFirstPause; ; pause = min(2*pause, lockLongestPause) {
		if held, err := tryLock(file); held || err != nil {
			return err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
