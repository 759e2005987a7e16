package sessiontest

// ThumbprintOf is the RFC 7638 thumbprint of an RSA key given as its JWK members.
var ThumbprintOf = thumbprintOf

// ParseProof reads a proof and checks its form, key and signature.
var ParseProof = parseProof

// OpensToken tells whether the server can decrypt the token.
func (s *Server) OpensToken(token string) bool {
	_, err := s.sealer.open(token)
	return err == nil
}
