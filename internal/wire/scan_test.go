package wire_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/callrx/callrx/internal/wire"
)

func TestSyntaxErrorsSayWhereAndWhat(t *testing.T) {
	for _, tc := range []struct {
		text   string
		offset int
		want   string
	}{
		{``, 0, "a value"},
		{"  \n", 3, "a value"},
		{"\x00", 0, "a value"},
		{`{"a":1}x`, 7, "the end of the text"},
		{"{}\x00", 2, "the end of the text"},
		{`{`, 1, "a string"},
		{`{"a"`, 4, "':'"},
		{`{"a":`, 5, "a value"},
		{`{"a":1`, 6, "',' or '}'"},
		{`{"a":1,}`, 7, "a string"},
		{`{"a":1 "b":2}`, 7, "',' or '}'"},
		{`{,}`, 1, "a string"},
		{`{1:2}`, 1, "a string"},
		{`{"x":{1:2}}`, 6, "a member name"},
		{`{"x":{"y"}}`, 9, "':'"},
		{`[1,]`, 3, "a value"},
		{`[,1]`, 1, "a value"},
		{`[1 2]`, 3, "',' or ']'"},
		{`[1}`, 2, "',' or ']'"},
		{`tru`, 0, "true"},
		{`fals `, 0, "false"},
		{`nul`, 0, "null"},
		{`True`, 0, "a value"},
		{`+1`, 0, "a value"},
		{`-`, 1, "a digit"},
		{`-x`, 1, "a digit"},
		{`.5`, 0, "a value"},
		{`01`, 1, "the end of the text"},
		{`1.`, 2, "a digit after the point"},
		{`1e`, 2, "an exponent"},
		{`1e+`, 3, "an exponent"},
		{`"abc`, 4, "the end of the string"},
		{"\"a\nb\"", 2, "no control character in a string"},
		{"\"\x1f\"", 1, "no control character in a string"},
		{`"\x"`, 2, "an escape"},
		{`"\`, 2, "an escape"},
		{`"\u12g4"`, 5, "four hex digits"},
		{`"\u12`, 5, "four hex digits"},
		{`{"id":"\q"}`, 8, "an escape"},
		{`{"error":{"code":}}`, 17, "a value"},
		{`{"error":{"code"}}`, 16, "':'"},
		{`{"params":{"event_type":x}}`, 24, "a value"},
		{`{"params":{"event_type":"x"`, 27, "',' or '}'"},
		{strings.Repeat("[", 10001), 10000, "fewer nested values"},
	} {
		var syntax *wire.SyntaxError
		_, err := wire.Decode(tc.text)
		if !errors.As(err, &syntax) {
			t.Errorf("Decode(%.40q): error %v, want a syntax error", tc.text, err)
			continue
		}
		if syntax.Offset != tc.offset || syntax.Want != tc.want {
			t.Errorf("Decode(%.40q): %v; want byte %d: %s", tc.text, err, tc.offset, tc.want)
		}
		if !strings.Contains(err.Error(), tc.want) {
			t.Errorf("message %q does not say what was wanted", err)
		}
		if json.Valid([]byte(tc.text)) {
			t.Errorf("encoding/json accepts %.40q", tc.text)
		}
	}
}

func TestEveryKindOfValueIsRead(t *testing.T) {
	for _, text := range []string{
		`0`, `-0`, `10`, `1.5`, `-1.5e10`, `1E-7`, `1e+7`, `0.0`, `true`, `false`, `null`, `""`, `"\u0000"`, "\"\x7f\"",
		`[]`, `[ ]`, `{ }`, `[[],{},[{}]]`, `{"a":[1,"b",{"c":null}],"d":{}}`,
		"[" + strings.Repeat("{},[],", 10000) + "0]", // many, but not deep
		strings.Repeat("[", 10000) + strings.Repeat("]", 10000),
		strings.Repeat(`{"a":`, 9999) + "{}" + strings.Repeat("}", 9999),
	} {
		if !json.Valid([]byte(text)) {
			t.Fatalf("encoding/json refuses %.40q", text)
		}
		if _, err := wire.Decode(text); err != nil {
			t.Errorf("Decode(%.40q): %v", text, err)
		}
		if strings.HasPrefix(text, "[[[[") || strings.HasPrefix(text, `{"a":{`) {
			continue // inside an object it nests deeper than allowed
		}
		f, err := wire.Decode(`{"jsonrpc":"2.0","id":"r","x":0,"result": ` + text + ` }`)
		if err != nil || string(f.Result) != text {
			t.Errorf("result %q, error %v; want %q", f.Result, err, text)
		}
	}
}
