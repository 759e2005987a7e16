// Package dpop makes proofs of possession: short signed statements that show
// that the sender of a token holds the key the token is bound to.
//
// It follows RFC 9449 with the platform's three differences. The proof travels
// in the message body and not in a header; htu is the path alone; and a proof
// for a request over the WebSocket names the RPC method in place of the HTTP
// method and path.
//
// A [Key] is an RSA key of 2048 bits, proofs are signed with RS256 (RFC 7518
// section 3.3), and the key's name is its thumbprint (RFC 7638).
//
// Every proof is fresh: each call draws a new jti. A proof is for one
// transmission, so a retry asks for a new one. The package has no clock, because
// the caller knows how far the server's clock is off.
package dpop
