package media

import (
	"cmp"
	"slices"
	"strings"

	"github.com/pion/webrtc/v4"
)

// Names of codecs, as SDP spells them. They compare without regard to case.
const (
	Opus = "opus" // RFC 7587
	PCMU = "PCMU" // G.711 mu-law, RFC 3551
	PCMA = "PCMA" // G.711 A-law, RFC 3551
	VP8  = "VP8"  // RFC 7741
	VP9  = "VP9"  // RFC 9628
	H264 = "H264" // RFC 6184

	// PCM is not a codec: a source or sink that names it works on samples, and
	// the leg encodes or decodes.
	PCM = "PCM"
)

const (
	telephoneEvent = "telephone-event" // RFC 4733
	retransmission = "rtx"             // RFC 4588
)

// Codec is a codec as it was negotiated.
type Codec struct {
	Name        string
	ClockRate   int   // of the RTP timestamps, per second
	Channels    int   // 1 or 2 for audio, 0 for video
	PayloadType uint8 // in RTP
	Parameters  string
}

// Is reports whether the codec has this name.
func (c Codec) Is(name string) bool { return strings.EqualFold(c.Name, name) }

// String is such as "opus/48000/2".
func (c Codec) String() string {
	text := c.Name + "/" + itoa(c.ClockRate)
	if c.Channels > 1 {
		text += "/" + itoa(c.Channels)
	}
	return text
}

func codecFrom(p webrtc.RTPCodecParameters) Codec {
	_, name, _ := strings.Cut(p.MimeType, "/")
	channels := int(p.Channels)
	if strings.HasPrefix(p.MimeType, "audio/") {
		channels = max(channels, 1)
	}
	return Codec{
		Name: name, ClockRate: int(p.ClockRate), Channels: channels,
		PayloadType: uint8(p.PayloadType), Parameters: p.SDPFmtpLine,
	}
}

// codecs keeps those that carry media: no telephone events, no retransmission.
func mediaCodecs(all []webrtc.RTPCodecParameters) []Codec {
	var out []Codec
	for _, p := range all {
		if c := codecFrom(p); !c.Is(telephoneEvent) && !c.Is(retransmission) {
			out = append(out, c)
		}
	}
	return out
}

const opusParameters = "minptime=10;useinbandfec=1"

// stereoParameters ask the far end for stereo and say that we send it.
const stereoParameters = ";stereo=1;sprop-stereo=1;maxaveragebitrate=510000"

// A codecSet is what a section offers: codecs in order of preference, each with
// its companion formats.
type codecSet []webrtc.RTPCodecParameters

func audioCodecs(stereo bool) codecSet {
	opus := opusParameters
	if stereo {
		opus += stereoParameters
	}
	audio := func(name string, clock uint32, channels uint16, parameters string, payload webrtc.PayloadType) webrtc.RTPCodecParameters {
		return webrtc.RTPCodecParameters{
			RTPCodecCapability: webrtc.RTPCodecCapability{
				MimeType: "audio/" + name, ClockRate: clock, Channels: channels, SDPFmtpLine: parameters,
			},
			PayloadType: payload,
		}
	}
	return codecSet{
		audio(Opus, 48000, 2, opus, 111),
		audio(PCMU, 8000, 0, "", 0),
		audio(PCMA, 8000, 0, "", 8),
		audio(telephoneEvent, 48000, 0, "0-15", 110),
		audio(telephoneEvent, 8000, 0, "0-15", 126),
	}
}

func videoCodecs() codecSet {
	feedback := []webrtc.RTCPFeedback{
		{Type: "goog-remb"}, {Type: "ccm", Parameter: "fir"}, {Type: "nack"}, {Type: "nack", Parameter: "pli"},
	}
	var set codecSet
	add := func(name, parameters string, payload webrtc.PayloadType) {
		set = append(set, webrtc.RTPCodecParameters{
			RTPCodecCapability: webrtc.RTPCodecCapability{
				MimeType: "video/" + name, ClockRate: 90000, SDPFmtpLine: parameters, RTCPFeedback: feedback,
			},
			PayloadType: payload,
		}, webrtc.RTPCodecParameters{
			RTPCodecCapability: webrtc.RTPCodecCapability{
				MimeType: webrtc.MimeTypeRTX, ClockRate: 90000, SDPFmtpLine: "apt=" + itoa(int(payload)),
			},
			PayloadType: payload + 1,
		})
	}
	add(VP8, "", 96)
	add(H264, "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f", 106)
	add(H264, "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f", 102)
	add(VP9, "profile-id=0", 98)
	return set
}

// only keeps the codecs with these names, and what belongs to them. No names
// keep everything.
func (s codecSet) only(names []string) codecSet {
	if len(names) == 0 {
		return s
	}
	kept := map[string]bool{}
	var out codecSet
	for _, p := range s {
		c := codecFrom(p)
		switch {
		case c.Is(retransmission):
			if kept[strings.TrimPrefix(c.Parameters, "apt=")] {
				out = append(out, p)
			}
		case c.Is(telephoneEvent):
			out = append(out, p)
		case rank(names, c.Name) < len(names):
			kept[itoa(int(c.PayloadType))] = true
			out = append(out, p)
		}
	}
	return out
}

// prefer moves the named codecs to the front, in that order; companion formats
// stay behind them all.
func (s codecSet) prefer(names []string) codecSet {
	out := slices.Clone(s)
	slices.SortStableFunc(out, func(a, b webrtc.RTPCodecParameters) int {
		return cmp.Compare(rank(names, codecFrom(a).Name), rank(names, codecFrom(b).Name))
	})
	return out
}

func (s codecSet) has(name string) bool {
	return slices.ContainsFunc(s, func(p webrtc.RTPCodecParameters) bool { return codecFrom(p).Is(name) })
}

// rank is the position of name among names, or their number.
func rank(names []string, name string) int {
	i := slices.IndexFunc(names, func(n string) bool { return strings.EqualFold(n, name) })
	if i < 0 {
		return len(names)
	}
	return i
}

// pick chooses what to send: the first codec of the far end's order, ours first
// where we prefer any, that the source can produce.
func pick(negotiated []Codec, preferences, source []string) (Codec, bool) {
	ordered := slices.Clone(negotiated)
	slices.SortStableFunc(ordered, func(a, b Codec) int {
		return cmp.Compare(rank(preferences, a.Name), rank(preferences, b.Name))
	})
	for _, c := range ordered {
		if len(source) == 0 || rank(source, c.Name) < len(source) {
			return c, true
		}
	}
	return Codec{}, false
}
