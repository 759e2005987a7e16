package media

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pion/sdp/v3"
)

var (
	errBundled      = errors.New("the answer bundles sections although the offer did not")
	errNoSections   = errors.New("the SDP has no media section")
	errSectionCount = errors.New("the answer does not have one section for each that was offered")
	errSectionKind  = errors.New("the answer has the sections in another order")
)

// A remoteSection is one media section of the far end's SDP.
type remoteSection struct {
	media     *sdp.MediaDescription
	kind      Kind // 0 for one that we have no use for
	direction Direction
	rejected  bool // by port 0, or because it has no transport of its own
}

// parseRemote takes a far end's SDP apart.
func parseRemote(text string) (*sdp.SessionDescription, []remoteSection, error) {
	var session sdp.SessionDescription
	if err := session.UnmarshalString(text); err != nil {
		return nil, nil, fmt.Errorf("parse SDP: %w", err)
	}
	if len(session.MediaDescriptions) == 0 {
		return nil, nil, errNoSections
	}
	sections := make([]remoteSection, len(session.MediaDescriptions))
	for i, media := range session.MediaDescriptions {
		kind, _ := kindOf(media.MediaName.Media)
		sections[i] = remoteSection{
			media: media, kind: kind,
			direction: directionIn(&session, media),
			rejected:  media.MediaName.Port.Value == 0 || !hasTransport(&session, media),
		}
	}
	return &session, sections, nil
}

// hasTransport reports whether a section has what ICE and DTLS need, which one
// that only lives in a bundle has not.
func hasTransport(session *sdp.SessionDescription, media *sdp.MediaDescription) bool {
	if _, only := media.Attribute("bundle-only"); only {
		return false
	}
	for _, key := range []string{"ice-ufrag", "ice-pwd", "fingerprint"} {
		_, here := media.Attribute(key)
		_, above := session.Attribute(key)
		if !here && !above {
			return false
		}
	}
	return true
}

func directionIn(session *sdp.SessionDescription, media *sdp.MediaDescription) Direction {
	for _, attributes := range [][]sdp.Attribute{media.Attributes, session.Attributes} {
		for _, a := range attributes {
			if d, ok := directionOf(a.Key); ok {
				return d
			}
		}
	}
	return SendRecv
}

// bundled reports whether more than one section shares a transport.
func bundled(session *sdp.SessionDescription) bool {
	for _, a := range session.Attributes {
		if a.Key == "group" {
			if words := strings.Fields(a.Value); len(words) > 2 && words[0] == "BUNDLE" {
				return true
			}
		}
	}
	return false
}

// split is the SDP for the peer connection of one section. Directions are ours to
// keep, so pion always sees both; so are the SSRCs of audio, which a far end may
// change in the middle of a call without saying so.
func split(session *sdp.SessionDescription, section remoteSection, mid string) (string, error) {
	media := *section.media
	media.Attributes = slices.DeleteFunc(slices.Clone(media.Attributes), func(a sdp.Attribute) bool {
		_, isDirection := directionOf(a.Key)
		isSource := a.Key == "ssrc" || a.Key == "ssrc-group"
		return isDirection || a.Key == "mid" || isSource && section.kind == KindAudio
	})
	media.WithValueAttribute("mid", mid).WithPropertyAttribute(SendRecv.String())

	one := *session
	one.Attributes = slices.DeleteFunc(slices.Clone(session.Attributes), func(a sdp.Attribute) bool {
		_, isDirection := directionOf(a.Key)
		return isDirection || a.Key == "group"
	})
	one.WithValueAttribute("group", "BUNDLE "+mid)
	one.MediaDescriptions = []*sdp.MediaDescription{&media}
	raw, err := one.Marshal()
	return string(raw), err
}

// midOf is the identification that the section already has, or else its position.
func midOf(media *sdp.MediaDescription, position int) string {
	if mid, ok := media.Attribute("mid"); ok && mid != "" {
		return mid
	}
	return itoa(position)
}

// A localSection is one media section of ours, ready to be shown.
type localSection struct {
	sdp       string // of the peer connection; empty for a rejected section
	mid       string
	direction Direction
	rejected  *sdp.MediaName // what is turned down
}

// merge makes one SDP of the sections, in order, each with its own transport.
func merge(id, version uint64, sections []localSection) (string, error) {
	merged := sdp.SessionDescription{
		Origin: sdp.Origin{
			Username: "-", SessionID: id, SessionVersion: version,
			NetworkType: "IN", AddressType: "IP4", UnicastAddress: "0.0.0.0",
		},
		SessionName:      "-",
		TimeDescriptions: []sdp.TimeDescription{{}},
	}
	merged.WithValueAttribute("msid-semantic", "WMS *")
	for _, section := range sections {
		media, err := section.describe()
		if err != nil {
			return "", err
		}
		merged.MediaDescriptions = append(merged.MediaDescriptions, media)
	}
	raw, err := merged.Marshal()
	return string(raw), err
}

func (s localSection) describe() (*sdp.MediaDescription, error) {
	if s.rejected != nil {
		return turnDown(s.mid, *s.rejected), nil
	}
	var session sdp.SessionDescription
	if err := session.UnmarshalString(s.sdp); err != nil {
		return nil, err
	}
	i := slices.IndexFunc(session.MediaDescriptions, func(m *sdp.MediaDescription) bool {
		mid, _ := m.Attribute("mid")
		return mid == s.mid
	})
	if i < 0 {
		return nil, fmt.Errorf("section %q: %w", s.mid, errNoSections)
	}
	media := session.MediaDescriptions[i]
	media.Attributes = slices.DeleteFunc(media.Attributes, s.drops)
	media.WithPropertyAttribute(s.direction.String()).WithPropertyAttribute("end-of-candidates")
	setDefaultCandidate(media)
	return media, nil
}

// drops says which attributes of pion's section do not go out: the direction,
// candidates for RTCP, which shares the port of RTP, and our streams while
// nothing is sent.
func (s localSection) drops(a sdp.Attribute) bool {
	switch a.Key {
	case "end-of-candidates":
		return true
	case "candidate":
		words := strings.Fields(a.Value)
		return len(words) < 6 || words[1] != "1"
	case "ssrc", "ssrc-group", "msid":
		return !s.direction.Sends()
	}
	_, isDirection := directionOf(a.Key)
	return isDirection
}

// turnDown rejects a section (RFC 3264, section 6).
func turnDown(mid string, name sdp.MediaName) *sdp.MediaDescription {
	name.Port = sdp.RangedPort{}
	media := &sdp.MediaDescription{
		MediaName:             name,
		ConnectionInformation: connection("0.0.0.0"),
	}
	return media.WithValueAttribute("mid", mid).WithPropertyAttribute(Inactive.String())
}

// setDefaultCandidate puts the candidate that works most widely where a far end
// without ICE would look (RFC 8839, section 4.2.1.2).
func setDefaultCandidate(media *sdp.MediaDescription) {
	best, address, port := 0, "0.0.0.0", 9
	for _, a := range media.Attributes {
		words := strings.Fields(a.Value)
		if a.Key != "candidate" || len(words) < 8 || !strings.EqualFold(words[2], "udp") {
			continue
		}
		if r := reach(words[7]); r > best {
			best, address = r, words[4]
			_, _ = fmt.Sscan(words[5], &port)
		}
	}
	media.MediaName.Port = sdp.RangedPort{Value: port}
	media.ConnectionInformation = connection(address)
}

func reach(candidateType string) int {
	switch candidateType {
	case "relay":
		return 3
	case "srflx":
		return 2
	}
	return 1
}

func connection(address string) *sdp.ConnectionInformation {
	family := "IP4"
	if strings.Contains(address, ":") {
		family = "IP6"
	}
	return &sdp.ConnectionInformation{NetworkType: "IN", AddressType: family, Address: &sdp.Address{Address: address}}
}

// refusal is the m-line of a section that we offered once and lost.
func refusal(kind string) sdp.MediaName {
	return sdp.MediaName{Media: kind, Protos: []string{"UDP", "TLS", "RTP", "SAVPF"}, Formats: []string{"0"}}
}

func ufragOf(session *sdp.SessionDescription, media *sdp.MediaDescription) string {
	if ufrag, ok := media.Attribute("ice-ufrag"); ok {
		return ufrag
	}
	ufrag, _ := session.Attribute("ice-ufrag")
	return ufrag
}
