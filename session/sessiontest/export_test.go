package sessiontest

// ThumbprintOf is the RFC 7638 thumbprint of an RSA key given as its JWK members.
var ThumbprintOf = thumbprintOf
