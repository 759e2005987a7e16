package session_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

const marker = "CONFIDENTIAL" // what no error may show

// garbage is what may stand where a client's file was.
var garbage = map[string]func(path string) error{
	"an empty file":  func(path string) error { return os.WriteFile(path, nil, 0o600) },
	"half of JSON":   func(path string) error { return os.WriteFile(path, []byte(`{"token":"`+marker), 0o600) },
	"foreign JSON":   func(path string) error { return os.WriteFile(path, []byte(`"`+marker+`"`), 0o600) },
	"bytes":          func(path string) error { return os.WriteFile(path, []byte("\x00\xff\xfe"+marker+"\n\x80"), 0o600) },
	"a wrong sum":    func(path string) error { return os.WriteFile(path, []byte("callrx1 00000000\n"+marker), 0o600) },
	"a header alone": func(path string) error { return os.WriteFile(path, []byte("callrx1 "), 0o600) },
	"100 MB": func(path string) error {
		return errors.Join(os.WriteFile(path, nil, 0o600), os.Truncate(path, 100<<20))
	},
	"a directory":       func(path string) error { return os.Mkdir(path, 0o700) },
	"a full directory":  func(path string) error { return os.MkdirAll(filepath.Join(path, "x"), 0o700) },
	"a link":            func(path string) error { return os.Symlink("elsewhere", path) },
	"a link out":        func(path string) error { return os.Symlink("/etc/hostname", path) },
	"others may read":   func(path string) error { return os.Chmod(path, 0o644) },
	"half of the file":  func(path string) error { return halve(path) },
	"the file of other": func(path string) error { return os.Rename(filepath.Join(filepath.Dir(path), "other"), path) },
}

func halve(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	return os.Truncate(path, info.Size()/2)
}

// keepsFile tells the garbage that is made of the file that was there.
func keepsFile(kind string) bool { return kind == "others may read" || kind == "half of the file" }

// Each key that a client reads, with each kind of garbage: the client starts,
// and says so once for each key, without the value.
func TestGarbageInFilesStopsNoClient(t *testing.T) {
	for key, name := range map[string]func(user string) string{
		"the credential":          func(string) string { return "sw:cached_credential" },
		"the DPoP key":            func(string) string { return "sw:dpop_key" },
		"the authorization state": func(user string) string { return "sw:" + user + ":as" },
		"the protocol":            func(user string) string { return "sw:" + user + ":pt" },
	} {
		t.Run(key, func(t *testing.T) {
			inBubble(t, sessiontest.Options{}, func(r *rig) {
				if key == "the DPoP key" {
					r.opts.DPoPKey = nil // made and stored
				}
				for kind, plant := range garbage {
					dir := filepath.Join(r.t.TempDir(), "store")
					r.restart(dir, session.StaticCredentials(r.sat(time.Hour, "")), 0)
					r.mustConnect()
					name := name(r.c.User().ID)
					_ = r.c.Close()
					path := plantGarbage(r.t, dir, name, kind, plant)
					r.wantOneStorageError(kind, dir, name, path)
				}
			})
		})
	}
}

func plantGarbage(t *testing.T, dir, key, kind string, plant func(string) error) string {
	t.Helper()
	path := ""
	for _, f := range files(t, dir) {
		if strings.HasPrefix(filepath.Base(f), strings.ReplaceAll(key, ":", "")+"=") {
			path = f
		} else if text := readFile(t, f); true {
			if err := os.WriteFile(filepath.Join(dir, "other"), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	if path == "" {
		t.Fatalf("no file for %s", key)
	}
	if !keepsFile(kind) {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	if err := plant(path); err != nil {
		t.Fatal(err)
	}
	return path
}

// wantOneStorageError starts the next process, without a provider where the
// garbage stands for what it would sign in with.
func (r *rig) wantOneStorageError(kind, dir, key, path string) {
	t := r.t
	t.Helper()
	credential, others := key == "sw:cached_credential", 0
	if credential {
		others = 1 // that there is no credential
		r.restart(dir, nil, time.Second)
	} else {
		r.restart(dir, session.StaticCredentials(r.sat(time.Hour, "")), time.Second)
	}
	var invalid *errs.InvalidCredentialsError
	err := r.c.Connect(t.Context())
	if credential && (!errors.As(err, &invalid) || invalid.Reason != errs.CredentialNoProvider) || !credential && err != nil {
		t.Errorf("%s: Connect = %v", kind, err)
	}
	_ = r.c.Close() // all is written
	all := allErrors[*errs.StorageError](r)
	if len(all) != 1 || len(r.errors) != 1+others || all[0].Key != key || all[0].Op != "decode" && all[0].Op != "read" {
		t.Errorf("%s: errors %v, want one about %s", kind, r.errors, key)
		return
	}
	if text := all[0].Error(); strings.Contains(text, marker) || !strings.Contains(text, path) {
		t.Errorf("%s: %q; want the file named and nothing of it shown", kind, text)
	}
}

// Values that a storage hands out whole and that make no sense are told of too,
// whatever keeps them. An empty one counts as none.
func TestGarbageInValuesStopsNoClient(t *testing.T) {
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		t := r.t
		r.connect(session.StaticCredentials(r.sat(time.Hour, "")))
		user := r.c.User().ID
		for _, junk := range []string{"", "{", "null", "[]", `{"` + marker + `":1}`, marker, "\xff\xfe", `"`, strings.Repeat("\x00", 1<<20)} {
			for _, key := range []string{"sw:" + user + ":as", "sw:" + user + ":pt"} {
				_ = r.c.Close()
				r.mu.Lock()
				r.errors = nil
				r.mu.Unlock()
				r.opts.Storage, r.opts.PersistSession = session.NewMemoryStorage(), true
				set(t, r.opts.Storage, lasting, key, junk)
				r.connect(session.StaticCredentials(r.sat(time.Hour, "")))
				_ = r.c.Close()
				all, want := allErrors[*errs.StorageError](r), 1
				if junk == "" {
					want = 0
				}
				if len(all) != want || len(r.errors) != want {
					t.Errorf("%.20q in %s: errors %v, want %d", junk, key, r.errors, want)
				}
				for _, e := range all {
					if e.Key != key || !errors.Is(e, errs.ErrDamaged) || strings.Contains(e.Error(), marker) {
						t.Errorf("%.20q in %s: %v", junk, key, e)
					}
				}
			}
		}
	})
}
