package sessiontest

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/pion/turn/v5"

	"github.com/callrx/callrx/internal/wire"
)

// turnLife is how long relay credentials are valid, longer than any session lives.
const turnLife = 24 * time.Hour

const turnRealm = "callrx.localhost"

// turnServer is a relay on loopback, started when somebody first asks for it.
type turnServer struct {
	mu     sync.Mutex
	closed bool
	server *turn.Server // nil before it is needed
	secret string
	urls   []string
}

// iceServers returns the relay with credentials for a subscriber: a name that says when they end, and a
// password made from it.
func (s *Server) iceServers(subject string) []wire.ICEServer {
	if s.opts.NoTURN {
		return nil
	}
	r := &s.calls.turn
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.startLocked(); err != nil {
		s.log.Error("relay cannot be started", "error", err)
		return nil
	}
	user := strconv.FormatInt(time.Now().Add(turnLife).Unix(), 10) + ":" + subject
	return []wire.ICEServer{{
		URLs: r.urls, Username: user, Credential: turnPassword(r.secret, user), CredentialType: "password",
	}}
}

func (r *turnServer) startLocked() error {
	if r.server != nil {
		return nil
	}
	if r.closed {
		return ErrClosed
	}
	udp, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	tcp, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen: %w", errors.Join(err, udp.Close()))
	}
	relay := &turn.RelayAddressGeneratorStatic{RelayAddress: net.IPv4(127, 0, 0, 1), Address: "127.0.0.1"}
	secret := newSecret(32)
	server, err := turn.NewServer(turn.ServerConfig{
		Realm:             turnRealm,
		LoggerFactory:     quietLoggers(),
		AuthHandler:       turnAuth(secret),
		PacketConnConfigs: []turn.PacketConnConfig{{PacketConn: udp, RelayAddressGenerator: relay, PermissionHandler: loopbackPeer}},
		ListenerConfigs:   []turn.ListenerConfig{{Listener: tcp, RelayAddressGenerator: relay, PermissionHandler: loopbackPeer}},
	})
	if err != nil {
		return fmt.Errorf("start: %w", errors.Join(err, udp.Close(), tcp.Close()))
	}
	r.server, r.secret = server, secret
	r.urls = []string{
		"turn:" + udp.LocalAddr().String() + "?transport=udp",
		"turn:" + tcp.Addr().String() + "?transport=tcp",
	}
	return nil
}

func (r *turnServer) close() {
	r.mu.Lock()
	r.closed = true
	server := r.server
	r.mu.Unlock()
	if server != nil {
		_ = server.Close()
	}
}

// loopbackPeer keeps the relay from reaching anything but this machine.
func loopbackPeer(_ net.Addr, peer net.IP) bool { return peer.IsLoopback() }

func turnPassword(secret, user string) string {
	mac := hmac.New(sha1.New, []byte(secret))
	mac.Write([]byte(user))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func turnAuth(secret string) turn.AuthHandler {
	return func(request *turn.RequestAttributes) (string, []byte, bool) {
		until, subject, _ := strings.Cut(request.Username, ":")
		at, err := strconv.ParseInt(until, 10, 64)
		if err != nil || time.Now().After(time.Unix(at, 0)) {
			return "", nil, false
		}
		return subject, turn.GenerateAuthKey(request.Username, request.Realm, turnPassword(secret, request.Username)), true
	}
}
