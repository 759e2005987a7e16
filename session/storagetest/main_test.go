//go:build unix

package storagetest_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(dirVariable); dir != "" {
		play(os.Getenv(roleVariable), dir)
		return
	}
	goleak.VerifyTestMain(m)
}
