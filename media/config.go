package media

import (
	"log/slog"
	"slices"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/pion/webrtc/v4"
)

// Defaults of [LegConfig].
const (
	DefaultCandidateTimeout = 600 * time.Millisecond
	DefaultGatherTimeout    = 6 * time.Second
)

// LegConfig says what a leg sends and receives, and how it connects.
type LegConfig struct {
	// ICEServers are the STUN and TURN servers. None means host candidates only.
	ICEServers []ICEServer
	// RelayOnly keeps media on TURN servers: no other candidate is gathered.
	RelayOnly bool

	// Directions says what is wanted of each kind. A kind that is inactive has no
	// section in an offer. At least one must be active.
	Directions Directions

	// AudioSource and VideoSource are what is sent. Without an audio source,
	// silence is sent; without a video source, nothing.
	AudioSource Source
	VideoSource Source
	// Voice is what samples pass on their way from the audio source to the
	// encoder. Nil means that they pass nothing.
	Voice *Voice
	// Meter measures the audio that arrives. Nil means that nobody wants to know.
	Meter *Meter
	// AudioSink and VideoSink take what arrives. The leg closes them when it
	// ends. Without one, media is received, counted and dropped.
	AudioSink Sink
	VideoSink Sink

	// CodecPreferences are names of codecs of either kind that move to the front,
	// in this order. Unknown names do no harm.
	CodecPreferences []string
	// Stereo asks for Opus in stereo and offers to send it.
	Stereo bool
	// OpusEncoder makes an encoder for 48,000 samples per second and channel. Nil
	// means that PCM cannot be sent as Opus: a leg with a PCM source then offers
	// G.711 only, so that the far end cannot choose what nobody can encode.
	OpusEncoder func(channels int) (Encoder, error)

	// CandidateTimeout is how long no new candidate may come before the SDP is
	// handed out although gathering goes on. 0 means 600 ms.
	CandidateTimeout time.Duration
	// GatherTimeout bounds gathering as a whole. 0 means 6 s.
	GatherTimeout time.Duration

	// OnState is told each new [State], in order. OnDigit is told the DTMF digits
	// that arrive as telephone events. OnSourceEnd is told that a source had no
	// more to send; silence follows an audio source. OnError is told what went
	// wrong without ending the leg, as a [errs.MediaTrackError]. OnPath is told each new
	// [Path] that the media of one kind takes.
	//
	// They run on a goroutine of their own, one call at a time, and may call any
	// method of the leg. Close does not wait for them.
	OnState     func(State)
	OnDigit     func(Digit)
	OnSourceEnd func(Kind)
	OnError     func(error)
	OnPath      func(Kind, Path)

	// SettingEngine changes pion's settings before a peer connection is made: a
	// virtual network, ports, timeouts. It runs once for each section.
	SettingEngine func(*webrtc.SettingEngine)
	// Logger gets what happens here and in pion. Nil means silence.
	Logger *slog.Logger
}

// An Encoder turns PCM into packets of one codec.
type Encoder interface {
	// Encode appends the packet for one frame of 20 ms to packet.
	Encode(packet []byte, pcm []int16) ([]byte, error)
}

// withDefaults is a copy with every default filled in.
func (c LegConfig) withDefaults() (LegConfig, error) {
	if c.Directions == (Directions{}) {
		return c, &errs.ConfigError{Field: "Directions", Problem: "nothing to send and nothing to receive"}
	}
	if c.RelayOnly && len(c.ICEServers) == 0 {
		return c, &errs.ConfigError{Field: "ICEServers", Problem: "relay only, but there is no relay"}
	}
	if c.CandidateTimeout < 0 {
		return c, &errs.ConfigError{Field: "CandidateTimeout", Problem: "negative"}
	}
	if c.GatherTimeout < 0 {
		return c, &errs.ConfigError{Field: "GatherTimeout", Problem: "negative"}
	}
	if c.CandidateTimeout == 0 {
		c.CandidateTimeout = DefaultCandidateTimeout
	}
	if c.GatherTimeout == 0 {
		c.GatherTimeout = DefaultGatherTimeout
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	c.ICEServers = slices.Clone(c.ICEServers)
	c.CodecPreferences = slices.Clone(c.CodecPreferences)
	return c, nil
}

func (c *LegConfig) source(kind Kind) Source {
	if kind == KindVideo {
		return c.VideoSource
	}
	return c.AudioSource
}

func (c *LegConfig) sink(kind Kind) Sink {
	if kind == KindVideo {
		return c.VideoSink
	}
	return c.AudioSink
}

// codecs is what a section of this kind offers.
func (c *LegConfig) codecs(kind Kind) (codecSet, error) {
	set := audioCodecs(c.Stereo)
	if kind == KindVideo {
		set = videoCodecs()
	}
	if source := c.source(kind); source != nil && c.Directions.Of(kind).Sends() {
		set = set.only(c.expand(source.Codecs())).prefer(source.Codecs())
	}
	if sink := c.sink(kind); sink != nil && c.Directions.Of(kind).Receives() {
		set = set.only(expandSink(sink.Codecs())).prefer(sink.Codecs())
	}
	set = set.prefer(c.CodecPreferences)
	if len(mediaCodecs(set)) == 0 {
		return nil, &errs.ConfigError{Field: kind.String(), Problem: "the source and the sink have no codec in common"}
	}
	return set, nil
}

// expand replaces PCM by what PCM can be encoded to.
func (c *LegConfig) expand(names []string) []string {
	var out []string
	for _, name := range names {
		switch {
		case name != PCM:
			out = append(out, name)
		case c.OpusEncoder != nil:
			out = append(out, Opus, PCMU, PCMA)
		default:
			out = append(out, PCMU, PCMA)
		}
	}
	return out
}

// expandSink replaces PCM by what can be decoded to PCM.
func expandSink(names []string) []string {
	var out []string
	for _, name := range names {
		if name == PCM {
			out = append(out, Opus, PCMU, PCMA)
			continue
		}
		out = append(out, name)
	}
	return out
}
