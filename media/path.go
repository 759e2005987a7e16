package media

import (
	"net/netip"

	"github.com/pion/webrtc/v4"
)

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
	base := baseOf(pair.Local)
	s.base.Store(&base)
	s.path.Store(&path)
	if f := s.leg.cfg.OnPath; f != nil {
		s.leg.notify.Do(func() { f(s.kind, path) })
	}
}

// baseOf is the address of this machine that a candidate of it is about (RFC 8445,
// section 5.1.1.1); the zero Addr if that is not known.
func baseOf(c *webrtc.ICECandidate) netip.Addr {
	text := c.RelatedAddress
	if c.Typ == webrtc.ICECandidateTypeHost {
		text = c.Address
	}
	base, err := netip.ParseAddr(text)
	if err != nil || base.IsUnspecified() {
		return netip.Addr{}
	}
	return base.Unmap().WithZone("")
}

// LocalAddresses are the addresses of this machine at which the paths in use begin,
// or began, one for each section that has found one. That of a path of which it is
// not known is the zero Addr, as it can be behind a TURN server. What they were is
// of use when the machine has others.
func (l *Leg) LocalAddresses() []netip.Addr {
	var bases []netip.Addr
	for _, s := range l.live() {
		if base := s.base.Load(); base != nil {
			bases = append(bases, *base)
		}
	}
	return bases
}
