package session_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/session"
)

const (
	process = session.ScopeSession
	lasting = session.ScopePersistent
)

// oddKeys are keys that a careless file name would trip over.
var oddKeys = []string{
	"", ".", "..", "/", "a/b", "../../etc/passwd", `a\b`, "a:b", "sw:cached_credential", "sw:7f3e:as", "a b", "ä", "日本語", "a\x00b", "a\nb",
	"CON", "a.", "-rf", "*", "%2e", "=", "a=", ".tmp-x", strings.Repeat("k", 90), "a", "A",
}

func TestStorageKeepsItsContract(t *testing.T) {
	for name, open := range map[string]func(t *testing.T) session.Storage{
		"memory": func(*testing.T) session.Storage { return session.NewMemoryStorage() },
		"file":   func(t *testing.T) session.Storage { return fileStorage(t, filepath.Join(t.TempDir(), "store")) },
	} {
		for _, scope := range []session.Scope{process, lasting, "another"} {
			for _, law := range storageLaws {
				t.Run(name+"/"+string(scope)+"/"+law.name, func(t *testing.T) { law.check(t, open(t), scope) })
			}
		}
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

var storageLaws = []struct {
	name  string
	check func(t *testing.T, s session.Storage, scope session.Scope)
}{
	{"a missing key is no error", func(t *testing.T, s session.Storage, scope session.Scope) {
		for _, key := range oddKeys {
			wantValue(t, s, scope, key, "", false)
			if err := s.Delete(t.Context(), scope, key); err != nil {
				t.Errorf("Delete(%q): %v", key, err)
			}
		}
		if err := s.Clear(t.Context(), scope, ""); err != nil {
			t.Errorf("Clear: %v", err)
		}
	}},
	{"odd keys are keys like others", func(t *testing.T, s session.Storage, scope session.Scope) {
		for _, key := range oddKeys {
			set(t, s, scope, key, "value of "+key)
		}
		for _, key := range oddKeys {
			wantValue(t, s, scope, key, "value of "+key, true)
		}
		for i, key := range oddKeys {
			if err := s.Delete(t.Context(), scope, key); err != nil {
				t.Errorf("Delete(%q): %v", key, err)
			}
			wantValue(t, s, scope, key, "", false)
			for _, other := range oddKeys[i+1:] {
				wantValue(t, s, scope, other, "value of "+other, true)
			}
		}
	}},
	{"any bytes are a value, and the last one counts", func(t *testing.T, s session.Storage, scope session.Scope) {
		for _, value := range []string{"x", "", "\x00\xff\n", strings.Repeat("long", 1<<18), "y"} {
			set(t, s, scope, "k", value)
			wantValue(t, s, scope, "k", value, true)
		}
	}},
	{"values are copies", func(t *testing.T, s session.Storage, scope session.Scope) {
		mine := []byte("abc")
		if err := s.Set(t.Context(), scope, "k", mine); err != nil {
			t.Fatal(err)
		}
		mine[0] = 'X'
		got, _, _ := s.Get(t.Context(), scope, "k")
		got[1] = 'X'
		wantValue(t, s, scope, "k", "abc", true)
	}},
	{"scopes are apart", func(t *testing.T, s session.Storage, scope session.Scope) {
		set(t, s, scope, "k", "mine")
		for _, other := range []session.Scope{process, lasting} {
			if other != scope {
				wantValue(t, s, other, "k", "", false)
				if err := s.Clear(t.Context(), other, ""); err != nil {
					t.Error(err)
				}
			}
		}
		wantValue(t, s, scope, "k", "mine", true)
	}},
	{"clear goes by prefix", func(t *testing.T, s session.Storage, scope session.Scope) {
		for _, key := range []string{"sw:", "sw:a", "sw:/b", "sw", "SW:a", "x-sw:a"} {
			set(t, s, scope, key, key)
		}
		if err := s.Clear(t.Context(), scope, "sw:"); err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"sw:", "sw:a", "sw:/b"} {
			wantValue(t, s, scope, key, "", false)
		}
		for _, key := range []string{"sw", "SW:a", "x-sw:a"} {
			wantValue(t, s, scope, key, key, true)
		}
	}},
	{"goroutines may share it, and never see half a value", func(t *testing.T, s session.Storage, scope session.Scope) {
		var wg sync.WaitGroup
		for g := range 8 {
			wg.Go(func() {
				for i := range 20 {
					key := fmt.Sprint("k", i%3)
					value := bytes.Repeat([]byte{byte('a' + g)}, 10_000)
					if err := s.Set(t.Context(), scope, key, value); err != nil {
						t.Errorf("Set: %v", err)
					}
					got, ok, err := s.Get(t.Context(), scope, key)
					if err != nil || ok && (len(got) != len(value) || bytes.Count(got, got[:1]) != len(got)) {
						t.Errorf("Get: %d bytes, %v, %v", len(got), ok, err)
					}
					if i%7 == g%7 {
						if err := s.Delete(t.Context(), scope, key); err != nil {
							t.Errorf("Delete: %v", err)
						}
					}
				}
			})
		}
		wg.Wait()
	}},
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

func files(t *testing.T, dir string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*"))
	hidden, _ := filepath.Glob(filepath.Join(dir, ".*"))
	if err != nil {
		t.Fatal(err)
	}
	return append(paths, hidden...)
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

func TestFileStorageIgnoresWhatACrashLeft(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	s := fileStorage(t, dir)
	set(t, s, lasting, "k", "whole")
	name := files(t, dir)[0]
	for _, junk := range []string{name + ".tmp-ABC", filepath.Join(dir, "README"), filepath.Join(dir, "=%")} {
		if err := os.WriteFile(junk, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	wantValue(t, s, lasting, "k", "whole", true)
	wantValue(t, fileStorage(t, dir), lasting, "k", "whole", true)
	if err := s.Clear(t.Context(), lasting, ""); err != nil {
		t.Fatal(err)
	}
	wantValue(t, s, lasting, "k", "", false)
	if n := len(files(t, dir)); n != 3 {
		t.Errorf("%d files, want what was not ours left alone", n)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	var storage *errs.StorageError
	if err := s.Set(context.Background(), lasting, "k", nil); !errors.As(err, &storage) || storage.Op != "write" {
		t.Errorf("writing to a directory that is gone: %v", err)
	}
}
