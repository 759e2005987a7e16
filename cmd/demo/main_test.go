package main

import (
	"context"
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == survivorCommand { // see demo survive
		os.Exit(run(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
	}
	goleak.VerifyTestMain(m)
}

func TestHelpExplainsAndSucceeds(t *testing.T) {
	for _, args := range [][]string{{"-h"}, {"gateway", "-h"}, {"survive", "-h"}, {"weather", "-h"}} {
		var out, problems writer
		if status := run(t.Context(), args, &out, &problems); status != exitSeen || problems.text() == "" {
			t.Errorf("demo %v: status %d, wrote %q", args, status, problems.text())
		}
	}
}

func TestMisuseIsRefused(t *testing.T) {
	for _, args := range [][]string{
		{"-nonsense"}, {"surplus"}, {"-life", "1s"}, {"-life", "soon"}, {"-out", "/no/such/folder/echo.wav"},
		{"survive", "surplus"}, {"weather", "surplus"}, {"weather", "-plot", "/no/such/folder/weather.png"}, {"gateway", "surplus"}, {"gateway", "-nonsense"},
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
