package rest_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	// net/http reads the environment once, so the proxy test sets it here. No
	// other test leaves this machine.
	if err := os.Setenv("HTTPS_PROXY", "http://proxy.invalid:3128"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}
