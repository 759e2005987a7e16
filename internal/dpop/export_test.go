package dpop

// The functions behind thumbprints and hashes, for published test vectors, and
// the self-test of a loaded key, which the standard library's parser shields from
// most bad keys.
var (
	TryOut       = tryOut
	ThumbprintOf = thumbprint
	TokenHash    = tokenHash
)
