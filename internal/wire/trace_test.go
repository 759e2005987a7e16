package wire_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/callrx/callrx/internal/wire"
	"github.com/google/go-cmp/cmp"
)

// A traced frame is one line of a golden trace.
type traced struct {
	From  string          `json:"from"` // client or server
	Frame json.RawMessage `json:"frame"`
}

func readTrace(tb testing.TB, path string) (lines []traced) {
	tb.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	for s := bufio.NewScanner(bytes.NewReader(text)); s.Scan(); {
		var l traced
		if err := json.Unmarshal(s.Bytes(), &l); err != nil {
			tb.Fatalf("%s line %d: %v", path, len(lines)+1, err)
		}
		lines = append(lines, l)
	}
	return lines
}

func traceFiles(tb testing.TB) []string {
	tb.Helper()
	paths, err := filepath.Glob("../../testdata/traces/*.jsonl")
	if err != nil || len(paths) == 0 {
		tb.Fatalf("no traces: %v", err)
	}
	return paths
}

// told is what each trace says, one message a line.
var told = map[string][]string{
	"connect_register.jsonl": {
		"client requests a1 signalwire.connect",
		"server requests e1 signalwire.event signalwire.authorization.state",
		"client responds e1",
		"server responds a1",
		"client requests a2 subscriber.online",
		"server responds a2",
		"server requests p1 signalwire.ping",
		"client responds p1",
	},
	"client_bound_refresh.jsonl": {
		"client requests a30 signalwire.reauthenticate",
		"server responds a30",
		"server requests e30 signalwire.event signalwire.authorization.state",
		"client responds e30",
		"client requests a31 subscriber.online",
		"server responds a31",
		"client requests a32 signalwire.reauthenticate",
		"server responds a32",
	},
}

func TestTracesAreUnderstood(t *testing.T) {
	for _, path := range traceFiles(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			var got []string
			methods := map[string]string{}
			for _, line := range readTrace(t, path) {
				f, err := wire.Decode(string(line.Frame))
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, tell(line.From, f))
				checkBody(t, methods, f)
			}
			if want, ok := told[filepath.Base(path)]; ok {
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("trace (-want +got):\n%s", diff)
				}
			}
		})
	}
}

func tell(from string, f wire.Frame) string {
	switch {
	case f.Kind == wire.Response && (f.Err != nil || wire.ResultError(f.Result) != nil):
		return from + " refuses " + f.ID
	case f.Kind == wire.Response:
		return from + " responds " + f.ID
	case f.IsEvent():
		return from + " requests " + f.ID + " " + f.Method + " " + f.Event.Type
	case f.Kind == wire.Request:
		return from + " requests " + f.ID + " " + f.Method
	}
	return from + " says nothing"
}

// checkBody proves that the message types know every key of the bodies they
// stand for, and that what a client sends is written as in the trace. methods
// remembers which response belongs to what.
func checkBody(t *testing.T, methods map[string]string, f wire.Frame) {
	t.Helper()
	if f.Kind == wire.Request {
		methods[f.ID] = f.Method
	}
	method := methods[f.ID]
	switch {
	case f.IsEvent():
		strict(t, f.Params, &wire.EventParams{}, true)
		if f.Event.Type == wire.EventAuthorizationState {
			strict(t, f.Event.Params, &wire.AuthorizationState{}, true)
		}
	case f.Kind == wire.Request && method == wire.MethodConnect:
		strict(t, f.Params, &wire.ConnectParams{}, true)
	case f.Kind == wire.Request && method == wire.MethodReauthenticate:
		strict(t, f.Params, &wire.ReauthenticateParams{}, true)
	case f.Kind == wire.Request && method == wire.MethodPing:
		strict(t, f.Params, &wire.Ping{}, true)
	case method == wire.MethodConnect, method == wire.MethodReauthenticate:
		var r wire.ConnectResult
		strict(t, f.Result, &r, false) // empty lists are left out when written
		if r.Identity == "" || r.Protocol == "" || r.Authorization.JTI == "" || r.Authorization.FabricSubscriber == nil {
			t.Errorf("result %+v lacks what a client needs", r)
		}
	case method == wire.MethodPing:
		strict(t, f.Result, &wire.Ping{}, true)
	}
}

// strict decodes text into v, which must know all of its keys, and back.
func strict(t *testing.T, text wire.Raw, v any, back bool) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		t.Errorf("%T from %s: %v", v, text, err)
	}
	if !back {
		return
	}
	written, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(tree(t, []byte(text)), tree(t, written)); diff != "" {
		t.Errorf("%T written again (-want +got):\n%s", v, diff)
	}
}

func tree(t *testing.T, text []byte) (v any) {
	t.Helper()
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	return v
}
