package sessiontest

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"
)

// The gateway answers every media section on a transport of its own. Each section therefore is a peer
// connection of its own, and the functions here cut descriptions into sections and join them again.

// parseSDP reads a session description with at least one media section.
func parseSDP(text string) (*sdp.SessionDescription, error) {
	var d sdp.SessionDescription
	if err := d.UnmarshalString(text); err != nil {
		return nil, fmt.Errorf("parse session description: %w", err)
	}
	if len(d.MediaDescriptions) == 0 {
		return nil, errors.New("session description has no media section")
	}
	return &d, nil
}

// isOffered tells whether a section of a description can carry media. A bundle-only section cannot, since
// the gateway does not bundle (RFC 9143 section 7.3).
func isOffered(m *sdp.MediaDescription) bool {
	return m.MediaName.Port.Value != 0 && (m.MediaName.Media == "audio" || m.MediaName.Media == "video")
}

func midOf(m *sdp.MediaDescription) string {
	mid, _ := m.Attribute(sdp.AttrKeyMID)
	return mid
}

// directionOf returns the direction of a section, sendrecv when it names none (RFC 8866 section 6.7).
func directionOf(d *sdp.SessionDescription, m *sdp.MediaDescription) webrtc.RTPTransceiverDirection {
	for _, has := range []func(string) (string, bool){m.Attribute, d.Attribute} {
		for _, name := range []string{"sendrecv", "sendonly", "recvonly", "inactive"} {
			if _, ok := has(name); ok {
				return webrtc.NewRTPTransceiverDirection(name)
			}
		}
	}
	return webrtc.RTPTransceiverDirectionSendrecv
}

// clientSends and clientReceives read a direction as the client wrote it.
func clientSends(d webrtc.RTPTransceiverDirection) bool {
	return d == webrtc.RTPTransceiverDirectionSendrecv || d == webrtc.RTPTransceiverDirectionSendonly
}

func clientReceives(d webrtc.RTPTransceiverDirection) bool {
	return d == webrtc.RTPTransceiverDirectionSendrecv || d == webrtc.RTPTransceiverDirectionRecvonly
}

// single returns the description of one section alone, as its peer connection is to see it.
func single(d *sdp.SessionDescription, m *sdp.MediaDescription) (string, error) {
	one := *d
	one.Attributes = nil
	for _, a := range d.Attributes {
		if a.Key != sdp.AttrKeyGroup {
			one.Attributes = append(one.Attributes, a)
		}
	}
	if mid := midOf(m); mid != "" {
		one.Attributes = append(one.Attributes, sdp.NewAttribute(sdp.AttrKeyGroup, "BUNDLE "+mid))
	}
	one.MediaDescriptions = []*sdp.MediaDescription{m}
	text, err := one.Marshal()
	return string(text), err
}

// joinSDP makes one description of sections. Two sections or more are never a bundle.
func joinSDP(id, version uint64, bundled bool, sections []*sdp.MediaDescription) (string, error) {
	d := sdp.SessionDescription{
		Origin: sdp.Origin{
			Username: "-", SessionID: id, SessionVersion: version,
			NetworkType: "IN", AddressType: "IP4", UnicastAddress: "127.0.0.1",
		},
		SessionName:       "-",
		TimeDescriptions:  []sdp.TimeDescription{{}},
		MediaDescriptions: sections,
	}
	if bundled && len(sections) == 1 {
		d.Attributes = append(d.Attributes, sdp.NewAttribute(sdp.AttrKeyGroup, "BUNDLE "+midOf(sections[0])))
	}
	text, err := d.Marshal()
	return string(text), err
}

// isBundled tells whether a description has a BUNDLE group.
func isBundled(d *sdp.SessionDescription) bool {
	_, ok := d.Attribute(sdp.AttrKeyGroup)
	return ok
}

// rejection is the answer to a section that is not taken.
func rejection(m *sdp.MediaDescription) *sdp.MediaDescription {
	no := &sdp.MediaDescription{
		MediaName: sdp.MediaName{
			Media: m.MediaName.Media, Port: sdp.RangedPort{Value: 0},
			Protos: m.MediaName.Protos, Formats: m.MediaName.Formats[:min(1, len(m.MediaName.Formats))],
		},
		ConnectionInformation: &sdp.ConnectionInformation{
			NetworkType: "IN", AddressType: "IP4", Address: &sdp.Address{Address: "0.0.0.0"},
		},
		Attributes: []sdp.Attribute{sdp.NewPropertyAttribute("inactive")},
	}
	if mid := midOf(m); mid != "" {
		no.Attributes = append(no.Attributes, sdp.NewAttribute(sdp.AttrKeyMID, mid))
	}
	return no
}

// withMID returns a copy of a section under another mid.
func withMID(m *sdp.MediaDescription, mid int) *sdp.MediaDescription {
	renamed := *m
	renamed.Attributes = make([]sdp.Attribute, len(m.Attributes))
	for i, a := range m.Attributes {
		if a.Key == sdp.AttrKeyMID {
			a.Value = strconv.Itoa(mid)
		}
		renamed.Attributes[i] = a
	}
	return &renamed
}
