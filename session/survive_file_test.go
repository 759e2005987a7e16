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

// TestRecordsOpenToOthersAreWrittenAgain: a client whose files were copied does not
// take from them what it cannot trust, says so once, and has its own calls on record.
func TestRecordsOpenToOthersAreWrittenAgain(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		dir := t.TempDir()
		if err := os.Chmod(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		storage, err := session.NewFileStorage(dir)
		if err != nil {
			t.Fatal(err)
		}
		files := storage.(session.SharedStorage)
		first := b.start(t, "ann", files, session.Options{})
		connected(t, first.Client, "/public/tone", first.dialing(session.MediaOptions{}))
		pass(3 * time.Second)
		key := recordsKey(first)
		b.vanish(first, "ann")
		all, err := filepath.Glob(filepath.Join(dir, "*=*"))
		if err != nil || len(all) == 0 {
			t.Fatal(all, err)
		}
		for _, path := range all {
			if err := os.Chmod(path, 0o644); err != nil {
				t.Fatal(err)
			}
		}

		second := b.start(t, "ann", files, takingUp(session.MediaOptions{}))
		k := connected(t, second.Client, "/public/echo", second.dialing(session.MediaOptions{}))
		pass(10 * time.Second)
		records, ok, err := files.Get(t.Context(), session.ScopePersistent, key)
		if !ok || err != nil || !strings.Contains(string(records), string(k.ID())) {
			t.Errorf("on record are %q, %v, %v, want call %s", records, ok, err, k.ID())
		}
		if e := toldOnce(t, second, key); !errors.Is(e, errs.ErrExposed) || !strings.Contains(e.Error(), "give it 0600 or remove it") {
			t.Errorf("told %v", e)
		}
		if err := k.Hangup(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// Records are written again in the place of what is no file of callrx.
func TestRecordsInAFileThatIsTooLongAreWrittenAgain(t *testing.T) {
	for name, spoil := range map[string]func(path string) error{
		"too long": func(path string) error { return os.Truncate(path, 17<<20) },
		"a link": func(path string) error {
			return errors.Join(os.Rename(path, path+"-away"), os.Symlink(filepath.Base(path)+"-away", path))
		},
	} {
		t.Run(name, func(t *testing.T) {
			inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
				dir := t.TempDir()
				if err := os.Chmod(dir, 0o700); err != nil {
					t.Fatal(err)
				}
				storage, err := session.NewFileStorage(dir)
				if err != nil {
					t.Fatal(err)
				}
				files := storage.(session.SharedStorage)
				first := b.start(t, "ann", files, session.Options{})
				connected(t, first.Client, "/public/tone", first.dialing(session.MediaOptions{}))
				pass(3 * time.Second)
				key := recordsKey(first)
				b.vanish(first, "ann")
				all, _ := filepath.Glob(filepath.Join(dir, "*att=*"))
				if len(all) != 1 {
					t.Fatal(all)
				}
				if err := spoil(all[0]); err != nil {
					t.Fatal(err)
				}
				second := b.start(t, "ann", files, takingUp(session.MediaOptions{}))
				k := connected(t, second.Client, "/public/echo", second.dialing(session.MediaOptions{}))
				pass(10 * time.Second)
				records, ok, err := files.Get(t.Context(), session.ScopePersistent, key)
				if !ok || err != nil || !strings.Contains(string(records), string(k.ID())) {
					t.Errorf("on record are %d bytes, %v, %v, want call %s", len(records), ok, err, k.ID())
				}
				_ = k.Hangup(t.Context())
			})
		})
	}
}
