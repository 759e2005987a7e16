package session

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/callrx/callrx/errs"
)

// tokenNaming makes a compact JWE whose header names the cluster host ch.
func tokenNaming(ch string) string {
	header, err := json.Marshal(map[string]string{"alg": "dir", "enc": "A256GCM", "typ": "SAT", "ch": ch})
	if err != nil {
		panic(err)
	}
	return base64.RawURLEncoding.EncodeToString(header) + "..aXY.Y2lwaGVy.dGFn"
}

func withHeader(json string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(json)) + "..a.b.c"
}

var standardHosts = hosts{relay: "wss://puc.signalwire.com", api: "https://fabric.signalwire.com"}

func TestTokenNamesItsHosts(t *testing.T) {
	for ch, want := range map[string]hosts{
		"":                            standardHosts,
		"puc.signalwire.com":          standardHosts,
		"testpuc.signalwire.com":      {"wss://testpuc.signalwire.com", "https://fabric.signalwire.com"},
		"puc.swdev.localhost:8443":    {"wss://puc.swdev.localhost:8443", "https://fabric.swdev.localhost:8443"},
		"us-central":                  standardHosts, // no dot: not a host
		"localhost:8443":              standardHosts,
		"127.0.0.1":                   {"wss://127.0.0.1", "https://fabric.0.0.1"}, // of no use, but no danger
		"a.b":                         {"wss://a.b", "https://fabric.b"},
		"PUC.SignalWire.com":          {"wss://PUC.SignalWire.com", "https://fabric.SignalWire.com"},
		"x-1.xn--bcher-kva.example:1": {"wss://x-1.xn--bcher-kva.example:1", "https://fabric.xn--bcher-kva.example:1"},
		"us-central/evil@nowhere":     standardHosts,
	} {
		if got, err := tokenHosts(tokenNaming(ch), nil); err != nil || got != want {
			t.Errorf("ch %q: %+v, %v; want %+v", ch, got, err, want)
		}
	}
}

func TestTokenHeaderMayTakeAnyForm(t *testing.T) {
	header := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"dir","ch":"puc.swdev.localhost"}`))
	padded := base64.URLEncoding.EncodeToString([]byte(`{"alg":"dir","ch":"puc.swdev.localhost"} `)) // forces padding
	named := hosts{relay: "wss://puc.swdev.localhost", api: "https://fabric.swdev.localhost"}
	if !strings.HasSuffix(padded, "=") {
		t.Fatal("the padded header has no padding")
	}
	for name, c := range map[string]struct {
		token string
		want  hosts
	}{
		"JWE, five segments":         {header + "..iv.text.tag", named},
		"JWS, three segments":        {header + ".payload.signature", named},
		"header alone":               {header, named},
		"padding":                    {padded + "..iv.text.tag", named},
		"rest is opaque":             {header + ".%%%.\u007e", named},
		"empty object":               {withHeader(`{}`), standardHosts},
		"no ch":                      {withHeader(`{"alg":"dir","typ":"Refresh"}`), standardHosts},
		"null ch":                    {withHeader(`{"ch":null}`), standardHosts},
		"ch of another type":         {withHeader(`{"ch":42}`), standardHosts},
		"ch within something else":   {withHeader(`{"x":{"ch":"evil.example.com"}}`), standardHosts},
		"published sample of header": {"eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIiwidHlwIjoiU0FUIiwiY2giOiJwdWMuc3dkZXYubG9jYWxob3N0Ojg0NDMifQ..i.c.t", hosts{"wss://puc.swdev.localhost:8443", "https://fabric.swdev.localhost:8443"}},
	} {
		if got, err := tokenHosts(c.token, nil); err != nil || got != c.want {
			t.Errorf("%s: %+v, %v; want %+v", name, got, err, c.want)
		}
	}
}

func TestMalformedTokensAreRefusedUnseen(t *testing.T) {
	const secret = "hunter2"
	var syntax *json.SyntaxError
	var base base64.CorruptInputError
	for name, c := range map[string]struct {
		token string
		cause any // for errors.As; nil: none in particular
	}{
		"empty":                    {"", nil},
		"no header":                {"." + secret, nil},
		"not base64":               {"%%%." + secret, &base},
		"standard alphabet":        {"++//" + "." + secret, &base},
		"half a quantum":           {"eyJhb.." + secret, &base},
		"not JSON":                 {withHeader(secret), &syntax},
		"half an object":           {withHeader(`{"ch":`), &syntax},
		"two values":               {withHeader(`{} {}`), &syntax},
		"a list":                   {withHeader(`["ch"]`), nil},
		"a string":                 {withHeader(`"ch"`), nil},
		"a number":                 {withHeader(`1`), nil},
		"line end from a file":     {tokenNaming("puc.signalwire.com") + "\n", nil},
		"blanks before":            {" " + tokenNaming("puc.signalwire.com"), nil},
		"a header injection":       {tokenNaming("puc.signalwire.com") + "\r\nX-Evil: 1", nil},
		"a line end in the middle": {"eyJh\nbGciOiJkaXIifQ..i.c.t", nil},
		"other than ASCII":         {tokenNaming("puc.signalwire.com") + "é", nil},
		"control character":        {tokenNaming("puc.signalwire.com") + "\x00", nil},
	} {
		_, err := tokenHosts(c.token, nil)
		var invalid *errs.InvalidCredentialsError
		if !errors.As(err, &invalid) || invalid.Reason != errs.CredentialMalformedToken || invalid.OriginalError == nil {
			t.Errorf("%s: %v, want a malformed token with its cause", name, err)
			continue
		}
		if c.cause != nil && !errors.As(err, c.cause) {
			t.Errorf("%s: %v does not hold a %T", name, err, c.cause)
		}
		if strings.Contains(err.Error(), secret) {
			t.Errorf("%s: the message shows the token: %v", name, err)
		}
	}
}

func TestTokenCannotNameAnythingButAHost(t *testing.T) {
	for _, ch := range []string{
		"puc.evil.com/path", "puc.evil.com/", "user@evil.com", "puc.x@evil.com:1", "puc.evil.com?x", "puc.evil.com#x",
		`puc.evil.com\x`, "puc.ev%69l.com", "puc.evil .com", "puc.evil.com ", " puc.evil.com", "puc.evil.com\n", "\tpuc.evil.com",
		"puc.evil\x00.com", "puc.evil\x7f.com", "puc..com", ".evil.com", "puc.", ".", "..", "puc.evil.com.", "-puc.evil.com", "puc.evil-.com",
		"puc.evil_x.com", "puc.évil.com", "puc.evil.com:", "puc.evil.com:x", "puc.evil.com:-1", "puc.evil.com:1:2", "puc.evil.com:123456",
		"puc:1.evil.com", "[::1].evil.com", "puc.[::1]", "https://puc.evil.com", "puc.evil.com,evil.org", "puc.*.com", "puc.$(x).com",
	} {
		got, err := tokenHosts(tokenNaming(ch), nil)
		var invalid *errs.InvalidCredentialsError
		if !errors.As(err, &invalid) || invalid.Reason != errs.CredentialMalformedToken {
			t.Errorf("ch %q: %+v, %v; want a malformed token", ch, got, err)
		}
	}
}

func TestAllowedDomainsAreMatchedAsDomains(t *testing.T) {
	for _, c := range []struct {
		ch      string
		allowed string // comma-separated
		ok      bool
	}{
		{"puc.signalwire.com", "signalwire.com", true},
		{"puc.signalwire.com", ".signalwire.com", true},
		{"puc.SIGNALWIRE.com", "SignalWire.COM", true},
		{"puc.eu.signalwire.com", "signalwire.com", true},
		{"puc.signalwire.com:8443", "signalwire.com", true},
		{"puc.signalwire.com", "example.org,signalwire.com", true},
		{"", "signalwire.com", true},           // the default is a domain like any other
		{"us-central", "signalwire.com", true}, // so is an ignored name
		{"", "swdev.localhost", false},
		{"puc.evilsignalwire.com", "signalwire.com", false},
		{"evil.evilsignalwire.com", "signalwire.com", false},
		{"puc.signalwire.com.evil.org", "signalwire.com", false},
		{"signalwire.com.evil.org", "signalwire.com", false},
		{"signalwire.com", "signalwire.com", false}, // would reach fabric.com
		{"puc.signalwire.org", "signalwire.com", false},
		{"puc.com", "signalwire.com", false},
		{"127.0.0.1", "signalwire.com", false},
		{"puc.signalwire.com", "x", false},
		{"puc.signalwire.com", ".", false},
	} {
		_, err := tokenHosts(tokenNaming(c.ch), strings.Split(c.allowed, ","))
		var invalid *errs.InvalidCredentialsError
		switch {
		case c.ok && err != nil, !c.ok && err == nil:
			t.Errorf("ch %q, allowed %s: %v", c.ch, c.allowed, err)
		case !c.ok && (!errors.As(err, &invalid) || invalid.Reason != errs.CredentialForbiddenHost):
			t.Errorf("ch %q, allowed %s: %v, want a forbidden host", c.ch, c.allowed, err)
		}
	}
}

func FuzzTokenHosts(f *testing.F) {
	for _, ch := range []string{"", "puc.signalwire.com", "puc.swdev.localhost:8443", "us-central", "127.0.0.1", "a.b@c", "[::1]", "x.y/z?q#f%20"} {
		f.Add(tokenNaming(ch), ch, "signalwire.com")
	}
	f.Add("", "", "")
	f.Add("e30=..", "\x00", ".")
	f.Fuzz(func(t *testing.T, raw, ch, allowed string) {
		check := func(token string, name *string) {
			h, err := tokenHosts(token, nil)
			if err != nil {
				var invalid *errs.InvalidCredentialsError
				if !errors.As(err, &invalid) {
					t.Fatalf("an untyped %v", err)
				}
				return
			}
			relay, err1 := url.Parse(h.relay)
			api, err2 := url.Parse(h.api)
			if err1 != nil || err2 != nil {
				t.Fatalf("no URLs: %v, %v", err1, err2)
			}
			label, domain, _ := strings.Cut(relay.Host, ".")
			if *relay != (url.URL{Scheme: "wss", Host: label + "." + domain}) || *api != (url.URL{Scheme: "https", Host: "fabric." + domain}) {
				t.Fatalf("more than a host: %q, %q", h.relay, h.api)
			}
			if name != nil && strings.Contains(*name, ".") && relay.Host != *name {
				t.Fatalf("ch %q leads to %q", *name, relay.Host)
			}
			if got, err := tokenHosts(token, []string{allowed}); err == nil {
				host, _, _ := strings.Cut(strings.ToLower(domain), ":")
				want := strings.ToLower(strings.TrimPrefix(allowed, "."))
				if got != h || host != want && !strings.HasSuffix(host, "."+want) {
					t.Fatalf("%q is let through for %q", domain, allowed)
				}
			}
		}
		check(raw, nil)
		check(tokenNaming(ch), &ch)
	})
}
