//go:build !(darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd || windows)

package session

import (
	"errors"
	"fmt"
	"os"
)

// tryLock fails: nothing here would keep another process out.
func tryLock(*os.File) (bool, error) {
	return false, fmt.Errorf("locking files on this system: %w", errors.ErrUnsupported)
}
