package natsstorage

import (
	"encoding/hex"
	"strings"
)

// names turns keys into names that a bucket takes, one token each, which stay
// readable: "sw:cached_credential" is "sw=3Acached_credential". A prefix is a
// token of its own before it.
type names struct {
	prefix string // with its dot, or empty
}

func namesOf(prefix string) names {
	if prefix == "" {
		return names{}
	}
	return names{prefix: token(prefix) + "."}
}

func (n names) of(key string) string { return n.prefix + token(key) }

// all matches the names of all keys with this prefix, and no others.
func (n names) all() string { return n.prefix + "*" }

func (n names) keyOf(name string) (string, bool) {
	name, ok := strings.CutPrefix(name, n.prefix)
	if !ok {
		return "", false
	}
	return text(name)
}

// noText is the token of the empty text.
const noText = "="

func token(text string) string {
	if text == "" {
		return noText
	}
	var b strings.Builder
	for _, c := range []byte(text) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '/':
			b.WriteByte(c)
		default:
			b.WriteByte('=')
			b.WriteString(strings.ToUpper(hex.EncodeToString([]byte{c})))
		}
	}
	return b.String()
}

// text reverses token; false when token did not make it.
func text(name string) (string, bool) {
	if name == noText {
		return "", true
	}
	var b strings.Builder
	for rest := name; rest != ""; {
		c := rest[0]
		rest = rest[1:]
		if c == '=' {
			if len(rest) < 2 {
				return "", false
			}
			one, err := hex.DecodeString(rest[:2])
			if err != nil {
				return "", false
			}
			c, rest = one[0], rest[2:]
		}
		b.WriteByte(c)
	}
	return b.String(), token(b.String()) == name
}
