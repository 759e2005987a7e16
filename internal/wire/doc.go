// Package wire holds the messages of the SignalWire client protocol and turns
// them into Go values and back: JSON-RPC 2.0 objects, one per WebSocket text
// frame. It knows no sockets and keeps no state.
//
// [Decode] reads a frame in one pass: the envelope and, for an event, its
// header, with payloads left as [Raw] text that points into the frame. It does
// not use encoding/json, which alone would make the receive path slower than
// JavaScript. What a caller asked for (the result of a request) is decoded with
// encoding/json in the caller's goroutine, away from that path.
package wire
