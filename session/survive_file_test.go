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

// TestRecordsThatCannotBeUsedAreWrittenAgain: a client whose files were copied, or are
// none of callrx any more, does not take from them what it cannot trust, says so once,
// and has its own calls on record.
func TestRecordsThatCannotBeUsedAreWrittenAgain(t *testing.T) {
	for name, c := range map[string]struct {
		spoil  func(path string) error
		why    error
		advice string
	}{
		"open to others": {func(path string) error { return os.Chmod(path, 0o644) }, errs.ErrExposed, "give it 0600 or remove it"},
		"too long":       {func(path string) error { return os.Truncate(path, 17<<20) }, errs.ErrDamaged, "remove it"},
		"a link": {func(path string) error {
			return errors.Join(os.Rename(path, path+"-away"), os.Symlink(filepath.Base(path)+"-away", path))
		}, errs.ErrDamaged, "remove it"},
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
				all, err := filepath.Glob(filepath.Join(dir, "*att=*"))
				if err != nil || len(all) != 1 {
					t.Fatal(all, err)
				}
				if err := c.spoil(all[0]); err != nil {
					t.Fatal(err)
				}

				second := b.start(t, "ann", files, takingUp(session.MediaOptions{}))
				k := connected(t, second.Client, "/public/echo", second.dialing(session.MediaOptions{}))
				pass(10 * time.Second)
				records, ok, err := files.Get(t.Context(), session.ScopePersistent, key)
				if !ok || err != nil || !strings.Contains(string(records), string(k.ID())) {
					t.Errorf("on record are %d bytes, %v, %v, want call %s", len(records), ok, err, k.ID())
				}
				if e := toldOnce(t, second, key); !errors.Is(e, c.why) || !strings.Contains(e.Error(), c.advice) {
					t.Errorf("told %v", e)
				}
				if err := k.Hangup(t.Context()); err != nil {
					t.Error(err)
				}
			})
		})
	}
}
