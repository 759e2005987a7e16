package wire_test

import (
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/callrx/callrx/internal/wire"
	"github.com/google/go-cmp/cmp"
)

func pointer[T any](v T) *T { return &v }

// messages holds one value of every message type with every field set.
var messages = []any{
	wire.Authentication{Project: "p1", JWTToken: "dummy"},
	wire.Version{Major: 4, Minor: 1, Revision: 2},
	wire.ConnectParams{
		Authentication: wire.Authentication{Project: "p1", JWTToken: "dummy"},
		Version:        wire.Version{Major: 4, Minor: 1, Revision: 2},
		Agent:          "callrx/0.1.0", Contexts: []string{"a"}, Eventing: []string{"b"}, Topics: []string{"c"},
		EventAcks: true, DPoPToken: "dummy-proof", AuthorizationState: "dummy-state", Protocol: "signalwire_j1",
	},
	wire.ReauthenticateParams{Authentication: wire.Authentication{Project: "p1", JWTToken: "dummy"}, DPoPToken: "dummy-proof"},
	wire.ConnectResult{
		Identity: "id-1@puc", Protocol: "signalwire_j1",
		Authorization: authorization,
		ICEServers:    []wire.ICEServer{{URLs: []string{"turn:turn.example.com:443?transport=tcp"}, Username: "u", Credential: "c", CredentialType: "password"}},
	},
	authorization,
	wire.Confirmation{JKT: "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"},
	*authorization.FabricSubscriber,
	wire.ICEServer{URLs: []string{"stun:stun.example.com"}, Username: "u", Credential: "c", CredentialType: "password"},
	wire.Ping{Timestamp: 1718299953.114},
	wire.EventParams{
		EventType: "member.left", EventChannel: []any{"a", "b"}, Timestamp: 1718299953114539,
		ProjectID: "p1", NodeID: "n-1@puc", Params: json.RawMessage(`{"a":1}`),
	},
	wire.AuthorizationState{AuthorizationState: "dummy-state"},
}

var authorization = wire.Authorization{
	JTI: "j1", ProjectID: "p1", DataZone: "us", Scope: []string{"sat:refresh"}, CNF: &wire.Confirmation{JKT: "thumb"},
	FabricSubscriber: &wire.FabricSubscriber{
		Version: 1, ExpiresAt: 1718303553, SubscriberID: "sub-ann",
		ApplicationID: pointer("app-1"), ProjectID: "p1", SpaceID: "sp1",
	},
}

func TestMessagesSurviveARequest(t *testing.T) {
	for _, want := range messages {
		typ := reflect.TypeOf(want)
		t.Run(typ.Name(), func(t *testing.T) {
			for i := range typ.NumField() {
				if reflect.ValueOf(want).Field(i).IsZero() {
					t.Fatalf("field %s is not set, so the test does not cover it", typ.Field(i).Name)
				}
			}
			text, err := wire.EncodeRequest("r-1", "m", want)
			if err != nil {
				t.Fatal(err)
			}
			f, err := wire.Decode(string(text))
			if err != nil || f.Kind != wire.Request || f.ID != "r-1" || f.Method != "m" {
				t.Fatalf("frame %+v, error %v", f, err)
			}
			got := reflect.New(typ)
			if err := json.Unmarshal([]byte(f.Params), got.Interface()); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got.Elem().Interface()); diff != "" {
				t.Errorf("after the round trip (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFreshConnectSaysNothingItDoesNotKnow(t *testing.T) {
	text, err := wire.EncodeRequest("r-1", wire.MethodConnect, wire.NewConnectParams("dummy-sat", "callrx/0.1.0"))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"jsonrpc":"2.0","id":"r-1","method":"signalwire.connect","params":{` +
		`"authentication":{"jwt_token":"dummy-sat"},"version":{"major":4,"minor":0,"revision":0},"agent":"callrx/0.1.0",` +
		`"contexts":[],"eventing":[],"topics":[],"event_acks":true}}`
	if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Errorf("connect request (-want +got):\n%s", diff)
	}
}

func TestRequestsWithoutParamsCarryAnEmptyObject(t *testing.T) {
	for name, params := range map[string]any{
		"nil": nil, "nil pointer": (*wire.Ping)(nil), "nil map": map[string]any(nil), "null": json.RawMessage("null"),
		"empty": struct{}{},
	} {
		text, err := wire.EncodeRequest("r-1", wire.MethodOnline, params)
		want := `{"jsonrpc":"2.0","id":"r-1","method":"subscriber.online","params":{}}`
		if err != nil || string(text) != want {
			t.Errorf("%s: %s, error %v; want %s", name, text, err, want)
		}
	}
}

func TestUnencodableParamsNameTheMethod(t *testing.T) {
	_, err := wire.EncodeRequest("r-1", "call.mute", math.Inf(1))
	if err == nil || !strings.Contains(err.Error(), "call.mute") {
		t.Errorf("error %v does not name the method", err)
	}
}

func TestRepliesSurviveDecoding(t *testing.T) {
	for _, tc := range []struct {
		name string
		text []byte
		want wire.Frame
	}{
		{"ack", wire.EncodeAck("e-1"), wire.Frame{Kind: wire.Response, ID: "e-1", Result: "{}"}},
		{"ack of an odd id", wire.EncodeAck("a\"\\\n\x00é😀"), wire.Frame{Kind: wire.Response, ID: "a\"\\\n\x00é😀", Result: "{}"}},
		{"ack of an id with a control character", wire.EncodeAck("a\nb"), wire.Frame{Kind: wire.Response, ID: "a\nb", Result: "{}"}},
		{"result", wire.EncodeResult("r-1", `{"a":1}`), wire.Frame{Kind: wire.Response, ID: "r-1", Result: `{"a":1}`}},
		{"absent result", wire.EncodeResult("r-1", ""), wire.Frame{Kind: wire.Response, ID: "r-1", Result: "null"}},
		{"error", wire.EncodeError("r-1", wire.Error{Code: wire.CodeAuthenticationFailed, Message: `no "token"`}),
			wire.Frame{Kind: wire.Response, ID: "r-1", Err: &wire.Error{Code: -32002, Message: `no "token"`}}},
		{"error with data", wire.EncodeError("r-1", wire.Error{Code: 1, Message: "é", Data: `[1]`}),
			wire.Frame{Kind: wire.Response, ID: "r-1", Err: &wire.Error{Code: 1, Message: "é", Data: "[1]"}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if !json.Valid(tc.text) {
				t.Fatalf("%s is not JSON", tc.text)
			}
			got, err := wire.Decode(string(tc.text))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("Decode(%s) (-want +got):\n%s", tc.text, diff)
			}
		})
	}
}

func TestAuthorizationState(t *testing.T) {
	for _, tc := range []struct {
		payload wire.Raw
		want    string
		wantErr bool
	}{
		{`{"authorization_state":"dummy-state"}`, "dummy-state", false},
		{` { "x" : [ { } ] , "authorization_state" : "a\u002fb" } `, "a/b", false},
		{`{"authorization_state":""}`, "", false}, // the session cannot be resumed any more
		{`{}`, "", true}, // says nothing: what is known stays
		{`{"authorization_state":null}`, "", true},
		{`{"authorization_state":7}`, "", true},
		{`{"authorization_state":"a","authorization_state":7}`, "", true},
		{`{"authorization_state":"a"`, "", true},
		{`{"x":}`, "", true},
		{`{"authorization_state":"a`, "", true},
		{`[]`, "", true},
		{`null`, "", true},
		{``, "", true},
	} {
		got, err := wire.DecodeAuthorizationState(tc.payload)
		if got != tc.want || (err != nil) != tc.wantErr {
			t.Errorf("DecodeAuthorizationState(%s) = %q, %v; want %q, error %t", tc.payload, got, err, tc.want, tc.wantErr)
		}
		if err != nil && strings.Contains(err.Error(), `"a`) {
			t.Errorf("error %v shows the payload", err)
		}
	}
}
