package storagetest_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/session"
)

// TestFileSystemWithoutSpaceIsATypedErrorAndKeepsTheOldValue: a real one, which takes
// root to make. A bounded process does the same in
// TestFullDiskIsATypedErrorAndKeepsTheOldValue.
func TestFileSystemWithoutSpaceIsATypedErrorAndKeepsTheOldValue(t *testing.T) {
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=64k,mode=0700"); err != nil {
		t.Skipf("no file system of one's own: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(disk, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	s, err := session.NewFileStorage(filepath.Join(disk, "store"))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Set(t.Context(), lasting, "k", []byte("old")); err != nil {
		t.Fatal(err)
	}
	shared := s.(session.SharedStorage)
	huge := bytes.Repeat([]byte("x"), 100_000)
	for what, err := range map[string]error{
		"Set":  s.Set(t.Context(), lasting, "k", huge),
		"Swap": func() error { _, err := shared.Swap(t.Context(), lasting, "k", []byte("old"), huge); return err }(),
	} {
		var failed *errs.StorageError
		if !errors.As(err, &failed) || failed.Op != "write" || failed.Key != "k" || !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if v, ok, err := s.Get(t.Context(), lasting, "k"); !ok || err != nil || string(v) != "old" {
		t.Errorf("the old value: %q, %v, %v", v, ok, err)
	}
	if n := tempFiles(t, filepath.Join(disk, "store")); n != 0 {
		t.Errorf("%d unfinished files are left", n)
	}
	if err := os.WriteFile(filepath.Join(disk, "filler"), huge, 0o600); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("the disk is not full: %v", err)
	}
	var failed *errs.StorageError
	if err := s.Set(t.Context(), lasting, "k", []byte("new")); !errors.As(err, &failed) || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("a small value on a full disk: %v", err)
	}
	if err := s.Delete(t.Context(), lasting, "k"); err != nil { // which needs no space
		t.Errorf("Delete: %v", err)
	}
}
