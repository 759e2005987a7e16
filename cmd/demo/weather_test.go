package main

import (
	"context"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/callrx/callrx/session"
)

// pictureOf decodes a plot and checks that each panel has much of its own colour.
func pictureOf(t *testing.T, r *record, path string) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	img, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	c := r.chart()
	for i, p := range c.Panels {
		if n := pixels(img, c.PanelArea(i), p.Color); n < 100 {
			t.Errorf("the panel of %s has %d pixels of its colour", p.Name, n)
		}
	}
}

func pixels(img image.Image, in image.Rectangle, want interface{ RGBA() (r, g, b, a uint32) }) (n int) {
	wr, wg, wb, _ := want.RGBA()
	for y := in.Min.Y; y < in.Max.Y; y++ {
		for x := in.Min.X; x < in.Max.X; x++ {
			if r, g, b, _ := img.At(x, y).RGBA(); r == wr && g == wg && b == wb {
				n++
			}
		}
	}
	return n
}

// The real weather, for half a minute: what it does is measured, and the call lives.
func TestCallLivesThroughTheWeather(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	t.Parallel()
	var out writer
	path := filepath.Join(t.TempDir(), "weather.png")
	v := newVoyage(shortProgramme(), &out)
	if length := v.length(); length > 29*time.Second {
		t.Errorf("the short programme takes %v", length)
	}
	if status := v.show(t.Context(), path); status != exitSeen {
		t.Fatalf("status %d\n%s", status, out.text())
	}
	pictureOf(t, v.record, path)
	stretches, _, happenings := v.record.seen()
	if len(stretches) != len(v.spells) {
		t.Fatalf("%d spells of %d", len(stretches), len(v.spells))
	}
	for _, s := range stretches[:len(stretches)-1] { // each shows what it is, by its end
		c, last := s.conditions, s.last
		switch {
		case c.Cut && (last.heard() || s.silence < s.lasts-2*unheard):
			t.Errorf("%s: it was silent for %v", s.name, s.silence)
		case c.Loss > 0.1 && (last.lossHere < 8 || last.lossHere > 30):
			t.Errorf("%s: %v %% lost", s.name, last.lossHere)
		case c.Jitter > 0 && (last.jitter < 50*time.Millisecond || last.jitter > 200*time.Millisecond):
			t.Errorf("%s: jitter %v", s.name, last.jitter)
		case c.Delay > lineDelay && last.roundTrip < 2*c.Delay:
			t.Errorf("%s: round trip %v", s.name, last.roundTrip)
		}
	}
	if last := stretches[len(stretches)-1].last; !last.heard() || last.roundTrip > 400*time.Millisecond {
		t.Errorf("at the end: %+v", last)
	}
	if n := len(happenings); n < 3 || happenings[n-1].action != session.RecoveryCallRecovered {
		t.Errorf("recovery did %+v", happenings)
	}
	for _, want := range []string{"re-invite, attempt 1 of 3", "after the network was back", "✓ the call has lived through it", tableHead, "plot: " + path} {
		if !strings.Contains(out.text(), want) {
			t.Errorf("%q is not in\n%s", want, out.text())
		}
	}
}

func TestInterruptedWeatherIsSummedUpAndDrawn(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var out writer
	path := filepath.Join(t.TempDir(), "weather.png")
	interrupt := time.AfterFunc(4*time.Second, cancel)
	defer interrupt.Stop()
	if status := run(ctx, []string{"weather", "-plot", path}, &out, &out); status != exitSeen {
		t.Fatalf("status %d\n%s", status, out.text())
	}
	for _, want := range []string{"interrupted", tableHead, "plot: " + path} {
		if !strings.Contains(out.text(), want) {
			t.Errorf("%q is not in\n%s", want, out.text())
		}
	}
	if info, err := os.Stat(path); err != nil || info.Size() < 10_000 {
		t.Errorf("plot: %+v, %v", info, err)
	}
}

// A network that does not come back ends the call: that is told, drawn, and a failure.
func TestCallThatDoesNotSurviveFails(t *testing.T) {
	if testing.Short() {
		t.Skip("waits until a call is given up")
	}
	t.Parallel()
	p := shortProgramme()
	p.preferences.MaxRecoveryAttempts = 1
	p.preferences.ICERestartTimeout = time.Second
	p.spells = []spell{clear(2 * time.Second), cut(time.Minute)}
	var out writer
	path := filepath.Join(t.TempDir(), "weather.png")
	v := newVoyage(p, &out)
	if status := v.show(t.Context(), path); status != exitFailed {
		t.Fatalf("status %d\n%s", status, out.text())
	}
	pictureOf(t, v.record, path)
	for _, want := range []string{"max_attempts_reached", "the call has not survived: ", tableHead} {
		if !strings.Contains(out.text(), want) {
			t.Errorf("%q is not in\n%s", want, out.text())
		}
	}
}
