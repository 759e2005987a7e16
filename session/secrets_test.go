package session_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/callrx/callrx/session"
)

// verbs are all that a program might print a value with, on purpose or not.
var verbs = []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%f"}

// inAllForms prints v in every way there is.
func inAllForms(t *testing.T, v any) map[string]string {
	t.Helper()
	forms := map[string]string{}
	for _, verb := range verbs {
		forms[verb] = fmt.Sprintf(verb, v)
	}
	text, err := json.Marshal(v)
	var unsupported *json.UnsupportedTypeError
	if err != nil && !errors.As(err, &unsupported) {
		t.Errorf("json: %v", err)
	}
	forms["json"] = string(text)
	var log bytes.Buffer
	for name, h := range map[string]slog.Handler{
		"slog text": slog.NewTextHandler(&log, nil), "slog json": slog.NewJSONHandler(&log, nil),
	} {
		log.Reset()
		slog.New(h).Info("look", "value", v, "list", []any{v}, "error", fmt.Errorf("about %v", v))
		forms[name] = log.String()
	}
	return forms
}

// holder is a program's own struct around v.
type holder struct{ Held any }

func TestValuesNeverShowTheirSecrets(t *testing.T) {
	const secret = "hunter2-eyJhbGciOiJkaXIifQ"
	inHex := strings.ToLower(fmt.Sprintf("%x", secret))
	project := session.Project{
		Space: "example.signalwire.com", ProjectID: "my-project", Token: secret, Reference: "ann",
	}
	provider, err := session.ProjectCredentials(project)
	if err != nil {
		t.Fatal(err)
	}
	credential := session.Credential{Token: secret, AuthorizationState: secret + "-state", ExpiresAt: time.Unix(1_800_000_000, 0)}
	static := session.StaticCredentials(credential)
	client, err := session.New(static, session.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.UpdateCredential(t.Context(), session.Credential{Token: "e30.x." + secret}); err != nil {
		t.Fatal(err)
	}
	for name, v := range map[string]any{
		"credential": credential, "credential pointer": &credential, "credentials": []session.Credential{credential},
		"credential in a map": map[string]session.Credential{"x": credential},
		"project":             project, "project pointer": &project,
		"static provider": static, "project provider": provider,
		"embed provider": session.EmbedTokenCredentials("", secret, nil),
		"client":         client, "credential info": client.Credential(),
		"options": session.Options{Storage: session.NewMemoryStorage(), DPoPKey: sharedKey()},
	} {
		for form, text := range inAllForms(t, v) {
			checkSecret(t, name, form, text, secret, inHex)
		}
		for form, text := range inAllForms(t, holder{v}) {
			checkSecret(t, name+" in a struct", form, text, secret, inHex)
		}
	}
}

// fingerprintOf is how a token appears in the journal and in CredentialInfo.
func fingerprintOf(token string) string {
	hash := sha256.Sum256([]byte(token))
	return "tok:sha256:" + hex.EncodeToString(hash[:4])
}

func checkSecret(t *testing.T, name, form, text, secret, inHex string) {
	t.Helper()
	if strings.Contains(text, secret) || strings.Contains(strings.ToLower(text), inHex) {
		t.Errorf("%s as %s shows its secret: %s", name, form, text)
	}
}

func TestValuesStillSayWhatTheyAre(t *testing.T) {
	c := session.Credential{Token: "secret", ExpiresAt: time.Unix(1_800_000_000, 0).UTC()}
	p := session.Project{Space: "example.signalwire.com", ProjectID: "my-project", Token: "secret", Reference: "ann"}
	for _, verb := range verbs {
		if got := fmt.Sprintf(verb, c); !strings.Contains(got, "tok:sha256:2bb80d53") || !strings.Contains(got, "2027-01-15T08:00:00Z") {
			t.Errorf("%s of a credential: %s", verb, got)
		}
		if got := fmt.Sprintf(verb, p); !strings.Contains(got, "my-project") || !strings.Contains(got, "ann") {
			t.Errorf("%s of a project: %s", verb, got)
		}
		if got := fmt.Sprintf(verb, sharedKey()); !strings.Contains(got, sharedKey().Fingerprint()) {
			t.Errorf("%s of a key: %s", verb, got)
		}
	}
	if got := fmt.Sprint(session.Credential{}); got != "no token" {
		t.Errorf("an empty credential: %s", got)
	}
}

func TestKeyNeverShowsItsPrivatePart(t *testing.T) {
	for form, text := range inAllForms(t, holder{sharedKey()}) {
		if len(text) > 1000 { // a 2048-bit key takes more than that in any form
			t.Errorf("key as %s: %d bytes: %.200s", form, len(text), text)
		}
	}
}
