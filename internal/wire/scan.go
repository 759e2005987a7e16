package wire

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth is how deeply values may nest; encoding/json has the same limit.
const maxDepth = 10000

// A SyntaxError says that a text is not JSON, and where.
type SyntaxError struct {
	Offset int    // bytes before the offending one
	Want   string // what would have been legal there
}

func (e *SyntaxError) Error() string {
	return "invalid JSON at byte " + strconv.Itoa(e.Offset) + ": want " + e.Want
}

// A scanner walks a JSON text (RFC 8259) once, without building a tree. Strings
// it returns point into the text unless they hold escapes.
type scanner struct {
	s     string
	i     int
	depth int
}

func (p *scanner) fail(want string) error { return &SyntaxError{Offset: p.i, Want: want} }

// peek skips white space and returns the next byte, 0 at the end.
func (p *scanner) peek() byte {
	for ; p.i < len(p.s); p.i++ {
		switch c := p.s[p.i]; c {
		case ' ', '\t', '\n', '\r':
		default:
			return c
		}
	}
	return 0
}

func (p *scanner) expect(c byte) error {
	if p.peek() != c {
		return p.fail(strconv.QuoteRune(rune(c)))
	}
	p.i++
	return nil
}

// open enters an object or array.
func (p *scanner) open(c byte) error {
	if p.depth++; p.depth > maxDepth {
		return p.fail("fewer nested values")
	}
	return p.expect(c)
}

// more reports whether another element follows before the closing byte end,
// and steps over the comma or the end.
func (p *scanner) more(first bool, end byte) (bool, error) {
	switch c := p.peek(); {
	case c == end:
		p.i++
		p.depth--
		return false, nil
	case first:
		return true, nil
	case c == ',':
		p.i++
		return true, nil
	}
	return false, p.fail("',' or " + strconv.QuoteRune(rune(end)))
}

// key returns the next member name of the object entered by open, or more =
// false at its end. The caller must consume the member's value.
func (p *scanner) key(first bool) (name string, more bool, err error) {
	if more, err = p.more(first, '}'); !more {
		return "", false, err
	}
	if name, err = p.str(); err != nil {
		return "", false, err
	}
	return name, true, p.expect(':')
}

// object calls member for every member of the object at the cursor; member must
// consume its value. A value of another kind is skipped.
func (p *scanner) object(member func(p *scanner, key string) error) error {
	if p.peek() != '{' {
		return p.skip()
	}
	if err := p.open('{'); err != nil {
		return err
	}
	for first := true; ; first = false {
		key, more, err := p.key(first)
		if err != nil || !more {
			return err
		}
		if err = member(p, key); err != nil {
			return err
		}
	}
}

// array calls element at each element of the array at the cursor; element must
// consume it. A value of another kind is skipped.
func (p *scanner) array(element func(p *scanner) error) error {
	if p.peek() != '[' {
		return p.skip()
	}
	if err := p.open('['); err != nil {
		return err
	}
	for first := true; ; first = false {
		more, err := p.more(first, ']')
		if err != nil || !more {
			return err
		}
		if err = element(p); err != nil {
			return err
		}
	}
}

// raw skips one value of any kind and returns its text.
func (p *scanner) raw() (Raw, error) {
	p.peek()
	start := p.i
	err := p.skip()
	return Raw(p.s[start:p.i]), err
}

func (p *scanner) skip() error {
	switch c := p.peek(); {
	case c == '{':
		return p.skipObject()
	case c == '[':
		return p.skipArray()
	case c == '"':
		_, _, err := p.quoted()
		return err
	case c == '-' || '0' <= c && c <= '9':
		return p.number()
	case c == 't':
		return p.literal("true")
	case c == 'f':
		return p.literal("false")
	case c == 'n':
		return p.literal("null")
	}
	return p.fail("a value")
}

func (p *scanner) skipObject() error {
	if err := p.open('{'); err != nil {
		return err
	}
	for first := true; ; first = false {
		more, err := p.more(first, '}')
		if !more {
			return err
		}
		if p.peek() != '"' {
			return p.fail("a member name")
		}
		if _, _, err = p.quoted(); err != nil {
			return err
		}
		if err = p.expect(':'); err != nil {
			return err
		}
		if err = p.skip(); err != nil {
			return err
		}
	}
}

func (p *scanner) skipArray() error {
	if err := p.open('['); err != nil {
		return err
	}
	for first := true; ; first = false {
		more, err := p.more(first, ']')
		if !more {
			return err
		}
		if err = p.skip(); err != nil {
			return err
		}
	}
}

func (p *scanner) literal(word string) error {
	if !strings.HasPrefix(p.s[p.i:], word) {
		return p.fail(word)
	}
	p.i += len(word)
	return nil
}

func (p *scanner) digits() bool {
	start := p.i
	for p.i < len(p.s) && '0' <= p.s[p.i] && p.s[p.i] <= '9' {
		p.i++
	}
	return p.i > start
}

func (p *scanner) at(set string) bool {
	return p.i < len(p.s) && strings.IndexByte(set, p.s[p.i]) >= 0
}

func (p *scanner) number() error {
	if p.at("-") {
		p.i++
	}
	switch {
	case p.at("0"):
		p.i++
	case !p.digits():
		return p.fail("a digit")
	}
	if p.at(".") {
		p.i++
		if !p.digits() {
			return p.fail("a digit after the point")
		}
	}
	if p.at("eE") {
		p.i++
		if p.at("+-") {
			p.i++
		}
		if !p.digits() {
			return p.fail("an exponent")
		}
	}
	return nil
}

// quoted validates the string literal at the cursor and returns what stands
// between its quotes.
func (p *scanner) quoted() (text string, escaped bool, err error) {
	start := p.i + 1
	for p.i = start; p.i < len(p.s); p.i++ {
		switch c := p.s[p.i]; {
		case c == '"':
			p.i++
			return p.s[start : p.i-1], escaped, nil
		case c == '\\':
			escaped = true
			if err := p.escape(); err != nil {
				return "", false, err
			}
		case c < 0x20:
			return "", false, p.fail("no control character in a string")
		}
	}
	return "", false, p.fail("the end of the string")
}

// escape stands on a backslash and leaves the cursor on the escape's last byte.
func (p *scanner) escape() error {
	p.i++
	if p.at(`"\/bfnrt`) {
		return nil
	}
	if !p.at("u") {
		return p.fail("an escape")
	}
	for range 4 {
		p.i++
		if !p.at("0123456789abcdefABCDEF") {
			return p.fail("four hex digits")
		}
	}
	return nil
}

// str reads a string value.
func (p *scanner) str() (string, error) {
	if p.peek() != '"' {
		return "", p.fail("a string")
	}
	text, escaped, err := p.quoted()
	if err != nil || !escaped {
		return text, err
	}
	return unescape(text), nil
}

// unescape resolves the escapes of a validated string literal.
func unescape(s string) string {
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			b = append(b, s[i])
			continue
		}
		i++
		switch c := s[i]; c {
		case 'b':
			b = append(b, '\b')
		case 'f':
			b = append(b, '\f')
		case 'n':
			b = append(b, '\n')
		case 'r':
			b = append(b, '\r')
		case 't':
			b = append(b, '\t')
		case 'u':
			var r rune
			r, i = codePoint(s, i)
			b = utf8.AppendRune(b, r)
		default:
			b = append(b, c)
		}
	}
	return string(b)
}

// codePoint reads the hex digits after the u at s[i], and those of the low
// surrogate if one follows; it returns the index of the last byte read.
func codePoint(s string, i int) (rune, int) {
	r := hex4(s[i+1:])
	i += 4
	if !utf16.IsSurrogate(r) {
		return r, i
	}
	if strings.HasPrefix(s[i+1:], `\u`) {
		if full := utf16.DecodeRune(r, hex4(s[i+3:])); full != utf8.RuneError {
			return full, i + 6
		}
	}
	return utf8.RuneError, i
}

func hex4(s string) rune {
	v, _ := strconv.ParseUint(s[:4], 16, 32)
	return rune(v)
}
