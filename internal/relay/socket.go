package relay

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"nhooyr.io/websocket"
)

// A Socket carries text messages both ways. Read is called by one goroutine,
// Write by one other, Close by any. Cancelling the context of a Read or Write
// may make the socket unusable.
type Socket interface {
	// Read appends the next message to buf. A message over the reader's limit
	// is skipped and reported as a *TooLargeError; the socket stays usable.
	Read(ctx context.Context, buf []byte) ([]byte, error)
	Write(ctx context.Context, message []byte) error
	// Close sends a close frame and releases the socket.
	Close(code int, reason string) error
}

// TooLargeError says that a message over the limit was skipped.
type TooLargeError struct{ Size, Limit int64 }

func (e *TooLargeError) Error() string { return "message over the read limit" }

// ClosedError says that the peer closed the socket with a close frame.
type ClosedError struct {
	Code   int
	Reason string
}

func (e *ClosedError) Error() string { return "closed by the peer" }

// DialWebSocket opens a WebSocket with client's transport. Messages over limit
// bytes are skipped. The response is that of the refused handshake, if any.
func DialWebSocket(ctx context.Context, client *http.Client, url string, limit int64) (Socket, *http.Response, error) {
	client, through := withFarewell(client)
	conn, resp, err := websocket.Dial(ctx, url, &websocket.DialOptions{HTTPClient: client})
	if err != nil {
		return nil, resp, err
	}
	conn.SetReadLimit(-1) // webSocket.Read applies the limit, without losing the connection
	return &webSocket{conn: conn, end: through.conn, limit: limit}, resp, nil
}

type webSocket struct {
	conn  *websocket.Conn
	end   *farewell
	limit int64
}

func (w *webSocket) Read(ctx context.Context, buf []byte) ([]byte, error) {
	buf, err := w.read(ctx, buf)
	if err != nil && ctx.Err() != nil {
		_ = w.end.ReadWriteCloser.Close() // else a Close that has begun would wait for the peer
	}
	return buf, err
}

func (w *webSocket) read(ctx context.Context, buf []byte) ([]byte, error) {
	_, r, err := w.conn.Reader(ctx)
	var closed websocket.CloseError
	if errors.As(err, &closed) {
		return buf, &ClosedError{Code: int(closed.Code), Reason: closed.Reason}
	}
	if err != nil {
		return buf, err
	}
	start := len(buf)
	for {
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if size := int64(len(buf) - start); size > w.limit {
			rest, err := io.Copy(io.Discard, r)
			return buf[:start], errors.Join(&TooLargeError{Size: size + rest, Limit: w.limit}, err)
		}
		if errors.Is(err, io.EOF) {
			if w.torn(buf[start:]) {
				return buf[:start], io.ErrUnexpectedEOF
			}
			return buf, nil
		}
		if err != nil {
			return buf, err
		}
	}
}

// torn reports whether a message has ended too early. To the library its end is the
// same as that of the connection in the middle of it; and a Close that has begun takes
// the rest of a message away from whoever reads it.
func (w *webSocket) torn(message []byte) bool {
	return (w.end.failed.Load() || w.end.begun.Load()) && !json.Valid(message)
}

func (w *webSocket) Write(ctx context.Context, message []byte) error {
	return w.conn.Write(ctx, websocket.MessageText, message)
}

func (w *webSocket) Close(code int, reason string) error {
	w.end.begun.Store(true)
	return w.conn.Close(websocket.StatusCode(code), reason)
}
