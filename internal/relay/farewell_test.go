package relay_test

import (
	"bufio"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/callrx/callrx/internal/relay"
)

// Whoever closes a WebSocket sends one close frame, and nothing after it.
func TestClientClosesWithOneFrame(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	rest := make(chan []byte, 1)
	go func() {
		defer close(rest)
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		rest <- closedBy(t, conn)
	}()
	socket, _, err := relay.DialWebSocket(t.Context(), http.DefaultClient, "ws://"+l.Addr().String(), 1000)
	if err != nil {
		t.Fatal(err)
	}
	if err := socket.Write(t.Context(), []byte("\x88 is how a text may begin")); err != nil {
		t.Fatal(err)
	}
	if err := socket.Close(1000, "bye"); err != nil {
		t.Error(err)
	}
	if more := <-rest; len(more) > 0 {
		t.Errorf("after the close frame came %q", more)
	}
}

// closedBy plays a server that answers a close frame, and returns what comes after
// that.
func closedBy(t *testing.T, conn net.Conn) []byte {
	r := bufio.NewReader(conn)
	req, err := http.ReadRequest(r)
	if err != nil {
		t.Error(err)
		return nil
	}
	key := sha1.Sum([]byte(req.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: %s\r\n\r\n",
		base64.StdEncoding.EncodeToString(key[:]))
	for opcode := byte(0); opcode != 0x88; {
		head := make([]byte, 2+4)
		if _, err := io.ReadFull(r, head); err != nil {
			t.Error(err)
			return nil
		}
		opcode = head[0]
		if _, err := r.Discard(int(head[1] & 0x7f)); err != nil {
			t.Error(err)
			return nil
		}
	}
	if _, err := io.WriteString(conn, "\x88\x02\x03\xe8"); err != nil {
		t.Error(err)
	}
	more, _ := io.ReadAll(r)
	return more
}
