package main

import (
	"regexp"
	"strconv"
	"testing"
)

// TestSurviveShowsTheGap plays the story with real processes: the test binary is
// the program, see TestMain.
func TestSurviveShowsTheGap(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for a real lease")
	}
	var out, problems writer
	if status := run(t.Context(), []string{"survive"}, &out, &problems); status != exitSeen {
		t.Fatalf("status %d\n%s%s", status, out.text(), problems.text())
	}
	t.Log(out.text())
	found := regexp.MustCompile(`gap in media: (\d+) ms`).FindStringSubmatch(out.text())
	if found == nil {
		t.Fatal("the gap is not told")
	}
	if gap, _ := strconv.Atoi(found[1]); gap < 1000 || gap > 30_000 {
		t.Errorf("the gap is %d ms", gap)
	}
}
