package session_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/storagetest"
)

const (
	process = session.ScopeSession
	lasting = session.ScopePersistent
)

func TestStoragesKeepTheirContract(t *testing.T) {
	stored := func() string { return filepath.Join(t.TempDir(), "store") }
	for name, open := range map[string]func() (session.Storage, error){
		"memory": func() (session.Storage, error) { return session.NewMemoryStorage(), nil },
		"files":  func() (session.Storage, error) { return session.NewFileStorage(stored()) },
		"sealed": func() (session.Storage, error) {
			return session.NewSealedStorage(session.NewMemoryStorage(), sealKey(1))
		},
		"sealed, of one process": func() (session.Storage, error) {
			return session.NewSealedStorage(struct{ session.Storage }{session.NewMemoryStorage()}, sealKey(1))
		},
	} {
		if err := storagetest.TestStorage(t.Context(), open); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Two storages over one directory know nothing of each other, as in two
// processes.
func TestProcessesShareFiles(t *testing.T) {
	err := storagetest.TestShared(t.Context(), func() (a, b session.SharedStorage, err error) {
		dir := filepath.Join(t.TempDir(), "store")
		return fileStorage(t, dir).(session.SharedStorage), fileStorage(t, dir).(session.SharedStorage), nil
	})
	if err != nil {
		t.Error(err)
	}
	err = storagetest.TestShared(t.Context(), func() (a, b session.SharedStorage, err error) {
		dir := filepath.Join(t.TempDir(), "store")
		return sealedStorage(t, fileStorage(t, dir), sealKey(1)), sealedStorage(t, fileStorage(t, dir), sealKey(1)), nil
	})
	if err != nil {
		t.Errorf("sealed: %v", err)
	}
}

func fileStorage(t *testing.T, dir string) session.Storage {
	t.Helper()
	s, err := session.NewFileStorage(dir)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func set(t *testing.T, s session.Storage, scope session.Scope, key, value string) {
	t.Helper()
	if err := s.Set(t.Context(), scope, key, []byte(value)); err != nil {
		t.Fatalf("Set(%q): %v", key, err)
	}
}

func wantValue(t *testing.T, s session.Storage, scope session.Scope, key, want string, exists bool) {
	t.Helper()
	got, ok, err := s.Get(t.Context(), scope, key)
	if err != nil || ok != exists || string(got) != want {
		t.Errorf("Get(%q) = %.40q, %v, %v; want %.40q, %v", key, got, ok, err, want, exists)
	}
}

func TestFileStorageIsPrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "store")
	s := fileStorage(t, dir)
	set(t, s, lasting, "sw:key", "secret")
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("directory: %v, %v", info.Mode(), err)
	}
	for _, path := range files(t, dir) {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
		if err := os.Chmod(path, 0o640); err != nil {
			t.Fatal(err)
		}
	}
	var storage *errs.StorageError
	if _, ok, err := s.Get(t.Context(), lasting, "sw:key"); ok || !errors.As(err, &storage) || storage.Op != "read" || storage.Key != "sw:key" {
		t.Errorf("reading a file that others may read: %v, %v", ok, err)
	}
	set(t, s, lasting, "sw:key", "secret again") // replaces the file, mode and all
	wantValue(t, s, lasting, "sw:key", "secret again", true)
}

// files are those in dir, without the one that is locked.
func files(t *testing.T, dir string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*"))
	hidden, _ := filepath.Glob(filepath.Join(dir, ".*"))
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(append(paths, hidden...), func(path string) bool { return filepath.Base(path) == ".lock" })
}

func TestFileStorageRefusesWhatIsNotItsOwn(t *testing.T) {
	parent := t.TempDir()
	mkdir := func(name string, mode os.FileMode) string {
		dir := filepath.Join(parent, name)
		if err := errors.Join(os.Mkdir(dir, 0o700), os.Chmod(dir, mode)); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	link, file := filepath.Join(parent, "link"), filepath.Join(parent, "file")
	if err := errors.Join(os.Symlink(mkdir("target", 0o700), link), os.WriteFile(file, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	for name, dir := range map[string]string{
		"group may read": mkdir("group", 0o750), "anybody may enter": mkdir("world", 0o701), "anybody may write": mkdir("shared", 0o777),
		"a link": link, "a file": file, "below a file": filepath.Join(file, "x"),
	} {
		s, err := session.NewFileStorage(dir)
		var storage *errs.StorageError
		if s != nil || !errors.As(err, &storage) || storage.Op != "open" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFileStorageFollowsNoLinks(t *testing.T) {
	dir, outside := filepath.Join(t.TempDir(), "store"), filepath.Join(t.TempDir(), "outside")
	s := fileStorage(t, dir)
	set(t, s, lasting, "k", "mine")
	name := files(t, dir)[0]
	var storage *errs.StorageError
	for what, plant := range map[string]func() error{
		"a link out":       func() error { return os.Symlink(outside, name) },
		"a link within":    func() error { return os.Symlink("other", name) },
		"a directory":      func() error { return os.Mkdir(name, 0o700) },
		"a dangling link":  func() error { return os.Symlink("nowhere", name) },
		"a link to itself": func() error { return os.Symlink(filepath.Base(name), name) },
	} {
		err := errors.Join(os.RemoveAll(name), os.WriteFile(outside, []byte("theirs"), 0o600),
			os.WriteFile(filepath.Join(dir, "other"), []byte("theirs"), 0o600), plant())
		if err != nil {
			t.Fatal(err)
		}
		if v, ok, err := s.Get(t.Context(), lasting, "k"); ok || !errors.As(err, &storage) {
			t.Errorf("%s: read %q, %v", what, v, err)
		}
		if err := s.Set(t.Context(), lasting, "k", []byte("new")); err == nil {
			wantValue(t, s, lasting, "k", "new", true)
		}
		if theirs, err := os.ReadFile(outside); err != nil || string(theirs) != "theirs" {
			t.Errorf("%s: the file outside holds %q, %v", what, theirs, err)
		}
	}
}

func TestFileStorageRemovesWhatACrashLeftAndNothingElse(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	s := fileStorage(t, dir)
	set(t, s, lasting, "k", "whole")
	half := files(t, dir)[0] + ".tmp-ABC"
	foreign := []string{filepath.Join(dir, "README"), filepath.Join(dir, "=%"), filepath.Join(dir, "notes.tmp-1")}
	for _, junk := range append(foreign, half) {
		if err := os.WriteFile(junk, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	wantValue(t, s, lasting, "k", "whole", true)
	wantValue(t, fileStorage(t, dir), lasting, "k", "whole", true)
	if _, err := os.Stat(half); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what was half written: %v, want it removed", err)
	}
	if err := s.Clear(t.Context(), lasting, ""); err != nil {
		t.Fatal(err)
	}
	wantValue(t, s, lasting, "k", "", false)
	for _, name := range foreign {
		if _, err := os.Stat(name); err != nil {
			t.Errorf("what was not ours: %v", err)
		}
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	var storage *errs.StorageError
	if err := s.Set(context.Background(), lasting, "k", nil); !errors.As(err, &storage) || storage.Op != "write" {
		t.Errorf("writing to a directory that is gone: %v", err)
	}
}
