package redact_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/callrx/callrx/internal/redact"
)

// A known secret that is also the name of a secret member must not uncover another.
func TestAKnownSecretThatNamesAFieldUncoversNone(t *testing.T) {
	for _, known := range []string{"password", "token", "credential", "word"} {
		text := `{"password":"` + secret + `","refresh_token":"` + secret + `","credential":"` + secret + `"}`
		if got := redact.Text(text, known); strings.Contains(got, secret) {
			t.Errorf("with the known secret %q: %s", known, got)
		}
	}
}

// JSON of other writers: Gson writes = as \u003d, .NET writes + as \u002B, Python
// and PHP write what is not ASCII as \u00e4. A base64 password of HMAC-SHA1 ends in =.
func TestKnownSecretsWithOtherEscapes(t *testing.T) {
	for written, known := range map[string]string{
		`Zm9v/YmFyYmF6cXV4cXV1eA\u003d`: `Zm9v/YmFyYmF6cXV4cXV1eA=`,
		`Zm9v\u002BYmFyYmF6cXV4cXV1eA=`: `Zm9v+YmFyYmF6cXV4cXV1eA=`,
		`p\u00e4ssw\u00f6rter`:          `pässwörter`,
		`a\tlong\tone`:                  "a\tlong\tone",
		`a\/long<one`:                   "a/long<one",
		`a\/long\u003cone`:              "a/long<one",
	} {
		var back string
		if err := json.Unmarshal([]byte(`"`+written+`"`), &back); err != nil || back != known {
			t.Fatal(back, err)
		}
		text := `{"message":"refused: ` + written + `"}`
		if got := redact.Text(text, known); strings.Contains(got, written) {
			t.Errorf("%q shows in %s", known, got)
		}
	}
}

// JSON in a string of JSON: escaped twice.
func TestKnownSecretsInNestedJSON(t *testing.T) {
	const known = `p"a\s/s<w>&d`
	inner, _ := json.Marshal(map[string]string{"message": "refused: " + known})
	outer, _ := json.Marshal(map[string]string{"contents": string(inner)})
	got := redact.Text(string(outer), known)
	var o map[string]string
	var i map[string]string
	if json.Unmarshal([]byte(got), &o) == nil && json.Unmarshal([]byte(o["contents"]), &i) == nil && strings.Contains(i["message"], known) {
		t.Errorf("shows in %s", got)
	}
}

func TestKnownSecretsAreRedactedHoweverJSONWritesThem(t *testing.T) {
	const secret = `p"a\s/s<w>&d`
	plain, err := json.Marshal(secret)
	if err != nil {
		t.Fatal(err)
	}
	for _, written := range []string{string(plain), `"p\"a\\s/s<w>&d"`, `"p\"a\\s\/s<w>&d"`, secret} {
		if got := redact.Text(`{"message":"refused: `+strings.Trim(written, `"`)+`"}`, secret); !strings.Contains(got, "refused: "+redact.Fingerprint(secret)) {
			t.Errorf("%s shows in %s", written, got)
		}
	}
}
