package sessiontest

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
)

var errToken = errors.New("token is not one of ours")

// jweHeader is the readable part of a token; the cluster host is all a client takes from it.
type jweHeader struct {
	Algorithm   string `json:"alg"`
	Encryption  string `json:"enc"`
	Type        string `json:"typ"`
	ClusterHost string `json:"ch,omitempty"`
}

// sealer turns claims into JWE compact tokens with a direct key and back (RFC 7516, "dir" and
// "A256GCM" of RFC 7518 sections 4.5 and 5.3).
type sealer struct {
	aead   cipher.AEAD
	macKey []byte
}

func newSealer() (*sealer, error) {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	return &sealer{aead: aead, macKey: []byte(newSecret(32))}, nil
}

// seal follows RFC 7516 section 5.1: the encoded header is the additional data, the encrypted key is
// empty because the key is direct.
func (s *sealer) seal(h jweHeader, c claims) string {
	h.Algorithm, h.Encryption = "dir", "A256GCM"
	header := encodeSegment(mustJSON(h))
	iv := make([]byte, s.aead.NonceSize())
	_, _ = rand.Read(iv)
	sealed := s.aead.Seal(nil, iv, mustJSON(c), []byte(header))
	split := len(sealed) - s.aead.Overhead()
	return strings.Join([]string{
		header, "",
		base64.RawURLEncoding.EncodeToString(iv),
		base64.RawURLEncoding.EncodeToString(sealed[:split]),
		base64.RawURLEncoding.EncodeToString(sealed[split:]),
	}, ".")
}

// open follows RFC 7516 section 5.2. It tells nothing about why a token failed.
func (s *sealer) open(token string) (claims, error) {
	var c claims
	parts := strings.Split(token, ".")
	if len(parts) != 5 || parts[1] != "" {
		return c, errToken
	}
	var h jweHeader
	if err := decodeSegment(parts[0], &h); err != nil || h.Algorithm != "dir" || h.Encryption != "A256GCM" {
		return c, errToken
	}
	iv, err1 := base64.RawURLEncoding.DecodeString(parts[2])
	text, err2 := base64.RawURLEncoding.DecodeString(parts[3])
	tag, err3 := base64.RawURLEncoding.DecodeString(parts[4])
	if err1 != nil || err2 != nil || err3 != nil || len(iv) != s.aead.NonceSize() || len(tag) != s.aead.Overhead() {
		return c, errToken
	}
	plain, err := s.aead.Open(nil, iv, append(text, tag...), []byte(parts[0]))
	if err != nil {
		return c, errToken
	}
	if err := json.Unmarshal(plain, &c); err != nil {
		return c, errToken
	}
	return c, nil
}

// mac makes an unguessable name for text.
func (s *sealer) mac(text string) string {
	h := hmac.New(sha256.New, s.macKey)
	h.Write([]byte(text))
	return encodeSegment(h.Sum(nil)[:16])
}

func encodeSegment(p []byte) string { return base64.RawURLEncoding.EncodeToString(p) }

func decodeSegment(segment string, v any) error {
	p, err := base64.RawURLEncoding.DecodeString(segment)
	if err != nil {
		return err
	}
	return json.Unmarshal(p, v)
}
