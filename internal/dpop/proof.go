package dpop

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// claims are the contents of a proof. A proof for HTTP has htm and htu, and ath
// where it accompanies a bound token; a proof for an RPC has rpc and mth.
type claims struct {
	JTI string `json:"jti"`
	HTM string `json:"htm,omitempty"`
	HTU string `json:"htu,omitempty"`
	RPC string `json:"rpc,omitempty"`
	MTH string `json:"mth,omitempty"`
	IAT int64  `json:"iat"`
	ATH string `json:"ath,omitempty"`
}

// HTTPProof returns a proof for one HTTP request: RFC 9449 section 4.2, with the
// path in place of the full address. The path begins with a slash and has no
// query. A bearer that is not empty is tied to the proof by its hash (ath). The
// time becomes the proof's iat, in whole seconds.
func (k Key) HTTPProof(method, path, bearer string, at time.Time) (string, error) {
	if method == "" {
		return "", fmt.Errorf("make DPoP proof: no method")
	}
	if !strings.HasPrefix(path, "/") || strings.ContainsAny(path, "?#") {
		return "", fmt.Errorf("make DPoP proof: %q is not a bare path", path)
	}
	c := claims{JTI: newJTI(), HTM: method, HTU: path, IAT: at.Unix()}
	if bearer != "" {
		c.ATH = tokenHash(bearer)
	}
	return k.sign(c)
}

// RPCProof returns a proof for one JSON-RPC request of the method given. It is
// not tied to a token. The time becomes the proof's iat, in whole seconds.
func (k Key) RPCProof(method string, at time.Time) (string, error) {
	if method == "" {
		return "", fmt.Errorf("make DPoP proof: no method")
	}
	return k.sign(claims{JTI: newJTI(), RPC: "request", MTH: method, IAT: at.Unix()})
}

// sign returns the claims as a compact JWS (RFC 7515 section 7.1).
func (k Key) sign(c claims) (string, error) {
	payload, err := json.Marshal(c)
	if err != nil {
		return "", fmt.Errorf("make DPoP proof: %w", err)
	}
	input := k.header + encode(payload)
	digest := sha256.Sum256([]byte(input))
	signature, err := rsa.SignPKCS1v15(nil, k.private, crypto.SHA256, digest[:])
	if err != nil {
		return "", fmt.Errorf("make DPoP proof: %w", err)
	}
	return input + "." + encode(signature), nil
}

// proofHeader returns the first segment of a key's proofs, dot included. It
// carries the public key, RFC 9449 section 4.2.
func proofHeader(public *rsa.PublicKey) (string, error) {
	key := publicJWK(public)
	key.Alg = "RS256"
	header, err := json.Marshal(struct {
		Typ string `json:"typ"`
		Alg string `json:"alg"`
		JWK jwk    `json:"jwk"`
	}{"dpop+jwt", "RS256", key})
	if err != nil {
		return "", fmt.Errorf("make DPoP proof header: %w", err)
	}
	return encode(header) + ".", nil
}

// tokenHash is the ath claim, RFC 9449 section 4.2.
func tokenHash(token string) string {
	hash := sha256.Sum256([]byte(token))
	return encode(hash[:])
}

// newJTI returns a random UUID, version 4 (RFC 9562 section 5.4).
func newJTI() string {
	var u [16]byte
	_, _ = rand.Read(u[:]) // never fails: crypto/rand ends the program instead
	u[6] = u[6]&0x0f | 0x40
	u[8] = u[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", u[0:4], u[4:6], u[6:8], u[8:10], u[10:16])
}
