package media

import "github.com/pion/webrtc/v4"

// A Path is how the media of a section travels: the kinds of the two ends of the
// candidate pair in use (RFC 8445, section 5.1.1), without their addresses. The
// zero Path is none yet.
type Path struct {
	Local    string // "host", "srflx", "prflx" or "relay"
	Remote   string // likewise
	Protocol string // between the two: "udp" or "tcp"
}

// String names both ends, as in "host-relay/udp"; empty for no path.
func (p Path) String() string {
	if p == (Path{}) {
		return ""
	}
	return p.Local + "-" + p.Remote + "/" + p.Protocol
}

// selected is pion's callback: media takes another path.
func (s *section) selected(pair *webrtc.ICECandidatePair) {
	s.leg.paths.Add(1)
	if pair == nil || pair.Local == nil || pair.Remote == nil {
		return
	}
	path := Path{
		Local: pair.Local.Typ.String(), Remote: pair.Remote.Typ.String(),
		Protocol: pair.Local.Protocol.String(),
	}
	s.path.Store(&path)
	if f := s.leg.cfg.OnPath; f != nil {
		s.leg.notify.Do(func() { f(s.kind, path) })
	}
}
