package session

import (
	"fmt"
	"io"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/internal/dpop"
)

// A DPoPKey proves to the service that requests come from this client
// (RFC 9449). It is an RSA key that never leaves the process except into the
// client's own Storage. The zero value is no key.
type DPoPKey struct{ key *dpop.Key }

// GenerateDPoPKey makes a new key, which takes some 50 ms of CPU.
func GenerateDPoPKey() (*DPoPKey, error) {
	key, err := dpop.Generate()
	if err != nil {
		return nil, &errs.DPoPInitError{OriginalError: err}
	}
	return &DPoPKey{key}, nil
}

// Fingerprint is the key's thumbprint (RFC 7638), which a backend passes on
// when it has a token minted for this key.
func (k *DPoPKey) Fingerprint() string {
	if k.key == nil {
		return ""
	}
	return k.key.Thumbprint()
}

// String shows the fingerprint.
func (k *DPoPKey) String() string { return "session.DPoPKey(" + k.Fingerprint() + ")" }

// Format writes String, whatever the verb.
func (k *DPoPKey) Format(w fmt.State, _ rune) { _, _ = io.WriteString(w, k.String()) }
