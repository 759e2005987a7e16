package sessiontest

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/callrx/callrx/internal/wire"
)

var clientKinds = [...]string{KindSAT, KindBound, KindGuest, KindInvite, KindEmbed}

// sessionMethods is the session part of the RPC surface.
func (s *Server) sessionMethods() map[string]rpcHandler {
	return map[string]rpcHandler{
		wire.MethodConnect:        s.connect,
		wire.MethodReauthenticate: s.reauthenticate,
		wire.MethodPing:           s.answerPing,
		wire.MethodOnline:         s.online,
		wire.MethodOffline:        s.offline,
	}
}

func (s *Server) answerPing(*rpcCall) (any, *rpcError) {
	return wire.Ping{Timestamp: s.timestamp()}, nil
}

func (s *Server) connect(c *rpcCall) (any, *rpcError) {
	p, failed := c.authParams()
	if failed != nil {
		return nil, failed
	}
	if c.sock.protocol() != "" {
		return nil, &rpcError{Code: wire.CodeInvalidParams, Message: "Invalid params", reason: "socket is connected already"}
	}
	if p.AuthorizationState != "" {
		return s.resume(c, p)
	}
	token, err := s.verifyToken(p.Authentication.JWTToken, clientKinds[:]...)
	if err != nil {
		return nil, unauthenticated(err)
	}
	if err := s.checkRPCProof(c, token, p.DPoPToken); err != nil {
		return nil, unauthenticated(err)
	}
	x := &session{
		protocol: "signalwire_" + token.JTI + "_" + newUUID() + "_" + token.ProjectID,
		identity: newUUID() + "@puc",
		subject:  token.Subject,
	}
	s.accept(c, x, token) // a new session cannot have ended
	return s.connectResult(x), nil
}

func (s *Server) reauthenticate(c *rpcCall) (any, *rpcError) {
	p, failed := c.authParams()
	if failed != nil {
		return nil, failed
	}
	token, err := s.verifyToken(p.Authentication.JWTToken, clientKinds[:]...)
	if err != nil {
		return nil, unauthenticated(err)
	}
	x := s.sessions.of(c.sock)
	if x == nil || token.Subject != x.subject {
		return nil, unauthenticated(errors.New("token belongs to another subscriber"))
	}
	if err := s.checkRPCProof(c, token, p.DPoPToken); err != nil {
		return nil, unauthenticated(err)
	}
	if !s.accept(c, x, token) {
		return nil, unauthenticated(errEnded)
	}
	s.successorUsed(token)
	return s.connectResult(x), nil
}

// checkRPCProof applies rules V9, V12 and V13: a token with a key needs a proof by that key, any other
// token needs none, but a proof that is there must be good.
func (s *Server) checkRPCProof(c *rpcCall, token claims, proof string) error {
	if proof == "" {
		if token.thumbprint() != "" {
			return errors.New("V12: token is bound to a key and there is no proof")
		}
		return nil
	}
	p, _, err := s.verifyProof(proof, proofUse{rpc: c.frame.Method})
	if err != nil {
		return err
	}
	if key := token.thumbprint(); key != "" && !equalSecret(key, p.Thumbprint) {
		return errors.New("V9: token is bound to another key")
	}
	return nil
}

var errEnded = errors.New("session has ended")

// accept makes token the one that x lives on and the calling socket the one x uses. It returns false when
// x has ended meanwhile.
func (s *Server) accept(c *rpcCall, x *session, token claims) bool {
	t := s.sessions
	t.mu.Lock()
	if x.ended {
		t.mu.Unlock()
		return false
	}
	replaced := x.socket
	x.claims, x.bound = token, token.thumbprint() != ""
	x.deadline = token.expiry()
	if !s.now().Before(x.deadline) { // resumed with an expired token, or within the leeway
		x.deadline = s.now().Add(s.opts.ReauthWindow)
	}
	x.socket, c.sock.session = c.sock, x
	t.sessions[x.protocol] = x
	if replaced != c.sock { // a new socket has to go online again
		x.registered = false
		x.holdUnansweredLocked()
	}
	for _, timer := range [...]*time.Timer{x.forget, x.reap} {
		if timer != nil {
			timer.Stop()
		}
	}
	s.armDeadlineLocked(x)
	t.mu.Unlock()
	if replaced != nil && replaced != c.sock {
		replaced.drop()
	}
	c.then = append(c.then, func() { s.sendState(x); s.releaseHeld(x) })
	return true
}

// connectResult describes x as it is now. Its expiry is the deadline of x.
func (s *Server) connectResult(x *session) wire.ConnectResult {
	relay := s.iceServers(x.subject)
	t := s.sessions
	t.mu.Lock()
	defer t.mu.Unlock()
	sub := &wire.FabricSubscriber{
		Version: 1, ExpiresAt: x.deadline.Unix(), SubscriberID: x.subject,
		ProjectID: x.claims.ProjectID, SpaceID: x.claims.SpaceID,
	}
	if id := x.claims.ApplicationID; id != "" {
		sub.ApplicationID = &id
	}
	a := wire.Authorization{
		JTI: x.claims.JTI, ProjectID: x.claims.ProjectID, Scope: x.claims.Scope, FabricSubscriber: sub,
	}
	if key := x.claims.thumbprint(); key != "" {
		a.CNF = &wire.Confirmation{JKT: key}
	}
	return wire.ConnectResult{
		Identity: x.identity, Authorization: a, Protocol: x.protocol, ICEServers: relay,
	}
}

func (c *rpcCall) authParams() (wire.ConnectParams, *rpcError) {
	var p wire.ConnectParams
	err := json.Unmarshal(c.frame.Params, &p)
	if err == nil && p.Authentication.JWTToken == "" {
		err = errors.New("authentication.jwt_token is missing")
	}
	if err != nil {
		return p, &rpcError{Code: wire.CodeInvalidParams, Message: "Invalid params", reason: err.Error()}
	}
	return p, nil
}
