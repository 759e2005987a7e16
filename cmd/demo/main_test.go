package main

import (
	"context"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestHelpExplainsAndSucceeds(t *testing.T) {
	for _, args := range [][]string{{"-h"}, {"gateway", "-h"}} {
		var out, problems writer
		if status := run(t.Context(), args, &out, &problems); status != exitSeen || problems.text() == "" {
			t.Errorf("demo %v: status %d, wrote %q", args, status, problems.text())
		}
	}
}

func TestMisuseIsRefused(t *testing.T) {
	for _, args := range [][]string{
		{"-nonsense"}, {"surplus"}, {"-life", "1s"}, {"-life", "soon"}, {"-out", "/no/such/folder/echo.wav"},
		{"gateway", "surplus"}, {"gateway", "-nonsense"},
	} {
		var out, problems writer
		if status := run(t.Context(), args, &out, &problems); status != exitUsage || problems.text() == "" {
			t.Errorf("demo %v: status %d, want %d with a message, got %q", args, status, exitUsage, problems.text())
		}
	}
}

func TestGatewayThatCannotListenFails(t *testing.T) {
	var out, problems writer
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if status := run(ctx, []string{"gateway", "-addr", "127.0.0.1:nowhere"}, &out, &problems); status != exitFailed {
		t.Errorf("status %d, want %d", status, exitFailed)
	}
}
