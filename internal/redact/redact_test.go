package redact_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/callrx/callrx/internal/redact"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// secret is opaque: nothing in its shape gives it away.
const secret = "opaque-value-4711"

const jwe = "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..MTIzNDU2Nzg5MDEy.c2VjcmV0.dGFn"

func TestFieldsAreRedactedByName(t *testing.T) {
	print := redact.Fingerprint(secret)
	for _, tc := range []struct{ name, in, want string }{
		{"token", `{"token":"` + secret + `"}`, `{"token":"` + print + `"}`},
		{"with space", `{ "token" : "` + secret + `" , "x":1}`, `{ "token" : "` + print + `" , "x":1}`},
		{"deep", `{"params":{"authentication":{"jwt_token":"` + secret + `","project":"p"}}}`, `{"params":{"authentication":{"jwt_token":"` + print + `","project":"p"}}}`},
		{"refresh token", `{"refresh_token":"` + secret + `"}`, `{"refresh_token":"` + print + `"}`},
		{"proof", `{"dpop_token":"` + secret + `"}`, `{"dpop_token":"` + print + `"}`},
		{"password", `{"password":"` + secret + `"}`, `{"password":"` + print + `"}`},
		{"state", `{"authorization_state":"` + secret + `"}`, `{"authorization_state":"` + print + `"}`},
		{"state in camel case", `{"authorizationState":"` + secret + `"}`, `{"authorizationState":"` + print + `"}`},
		{"in a list", `[{"iceServers":[{"credential":"` + secret + `"}]}]`, `[{"iceServers":[{"credential":"` + print + `"}]}]`},
		{"object", `{"credential":{"a":["` + secret + `"],"b":2},"c":3}`, `{"credential":"redacted","c":3}`},
		{"list", `{"token":["` + secret + `"],"c":3}`, `{"token":"redacted","c":3}`},
		{"number", `{"token":4711}`, `{"token":"redacted"}`},
		{"null stays", `{"token":null}`, `{"token":null}`},
		{"empty stays", `{"token":""}`, `{"token":""}`},
		{"escaped name", `{"tok\u0065n":"` + secret + `"}`, `{"tok\u0065n":"` + print + `"}`},
		{"cut off value", `{"a":1,"token":"` + secret, `{"a":1,"token":"` + print + `"`},
		{"cut off object", `{"credential":{"a":"` + secret, `{"credential":"redacted"`},
		{"within text", `error near {"token":"` + secret + `"} at 7`, `error near {"token":"` + print + `"} at 7`},
		{"JSON in a string", `{"contents":"{\"token\":\"` + secret + `\"}"}`, `{"contents":"{\"token\":\"` + print + `\"}"}`},
		{"JSON in a string before a colon", `no "{\"token\":\"` + secret + `\"}": refused`, `no "{\"token\":\"` + print + `\"}": refused`},
		{"name as value", `["token","` + "visible" + `"]`, `["token","visible"]`},
		{"value with quotes", `{"token":"a\"b","c":"d"}`, `{"token":"` + redact.Fingerprint(`a"b`) + `","c":"d"}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := redact.Text(tc.in); got != tc.want {
				t.Errorf("redacted to\n%s, want\n%s", got, tc.want)
			}
		})
	}
}

func TestShapesAreRedactedAnywhere(t *testing.T) {
	for _, tc := range []struct{ name, in, hidden string }{
		{"JWE", "<p>your token " + jwe + " is bad</p>", jwe},
		{"head of a JWE", "cut " + jwe[:40], jwe[:40]},
		{"JWE in a list", `["` + jwe + `"]`, jwe},
		{"bearer", "Authorization: Bearer " + secret + "\r\n", secret},
		{"lower-case bearer", "authorization: bearer " + secret, secret},
		{"basic", "Authorization: Basic cHJvamVjdDp0b2tlbg==", "cHJvamVjdDp0b2tlbg"},
		{"embed token", "unknown embed c2c_0f3e55aa", "c2c_0f3e55aa"},
		{"query", "GET https://x.example/join?a=b&token=" + secret + "&c=d", secret},
		{"proxy password", `invalid proxy address "http://me:` + secret + `@proxy:3128"`, secret},
		{"SDP", `{"sdp":"v=0\r\na=ice-pwd:asd88fgpdd777uzjYhagZg\r\na=x"}`, "asd88fgpdd777uzjYhagZg"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := redact.Text(tc.in)
			if strings.Contains(got, tc.hidden) {
				t.Errorf("still shows in %s", got)
			}
			if !strings.Contains(got, redact.Fingerprint(tc.hidden)) && !strings.Contains(got, "tok:sha256:") {
				t.Errorf("no fingerprint in %s", got)
			}
			if again := redact.Text(got); again != got {
				t.Errorf("redacting twice changes the text to %s", again)
			}
		})
	}
}

func TestKnownSecretsAreRedactedWhereverTheyStand(t *testing.T) {
	got := redact.Text("<b>"+secret+"</b> and "+secret, "", secret)
	if want := "<b>" + redact.Fingerprint(secret) + "</b> and " + redact.Fingerprint(secret); got != want {
		t.Errorf("redacted to %s, want %s", got, want)
	}
}

func TestHarmlessTextIsLeftAlone(t *testing.T) {
	for _, text := range []string{
		"", "plain words", `{"jsonrpc":"2.0","id":"7f1e2d3c-0b5a-4c6d-9e8f-102132435465","result":{"code":"200"}}`,
		"dial tcp 127.0.0.1:443: connection refused", `{"key":"eye","host":"puc.signalwire.com","n":1.5e3}`,
		`unbalanced " quote`, `\"`, `{"token`, `{"token":`, `}]`, `Basic auth is off`,
		`mail@example.org at https://example.org/a@b`,
	} {
		if got := redact.Text(text); got != text {
			t.Errorf("changed %q to %q", text, got)
		}
	}
}

func TestSnippetIsShortValidAndOnOneLine(t *testing.T) {
	body := []byte("<html>\n\t<p>" + strings.Repeat("é", 600) + "\xff\x00</p>")
	got := redact.Snippet(body)
	if len(got) > 512 || len(got) < 500 || !utf8.ValidString(got) || strings.ContainsAny(got, "\n\t\x00") {
		t.Errorf("snippet of %d bytes: %q", len(got), got)
	}
	if got := redact.Snippet([]byte("short\r\nbody\xff")); got != "short body�" {
		t.Errorf("snippet %q", got)
	}
}

func TestSnippetHidesASecretAcrossItsEnd(t *testing.T) {
	for pad := range 600 {
		body := strings.Repeat("x", pad) + ` "` + secret + `" ` + jwe
		if got := redact.Snippet([]byte(body), secret); strings.Contains(got, "opaque") || strings.Contains(got, "eyJhb") {
			t.Fatalf("with %d bytes in front: %s", pad, got)
		}
	}
}

func TestSnippetOfAHugeBodyLeavesNoHalfSecret(t *testing.T) {
	long := strings.Repeat("opaque-", 3000) // shrinks to a fingerprint, so the cut would come into view
	body := []byte(strings.Repeat(long+" ", 20))
	if got := redact.Snippet(body, long); strings.Contains(got, "opaque") || !strings.HasPrefix(got, redact.Fingerprint(long)) {
		t.Errorf("snippet %s", got)
	}
	if got := redact.Snippet([]byte(strings.Repeat("x", 1<<20))); got != "" {
		t.Errorf("a body without words gave %d bytes", len(got))
	}
}

func FuzzText(f *testing.F) {
	f.Add(`{"token":"abc","x":{"password":[1,{"a":"b"}]}}`)
	f.Add(`{"contents":"{\"token\":\"abc\"}"}`)
	f.Add(`{"token":"a\`)
	f.Add("Bearer " + jwe)
	f.Fuzz(func(t *testing.T, text string) {
		got := redact.Text(text)
		if json.Valid([]byte(text)) && !json.Valid([]byte(got)) {
			t.Errorf("valid JSON %q became invalid %q", text, got)
		}
		value, err := json.Marshal(text + "kept-secret")
		if err != nil {
			t.Fatal(err)
		}
		object := `{"a":[{"token":` + string(value) + `}]}`
		if got := redact.Text(object); strings.Contains(got, "kept-secret") {
			t.Errorf("secret shows in %q", got)
		}
	})
}

func BenchmarkText(b *testing.B) {
	frame := `{"jsonrpc":"2.0","id":"1","method":"signalwire.connect","params":{"authentication":{"jwt_token":"` + jwe + `"},"dpop_token":"` + jwe + `","version":{"major":4,"minor":0,"revision":0}}}`
	b.SetBytes(int64(len(frame)))
	b.ReportAllocs()
	for b.Loop() {
		redact.Text(frame)
	}
}

func ExampleText() {
	fmt.Println(redact.Text(`{"jwt_token":"abc","project":"p-1"}`))
	fmt.Println(redact.Text("Authorization: Bearer abc"))
	// Output:
	// {"jwt_token":"tok:sha256:ba7816bf","project":"p-1"}
	// Authorization: Bearer tok:sha256:ba7816bf
}

func ExampleFingerprint() {
	fmt.Println(redact.Fingerprint("abc"))
	// Output: tok:sha256:ba7816bf
}

func ExampleSnippet() {
	fmt.Println(redact.Snippet([]byte("<html>\n  <h1>502</h1>\n</html>")))
	// Output: <html> <h1>502</h1> </html>
}
