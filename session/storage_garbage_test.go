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
	for key, c := range map[string]struct {
		name        func(user string) string
		credentials bool // it is what the client would sign in with
	}{
		"the credential":          {func(string) string { return "sw:cached_credential" }, true},
		"the DPoP key":            {func(string) string { return "sw:dpop_key" }, false},
		"the authorization state": {func(user string) string { return "sw:" + user + ":as" }, false},
		"the protocol":            {func(user string) string { return "sw:" + user + ":pt" }, false},
	} {
		t.Run(key, func(t *testing.T) {
			inBubble(t, sessiontest.Options{}, func(r *rig) {
				r.opts.DPoPKey = nil
				for kind, plant := range garbage {
					dir := filepath.Join(r.t.TempDir(), "store")
					r.restart(dir, session.StaticCredentials(r.sat(time.Hour, "")), 0)
					r.mustConnect()
					name := c.name(r.c.User().ID)
					_ = r.c.Close()
					path := plantGarbage(r.t, dir, name, kind, plant)
					r.wantOneStorageError(kind, dir, name, path, c.credentials)
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

func (r *rig) wantOneStorageError(kind, dir, key, path string, credential bool) {
	t := r.t
	t.Helper()
	var p session.CredentialProvider
	if !credential {
		p = session.StaticCredentials(r.sat(time.Hour, ""))
	}
	r.restart(dir, p, time.Second)
	var invalid *errs.InvalidCredentialsError
	err := r.c.Connect(t.Context())
	if credential && (!errors.As(err, &invalid) || invalid.Reason != errs.CredentialNoProvider) || !credential && err != nil {
		t.Errorf("%s: Connect = %v", kind, err)
	}
	_ = r.c.Close() // all is written
	all := allErrors[*errs.StorageError](r)
	if len(all) != 1 || len(r.errors) != 1 || all[0].Key != key || all[0].Op != "decode" && all[0].Op != "read" {
		t.Errorf("%s: errors %v, want one about %s", kind, r.errors, key)
		return
	}
	if text := all[0].Error(); strings.Contains(text, marker) || !strings.Contains(text, path) {
		t.Errorf("%s: %q; want the file named and nothing of it shown", kind, text)
	}
}
