package redact

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	snippetBytes = 512      // the most that Snippet returns
	lookedAt     = 64 << 10 // the most that Snippet reads
)

// mark begins every fingerprint.
const mark = "tok:sha256:"

// Fingerprint stands for a secret: "tok:sha256:" and the first 8 hex digits of
// its SHA-256 hash. An empty secret has an empty fingerprint.
func Fingerprint(secret string) string {
	if secret == "" {
		return ""
	}
	hash := sha256.Sum256([]byte(secret))
	return mark + hex.EncodeToString(hash[:4])
}

// Text returns the text with every secret replaced, those that it recognises
// and those listed. Text without secrets comes back as it was.
func Text(text string, known ...string) string {
	return hide(shapes(fields(text, 0)), known) // last: a known one may be called as the field of another is
}

// Snippet returns the head of a body for an error or a log line: redacted, on one
// line, valid UTF-8, at most 512 bytes. It looks at the first 64 KiB only.
func Snippet(body []byte, known ...string) string {
	if len(body) > lookedAt {
		// End between two words, so that no secret is cut in half and missed.
		body = body[:bytes.LastIndexAny(body[:lookedAt], " \t\r\n\"'<>,")+1]
	}
	text := Text(strings.ToValidUTF8(string(body), "�"), known...)
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r)
	}), " ")
	if len(text) <= snippetBytes {
		return text
	}
	const ellipsis = "…"
	cut := snippetBytes - len(ellipsis)
	for !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + ellipsis
}

// A shape is a pattern whose group named secret holds what to hide.
var shape = regexp.MustCompile(strings.Join([]string{
	// Compact JWS or JWE, also its head alone: base64url of an opening brace.
	`(?P<secret>\b(?:eyJ|eyA|ewo|ew0)[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)*)`,
	`(?i:\bbearer)\s+(?P<secret>[A-Za-z0-9._~+/=-]+)`,
	`(?i:\bbasic)\s+(?P<secret>[A-Za-z0-9+/=]{8,})`,
	`(?P<secret>\bc2[ct]_[A-Za-z0-9_-]+)`,
	`[?&](?i:token|jwt|jwt_token|access_token|refresh_token)=(?P<secret>[^&\s"'<>\\]+)`,
	`://(?P<secret>[^/\s@"'<>]+)@`,
	`\bice-pwd:(?P<secret>[A-Za-z0-9+/]+)`,
}, "|"))

// shapes replaces what looks like a secret.
func shapes(text string) string {
	matches := shape.FindAllStringSubmatchIndex(text, -1)
	if matches == nil {
		return text
	}
	var out strings.Builder
	done := 0
	for _, match := range matches {
		for group := 2; group < len(match); group += 2 {
			from, to := match[group], match[group+1]
			if from < 0 {
				continue
			}
			out.WriteString(text[done:from])
			if strings.HasPrefix(text[from:], mark) {
				to = from // redacted before
			} else {
				out.WriteString(Fingerprint(text[from:to]))
			}
			done = to
		}
	}
	out.WriteString(text[done:])
	return out.String()
}
