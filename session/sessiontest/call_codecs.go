package sessiontest

import (
	"slices"
	"strconv"
	"strings"

	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"
)

// codec is one format of a media section, with the payload type it has there.
type codec struct {
	name   string // encoding and clock rate in lower case, "opus/48000"
	params webrtc.RTPCodecParameters
}

const (
	opusName = "opus/48000"
	pcmuName = "pcmu/8000"
	pcmaName = "pcma/8000"

	eventPrefix = "telephone-event/"
)

// codecName names a codec as [codec] does.
func codecName(c webrtc.RTPCodecCapability) string {
	_, encoding, _ := strings.Cut(strings.ToLower(c.MimeType), "/")
	return encoding + "/" + strconv.FormatUint(uint64(c.ClockRate), 10)
}

// isEvent tells telephone events (RFC 4733) from sound.
func (c codec) isEvent() bool { return strings.HasPrefix(c.name, eventPrefix) }

// mimeType returns the type of an encoding that the gateway passes on, "" for any other.
func mimeType(encoding string) string {
	switch strings.ToLower(encoding) {
	case "opus":
		return webrtc.MimeTypeOpus
	case "pcmu":
		return webrtc.MimeTypePCMU
	case "pcma":
		return webrtc.MimeTypePCMA
	case "g722":
		return webrtc.MimeTypeG722
	case "telephone-event":
		return "audio/telephone-event"
	case "vp8":
		return webrtc.MimeTypeVP8
	case "h264":
		return webrtc.MimeTypeH264
	case "vp9":
		return webrtc.MimeTypeVP9
	case "av1":
		return webrtc.MimeTypeAV1
	}
	return ""
}

// rtpmapOf returns the encoding of a format; the static ones (RFC 3551 table 4) need no attribute.
func rtpmapOf(m *sdp.MediaDescription, format string) string {
	if v := formatAttribute(m, "rtpmap", format); v != "" {
		return v
	}
	switch format {
	case "0":
		return "PCMU/8000"
	case "8":
		return "PCMA/8000"
	case "9":
		return "G722/8000"
	}
	return ""
}

// formatAttribute returns what "a=<key>:<format> …" says.
func formatAttribute(m *sdp.MediaDescription, key, format string) string {
	for _, a := range m.Attributes {
		if head, rest, _ := strings.Cut(a.Value, " "); a.Key == key && head == format {
			return rest
		}
	}
	return ""
}

// codecsOf returns the codecs of a section that the gateway knows, in the order of its formats.
func codecsOf(m *sdp.MediaDescription) []codec {
	var found []codec
	for _, format := range m.MediaName.Formats {
		pt, err := strconv.ParseUint(format, 10, 7)
		parts := strings.Split(rtpmapOf(m, format), "/")
		if err != nil || len(parts) < 2 {
			continue
		}
		mime := mimeType(parts[0])
		clock, err := strconv.ParseUint(parts[1], 10, 32)
		if err != nil || clock == 0 || !strings.HasPrefix(mime, m.MediaName.Media+"/") {
			continue
		}
		var channels uint64
		if len(parts) > 2 {
			channels, _ = strconv.ParseUint(parts[2], 10, 16)
		}
		found = append(found, codec{
			name: strings.ToLower(parts[0]) + "/" + parts[1],
			params: webrtc.RTPCodecParameters{
				RTPCodecCapability: webrtc.RTPCodecCapability{
					MimeType: mime, ClockRate: uint32(clock), Channels: uint16(channels),
					SDPFmtpLine: formatAttribute(m, "fmtp", format), RTCPFeedback: feedbackOf(m, format),
				},
				PayloadType: webrtc.PayloadType(pt),
			},
		})
	}
	return found
}

// feedbackOf returns the RTCP feedback of a format that the gateway makes use of.
func feedbackOf(m *sdp.MediaDescription, format string) []webrtc.RTCPFeedback {
	var feedback []webrtc.RTCPFeedback
	for _, a := range m.Attributes {
		head, rest, _ := strings.Cut(a.Value, " ")
		if a.Key != "rtcp-fb" || head != format && head != "*" {
			continue
		}
		switch rest {
		case "nack", "nack pli", "ccm fir":
			kind, parameter, _ := strings.Cut(rest, " ")
			feedback = append(feedback, webrtc.RTCPFeedback{Type: kind, Parameter: parameter})
		}
	}
	return feedback
}

// playable leaves out telephone events.
func playable(codecs []codec) []codec {
	return slices.DeleteFunc(slices.Clone(codecs), codec.isEvent)
}

// pick returns the first playable codec that one of the wanted names selects, and the telephone events.
// Without wanted names it is the first one of all. It returns nil when nothing fits.
func pick(codecs []codec, wanted ...string) []codec {
	list := playable(codecs)
	if len(wanted) > 0 {
		list = slices.DeleteFunc(list, func(c codec) bool { return !slices.Contains(wanted, c.name) })
		slices.SortStableFunc(list, func(a, b codec) int {
			return slices.Index(wanted, a.name) - slices.Index(wanted, b.name)
		})
	}
	if len(list) == 0 {
		return nil
	}
	return withEvents(list[:1], codecs)
}

// common returns those of codecs whose names are among others, in the order of others.
func common(codecs, others []codec) []codec {
	var both []codec
	for _, o := range playable(others) {
		if i := slices.IndexFunc(codecs, func(c codec) bool { return c.name == o.name }); i >= 0 {
			both = append(both, codecs[i])
		}
	}
	if both == nil {
		return nil
	}
	return withEvents(both, codecs)
}

func withEvents(chosen, all []codec) []codec {
	chosen = slices.Clone(chosen)
	for _, c := range all {
		if c.isEvent() {
			chosen = append(chosen, c)
		}
	}
	return chosen
}
