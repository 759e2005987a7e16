package sessiontest

import "github.com/callrx/callrx/internal/wire"

func (s *Server) online(c *rpcCall) (any, *rpcError) {
	return s.register(c, true)
}

func (s *Server) offline(c *rpcCall) (any, *rpcError) {
	return s.register(c, false)
}

func (s *Server) register(c *rpcCall, registered bool) (any, *rpcError) {
	t := s.sessions
	t.mu.Lock()
	defer t.mu.Unlock()
	x := c.sock.session
	if x == nil {
		return nil, unauthenticated(errNotConnected)
	}
	if !x.claims.canRegister() {
		if s.opts.GuestsMayGoOnline || !registered {
			return succeeded(), nil
		}
		return nil, &rpcError{
			Code: wire.CodePermissionDenied, Message: "Permission Denied.", reason: "a " + x.claims.Kind + " token cannot register",
		}
	}
	x.registered = registered
	return succeeded(), nil
}
