package wire_test

import (
	"testing"

	"github.com/callrx/callrx/internal/wire"
	"github.com/google/go-cmp/cmp"
)

// frames pairs the text of a frame with what it means.
var frames = []struct {
	name string
	text string
	want wire.Frame
}{
	// Requests.
	{"request", `{"jsonrpc":"2.0","id":"r-1","method":"subscriber.online","params":{}}`,
		wire.Frame{Kind: wire.Request, ID: "r-1", Method: "subscriber.online", Params: "{}"}},
	{"request without params", `{"jsonrpc":"2.0","id":"r-1","method":"signalwire.ping"}`,
		wire.Frame{Kind: wire.Request, ID: "r-1", Method: "signalwire.ping"}},
	{"request with array params", `{"jsonrpc":"2.0","id":"r-1","method":"m","params":[1,{"event_type":"x"}]}`,
		wire.Frame{Kind: wire.Request, ID: "r-1", Method: "m", Params: `[1,{"event_type":"x"}]`}},
	{"request with an empty id", `{"jsonrpc":"2.0","id":"","method":"m"}`,
		wire.Frame{Kind: wire.Request, Method: "m"}},
	{"keys in another order, white space, unknown keys",
		" {\n\t\"trace\" : [ { } , null ] , \"params\" : { \"a\" : 1 } ,\r\"method\":\"m\" , \"id\":\"r-1\",\"jsonrpc\":\"2.0\" } \n",
		wire.Frame{Kind: wire.Request, ID: "r-1", Method: "m", Params: `{ "a" : 1 }`}},

	// Responses, in the places where the service puts results and errors.
	{"response", `{"jsonrpc":"2.0","id":"r-1","result":{"code":"200","message":"OK"}}`,
		wire.Frame{Kind: wire.Response, ID: "r-1", Result: `{"code":"200","message":"OK"}`}},
	{"null result", `{"jsonrpc":"2.0","id":"r-1","result":null}`,
		wire.Frame{Kind: wire.Response, ID: "r-1", Result: "null"}},
	{"numeric id", `{"jsonrpc":"2.0","id":17,"result":1}`,
		wire.Frame{Kind: wire.Response, ID: "17", Result: "1"}},
	{"negative id", `{"jsonrpc":"2.0","id":-1,"result":1}`,
		wire.Frame{Kind: wire.Response, ID: "-1", Result: "1"}},
	{"error", `{"jsonrpc":"2.0","id":"r-1","error":{"code":-32002,"message":"401","data":{"a":[1]}}}`,
		wire.Frame{Kind: wire.Response, ID: "r-1", Err: &wire.Error{Code: -32002, Message: "401", Data: `{"a":[1]}`}}},
	{"error with a numeric id", `{"jsonrpc":"2.0","id":17,"error":{"code":-32601,"message":"no"}}`,
		wire.Frame{Kind: wire.Response, ID: "17", Err: &wire.Error{Code: -32601, Message: "no"}}},
	{"error code as text", `{"jsonrpc":"2.0","id":"r-1","error":{"code":"-32002","message":"401","more":true}}`,
		wire.Frame{Kind: wire.Response, ID: "r-1", Err: &wire.Error{Code: -32002, Message: "401"}}},
	{"error code that is no number", `{"jsonrpc":"2.0","id":"r-1","error":{"code":"INVALID_GATEWAY"}}`,
		wire.Frame{Kind: wire.Response, ID: "r-1", Err: &wire.Error{CodeText: "INVALID_GATEWAY"}}},
	{"error code out of range", `{"jsonrpc":"2.0","id":"r-1","error":{"code":99999999999999999999}}`,
		wire.Frame{Kind: wire.Response, ID: "r-1", Err: &wire.Error{CodeText: "99999999999999999999"}}},
	{"error as text", `{"jsonrpc":"2.0","id":"r-1","error":"boom"}`,
		wire.Frame{Kind: wire.Response, ID: "r-1", Err: &wire.Error{Data: `"boom"`}}},
	{"error null beside a result", `{"jsonrpc":"2.0","id":"r-1","result":{},"error":null}`,
		wire.Frame{Kind: wire.Response, ID: "r-1", Result: "{}"}},
	{"error in place of a method that is no string", `{"jsonrpc":"2.0","id":"r-1","method":null,"error":{}}`,
		wire.Frame{Kind: wire.Response, ID: "r-1", Err: &wire.Error{}}},

	// Events.
	{"event on one channel",
		`{"jsonrpc":"2.0","id":"e","method":"signalwire.event","params":{"event_type":"call.state","event_channel":"signalwire_j1","timestamp":1718299953.114,"project_id":"p","node_id":"n","is_author":true,"params":{"call_id":"c"}}}`,
		event(`{"event_type":"call.state","event_channel":"signalwire_j1","timestamp":1718299953.114,"project_id":"p","node_id":"n","is_author":true,"params":{"call_id":"c"}}`,
			wire.Event{Type: "call.state", Channel: `"signalwire_j1"`, Timestamp: "1718299953.114", ProjectID: "p", NodeID: "n", Params: `{"call_id":"c"}`})},
	{"event on several channels",
		`{"jsonrpc":"2.0","id":"e","method":"signalwire.event","params":{"event_type":"member.left","event_channel":["a","b"],"timestamp":1718299953114539,"params":{}}}`,
		event(`{"event_type":"member.left","event_channel":["a","b"],"timestamp":1718299953114539,"params":{}}`,
			wire.Event{Type: "member.left", Channel: `["a","b"]`, Timestamp: "1718299953114539", Params: "{}"})},
	{"event without channel, text timestamp",
		`{"jsonrpc":"2.0","id":"e","method":"signalwire.event","params":{"event_type":"x","timestamp":"1718"}}`,
		event(`{"event_type":"x","timestamp":"1718"}`, wire.Event{Type: "x", Timestamp: `"1718"`})},
	{"event with null channel",
		`{"jsonrpc":"2.0","id":"e","method":"signalwire.event","params":{"event_type":"x","event_channel":null,"params":[1]}}`,
		event(`{"event_type":"x","event_channel":null,"params":[1]}`, wire.Event{Type: "x", Channel: "null", Params: "[1]"})},
	{"event whose header has the wrong kinds",
		`{"jsonrpc":"2.0","id":"e","method":"signalwire.event","params":{"event_type":7,"project_id":{},"node_id":[]}}`,
		event(`{"event_type":7,"project_id":{},"node_id":[]}`, wire.Event{})},

	// What a receiver counts and drops.
	{"batch", `[{"jsonrpc":"2.0","id":"r-1","method":"m"}]`, wire.Frame{}},
	{"scalar", ` "text" `, wire.Frame{}},
	{"null", `null`, wire.Frame{}},
	{"empty object", `{}`, wire.Frame{}},
	{"notification", `{"jsonrpc":"2.0","method":"m","params":{}}`, wire.Frame{Method: "m", Params: "{}"}},
	{"null id", `{"jsonrpc":"2.0","id":null,"method":"m"}`, wire.Frame{ID: "null", Method: "m"}},
	{"request with a numeric id", `{"jsonrpc":"2.0","id":1,"method":"m"}`, wire.Frame{ID: "1", Method: "m"}},
	{"response with a null id", `{"jsonrpc":"2.0","id":null,"result":1}`, wire.Frame{ID: "null", Result: "1"}},
	{"response with an object id", `{"jsonrpc":"2.0","id":{},"result":1}`, wire.Frame{ID: "{}", Result: "1"}},
	{"numeric id with both method and result", `{"jsonrpc":"2.0","id":1,"method":"m","result":2}`,
		wire.Frame{ID: "1", Method: "m", Result: "2"}},
	{"version 1.0", `{"jsonrpc":"1.0","id":"r","result":1}`, wire.Frame{ID: "r", Result: "1"}},
	{"version as number", `{"jsonrpc":2.0,"id":"r","result":1}`, wire.Frame{ID: "r", Result: "1"}},
	{"no version", `{"id":"r","method":"m"}`, wire.Frame{ID: "r", Method: "m"}},
	{"neither method nor reply", `{"jsonrpc":"2.0","id":"r"}`, wire.Frame{ID: "r"}},

	// Repeated keys: the last one counts, as in encoding/json.
	{"repeated keys", `{"jsonrpc":"1.0","jsonrpc":"2.0","id":1,"id":"r","method":"a","method":"b","params":{"event_type":"x"},"params":[]}`,
		wire.Frame{Kind: wire.Request, ID: "r", Method: "b", Params: "[]"}},
	{"repeated method ends as none", `{"jsonrpc":"2.0","id":"r","method":"a","method":null,"result":{}}`,
		wire.Frame{Kind: wire.Response, ID: "r", Result: "{}"}},
	{"repeated error ends as none", `{"jsonrpc":"2.0","id":"r","error":{"code":1},"error":null,"result":{}}`,
		wire.Frame{Kind: wire.Response, ID: "r", Result: "{}"}},
	{"repeated header", `{"jsonrpc":"2.0","id":"e","method":"signalwire.event","params":{"event_type":"a","event_type":"b"}}`,
		event(`{"event_type":"a","event_type":"b"}`, wire.Event{Type: "b"})},

	// Escapes.
	{"escapes", `{"jsonrpc":"2.0","id":"\"\\\/\b\f\n\r\t","method":"caf\u00e9 \u00E9 \ud83d\ude00"}`,
		wire.Frame{Kind: wire.Request, ID: "\"\\/\b\f\n\r\t", Method: "café é 😀"}},
	{"escaped keys", `{"jsonrp\u0063":"2.\u0030","\u0069d":"r","\u006dethod":"m"}`,
		wire.Frame{Kind: wire.Request, ID: "r", Method: "m"}},
	{"surrogates without their pair", `{"jsonrpc":"2.0","id":"\ud83d","method":"\ude00x\ud83d\u0041\ud83d\ud83d\ude00\ud83d\n"}`,
		wire.Frame{Kind: wire.Request, ID: "\uFFFD", Method: "\uFFFDx\uFFFDA\uFFFD😀\uFFFD\n"}},
	{"invalid UTF-8", "{\"jsonrpc\":\"2.0\",\"id\":\"a\xffb\",\"method\":\"m\"}",
		wire.Frame{Kind: wire.Request, ID: "a\uFFFDb", Method: "m"}},
	{"raw values keep their escapes", `{"jsonrpc":"2.0","id":"r","result":"\u0041"}`,
		wire.Frame{Kind: wire.Response, ID: "r", Result: `"\u0041"`}},
}

func event(params wire.Raw, e wire.Event) wire.Frame {
	return wire.Frame{Kind: wire.Request, ID: "e", Method: wire.MethodEvent, Params: params, Event: e}
}

func TestDecode(t *testing.T) {
	for _, tc := range frames {
		t.Run(tc.name, func(t *testing.T) {
			got, err := wire.Decode(tc.text)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("Decode(%s) (-want +got):\n%s", tc.text, diff)
			}
		})
	}
}

func TestOnlyEventsWithATypeAreEvents(t *testing.T) {
	for text, want := range map[string]bool{
		`{"jsonrpc":"2.0","id":"e","method":"signalwire.event","params":{"event_type":"x"}}`: true,
		`{"jsonrpc":"2.0","id":"e","method":"signalwire.event","params":{}}`:                 false,
		`{"jsonrpc":"2.0","id":"e","method":"signalwire.event"}`:                             false,
		`{"jsonrpc":"2.0","id":"e","method":"signalwire.ping","params":{"event_type":"x"}}`:  false,
	} {
		f, err := wire.Decode(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := f.IsEvent(); got != want {
			t.Errorf("IsEvent of %s = %t, want %t", text, got, want)
		}
	}
}

func TestEventReachesTheSessionNamedByItsChannel(t *testing.T) {
	const mine = "signalwire_j1_u1_p1"
	for _, tc := range []struct {
		name, kind, protocol string
		channel              wire.Raw
		want                 bool
	}{
		{"no channel", "call.state", mine, "", true},
		{"null channel", "call.state", mine, "null", true},
		{"empty channel", "call.state", mine, `""`, true},
		{"conversation on any channel", "conversation.message", mine, `"other"`, true},
		{"a type that only looks like a conversation", "conversations", mine, `"other"`, false},
		{"no protocol yet", "call.state", "", `"other"`, true},
		{"own channel", "call.state", mine, `"signalwire_j1_u1_p1"`, true},
		{"channel that contains the protocol", "call.state", mine, `"signalwire_j1_u1_p1.room.rs-1"`, true},
		{"channel of an older session", "call.state", mine, `"signalwire_j1_u0_p1"`, false},
		{"own channel among several", "member.left", mine, `["other","signalwire_j1_u1_p1"]`, true},
		{"array element that contains the protocol", "member.left", mine, `["signalwire_j1_u1_p1.room.rs-1"]`, true},
		{"other channels", "member.left", mine, `["other","signalwire_j1_u0_p1"]`, false},
		{"no channels", "member.left", mine, `[]`, false},
		{"array of nothing", "member.left", mine, `[null,""]`, false},
		{"protocol spread over elements", "member.left", mine, `["signalwire_j1","_u1_p1"]`, false},
		{"escaped channel", "call.state", mine, `"signalwire\u005fj1_u1_p1"`, true},
		{"escaped slash", "call.state", "a/b", `["a\/b"]`, true},
		{"channel of another kind", "call.state", mine, `7`, false},
	} {
		e := wire.Event{Type: tc.kind, Channel: tc.channel}
		if got := e.OnChannel(tc.protocol); got != tc.want {
			t.Errorf("%s: OnChannel = %t, want %t", tc.name, got, tc.want)
		}
	}
}
