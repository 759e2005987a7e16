package session

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/callrx/callrx/errs"
)

// NewFileStorage keeps persistent values as files in dir, which it creates with
// mode 0700 if need be, one file of mode 0600 a key, written atomically: a
// process that is killed leaves the old value or the new one. Session-scoped
// values stay in memory.
//
// It is a [SharedStorage]: processes of one machine may use the same dir, and
// wait for each other with a lock that the system releases when they end. On
// systems without file locks every write fails. A value has 16 MiB at most, and
// a file that is damaged, not of callrx, or open to others is an error when its
// key is read; writing the key repairs it.
//
// It returns *errs.StorageError when dir cannot be used, or (except on Windows)
// when others may read it. It needs no closing.
func NewFileStorage(dir string) (Storage, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, &errs.StorageError{Op: "open", OriginalError: err}
	}
	if err := checkPrivate(dir); err != nil {
		return nil, &errs.StorageError{Op: "open", OriginalError: err}
	}
	root, err := os.OpenRoot(dir) // no link in dir can lead out of it
	if err != nil {
		return nil, &errs.StorageError{Op: "open", OriginalError: err}
	}
	f := &fileStorage{root: root, lock: newDirLock(root), session: newMemoryStorage()}
	f.sweep()
	return f, nil
}

func checkPrivate(dir string) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("%s has mode %v: others may read it; use 0700", dir, info.Mode().Perm())
	}
	return nil
}

type fileStorage struct {
	root    *os.Root
	lock    *dirLock
	session *memoryStorage
}

// fileName makes any key a safe file name; keys stay recognisable in a listing.
func fileName(key string) string {
	safe := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' {
			return r
		}
		return -1
	}, key)
	return safe + "=" + base64.RawURLEncoding.EncodeToString([]byte(key))
}

func keyOf(name string) (string, bool) {
	_, encoded, ok := strings.Cut(name, "=")
	key, err := base64.RawURLEncoding.DecodeString(encoded)
	return string(key), ok && err == nil
}

func (f *fileStorage) Get(ctx context.Context, s Scope, key string) ([]byte, bool, error) {
	if s != ScopePersistent {
		return f.session.Get(ctx, s, key)
	}
	if err := ctx.Err(); err != nil {
		return nil, false, &errs.StorageError{Op: "read", Key: key, OriginalError: err}
	}
	return f.read(key)
}

func (f *fileStorage) Set(ctx context.Context, s Scope, key string, value []byte) error {
	if s != ScopePersistent {
		return f.session.Set(ctx, s, key, value)
	}
	return f.change(ctx, "write", key, func() error { return f.write(key, value) })
}

func (f *fileStorage) Swap(ctx context.Context, s Scope, key string, old, value []byte) (bool, error) {
	if s != ScopePersistent {
		return f.session.Swap(ctx, s, key, old, value)
	}
	swapped := false
	err := f.change(ctx, "write", key, func() error {
		current, exists, err := f.read(key)
		if err != nil || !unchanged(current, exists, old) {
			return err
		}
		if value == nil {
			err = f.remove(key)
		} else {
			err = f.write(key, value)
		}
		swapped = err == nil
		return err
	})
	return swapped, err
}

func (f *fileStorage) Delete(ctx context.Context, s Scope, key string) error {
	if s != ScopePersistent {
		return f.session.Delete(ctx, s, key)
	}
	return f.change(ctx, "delete", key, func() error { return f.remove(key) })
}

func (f *fileStorage) Clear(ctx context.Context, s Scope, prefix string) error {
	if s != ScopePersistent {
		return f.session.Clear(ctx, s, prefix)
	}
	return f.change(ctx, "clear", prefix, func() error {
		entries, err := fs.ReadDir(f.root.FS(), ".")
		for _, e := range entries {
			if key, ok := keyOf(e.Name()); ok && strings.HasPrefix(key, prefix) {
				err = errors.Join(err, f.remove(key))
			}
		}
		return err
	})
}

// change does what changes files while nobody else does. A failure becomes a
// StorageError, unless it is one.
func (f *fileStorage) change(ctx context.Context, op, key string, do func() error) error {
	err := f.lock.hold(ctx, do)
	var typed *errs.StorageError
	if err == nil || errors.As(err, &typed) {
		return err
	}
	return &errs.StorageError{Op: op, Key: key, OriginalError: err}
}

// sweepTimeout bounds how long NewFileStorage waits for other processes.
const sweepTimeout = time.Second

// sweep removes what processes that were killed did not finish to write, if it
// can. The lock tells it from what others are writing now.
func (f *fileStorage) sweep() {
	if len(f.unfinished()) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), sweepTimeout)
	defer cancel()
	_ = f.lock.hold(ctx, func() error {
		for _, name := range f.unfinished() {
			_ = f.root.Remove(name)
		}
		return nil
	})
}

func (f *fileStorage) unfinished() []string {
	var names []string
	entries, _ := fs.ReadDir(f.root.FS(), ".")
	for _, e := range entries {
		name, _, ok := strings.Cut(e.Name(), tempMark)
		if _, ours := keyOf(name); ok && ours {
			names = append(names, e.Name())
		}
	}
	return names
}
