package sessiontest

import (
	"encoding/json"

	"github.com/callrx/callrx/internal/wire"
)

// frame is one JSON-RPC object on the socket, request or response.
type frame struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id,omitempty"`
	Method  string          `json:"method,omitempty"`
	Params  json.RawMessage `json:"params,omitempty"`
	Result  json.RawMessage `json:"result,omitempty"`
	Error   *rpcError       `json:"error,omitempty"`
}

// rpcError is a top-level JSON-RPC error.
type rpcError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`

	reason string // for the journal
}

// codeServer is the error of a server that has no better one.
const codeServer = -32000

func unauthenticated(why error) *rpcError {
	return &rpcError{
		Code:    wire.CodeAuthenticationFailed,
		Message: "Authentication service failed with status ProtocolError, 401 Unauthorized: {}",
		reason:  why.Error(),
	}
}

// succeeded returns the result of the subscriber.* methods.
func succeeded() any { return map[string]string{"code": "200", "message": "OK"} }

// requestFrame builds a request of the server's own.
func requestFrame(id, method string, params any) []byte {
	f := frame{Version: "2.0", ID: mustJSON(id), Method: method}
	if params != nil {
		f.Params = mustJSON(params)
	}
	return mustJSON(f)
}

// responseFrame answers the request with that id.
func responseFrame(id json.RawMessage, result any, failed *rpcError) []byte {
	f := frame{Version: "2.0", ID: id, Error: failed}
	if failed == nil {
		f.Result = mustJSON(result)
	}
	return mustJSON(f)
}
