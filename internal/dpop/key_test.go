package dpop_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/big"
	"regexp"
	"strings"
	"testing"

	"github.com/callrx/callrx/internal/dpop"
)

// The example key of RFC 7638 section 3.1.
const (
	rfcModulus = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
	rfcPrint   = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
)

func TestThumbprintMatchesTheRFC7638Example(t *testing.T) {
	n, err := base64.RawURLEncoding.DecodeString(rfcModulus)
	if err != nil {
		t.Fatal(err)
	}
	public := &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: 65537}
	if got := dpop.ThumbprintOf(public); got != rfcPrint {
		t.Errorf("thumbprint %s, want %s", got, rfcPrint)
	}
}

func TestGeneratedKeyHasTheRequiredShape(t *testing.T) {
	key := testKey(t)
	if !regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`).MatchString(key.Thumbprint()) {
		t.Errorf("thumbprint %q is not 43 characters of base64url", key.Thumbprint())
	}
	private := privateOf(t, key)
	if private.N.BitLen() != 2048 || private.E != 65537 {
		t.Errorf("key has %d bits and exponent %d", private.N.BitLen(), private.E)
	}
}

func TestStoredKeyComesBackTheSame(t *testing.T) {
	key := testKey(t)
	der, err := key.MarshalPKCS8()
	if err != nil {
		t.Fatal(err)
	}
	back, err := dpop.Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	if back.Thumbprint() != key.Thumbprint() {
		t.Errorf("thumbprint %s after the round trip, want %s", back.Thumbprint(), key.Thumbprint())
	}
	again, err := back.MarshalPKCS8()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(der, again) {
		t.Error("the key changed in the round trip")
	}
}

func TestParseRefusesUnusableKeys(t *testing.T) {
	good, err := testKey(t).MarshalPKCS8()
	if err != nil {
		t.Fatal(err)
	}
	damaged := bytes.Clone(good)
	damaged[len(damaged)-1] ^= 1

	for name, tc := range map[string]struct {
		der  []byte
		want string
	}{
		"nothing":      {nil, "not a PKCS #8"},
		"text":         {[]byte("-----BEGIN PRIVATE KEY-----"), "not a PKCS #8"},
		"half":         {good[:len(good)/2], "not a PKCS #8"},
		"damaged":      {damaged, "parse DPoP key"},
		"wrong kind":   {ecKey(t), "not an RSA key"},
		"short modulo": {shortKey(t), "1024 bits, need 2048"},
	} {
		t.Run(name, func(t *testing.T) {
			key, err := dpop.Parse(tc.der)
			if err == nil {
				t.Fatalf("accepted as %v", key)
			}
			if !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %q does not say %q", err, tc.want)
			}
		})
	}
}

func TestSelfTestRefusesAKeyWhoseHalvesDisagree(t *testing.T) {
	private := privateOf(t, testKey(t))
	if err := dpop.TryOut(private); err != nil {
		t.Errorf("a good key failed: %v", err)
	}
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	mixed := &rsa.PrivateKey{PublicKey: private.PublicKey, D: other.D}
	if err := dpop.TryOut(mixed); err == nil {
		t.Error("a key of two different halves passed")
	}
}

func TestKeyNeverShowsItsPrivatePart(t *testing.T) {
	key := testKey(t)
	private := privateOf(t, key)
	secrets := []string{
		private.D.String(), private.D.Text(16), private.Primes[0].String(), private.Primes[0].Text(16),
		fmt.Sprint(private.Primes[1].Bits()[0]), fmt.Sprintf("%x", private.D.Bits()[0]),
	}

	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x", "%X", "%o"} {
		fmt.Fprintf(&out, verb+"\n"+verb+"\n", key, *key)
	}
	type holder struct{ Key *dpop.Key }
	asJSON, err := json.Marshal(holder{key})
	if err != nil {
		t.Fatal(err)
	}
	out.Write(asJSON)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("key", "key", key, "value", *key, "in", holder{key})
	slog.New(slog.NewTextHandler(&out, nil)).Info("key", "key", key, "value", *key, "in", holder{key})

	for _, secret := range secrets {
		if strings.Contains(out.String(), secret) {
			t.Error("the private part shows in", out.String())
		}
	}
	if got := strings.Count(out.String(), key.Thumbprint()); got < 20 {
		t.Errorf("the thumbprint shows %d times, want every time", got)
	}
}

// privateOf reads the private key independently of the package.
func privateOf(tb testing.TB, key *dpop.Key) *rsa.PrivateKey {
	tb.Helper()
	der, err := key.MarshalPKCS8()
	if err != nil {
		tb.Fatal(err)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		tb.Fatal(err)
	}
	return parsed.(*rsa.PrivateKey)
}

func ecKey(t *testing.T) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return marshal(t, key)
}

func shortKey(t *testing.T) []byte {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	return marshal(t, key)
}

func marshal(t *testing.T, key any) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}
