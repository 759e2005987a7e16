package wire_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"
	"unicode/utf8"

	"github.com/callrx/callrx/internal/wire"
)

// FuzzDecode holds the decoder against encoding/json: both accept the same
// texts, and read the same envelope from them.
func FuzzDecode(f *testing.F) {
	for _, path := range traceFiles(f) {
		for _, line := range readTrace(f, path) {
			f.Add(string(line.Frame))
		}
	}
	for _, tc := range frames {
		f.Add(tc.text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := wire.Decode(text)
		if valid := json.Valid([]byte(text)); utf8.ValidString(text) && valid != (err == nil) {
			t.Fatalf("error %v, but encoding/json says valid = %t", err, valid)
		}
		if err != nil {
			var syntax *wire.SyntaxError
			if !errors.As(err, &syntax) || syntax.Offset < 0 || syntax.Offset > 3*len(text) {
				t.Fatalf("error %#v", err)
			}
			return
		}
		got.Event.OnChannel("signalwire_j1")
		wire.ResultError(got.Result)
		_, _ = wire.DecodeAuthorizationState(got.Event.Params)
		if utf8.ValidString(text) {
			agree(t, text, got)
		}
	})
}

// agree compares f with the members that encoding/json finds in text.
func agree(t *testing.T, text string, f wire.Frame) {
	t.Helper()
	var members map[string]json.RawMessage
	if json.Unmarshal([]byte(text), &members) != nil || members == nil {
		if f.Kind != wire.Ignored {
			t.Fatalf("kind %d of what is no object", f.Kind)
		}
		return
	}
	if id, ok := asText(members["id"]); ok && f.ID != id {
		t.Errorf("id %q, want %q", f.ID, id)
	}
	method, isRequest := asText(members["method"])
	if f.Method != method {
		t.Errorf("method %q, want %q", f.Method, method)
	}
	if f.Kind == wire.Request && !isRequest || f.Kind == wire.Response && isRequest {
		t.Errorf("kind %d, method present: %t", f.Kind, isRequest)
	}
	for name, got := range map[string]wire.Raw{"params": f.Params, "result": f.Result} {
		if want := bytes.TrimSpace(members[name]); string(want) != string(got) {
			t.Errorf("%s %q, want %q", name, got, want)
		}
	}
	var header map[string]json.RawMessage
	if json.Unmarshal([]byte(f.Params), &header) == nil {
		if kind, _ := asText(header["event_type"]); f.Event.Type != kind {
			t.Errorf("event type %q, want %q", f.Event.Type, kind)
		}
		if want := bytes.TrimSpace(header["params"]); string(want) != string(f.Event.Params) {
			t.Errorf("payload %q, want %q", f.Event.Params, want)
		}
	}
}

// asText decodes a JSON string, and nothing else.
func asText(value json.RawMessage) (s string, ok bool) {
	if !bytes.HasPrefix(value, []byte(`"`)) {
		return "", false
	}
	return s, json.Unmarshal(value, &s) == nil
}

// FuzzEncode: decoding what was encoded gives the parts back.
func FuzzEncode(f *testing.F) {
	f.Add("r-1", "subscriber.online", `{}`, -32002)
	f.Add("a\"\\\n\x00é😀", "\u2028<&>", ` { "a" : [ 1 , "<" ] } `, 0)
	f.Add("", "", `null`, 7)
	f.Add("\x7f", "m", `nonsense`, 1)
	f.Fuzz(func(t *testing.T, id, method, body string, code int) {
		if !utf8.ValidString(id) || !utf8.ValidString(method) || !utf8.ValidString(body) {
			return // not Unicode, so not to be had back
		}
		text, err := wire.EncodeRequest(id, method, json.RawMessage(body))
		if valid := json.Valid([]byte(body)); valid != (err == nil) {
			t.Fatalf("error %v, valid params: %t", err, valid)
		} else if !valid {
			return
		}
		request := decoded(t, text)
		if request.Kind != wire.Request || request.ID != id || request.Method != method {
			t.Errorf("request %+v from %s", request, text)
		}
		if want, _ := json.Marshal(json.RawMessage(body)); string(want) != "null" && string(want) != string(request.Params) {
			t.Errorf("params %s, want %s", request.Params, want)
		}
		result := decoded(t, wire.EncodeResult(id, wire.Raw(body)))
		if result.Kind != wire.Response || result.ID != id || string(result.Result) != string(bytes.TrimSpace([]byte(body))) {
			t.Errorf("result %+v from %s", result, body)
		}
		refusal := decoded(t, wire.EncodeError(id, wire.Error{Code: code, Message: method, Data: wire.Raw(body)}))
		if e := refusal.Err; refusal.ID != id || e == nil || e.Code != code || e.Message != method || e.CodeText != "" {
			t.Errorf("error %+v from code %d, message %q", e, code, method)
		}
	})
}

func decoded(t *testing.T, text []byte) wire.Frame {
	t.Helper()
	f, err := wire.Decode(string(text))
	if err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return f
}
