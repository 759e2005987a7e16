package session_test

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

func sealKey(b byte) []byte { return bytes.Repeat([]byte{b}, 32) }

func sealedStorage(t *testing.T, inner session.Storage, keys ...[]byte) session.SharedStorage {
	t.Helper()
	s, err := session.NewSealedStorage(inner, keys...)
	if err != nil {
		t.Fatal(err)
	}
	return s.(session.SharedStorage)
}

func rawValue(t *testing.T, s session.Storage, scope session.Scope, key string) []byte {
	t.Helper()
	v, ok, err := s.Get(t.Context(), scope, key)
	if !ok || err != nil {
		t.Fatalf("Get(%q): %v, %v", key, ok, err)
	}
	return v
}

func TestSealedValuesShowNothing(t *testing.T) {
	inner := session.NewMemoryStorage()
	s := sealedStorage(t, inner, sealKey(1))
	seen := map[string]bool{}
	for i := range 50 {
		set(t, s, lasting, "k", "the same secret")
		raw := string(rawValue(t, inner, lasting, "k"))
		if seen[raw] || strings.Contains(raw, "secret") {
			t.Fatalf("write %d is stored as %q", i, raw)
		}
		seen[raw] = true
	}
	for i, kept := range []string{fmt.Sprint(s), fmt.Sprintf("%#v", s)} {
		if strings.Contains(kept, string(sealKey(1))) {
			t.Errorf("print %d shows the key", i)
		}
	}
}

func TestSealIsBoundToItsPlaceAndItsBytes(t *testing.T) {
	inner := session.NewMemoryStorage()
	s := sealedStorage(t, inner, sealKey(1))
	set(t, s, lasting, "k", "secret")
	good := rawValue(t, inner, lasting, "k")
	changed := func(at int) []byte {
		c := bytes.Clone(good)
		c[at] ^= 1
		return c
	}
	for what, c := range map[string]struct {
		scope session.Scope
		key   string
		raw   []byte
		with  []byte
		want  error
	}{
		"moved to another key":   {lasting, "other", good, sealKey(1), errs.ErrSealed},
		"moved to another scope": {process, "k", good, sealKey(1), errs.ErrSealed},
		"sealed with another":    {lasting, "k", good, sealKey(2), errs.ErrSealed},
		"its nonce changed":      {lasting, "k", changed(1), sealKey(1), errs.ErrSealed},
		"its text changed":       {lasting, "k", changed(14), sealKey(1), errs.ErrSealed},
		"its tag changed":        {lasting, "k", changed(len(good) - 1), sealKey(1), errs.ErrSealed},
		"cut short":              {lasting, "k", good[:len(good)-1], sealKey(1), errs.ErrSealed},
		"lengthened":             {lasting, "k", append(bytes.Clone(good), 0), sealKey(1), errs.ErrSealed},
		"of another version":     {lasting, "k", changed(0), sealKey(1), errs.ErrNotSealed},
		"never sealed":           {lasting, "k", []byte(`{"token":"secret"}`), sealKey(1), errs.ErrNotSealed},
		"empty":                  {lasting, "k", []byte{}, sealKey(1), errs.ErrNotSealed},
		"its version alone":      {lasting, "k", good[:1], sealKey(1), errs.ErrNotSealed},
	} {
		if err := inner.Set(t.Context(), c.scope, c.key, c.raw); err != nil {
			t.Fatal(err)
		}
		s := sealedStorage(t, inner, c.with)
		v, ok, err := s.Get(t.Context(), c.scope, c.key)
		_, swap := s.Swap(t.Context(), c.scope, c.key, []byte("secret"), []byte("x"))
		for _, err := range []error{err, swap} {
			var storage *errs.StorageError
			if ok || v != nil || !errors.Is(err, c.want) || !errors.As(err, &storage) || storage.Op != "decode" || storage.Key != c.key ||
				strings.Contains(err.Error(), "secret") {
				t.Errorf("%s: %q, %v, %v", what, v, ok, err)
			}
		}
		if err := inner.Set(t.Context(), lasting, "k", good); err != nil {
			t.Fatal(err)
		}
	}
	wantValue(t, s, lasting, "k", "secret", true)
}

func TestSealKeysCanBeChanged(t *testing.T) {
	inner := session.NewMemoryStorage()
	set(t, sealedStorage(t, inner, sealKey(1)), lasting, "a", "old a")
	set(t, sealedStorage(t, inner, sealKey(1)), lasting, "b", "old b")
	both := sealedStorage(t, inner, sealKey(2), sealKey(1))
	wantValue(t, both, lasting, "a", "old a", true)
	set(t, both, lasting, "a", "new a")
	if ok, err := both.Swap(t.Context(), lasting, "b", []byte("old b"), []byte("new b")); !ok || err != nil {
		t.Errorf("Swap from the old key to the new one: %v, %v", ok, err)
	}
	fresh := sealedStorage(t, inner, sealKey(2))
	wantValue(t, fresh, lasting, "a", "new a", true)
	wantValue(t, fresh, lasting, "b", "new b", true)
}

func TestSealNeedsProperKeys(t *testing.T) {
	memory := session.NewMemoryStorage()
	for what, make := range map[string]func() (session.Storage, error){
		"no storage": func() (session.Storage, error) { return session.NewSealedStorage(nil, sealKey(1)) },
		"no key":     func() (session.Storage, error) { return session.NewSealedStorage(memory) },
		"a short key": func() (session.Storage, error) {
			return session.NewSealedStorage(memory, sealKey(1), []byte("a passphrase"))
		},
		"an empty key": func() (session.Storage, error) { return session.NewSealedStorage(memory, nil) },
	} {
		s, err := make()
		var config *errs.ConfigError
		if s != nil || !errors.As(err, &config) || strings.Contains(err.Error(), "passphrase") {
			t.Errorf("%s: %v", what, err)
		}
	}
	one, err := session.NewSealedStorage(struct{ session.Storage }{memory}, sealKey(1))
	if _, shared := one.(session.SharedStorage); shared || err != nil {
		t.Errorf("over a storage of one process: shared = %v, %v", shared, err)
	}
}

// With another key a client signs in anew, and says why, once for each key.
func TestClientWithTheWrongSealKeySignsInAnew(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		t := r.t
		begin := func(key []byte, p session.CredentialProvider) {
			r.restart(dir, p, time.Second)
			_ = r.c.Close()
			r.opts.Storage = sealedStorage(t, fileStorage(t, dir), key)
			r.open(p)
		}
		r.opts.DPoPKey = nil
		begin(sealKey(1), session.StaticCredentials(r.sat(time.Hour, "")))
		r.mustConnect()
		protocol := r.srv.Sessions()[0].Protocol
		for _, path := range files(t, dir) {
			if text := readFile(t, path); strings.Contains(text, protocol) || strings.Contains(text, "token") {
				t.Errorf("%s holds %q", path, text)
			}
		}
		begin(sealKey(1), nil)
		r.mustConnect()
		if e := r.lastConnect(); e.Session != protocol {
			t.Errorf("connect %+v, want session %s resumed", e, protocol)
		}

		begin(sealKey(2), session.StaticCredentials(r.sat(time.Hour, "")))
		r.mustConnect()
		if e := r.lastConnect(); e.Session == protocol {
			t.Error("resumed with the wrong key")
		}
		keys := map[string]int{}
		for _, e := range allErrors[*errs.StorageError](r) {
			keys[e.Key]++
			if e.Op != "decode" || !errors.Is(e, errs.ErrSealed) {
				t.Errorf("%v", e)
			}
		}
		user := r.c.User().ID
		if len(keys) != 3 || keys["sw:dpop_key"] != 1 || keys["sw:"+user+":as"] != 1 || keys["sw:"+user+":pt"] != 1 {
			t.Errorf("errors %v, want one for each of three keys", r.errors)
		}
	})
}
