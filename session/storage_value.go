package session

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/callrx/callrx/errs"
)

// tempMark is part of the names of files that are being written, and of no key.
const tempMark = ".tmp-"

// maxFileValue is the longest value of a file storage, in bytes.
const maxFileValue = 16 << 20

// fileHeader begins each file: what follows is a value of key that callrx wrote.
func fileHeader(key string, value []byte) []byte {
	sum := crc32.Update(crc32.ChecksumIEEE([]byte(key+"\x00")), crc32.IEEETable, value)
	return fmt.Appendf(nil, "callrx1 %08x\n", sum)
}

// read refuses what this storage would not have written.
func (f *fileStorage) read(key string) ([]byte, bool, error) {
	text, err := f.readFile(fileName(key))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, false, nil
	case err != nil:
		return nil, false, &errs.StorageError{Op: "read", Key: key, OriginalError: err}
	}
	header, value, _ := bytes.Cut(text, []byte("\n"))
	if !bytes.Equal(append(header, '\n'), fileHeader(key, value)) {
		err := fmt.Errorf("%s: %w; it may be removed", f.path(fileName(key)), errs.ErrDamaged)
		return nil, false, &errs.StorageError{Op: "decode", Key: key, OriginalError: err}
	}
	return value, true, nil
}

func (f *fileStorage) readFile(name string) ([]byte, error) {
	info, err := f.root.Lstat(name)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, notRegular(f.path(name))
	case runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0:
		return nil, fmt.Errorf("%s has mode %v: %w; give it 0600 or remove it", f.path(name), info.Mode().Perm(), errs.ErrExposed)
	case info.Size() > maxFileValue+int64(len(fileHeader("", nil))):
		return nil, fmt.Errorf("%s: %w: it has %d bytes; remove it", f.path(name), errs.ErrDamaged, info.Size())
	}
	return f.root.ReadFile(name)
}

func (f *fileStorage) path(name string) string { return filepath.Join(f.root.Name(), name) }

func notRegular(path string) error {
	return fmt.Errorf("%s: %w: not a regular file; remove it", path, errs.ErrDamaged)
}

// write makes the new content durable under another name first, one that is no
// key and nobody else's: a reader sees the old file or the new one, whole, even
// after a crash.
func (f *fileStorage) write(key string, value []byte) error {
	if len(value) > maxFileValue {
		return fmt.Errorf("the value has %d bytes, more than %d", len(value), maxFileValue)
	}
	name := fileName(key)
	temp := name + tempMark + rand.Text()
	err := f.create(temp, append(fileHeader(key, value), value...))
	if err == nil {
		err = f.root.Rename(temp, name)
	}
	if err != nil {
		_ = f.root.Remove(temp)
		return err
	}
	return f.syncDir()
}

func (f *fileStorage) create(name string, content []byte) error {
	file, err := f.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	if err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}

func (f *fileStorage) remove(key string) error {
	err := f.root.Remove(fileName(key))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return errors.Join(err, f.syncDir())
}

// syncDir makes durable which files there are. Windows does so by itself.
func (f *fileStorage) syncDir() error {
	if runtime.GOOS == "windows" {
		return nil
	}
	dir, err := f.root.Open(".")
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
