package session

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/callrx/callrx/errs"
)

// NewFileStorage keeps persistent values as files in dir, which it creates with
// mode 0700 if need be, one file of mode 0600 a key, written atomically.
// Session-scoped values stay in memory. It returns *errs.StorageError when dir
// cannot be used, or (except on Windows) when others may read it.
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
	return &fileStorage{root: root, session: NewMemoryStorage()}, nil
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
	session Storage
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
	name := fileName(key)
	value, err := f.read(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, false, nil
	case err != nil:
		return nil, false, &errs.StorageError{Op: "read", Key: key, OriginalError: err}
	}
	return value, true, nil
}

// read refuses what this storage would not have written.
func (f *fileStorage) read(name string) ([]byte, error) {
	info, err := f.root.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", filepath.Join(f.root.Name(), name))
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s has mode %v: others may read it", filepath.Join(f.root.Name(), name), info.Mode().Perm())
	}
	return f.root.ReadFile(name)
}

func (f *fileStorage) Set(ctx context.Context, s Scope, key string, value []byte) error {
	if s != ScopePersistent {
		return f.session.Set(ctx, s, key, value)
	}
	if err := f.write(fileName(key), value); err != nil {
		return &errs.StorageError{Op: "write", Key: key, OriginalError: err}
	}
	return nil
}

// write makes the new content durable under another name first, one that is no
// key and nobody else's: a reader sees the old file or the new one, whole, even
// after a crash.
func (f *fileStorage) write(name string, value []byte) error {
	temp := name + ".tmp-" + rand.Text()
	file, err := f.root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(value)
	if err == nil {
		err = file.Sync()
	}
	err = errors.Join(err, file.Close())
	if err == nil {
		err = f.root.Rename(temp, name)
	}
	if err != nil {
		_ = f.root.Remove(temp)
	}
	return err
}

func (f *fileStorage) Delete(ctx context.Context, s Scope, key string) error {
	if s != ScopePersistent {
		return f.session.Delete(ctx, s, key)
	}
	if err := f.root.Remove(fileName(key)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return &errs.StorageError{Op: "delete", Key: key, OriginalError: err}
	}
	return nil
}

func (f *fileStorage) Clear(ctx context.Context, s Scope, prefix string) error {
	if s != ScopePersistent {
		return f.session.Clear(ctx, s, prefix)
	}
	entries, err := fs.ReadDir(f.root.FS(), ".")
	if err != nil {
		return &errs.StorageError{Op: "clear", Key: prefix, OriginalError: err}
	}
	for _, e := range entries {
		if key, ok := keyOf(e.Name()); ok && strings.HasPrefix(key, prefix) {
			err = errors.Join(err, f.Delete(ctx, s, key))
		}
	}
	return err
}
