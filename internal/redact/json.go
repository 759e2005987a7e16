package redact

import (
	"encoding/json"
	"strings"
)

// secretField reports whether a JSON member of that name holds a secret.
func secretField(name string) bool {
	switch strings.ToLower(name) {
	case "token", "jwt_token", "refresh_token", "dpop_token", "password",
		"authorization_state", "authorizationstate", "credential":
		return true
	}
	return false
}

// fields replaces the values of secret members. It walks the text from string to
// string rather than parsing it, so cut-off JSON and JSON within other text are
// covered too. Depth counts the strings around the text.
func fields(text string, depth int) string {
	var out strings.Builder
	done := 0
	for {
		start := strings.IndexByte(text[done:], '"')
		if start < 0 {
			break
		}
		start += done
		end := stringEnd(text, start)
		literal := text[start:end]
		out.WriteString(text[done:start])
		done = end

		value := skipSpace(text, end)
		if value >= len(text) || text[value] != ':' {
			out.WriteString(nested(literal, depth))
			continue
		}
		out.WriteString(nested(literal, depth)) // also a quotation that a colon follows by chance
		if !secretField(unquote(literal)) {
			continue
		}
		value = skipSpace(text, value+1)
		out.WriteString(text[done:value])
		done = valueEnd(text, value)
		out.WriteString(replacement(text[value:done]))
	}
	out.WriteString(text[done:])
	return out.String()
}

// replacement returns what stands in for the JSON value of a secret member.
func replacement(value string) string {
	switch {
	case value == "", value == "null", value == `""`:
		return value
	case value[0] == '"':
		if secret := unquote(value); len(secret) != len(mark)+8 || !strings.HasPrefix(secret, mark) {
			return `"` + Fingerprint(secret) + `"`
		}
		return value
	}
	return `"redacted"`
}

// nested redacts a string literal that holds JSON itself. What is wrapped deeper
// than anything the platform sends is hidden whole.
func nested(literal string, depth int) string {
	const deepest = 4
	if !strings.Contains(literal, `\"`) {
		return literal
	}
	if depth == deepest {
		return `"redacted"`
	}
	inner := unquote(literal)
	redacted := fields(inner, depth+1)
	if redacted == inner {
		return literal
	}
	quoted, err := json.Marshal(redacted)
	if err != nil {
		return `"redacted"`
	}
	return string(quoted)
}

// unquote returns the contents of a string literal, also of one that is cut off.
func unquote(literal string) string {
	var contents string
	if json.Unmarshal([]byte(literal), &contents) == nil {
		return contents
	}
	contents = strings.TrimPrefix(literal, `"`)
	return strings.ReplaceAll(strings.TrimSuffix(contents, `"`), `\"`, `"`)
}

// stringEnd returns the index after the string literal that begins at start, or
// the length of the text if the literal is cut off.
func stringEnd(text string, start int) int {
	for i := start + 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(text)
}

// valueEnd returns the index after the JSON value that begins at start.
func valueEnd(text string, start int) int {
	depth := 0
	for i := start; i < len(text); i++ {
		switch text[i] {
		case '"':
			i = stringEnd(text, i) - 1
			if depth == 0 {
				return i + 1
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return i
			}
			if depth--; depth == 0 {
				return i + 1
			}
		case ',', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return i
			}
		}
	}
	return len(text)
}

func skipSpace(text string, i int) int {
	for i < len(text) && strings.IndexByte(" \t\r\n", text[i]) >= 0 {
		i++
	}
	return i
}
