package sessiontest

import (
	"github.com/pion/sdp/v3"
	"github.com/pion/transport/v5"
)

// ThumbprintOf is the RFC 7638 thumbprint of an RSA key given as its JWK members.
var ThumbprintOf = thumbprintOf

// ParseProof reads a proof and checks its form, key and signature.
var ParseProof = parseProof

// OpensToken tells whether the server can decrypt the token.
func (s *Server) OpensToken(token string) bool {
	_, err := s.sealer.open(token)
	return err == nil
}

// ReadOffer does with an offer all that needs no transport, and returns how many of its sections could be
// taken.
func ReadOffer(text string) (int, error) {
	d, err := parseSDP(text)
	if err != nil {
		return 0, err
	}
	var sections []*sdp.MediaDescription
	for _, m := range d.MediaDescriptions {
		if _, err := single(d, m); err != nil {
			return 0, err
		}
		directionOf(d, m)
		pick(codecsOf(m), pcmuName, opusName)
		sections = append(sections, rejection(withMID(m, 7)))
	}
	_, err = joinSDP(1, 1, isBundled(d), sections)
	return len(plansFrom(d)), err
}

// ToneOpus returns the n-th 20 ms of the tone.
var ToneOpus = toneOpus

// EncodeULaw and EncodeALaw are G.711.
var (
	EncodeULaw = encodeULaw
	EncodeALaw = encodeALaw
)

// NewNetworkOver puts a network on another one.
var NewNetworkOver = newNetwork

// Shaped is the network as pion gets it.
func (n *Network) Shaped() transport.Net { return shapedNet{n.over, n} }
