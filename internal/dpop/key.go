package dpop

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
)

// keyBits is the size of a generated key and the smallest one accepted.
const keyBits = 2048

// Key is a private key and the public facts derived from it. It never changes
// after it was made, so any number of goroutines may use it. It prints, logs and
// marshals as its thumbprint, which is public; the private part leaves it only
// through [Key.MarshalPKCS8].
type Key struct {
	private    *rsa.PrivateKey
	thumbprint string
	header     string // first segment of every proof, with its dot
}

// Generate makes a new key. It takes some tenths of a second.
func Generate() (*Key, error) {
	private, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return nil, fmt.Errorf("generate DPoP key: %w", err)
	}
	return newKey(private)
}

// Parse reads a key that [Key.MarshalPKCS8] wrote. It proves that the key works
// by signing and verifying a random nonce. It fails on anything that is not an
// RSA key of at least 2048 bits; the error never shows key material.
func Parse(pkcs8 []byte) (*Key, error) {
	parsed, err := x509.ParsePKCS8PrivateKey(pkcs8)
	if err != nil {
		return nil, errors.New("parse DPoP key: not a PKCS #8 private key")
	}
	private, ok := parsed.(*rsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("parse DPoP key: %T is not an RSA key", parsed)
	}
	if bits := private.N.BitLen(); bits < keyBits {
		return nil, fmt.Errorf("parse DPoP key: %d bits, need %d", bits, keyBits)
	}
	if err := tryOut(private); err != nil {
		return nil, fmt.Errorf("parse DPoP key: %w", err)
	}
	return newKey(private)
}

// MarshalPKCS8 returns the private key as unencrypted PKCS #8 (RFC 5958), for a
// store that only the user can read.
func (k Key) MarshalPKCS8() ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(k.private)
	if err != nil {
		return nil, fmt.Errorf("marshal DPoP key: %w", err)
	}
	return der, nil
}

// Thumbprint returns the RFC 7638 thumbprint of the public key: the SHA-256 hash
// in base64url, always 43 characters.
func (k Key) Thumbprint() string { return k.thumbprint }

// String names the key by its thumbprint.
func (k Key) String() string { return "dpop.Key(" + k.thumbprint + ")" }

// GoString names the key by its thumbprint.
func (k Key) GoString() string { return k.String() }

// Format names the key by its thumbprint, whatever the verb, so that no verb
// prints the fields.
func (k Key) Format(w fmt.State, _ rune) { _, _ = io.WriteString(w, k.String()) }

// LogValue names the key by its thumbprint.
func (k Key) LogValue() slog.Value { return slog.StringValue(k.String()) }

// MarshalJSON names the key by its thumbprint.
func (k Key) MarshalJSON() ([]byte, error) { return json.Marshal(k.String()) }

// newKey derives the public facts of a key.
func newKey(private *rsa.PrivateKey) (*Key, error) {
	header, err := proofHeader(&private.PublicKey)
	if err != nil {
		return nil, err
	}
	return &Key{private: private, thumbprint: thumbprint(&private.PublicKey), header: header}, nil
}

// tryOut signs a random nonce and verifies the signature.
func tryOut(private *rsa.PrivateKey) error {
	nonce := make([]byte, sha256.Size)
	_, _ = rand.Read(nonce) // never fails: crypto/rand ends the program instead
	digest := sha256.Sum256(nonce)
	signature, err := rsa.SignPKCS1v15(nil, private, crypto.SHA256, digest[:])
	if err != nil {
		return fmt.Errorf("key does not sign: %w", err)
	}
	if err := rsa.VerifyPKCS1v15(&private.PublicKey, crypto.SHA256, digest[:], signature); err != nil {
		return errors.New("key does not verify its own signature")
	}
	return nil
}

// jwk is a public RSA key as RFC 7517 and RFC 7518 section 6.3.1 write it. The
// three members of a thumbprint stand in the order that RFC 7638 section 3.2
// demands.
type jwk struct {
	E   string `json:"e"`
	Kty string `json:"kty"`
	N   string `json:"n"`
	Alg string `json:"alg,omitempty"`
}

func publicJWK(public *rsa.PublicKey) jwk {
	return jwk{
		E:   encode(big.NewInt(int64(public.E)).Bytes()),
		Kty: "RSA",
		N:   encode(public.N.Bytes()),
	}
}

// thumbprint computes the RFC 7638 thumbprint.
func thumbprint(public *rsa.PublicKey) string {
	k := publicJWK(public)
	hash := sha256.Sum256([]byte(`{"e":"` + k.E + `","kty":"` + k.Kty + `","n":"` + k.N + `"}`))
	return encode(hash[:])
}

// encode is base64url without padding.
func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
