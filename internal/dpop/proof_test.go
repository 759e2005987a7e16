package dpop_test

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/callrx/callrx/internal/dpop"
	"github.com/google/go-cmp/cmp"
)

const refreshPath = "/api/fabric/subscriber/devices/refresh"

var (
	at     = time.Unix(1795373309, 987654321)
	uuidV4 = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
)

func TestTokenHashMatchesPublishedVectors(t *testing.T) {
	for token, want := range map[string]string{
		"example-token": "TRVmodffQqhRdFbWDqBu0oTlNc_kyVaqbuFy2835Rfc",
		// RFC 9449 section 7.1.
		"Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU": "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo",
	} {
		if got := dpop.TokenHash(token); got != want {
			t.Errorf("hash of %s is %s, want %s", token, got, want)
		}
	}
}

func TestHTTPProofNamesMethodAndPath(t *testing.T) {
	key := testKey(t)
	proof, err := key.HTTPProof("POST", "/api/fabric/subscriber/devices/token", "", at)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"htm": "POST", "htu": "/api/fabric/subscriber/devices/token", "iat": 1795373309.0}
	if diff := cmp.Diff(want, verify(t, key, proof)); diff != "" {
		t.Error("claims (-want +got):\n" + diff)
	}
}

func TestHTTPProofWithBearerCarriesItsHash(t *testing.T) {
	key := testKey(t)
	proof, err := key.HTTPProof("POST", refreshPath, "example-token", at)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"htm": "POST", "htu": refreshPath, "iat": 1795373309.0,
		"ath": "TRVmodffQqhRdFbWDqBu0oTlNc_kyVaqbuFy2835Rfc",
	}
	if diff := cmp.Diff(want, verify(t, key, proof)); diff != "" {
		t.Error("claims (-want +got):\n" + diff)
	}
}

func TestRPCProofNamesTheRPCMethod(t *testing.T) {
	key := testKey(t)
	proof, err := key.RPCProof("signalwire.reauthenticate", at)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"rpc": "request", "mth": "signalwire.reauthenticate", "iat": 1795373309.0}
	if diff := cmp.Diff(want, verify(t, key, proof)); diff != "" {
		t.Error("claims (-want +got):\n" + diff)
	}
}

func TestProofHeaderCarriesThePublicKeyOnly(t *testing.T) {
	key := testKey(t)
	proof, err := key.RPCProof("signalwire.connect", at)
	if err != nil {
		t.Fatal(err)
	}
	private := privateOf(t, key)
	want := map[string]any{
		"typ": "dpop+jwt", "alg": "RS256",
		"jwk": map[string]any{
			"kty": "RSA", "alg": "RS256", "e": "AQAB",
			"n": base64.RawURLEncoding.EncodeToString(private.N.Bytes()),
		},
	}
	var got map[string]any
	decodeSegment(t, strings.Split(proof, ".")[0], &got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("header (-want +got):\n" + diff)
	}
}

func TestProofRefusesWhatIsNotABarePath(t *testing.T) {
	key := testKey(t)
	for _, path := range []string{"", "api/x", "https://fabric.signalwire.com/api/x", "/api/x?a=b", "/api/x#y"} {
		if proof, err := key.HTTPProof("POST", path, "", at); err == nil {
			t.Errorf("made proof %s for path %q", proof, path)
		}
	}
	if _, err := key.HTTPProof("", "/api/x", "", at); err == nil {
		t.Error("made a proof for no HTTP method")
	}
	if _, err := key.RPCProof("", at); err == nil {
		t.Error("made a proof for no RPC method")
	}
}

func TestConcurrentProofsAreValidAndDistinct(t *testing.T) {
	const goroutines, each = 8, 10
	key := testKey(t)
	proofs := make(chan string, goroutines*each)
	var wg sync.WaitGroup
	for range goroutines {
		wg.Go(func() {
			for range each {
				proof, err := key.RPCProof("signalwire.connect", at)
				if err != nil {
					t.Error(err)
				}
				proofs <- proof
			}
		})
	}
	wg.Wait()
	close(proofs)

	seen := map[string]bool{}
	for proof := range proofs {
		verify(t, key, proof)
		seen[jti(t, proof)] = true
	}
	if len(seen) != goroutines*each {
		t.Errorf("%d distinct jti in %d proofs", len(seen), goroutines*each)
	}
}

// verify checks a proof against the key in its own header, as a server does,
// checks that this key has the thumbprint promised, and returns the claims
// without the jti.
func verify(t *testing.T, key *dpop.Key, proof string) map[string]any {
	t.Helper()
	segments := strings.Split(proof, ".")
	if len(segments) != 3 {
		t.Fatalf("proof has %d segments", len(segments))
	}
	var header struct {
		JWK struct{ N, E string }
	}
	decodeSegment(t, segments[0], &header)
	public := &rsa.PublicKey{
		N: new(big.Int).SetBytes(decode(t, header.JWK.N)),
		E: int(new(big.Int).SetBytes(decode(t, header.JWK.E)).Int64()),
	}
	canonical := `{"e":"` + header.JWK.E + `","kty":"RSA","n":"` + header.JWK.N + `"}`
	hash := sha256.Sum256([]byte(canonical))
	if got := base64.RawURLEncoding.EncodeToString(hash[:]); got != key.Thumbprint() {
		t.Errorf("header key has thumbprint %s, want %s", got, key.Thumbprint())
	}
	digest := sha256.Sum256([]byte(segments[0] + "." + segments[1]))
	if err := rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], decode(t, segments[2])); err != nil {
		t.Errorf("signature: %v", err)
	}
	if id := jti(t, proof); !uuidV4.MatchString(id) {
		t.Errorf("jti %q is not a version 4 UUID", id)
	}
	var claims map[string]any
	decodeSegment(t, segments[1], &claims)
	delete(claims, "jti")
	return claims
}

func jti(t *testing.T, proof string) string {
	t.Helper()
	var claims struct{ JTI string }
	decodeSegment(t, strings.Split(proof, ".")[1], &claims)
	return claims.JTI
}

func decodeSegment(t *testing.T, segment string, into any) {
	t.Helper()
	if err := json.Unmarshal(decode(t, segment), into); err != nil {
		t.Fatal(err)
	}
}

func decode(t *testing.T, text string) []byte {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
