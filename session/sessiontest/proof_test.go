package sessiontest_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
)

// proofKey signs proofs, well or badly.
type proofKey struct {
	key        *rsa.PrivateKey
	header     obj
	Thumbprint string
}

// One key pair costs a noticeable time to make, so the tests share two.
var proofKeys = sync.OnceValue(func() [2]*rsa.PrivateKey {
	var keys [2]*rsa.PrivateKey
	for i := range keys {
		keys[i], _ = rsa.GenerateKey(rand.Reader, 2048)
	}
	return keys
})

func newProofKey(t *testing.T, n int) *proofKey {
	t.Helper()
	return wrapKey(proofKeys()[n])
}

func wrapKey(key *rsa.PrivateKey) *proofKey {
	n, e := b64(key.N.Bytes()), b64(big.NewInt(int64(key.E)).Bytes())
	sum := sha256.Sum256([]byte(`{"e":"` + e + `","kty":"RSA","n":"` + n + `"}`))
	return &proofKey{
		key: key, Thumbprint: b64(sum[:]),
		header: obj{
			"typ": "dpop+jwt", "alg": "RS256",
			"jwk": obj{"kty": "RSA", "n": n, "e": e, "alg": "RS256", "ext": true, "key_ops": []string{"verify"}},
		},
	}
}

func b64(p []byte) string { return base64.RawURLEncoding.EncodeToString(p) }

// sign makes a proof of the claims; edits change header and claims first.
func (k *proofKey) sign(claims obj, edits ...func(header, claims obj)) string {
	header := clone(k.header)
	for _, edit := range edits {
		edit(header, claims)
	}
	h, _ := json.Marshal(header)
	c, _ := json.Marshal(claims)
	text := b64(h) + "." + b64(c)
	digest := sha256.Sum256([]byte(text))
	sig, _ := rsa.SignPKCS1v15(rand.Reader, k.key, crypto.SHA256, digest[:])
	return text + "." + b64(sig)
}

func clone(o obj) obj {
	data, _ := json.Marshal(o)
	var c obj
	_ = json.Unmarshal(data, &c)
	return c
}

// http makes a proof for a POST to path; token, unless empty, gets hashed into it.
func (k *proofKey) http(path, token string, edits ...func(header, claims obj)) string {
	c := obj{"jti": uuid.NewString(), "htm": "POST", "htu": path, "iat": time.Now().Unix()}
	if token != "" {
		sum := sha256.Sum256([]byte(token))
		c["ath"] = b64(sum[:])
	}
	return k.sign(c, edits...)
}

// rpc makes a proof for an RPC method.
func (k *proofKey) rpc(method string, edits ...func(header, claims obj)) string {
	return k.sign(obj{"jti": uuid.NewString(), "rpc": "request", "mth": method, "iat": time.Now().Unix()}, edits...)
}
