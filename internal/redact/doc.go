// Package redact takes secrets out of text that is about to be logged, stored in
// an error or shown.
//
// A secret is replaced by its [Fingerprint], so that two mentions of one token
// can still be matched. [Text] finds secrets in two ways. In JSON, whole or cut
// off, it goes by the name of the field, at any depth and inside strings that
// hold JSON themselves. In any text it goes by shape: compact JWS and JWE, values
// after Bearer and Basic, embed tokens, tokens in a query, passwords in an
// address and in SDP. What the caller knows to be secret is replaced wherever it
// stands.
//
// It errs on the side of hiding too much.
package redact
