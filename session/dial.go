package session

import (
	"context"
	"net/http"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/internal/program"
	"github.com/callrx/callrx/internal/redact"
	"github.com/callrx/callrx/internal/relay"
	"github.com/callrx/callrx/internal/rest"
)

// A Socket carries text messages both ways, for a program that brings its own
// transport. Read is called by one goroutine, Write by one other, Close by any.
type Socket interface {
	// Read appends the next message to buf.
	Read(ctx context.Context, buf []byte) ([]byte, error)
	Write(ctx context.Context, message []byte) error
	// Close says goodbye with a WebSocket close code (RFC 6455 section 7.4) and
	// releases the socket. It must end a Read under way.
	Close(code int, reason string) error
}

// closeGoingAway is a close code of RFC 6455 section 7.4.1.
const closeGoingAway = 1001

// maxRetryAfter caps how long a server may ask a client to stay away.
const maxRetryAfter = time.Minute

// dial opens one socket, and tells how long a server that refused wants to be
// left alone.
func (c *Client) dial(ctx context.Context, url string) (relay.Socket, time.Duration, error) {
	if c.opts.DialSocket != nil {
		s, err := program.Ask(ctx, "DialSocket",
			func(ctx context.Context) (Socket, error) { return c.opts.DialSocket(ctx, url) },
			func(late Socket) { _ = late.Close(closeGoingAway, "too late") })
		return s, 0, err
	}
	s, resp, err := relay.DialWebSocket(ctx, c.http, url, c.opts.MaxFrame)
	if err == nil {
		return s, 0, nil
	}
	if resp == nil || resp.StatusCode == http.StatusSwitchingProtocols {
		return nil, 0, err
	}
	hint := min(rest.RetryAfter(resp.Header), maxRetryAfter)
	return nil, hint, &errs.HTTPError{Method: http.MethodGet, Path: "/", Status: resp.StatusCode, RetryAfter: hint}
}

func isLoopback(host string) bool { return rest.IsLoopback(host) }

func fingerprint(secret string) string { return redact.Fingerprint(secret) }

// tap shows frames to the program and to the log, secrets replaced; nil when
// nobody looks, so that it costs nothing.
func (c *Client) tap() func(uint64, bool, string) {
	logged := c.log.Enabled(context.Background(), LevelTrace)
	if c.opts.WireTap == nil && !logged {
		return nil
	}
	return func(connection uint64, outgoing bool, text string) {
		f := WireFrame{Time: time.Now(), Connection: connection, Outgoing: outgoing, Text: c.hidden(text)}
		if logged {
			c.log.Log(context.Background(), LevelTrace, "frame", "connection", connection, "outgoing", outgoing, "text", f.Text)
		}
		if c.opts.WireTap != nil {
			c.opts.WireTap(f)
		}
	}
}
