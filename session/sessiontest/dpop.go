package sessiontest

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/url"
	"strings"
	"time"
)

// proofUse says what a proof is presented for.
type proofUse struct {
	htm, htu string // HTTP method and path
	rpc      string // RPC method, when it is no HTTP request
	bearer   string // token that ath must hash, if the proof has one
	needATH  bool
}

// proofHeader is the JOSE header of a proof. Extra members are ignored, private key members are not.
type proofHeader struct {
	Type      string                     `json:"typ"`
	Algorithm string                     `json:"alg"`
	Key       map[string]json.RawMessage `json:"jwk"`
}

var privateMembers = [...]string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"}

// verifyProof checks a proof (RFC 9449 section 4.3 with the protocol's own claims) and reserves its id.
// The caller settles the reservation once it knows the outcome. An error names the rule that failed.
func (s *Server) verifyProof(proof string, use proofUse) (Proof, *reservation, error) {
	p, err := parseProof(proof)
	if err != nil {
		return Proof{}, nil, err
	}
	if err := use.check(p); err != nil {
		return p, nil, err
	}
	age := s.now().Unix() - p.IssuedAt
	if window := int64(s.opts.ProofWindow / time.Second); age > window || age < -window {
		return p, nil, fmt.Errorf("V6: iat is %d s from the server's clock", age)
	}
	if p.JTI == "" || len(p.JTI) > 128 {
		return p, nil, errors.New("V7: jti is empty or longer than 128 characters")
	}
	held, ok := s.replays.reserve(p.Thumbprint, p.JTI, s.now())
	if !ok {
		return p, nil, fmt.Errorf("V7: jti %q was used before", p.JTI)
	}
	return p, held, nil
}

// parseProof checks form, key and signature: rules V1 to V3.
func parseProof(proof string) (Proof, error) {
	var p Proof
	parts := strings.Split(proof, ".")
	if len(parts) != 3 {
		return p, errors.New("V1: proof is no three-part JWS")
	}
	var h proofHeader
	if err := decodeSegment(parts[0], &h); err != nil {
		return p, errors.New("V1: proof header is not readable")
	}
	if h.Type != "dpop+jwt" || h.Algorithm != "RS256" {
		return p, fmt.Errorf("V1: proof has typ %q and alg %q", h.Type, h.Algorithm)
	}
	key, thumbprint, err := readKey(h.Key)
	if err != nil {
		return p, err
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		return p, errors.New("V3: signature is not base64url")
	}
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], signature) != nil {
		return p, errors.New("V3: signature does not verify")
	}
	return decodeProofClaims(parts[1], thumbprint)
}

func decodeProofClaims(segment, thumbprint string) (Proof, error) {
	var p Proof
	if err := decodeSegment(segment, &p); err != nil {
		return p, errors.New("V6: proof claims are not readable, or iat is no integer")
	}
	p.Thumbprint = thumbprint
	return p, nil
}

// readKey checks the public key of a proof and returns its RFC 7638 thumbprint: rule V2.
func readKey(jwk map[string]json.RawMessage) (*rsa.PublicKey, string, error) {
	for _, name := range privateMembers {
		if _, ok := jwk[name]; ok {
			return nil, "", fmt.Errorf("V2: jwk carries the private member %q", name)
		}
	}
	var kty, n, e string
	for name, to := range map[string]*string{"kty": &kty, "n": &n, "e": &e} {
		if json.Unmarshal(jwk[name], to) != nil {
			return nil, "", fmt.Errorf("V2: jwk has no string %q", name)
		}
	}
	modulus, err1 := base64.RawURLEncoding.DecodeString(n)
	exponent, err2 := base64.RawURLEncoding.DecodeString(e)
	if kty != "RSA" || err1 != nil || err2 != nil {
		return nil, "", errors.New("V2: jwk is no RSA key")
	}
	key := &rsa.PublicKey{N: new(big.Int).SetBytes(modulus)}
	if exp := new(big.Int).SetBytes(exponent); exp.IsInt64() && exp.Int64() >= 3 && exp.Int64() < 1<<31 && exp.Bit(0) == 1 {
		key.E = int(exp.Int64())
	}
	if key.E == 0 || key.N.BitLen() < 2048 || key.N.BitLen() > 8192 {
		return nil, "", errors.New("V2: RSA key is too weak or malformed")
	}
	return key, thumbprintOf(n, e), nil
}

// thumbprintOf follows RFC 7638 section 3: the required members in lexical order, no white space.
func thumbprintOf(n, e string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, `{"e":%q,"kty":"RSA","n":%q}`, e, n))
	return encodeSegment(sum[:])
}

// check compares a proof with its use: rules V4, V5 and V8.
func (u proofUse) check(p Proof) error {
	if u.rpc != "" {
		if p.RPC != "request" || p.Method != u.rpc {
			return fmt.Errorf("V5: proof is for rpc %q mth %q", p.RPC, p.Method)
		}
		return nil
	}
	if p.HTM != u.htm || htuPath(p.HTU) != u.htu {
		return fmt.Errorf("V4: proof is for %s %s", p.HTM, p.HTU)
	}
	if p.ATH == "" && u.needATH {
		return errors.New("V8: proof has no ath")
	}
	sum := sha256.Sum256([]byte(u.bearer))
	if p.ATH != "" && !equalSecret(p.ATH, encodeSegment(sum[:])) {
		return errors.New("V8: ath is not the hash of the presented token")
	}
	return nil
}

// htuPath accepts a bare path as well as an absolute URL, without its query.
func htuPath(htu string) string {
	u, err := url.Parse(htu)
	if err != nil {
		return ""
	}
	return u.Path
}

func equalSecret(a, b string) bool {
	return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1
}

// peekProof decodes a proof for the journal without judging it.
func peekProof(proof string) *Proof {
	parts := strings.Split(proof, ".")
	if len(parts) != 3 {
		return nil
	}
	var h proofHeader
	if decodeSegment(parts[0], &h) != nil {
		return nil
	}
	var thumbprint string
	if _, t, err := readKey(h.Key); err == nil {
		thumbprint = t
	}
	p, err := decodeProofClaims(parts[1], thumbprint)
	if err != nil {
		return nil
	}
	return &p
}
