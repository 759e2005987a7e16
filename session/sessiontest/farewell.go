package sessiontest

import (
	"bufio"
	"net"
	"net/http"
	"sync"
)

// farewell makes the server close a WebSocket with one close frame. The library answers the client's answer to its own
// close frame with another one, which RFC 6455 section 5.5.1 forbids and a browser reports as an error.
type farewell struct {
	http.ResponseWriter // that of the handshake

	mu      sync.Mutex // guards what follows
	begun   bool       // from here on only control frames are written, each at once
	written bool       // the close frame is out
}

// Hijack hands out the connection with the farewell in between.
func (f *farewell) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(f.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	if err := buffered.Flush(); err != nil {
		return nil, nil, err
	}
	conn = farewellConn{conn, f}
	return conn, bufio.NewReadWriter(buffered.Reader, bufio.NewWriter(conn)), nil
}

// begin is called before the first close frame of the server's own is written.
func (f *farewell) begin() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.begun = true
}

// over reports whether the close frame is out; p may be it.
func (f *farewell) over(p []byte) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.written {
		return true
	}
	f.written = f.begun && len(p) > 0 && p[0]&0x0f == opcodeClose
	return false
}

// opcodeClose is the lower half of the first byte of a close frame (RFC 6455 section 5.2).
const opcodeClose = 8

type farewellConn struct {
	net.Conn
	farewell *farewell
}

// Write swallows what comes after the close frame.
func (c farewellConn) Write(p []byte) (int, error) {
	if c.farewell.over(p) {
		return len(p), nil
	}
	return c.Conn.Write(p)
}
