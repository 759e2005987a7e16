package dpop_test

import (
	"sync"
	"testing"

	"github.com/callrx/callrx/internal/dpop"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// sharedKey makes one key for all tests, since making one is slow.
var sharedKey = sync.OnceValues(dpop.Generate)

func testKey(tb testing.TB) *dpop.Key {
	tb.Helper()
	key, err := sharedKey()
	if err != nil {
		tb.Fatal(err)
	}
	return key
}
