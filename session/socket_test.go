package session_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/callrx/callrx/session"
)

// A playedSocket is a connection whose far end the test plays: it is told of
// each request, and what it puts into frames the client receives.
type playedSocket struct {
	frames  chan string
	request func(s *playedSocket, id, method string)
	gone    context.Context
	hangUp  context.CancelFunc
}

func playSocket(request func(s *playedSocket, id, method string)) *playedSocket {
	s := &playedSocket{frames: make(chan string, 8), request: request}
	s.gone, s.hangUp = context.WithCancel(context.Background())
	return s
}

// Read delivers what was sent before the socket went away.
func (s *playedSocket) Read(ctx context.Context, buf []byte) ([]byte, error) {
	select {
	case f := <-s.frames:
		return append(buf, f...), nil
	default:
	}
	select {
	case f := <-s.frames:
		return append(buf, f...), nil
	case <-s.gone.Done():
		return buf, errors.New("the socket is gone")
	case <-ctx.Done():
		return buf, context.Cause(ctx)
	}
}

func (s *playedSocket) Write(_ context.Context, message []byte) error {
	var m struct{ ID, Method string }
	if err := json.Unmarshal(message, &m); err != nil {
		return err
	}
	if m.Method != "" {
		s.request(s, m.ID, m.Method)
	}
	return nil
}

func (s *playedSocket) Close(int, string) error {
	s.hangUp()
	return nil
}

// welcome answers signalwire.connect.
func (s *playedSocket) welcome(id string) {
	s.frames <- fmt.Sprintf(`{"jsonrpc":"2.0","id":%q,"result":{"identity":"i","protocol":"signalwire_x",`+
		`"authorization":{"jti":"j","project_id":"p","fabric_subscriber":{}},"ice_servers":[]}}`, id)
}

// refuse answers a request with an error.
func (s *playedSocket) refuse(id string, code int) {
	s.frames <- fmt.Sprintf(`{"jsonrpc":"2.0","id":%q,"error":{"code":%d,"message":"no"}}`, id, code)
}

// A playedService counts the connections made to it and plays each by its
// number, from one.
type playedService struct {
	mu    sync.Mutex
	dials int
	play  func(dial int) (*playedSocket, error)
}

func (p *playedService) dial(context.Context, string) (session.Socket, error) {
	p.mu.Lock()
	p.dials++
	n := p.dials
	p.mu.Unlock()
	s, err := p.play(n)
	if err != nil {
		return nil, err
	}
	return s, nil
}

func (p *playedService) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dials
}
