package redact

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf16"
)

// hide replaces the secrets that are known, as they are and as JSON may have them.
func hide(text string, secrets []string) string {
	for _, secret := range secrets {
		if secret == "" {
			continue
		}
		text = strings.ReplaceAll(text, secret, Fingerprint(secret))
		if strings.Contains(text, `\`) && strings.ContainsFunc(secret, mayBeEscaped) {
			text = escaped(secret).ReplaceAllLiteralString(text, Fingerprint(secret))
		}
	}
	return text
}

// mayBeEscaped reports whether somebody's JSON has an escape for it.
func mayBeEscaped(r rune) bool {
	return r > 0x7e || r < ' ' || strings.ContainsRune(`"\/<>&'=+`+"`", r)
}

// escaped matches a secret of which characters are escaped (RFC 8259, section 7), once
// or, where JSON is in a string of JSON, again.
func escaped(secret string) *regexp.Regexp {
	var b strings.Builder
	for _, r := range secret {
		plain := regexp.QuoteMeta(string(r))
		if !mayBeEscaped(r) {
			b.WriteString(plain)
			continue
		}
		b.WriteString("(?:" + plain + "|" + byNumber(r))
		if short := strings.IndexRune("\"\\/\b\f\n\r\t", r); short >= 0 {
			b.WriteString(`|\\+` + regexp.QuoteMeta(`"\/bfnrt`[short:short+1]))
		}
		if r == '\\' {
			b.WriteString(`|\\+`)
		}
		b.WriteString(")")
	}
	return regexp.MustCompile(b.String())
}

func byNumber(r rune) string {
	var b strings.Builder
	for _, unit := range utf16.Encode([]rune{r}) {
		fmt.Fprintf(&b, `\\+u(?i:%04x)`, unit)
	}
	return b.String()
}
