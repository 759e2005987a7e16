package wire_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/callrx/callrx/internal/wire"
	"github.com/google/go-cmp/cmp"
)

// vertoMessages pairs the payload of a webrtc.message event with what it means.
var vertoMessages = []struct {
	name string
	text wire.Raw
	want wire.VertoMessage
}{
	{"invite", `{"jsonrpc":"2.0","id":301,"method":"verto.invite","params":{"callID":"c-in","sdp":"v=0\r\n","caller_id_name":"Bob","caller_id_number":"subscriber://bob","callee_id_name":"Ann","callee_id_number":"/private/ann","display_direction":"outbound","userVariables":{"ticket":"42"}}}`,
		wire.VertoMessage{Method: "verto.invite", CallID: "c-in", SDP: "v=0\r\n", CallerName: "Bob", CallerNumber: "subscriber://bob",
			CalleeName: "Ann", CalleeNumber: "/private/ann", Direction: "outbound", UserVariables: `{"ticket":"42"}`}},
	{"attach", `{"method":"verto.attach","params":{"callID":"c","callee_id_number":"/public/lobby","display_direction":"outbound","variables":{"a":"1"}}}`,
		wire.VertoMessage{Method: "verto.attach", CallID: "c", CalleeNumber: "/public/lobby", Direction: "outbound", UserVariables: `{"a":"1"}`}},
	{"media", `{"jsonrpc":"2.0","id":1,"method":"verto.media","params":{"callID":"c","sdp":"v=0"}}`,
		wire.VertoMessage{Method: "verto.media", CallID: "c", SDP: "v=0"}},
	{"answer without description", `{"method":"verto.answer","params":{"callID":"c","userVariables":{}}}`,
		wire.VertoMessage{Method: "verto.answer", CallID: "c", UserVariables: `{}`}},
	{"bye with a number", `{"method":"verto.bye","params":{"callID":"c","cause":"USER_BUSY","causeCode":17}}`,
		wire.VertoMessage{Method: "verto.bye", CallID: "c", Cause: "USER_BUSY", CauseCode: 17}},
	{"bye with a number as text", `{"method":"verto.bye","params":{"callID":"c","cause":"MEDIA_TIMEOUT","causeCode":"804"}}`,
		wire.VertoMessage{Method: "verto.bye", CallID: "c", Cause: "MEDIA_TIMEOUT", CauseCode: 804}},
	{"bye with a code that is no number", `{"method":"verto.bye","params":{"callID":"c","causeCode":"WRONG_CALL_STATE"}}`,
		wire.VertoMessage{Method: "verto.bye", CallID: "c"}},
	{"bye with null", `{"method":"verto.bye","params":{"callID":"c","cause":null,"causeCode":null}}`,
		wire.VertoMessage{Method: "verto.bye", CallID: "c"}},
	{"bye without cause", `{"method":"verto.bye","params":{"callID":"c"}}`, wire.VertoMessage{Method: "verto.bye", CallID: "c"}},
	{"call id in the dialog only", `{"method":"verto.ping","params":{"dialogParams":{"userVariables":{"callID":"no"},"callID":"c"}}}`,
		wire.VertoMessage{Method: "verto.ping", CallID: "c"}},
	{"call id in both places", `{"method":"verto.ping","params":{"dialogParams":{"callID":"dialog"},"callID":"c"}}`,
		wire.VertoMessage{Method: "verto.ping", CallID: "c"}},
	{"no call id", `{"method":"verto.bye","params":{}}`, wire.VertoMessage{Method: "verto.bye"}},
	{"media parameters", `{"method":"verto.mediaParams","params":{"callID":"c","mediaParams":{"audio":{"autoGainControl":true}}}}`,
		wire.VertoMessage{Method: "verto.mediaParams", CallID: "c", MediaParams: `{"audio":{"autoGainControl":true}}`}},
	{"parameters before the method", `{"params":{"sdp":"s","callID":"c"},"method":"verto.media"}`,
		wire.VertoMessage{Method: "verto.media", CallID: "c", SDP: "s"}},
	{"wrong kinds", `{"method":7,"params":{"callID":1,"sdp":[],"cause":{},"caller_id_name":true}}`, wire.VertoMessage{}},
	{"parameters that are no object", `{"method":"verto.bye","params":[1]}`, wire.VertoMessage{Method: "verto.bye"}},
	{"dialog that is no object", `{"method":"verto.bye","params":{"dialogParams":null,"callID":"c"}}`, wire.VertoMessage{Method: "verto.bye", CallID: "c"}},
	{"no parameters", `{"method":"verto.clientReady"}`, wire.VertoMessage{Method: "verto.clientReady"}},
	{"escapes", `{"m\u0065thod":"verto\u002ebye","params":{"call\u0049D":"\u0063"}}`, wire.VertoMessage{Method: "verto.bye", CallID: "c"}},
	{"no object", `[]`, wire.VertoMessage{}},
}

func TestDecodeVerto(t *testing.T) {
	for _, tc := range vertoMessages {
		got, err := wire.DecodeVerto(tc.text)
		if diff := cmp.Diff(tc.want, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", tc.name, err, diff)
		}
	}
}

func TestVertoUserVariablesAreAnObjectOrNone(t *testing.T) {
	for raw, want := range map[wire.Raw]map[string]any{
		"": nil, "null": nil, `"text"`: nil, `[1]`: nil, `7`: nil,
		`{}`:                                {},
		`{"ticket":"42","n":1,"o":{"a":1}}`: {"ticket": "42", "n": 1.0, "o": map[string]any{"a": 1.0}},
	} {
		m := wire.VertoMessage{UserVariables: raw}
		if diff := cmp.Diff(want, m.Variables()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", raw, diff)
		}
	}
}

// full is the full form of the dialog parameters of a call to uri.
func full(uri string, attached bool, variables map[string]any) *wire.DialogParams {
	d := &wire.DialogParams{
		CallID: "c-ann", DestinationNumber: uri, RemoteCallerNumber: uri, UserVariables: variables,
		ScreenShare: pointer(false), AdditionalDevice: pointer(false), PingSupported: pointer(true), Version: 1000,
	}
	if attached {
		d.Attach, d.Reattaching = pointer(false), pointer(false)
	}
	return d
}

// TestVertoRequestsAreWhatTheServiceReads holds the encoding against requests
// as the service documents them.
func TestVertoRequestsAreWhatTheServiceReads(t *testing.T) {
	const lobby = "/public/lobby?channel=video"
	video := map[string]any{"memberCallId": "c-ann", "memberId": "m-ann", "channel": "video"}
	inbound := full("/private/ann", false, map[string]any{"memberCallId": "c-in", "ticket": "42"})
	inbound.CallID, inbound.CallerIDName, inbound.CallerIDNumber, inbound.RemoteCallerName = "c-in", "Bob", "subscriber://bob", "Ann"
	short := &wire.DialogParams{CallID: "c-ann"}
	const fullText = `"destination_number":"/public/lobby?channel=video","attach":false,"reattaching":false,"remote_caller_id_number":"/public/lobby?channel=video","userVariables":{"memberCallId":"c-ann","memberId":"m-ann","channel":"video"},"screenShare":false,"additionalDevice":false,"pingSupported":true,"version":1000`
	for _, tc := range []struct {
		method    string
		params    wire.VertoParams
		subscribe []string
		want      string // of the parameters
	}{
		{wire.VertoInvite, wire.VertoParams{Dialog: full(lobby, false, map[string]any{"memberCallId": "c-ann", "channel": "video"}), SDP: "v=0\r\n"}, []string{"track", "destroy"},
			`{"dialogParams":{"callID":"c-ann","destination_number":"/public/lobby?channel=video","remote_caller_id_number":"/public/lobby?channel=video","userVariables":{"memberCallId":"c-ann","channel":"video"},"screenShare":false,"additionalDevice":false,"pingSupported":true,"version":1000},"sdp":"v=0\r\n"}`},
		{wire.VertoModify, wire.VertoParams{Dialog: full(lobby, true, video), SDP: "v=0", Action: wire.ModifyUpdateMedia}, nil,
			`{"dialogParams":{"callID":"c-ann",` + fullText + `},"sdp":"v=0","action":"updateMedia"}`},
		{wire.VertoModify, wire.VertoParams{SessID: "c-ann", Dialog: short, Action: wire.ModifyHold}, nil,
			`{"sessid":"c-ann","dialogParams":{"callID":"c-ann"},"action":"hold"}`},
		{wire.VertoModify, wire.VertoParams{Destination: "/private/bob", Dialog: full(lobby, true, video), Action: wire.ModifyTransfer}, nil,
			`{"destination":"/private/bob","dialogParams":{"callID":"c-ann",` + fullText + `},"action":"transfer"}`},
		{wire.VertoInfo, wire.VertoParams{SessID: "c-ann", Dialog: short, DTMF: "12#"}, nil,
			`{"sessid":"c-ann","dialogParams":{"callID":"c-ann"},"dtmf":"12#"}`},
		{wire.VertoAnswer, wire.VertoParams{Dialog: inbound, SDP: "v=0"}, []string{"track"},
			`{"dialogParams":{"callID":"c-in","destination_number":"/private/ann","caller_id_name":"Bob","caller_id_number":"subscriber://bob","remote_caller_id_name":"Ann","remote_caller_id_number":"/private/ann","userVariables":{"memberCallId":"c-in","ticket":"42"},"screenShare":false,"additionalDevice":false,"pingSupported":true,"version":1000},"sdp":"v=0"}`},
		{wire.VertoBye, wire.VertoParams{Dialog: full(lobby, true, video)}, nil, `{"dialogParams":{"callID":"c-ann",` + fullText + `}}`},
		{wire.VertoBye, wire.VertoParams{Dialog: short, Cause: "USER_BUSY", CauseCode: "17"}, nil,
			`{"dialogParams":{"callID":"c-ann"},"cause":"USER_BUSY","causeCode":"17"}`},
		{wire.VertoPong, wire.VertoParams{CallID: "c-ann", Dialog: short}, nil, `{"callID":"c-ann","dialogParams":{"callID":"c-ann"}}`},
		{wire.VertoSubscribe, wire.VertoParams{SessID: "c-ann", EventChannel: []string{"user_event"}}, nil,
			`{"sessid":"c-ann","eventChannel":["user_event"]}`},
	} {
		env := wire.VertoEnvelope{CallID: "c-ann", Subscribe: tc.subscribe,
			Message: wire.VertoRequest{JSONRPC: "2.0", ID: "v-1", Method: tc.method, Params: tc.params}}
		want := `{"callID":"c-ann","node_id":"","message":{"jsonrpc":"2.0","id":"v-1","method":"` + tc.method + `","params":` + tc.want + `}`
		if tc.subscribe != nil {
			want += `,"subscribe":["` + strings.Join(tc.subscribe, `","`) + `"]`
		}
		got, err := json.Marshal(env)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(asAny(t, want+"}"), asAny(t, string(got))); diff != "" {
			t.Errorf("%s %s (-want +got):\n%s", tc.method, tc.params.Action, diff)
		}
	}
}

func asAny(t *testing.T, text string) (v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return v
}

func TestVertoRepliesAreRead(t *testing.T) {
	var got wire.VertoReply
	text := `{"code":"200","node_id":"n-1@puc","result":{"jsonrpc":"2.0","id":"v","result":{"message":"CALL CREATED","callID":"c","memberID":"m","action":"hold","holdState":"held","sdp":"v=0"}}}`
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	want := wire.VertoReply{NodeID: "n-1@puc"}
	want.Result.Result = wire.VertoResult{Message: wire.VertoCreated, CallID: "c", MemberID: "m", Action: wire.ModifyHold, HoldState: "held", SDP: "v=0"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// FuzzDecodeVerto holds the decoder against encoding/json: both accept the same
// texts, and read the same method and call id from them.
func FuzzDecodeVerto(f *testing.F) {
	for _, tc := range vertoMessages {
		f.Add(string(tc.text))
	}
	f.Fuzz(func(t *testing.T, text string) {
		m, err := wire.DecodeVerto(wire.Raw(text))
		_, refErr := wire.DecodeCallEvent(wire.Raw(text))
		m.Variables()
		if !json.Valid([]byte(text)) || !utf8.ValidString(text) {
			return // events are decoded from frames that are valid as a whole
		}
		if err != nil || refErr != nil {
			t.Fatalf("%v, %v", err, refErr)
		}
		var members, params map[string]json.RawMessage
		if json.Unmarshal([]byte(text), &members) != nil || json.Unmarshal(members["params"], &params) != nil {
			return
		}
		// A repeated key adds up here and replaces there: leave one of each.
		members["params"], _ = json.Marshal(params)
		once, _ := json.Marshal(members)
		if m, err = wire.DecodeVerto(wire.Raw(once)); err != nil {
			t.Fatalf("%v in %s", err, once)
		}
		if want, ok := asText(members["method"]); ok && m.Method != want {
			t.Errorf("method %q, want %q", m.Method, want)
		}
		if want, ok := asText(params["callID"]); ok && want != "" && m.CallID != want {
			t.Errorf("call id %q, want %q", m.CallID, want)
		}
		if want, ok := asText(params["sdp"]); ok && m.SDP != want {
			t.Errorf("description %q, want %q", m.SDP, want)
		}
	})
}
