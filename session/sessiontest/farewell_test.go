package sessiontest_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/callrx/callrx/session/sessiontest"
)

// A browser reports a frame after the close frame as an error, so there must be none.
func TestServerClosesWithOneFrame(t *testing.T) {
	gw := sessiontest.NewServer(t)
	conn, err := net.Dial("tcp", strings.TrimPrefix(gw.RelayURL(), "ws://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	write := func(s string) {
		if _, err := io.WriteString(conn, s); err != nil {
			t.Fatal(err)
		}
	}
	write("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	r := bufio.NewReader(conn)
	resp, err := http.ReadResponse(r, nil)
	if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
		t.Fatal(resp, err)
	}
	opened := func(e sessiontest.Entry) bool { return e.Status == http.StatusSwitchingProtocols }
	if _, err := gw.WaitFor(t.Context(), opened); err != nil {
		t.Fatal(err)
	}
	if gw.CloseSockets("", 4000, "bye") != 1 {
		t.Fatal("there is no socket")
	}
	frame := make([]byte, 2+2+len("bye"))
	if _, err := io.ReadFull(r, frame); err != nil || string(frame) != "\x88\x05\x0f\xa0bye" {
		t.Fatalf("%q, %v", frame, err)
	}
	write("\x88\x85\x00\x00\x00\x00\x0f\xa0bye") // the same frame, masked with zeros
	if rest, err := io.ReadAll(r); len(rest) > 0 {
		t.Errorf("after the close frame came %q, %v", rest, err)
	}
}
