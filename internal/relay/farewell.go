package relay

import (
	"io"
	"net/http"
	"sync/atomic"
)

// A farewell makes the client close a WebSocket with one close frame: the library
// answers the peer's answer to its close frame with another one, which RFC 6455
// section 5.5.1 forbids.
type farewell struct {
	io.ReadWriteCloser // the connection after the handshake

	begun   atomic.Bool // the client closes: what is not written yet is its close frame at most
	failed  atomic.Bool // nothing more can be read
	written bool        // it is out; belongs to whoever writes
}

// connections wraps those of a transport. The last one is in conn.
type connections struct {
	http.RoundTripper
	conn *farewell
}

// withFarewell returns client with its connections wrapped.
func withFarewell(client *http.Client) (*http.Client, *connections) {
	wrapped := *client
	c := &connections{RoundTripper: client.Transport}
	if c.RoundTripper == nil {
		c.RoundTripper = http.DefaultTransport
	}
	wrapped.Transport = c
	return &wrapped, c
}

// RoundTrip wraps the connection that a response hands over.
func (c *connections) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := c.RoundTripper.RoundTrip(r)
	if err != nil {
		return resp, err
	}
	if conn, ok := resp.Body.(io.ReadWriteCloser); ok {
		c.conn = &farewell{ReadWriteCloser: conn}
		resp.Body = c.conn
	}
	return resp, nil
}

// Read notices the end.
func (f *farewell) Read(p []byte) (int, error) {
	n, err := f.ReadWriteCloser.Read(p)
	if err != nil {
		f.failed.Store(true)
	}
	return n, err
}

// Write swallows what comes after the close frame.
func (f *farewell) Write(p []byte) (int, error) {
	if f.written {
		return len(p), nil
	}
	f.written = f.begun.Load() && isClose(p)
	return f.ReadWriteCloser.Write(p)
}

// isClose reports whether p is a masked close frame and nothing else: four bytes of
// mask and the payload follow its first two (RFC 6455 section 5.2).
func isClose(p []byte) bool {
	return len(p) >= 6 && p[0] == 0x88 && len(p) == 6+int(p[1]&0x7f)
}
