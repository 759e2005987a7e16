package media

import (
	"fmt"
	"log/slog"
	"strings"
)

// An ICEServer is a STUN or TURN server (RFC 8489, RFC 8656) that a peer
// connection may use. It prints and logs without its credential.
type ICEServer struct {
	URLs       []string // such as "turn:turn.example.com:443?transport=tcp"
	Username   string
	Credential string // a secret, usually short-lived
}

// String names the URLs and whether there is a credential.
func (s ICEServer) String() string {
	text := strings.Join(s.URLs, " ")
	if s.Credential != "" {
		text += " (with credential)"
	}
	return text
}

// GoString is String, so that %#v gives nothing away either.
func (s ICEServer) GoString() string { return fmt.Sprintf("media.ICEServer(%s)", s) }

// LogValue is String for slog.
func (s ICEServer) LogValue() slog.Value { return slog.StringValue(s.String()) }
