package redact_test

import (
	"strings"
	"testing"
	"time"

	"github.com/callrx/callrx/internal/redact"
)

// Hostile text must not cost more than a linear walk.
func TestHostileTextTakesLinearTime(t *testing.T) {
	const size = 1 << 16
	for name, unit := range map[string]string{
		"quotes":           `"`,
		"escaped quotes":   `"\"`,
		"backslashes":      `\`,
		"unclosed objects": `{"token":{"token":`,
		"unclosed strings": `{"token":"\"`,
		"nested":           `"\"\\\"`,
		"bad escapes":      `"\q\"\"`,
		"heads of tokens":  `eyJabcdefgh.`,
		"bearers":          "bearer ",
		"addresses":        "://a",
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Repeat(unit, size/len(unit))
			start := time.Now()
			redact.Text(text)
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("took %s for 64 KiB", took)
			}
		})
	}
}
