package wire

import (
	"encoding/json"
	"fmt"
)

// EncodeRequest writes a request. Params that encode as null are sent as an
// empty object, which is what the service expects of methods without parameters.
func EncodeRequest(id, method string, params any) ([]byte, error) {
	body, err := json.Marshal(params)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", method, err)
	}
	if Raw(body).IsNull() {
		body = []byte("{}")
	}
	b := make([]byte, 0, len(body)+len(id)+len(method)+64)
	b = append(b, `{"jsonrpc":"2.0","id":`...)
	b = appendString(b, id)
	b = append(b, `,"method":`...)
	b = appendString(b, method)
	b = append(b, `,"params":`...)
	b = append(b, body...)
	return append(b, '}'), nil
}

// EncodeAck writes the empty result that acknowledges an event.
func EncodeAck(id string) []byte { return EncodeResult(id, "{}") }

// EncodeResult writes a successful response around result; an absent one is
// written as null.
func EncodeResult(id string, result Raw) []byte {
	if result == "" {
		result = "null"
	}
	b := make([]byte, 0, len(id)+len(result)+48)
	b = append(b, `{"jsonrpc":"2.0","id":`...)
	b = appendString(b, id)
	b = append(b, `,"result":`...)
	b = append(b, result...)
	return append(b, '}')
}

// EncodeError writes an error response.
func EncodeError(id string, e Error) []byte {
	b := append([]byte(`{"jsonrpc":"2.0","id":`), nil...)
	b = appendString(b, id)
	b = fmt.Appendf(b, `,"error":{"code":%d,"message":`, e.Code)
	b = appendString(b, e.Message)
	if !e.Data.IsNull() {
		b = append(append(b, `,"data":`...), e.Data...)
	}
	return append(b, "}}"...)
}

// appendString quotes s. Ids and method names rarely need more than quotes.
func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c == '"' || c == '\\' || c >= 0x80 {
			q, _ := json.Marshal(s) // a string never fails
			return append(b, q...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}
