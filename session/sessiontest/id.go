package sessiontest

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"
)

func newUUID() string { return uuid.NewString() }

// newSecret returns n random bytes in base64url.
func newSecret(n int) string {
	p := make([]byte, n)
	_, _ = rand.Read(p) // never fails
	return base64.RawURLEncoding.EncodeToString(p)
}

// redact names a secret without telling it.
func redact(secret string) string {
	if secret == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(secret))
	return "tok:sha256:" + hex.EncodeToString(sum[:4])
}

// mustJSON encodes a value of our own making.
func mustJSON(v any) []byte {
	p, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("sessiontest: value cannot be encoded: %v", err))
	}
	return p
}
