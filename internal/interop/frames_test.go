package interop

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// masked are the requests that an actor sent, one a line, with all that differs from run to run replaced.
func masked(a actor) (trace []string) {
	for _, f := range a.sent() {
		var v map[string]any
		if !f.Sent || json.Unmarshal([]byte(f.Text), &v) != nil || v["method"] == nil || v["method"] == "signalwire.ping" {
			continue // answers, and what comes with time
		}
		line, err := json.Marshal(mask("", v, a.name()))
		if err != nil {
			panic(err)
		}
		trace = append(trace, strings.NewReplacer(`\u003c`, "<", `\u003e`, ">").Replace(string(line)))
	}
	return trace
}

var uuids = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)

// mask replaces ids, tokens, descriptions of media and names in a value, whose key is given.
func mask(key string, v any, who string) any {
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			v[k] = mask(k, v[k], who)
		}
	case []any:
		for i := range v {
			v[i] = mask(key, v[i], who)
		}
	case string:
		switch key {
		case "jwt_token", "dpop_token", "authorization_state", "protocol", "sdp":
			if v != "" {
				return "<" + key + ">"
			}
		}
		v = strings.ReplaceAll(v, strings.TrimPrefix(who, "ann-"), "<test>")
		return uuids.ReplaceAllString(v, "<uuid>")
	}
	return v
}

// fields are the leaves of a request by their path; what is in a list is one leaf.
func fields(path string, v any, into map[string]string) {
	m, ok := v.(map[string]any)
	if !ok || len(m) == 0 {
		leaf, _ := json.Marshal(v)
		into[path] = strings.NewReplacer(`\u003c`, "<", `\u003e`, ">").Replace(string(leaf))
		return
	}
	for k, inner := range m {
		fields(strings.TrimPrefix(path+"."+k, "."), inner, into)
	}
}

// method names a request: its own method, or that of the Verto message inside.
func method(line string) (string, map[string]string) {
	var v map[string]any
	if err := json.Unmarshal([]byte(line), &v); err != nil {
		panic(err)
	}
	all := map[string]string{}
	fields("", v, all)
	if inner, ok := all["params.message.method"]; ok {
		return strings.Trim(inner, `"`), all
	}
	return strings.Trim(all["method"], `"`), all
}

// frameTable says what the two send in the same scenarios: in which order, and every field in which a request differs,
// with the decision about it. A difference that nobody decided about fails the test.
func frameTable(t *testing.T, all []scenario, played [][2]performance) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("# What both SDKs send\n\nWritten by `go test ./internal/interop -update`: requests only, without answers and pings. The traces are beside it.\n\n## Order\n\n| scenario | official SDK | callrx | why they differ |\n|---|---|---|---|\n")
	differences := map[string]string{} // by method and path
	for i, s := range all {
		var order [2][]string
		nth := [2]map[string]map[string]string{{}, {}} // of each request by method and number, its fields
		for n := range order {
			for _, line := range played[i][n].trace {
				m, all := method(line)
				order[n] = append(order[n], m)
				nth[n][fmt.Sprint(m, " ", strings.Count(strings.Join(order[n], " "), m))] = all
			}
		}
		official, callrx, why := strings.Join(order[0], " "), strings.Join(order[1], " "), ""
		if official != callrx {
			if why = decision("order", s.name); why == "" {
				t.Errorf("%s: the official SDK sends %s, callrx %s, and nobody decided about it", s.name, official, callrx)
			}
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", s.name, official, callrx, why)
		for m := range nth[0] {
			if nth[1][m] != nil {
				compare(strings.Fields(m)[0], nth[0][m], nth[1][m], differences)
			}
		}
	}
	b.WriteString("\n## Fields\n\n| request | field | official SDK | callrx | why |\n|---|---|---|---|---|\n")
	for _, at := range slices.Sorted(maps.Keys(differences)) {
		request, field, _ := strings.Cut(at, " ")
		why := decision(request, field)
		if why == "" {
			t.Errorf("%s differs and nobody decided about it: %s", at, differences[at])
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", request, field, differences[at], why)
	}
	return b.String()
}

// compare notes in which fields two requests differ.
func compare(m string, official, callrx, differences map[string]string) {
	paths := maps.Clone(official)
	maps.Copy(paths, callrx)
	for path := range paths {
		if official[path] != callrx[path] {
			differences[m+" "+path] = orNone(official[path]) + " | " + orNone(callrx[path])
		}
	}
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return "`" + s + "`"
}
