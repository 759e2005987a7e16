package sessiontest

import (
	"time"

	"nhooyr.io/websocket"
)

// applyRPCFault answers a request on the socket with what the fault makes of it. It never waits, so that
// requests behind it are not held up.
func (k *socket) applyRPCFault(c *rpcCall, a Action) {
	switch a.Kind {
	case FaultRPCError, FaultStatus:
		k.respond(c, outcome{failed: a.rpcError()})
	case FaultVertoError:
		failed := a.rpcError()
		k.respond(c, outcome{result: refuseVerto(c.frame.Params, &vertoError{Code: failed.Code, Message: failed.Message})})
	case FaultCommitThenFail:
		k.handle(c)
		c.then = nil
		k.respond(c, outcome{failed: a.rpcError()})
	case FaultRPCSilent, FaultHang:
	case FaultSlow:
		k.respondLater(c, k.handle(c), a.Delay)
	case FaultWSClose:
		code := a.Code
		setDefault(&code, int(websocket.StatusInternalError))
		k.close(websocket.StatusCode(code), a.Message)
	case FaultReset:
		k.drop()
	case FaultClockSkew:
		k.srv.shiftClock(a.Delay)
		k.respond(c, k.handle(c))
	default:
		k.respond(c, k.handle(c))
	}
}

func (a Action) rpcError() *rpcError {
	failed := &rpcError{Code: a.Code, Message: a.Message, reason: "injected fault"}
	setDefault(&failed.Code, codeServer)
	setDefault(&failed.Message, "Internal server error")
	return failed
}

func (s *Server) shiftClock(by time.Duration) {
	s.SetClockSkew(time.Duration(s.clock.skew.Load()) + by)
}
