package media

import (
	"context"
	"errors"

	"github.com/pion/interceptor"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

// A SourceProbe is what a source gave when it was tried.
type SourceProbe struct {
	Codec   string  // that it would be sent with first, as in "PCMU/8000"
	Packets uint64  // that it gave
	Level   float64 // of the last one, in dBFS, where samples are encoded here
}

var errGaveNothing = errors.New("it gave nothing")

// ProbeSource tries the source of one kind that cfg has, without a far end: it has
// it send, as far as the first packets, and drops them. A source keeps its
// position, so what was taken is not heard again; it is not closed. ProbeSource
// returns an error for a source that fails, that ends before it gave anything or
// gave nothing until ctx was done, and an [*errs.ConfigError] for a source and a
// sink that have no codec in common. Without a source it tries only that.
func ProbeSource(ctx context.Context, kind Kind, cfg LegConfig) (SourceProbe, error) {
	set, err := cfg.codecs(kind)
	source := cfg.source(kind)
	if err != nil || source == nil {
		return SourceProbe{}, err
	}
	ctx, enough := context.WithCancelCause(ctx)
	defer enough(nil)
	out := newOutlet(kind, &cfg)
	trial := &trialTrack{codecs: set, enough: func() { enough(errEnough) }}
	if _, err := out.Bind(trial); err != nil {
		return SourceProbe{}, err
	}
	err = out.run(ctx, source)
	var t TrackStats
	out.sent.fill(&t)
	p := SourceProbe{Codec: t.SendCodec, Packets: t.PacketsSent, Level: t.SendLevel}
	switch cause := context.Cause(ctx); {
	case cause == errEnough || err == nil && p.Packets > 0:
		return p, nil
	case err != nil && ctx.Err() == nil:
		return p, err
	case cause != nil:
		return p, errors.Join(errGaveNothing, cause)
	}
	return p, errGaveNothing
}

var errEnough = errors.New("that is enough")

// trialPackets are enough to know that a source works: 100 ms of audio, five
// packets of a picture.
const trialPackets = 5

// A trialTrack stands where pion would: it counts what is sent.
type trialTrack struct {
	codecs codecSet
	count  int
	enough func()
}

func (t *trialTrack) CodecParameters() []webrtc.RTPCodecParameters           { return t.codecs }
func (t *trialTrack) HeaderExtensions() []webrtc.RTPHeaderExtensionParameter { return nil }
func (t *trialTrack) SSRC() webrtc.SSRC                                      { return 1 }
func (t *trialTrack) SSRCRetransmission() webrtc.SSRC                        { return 0 }
func (t *trialTrack) SSRCForwardErrorCorrection() webrtc.SSRC                { return 0 }
func (t *trialTrack) WriteStream() webrtc.TrackLocalWriter                   { return t }
func (t *trialTrack) ID() string                                             { return "trial" }
func (t *trialTrack) RTCPReader() interceptor.RTCPReader                     { return nil }

// WriteRTP is called by one source, one packet after the other.
func (t *trialTrack) WriteRTP(_ *rtp.Header, payload []byte) (int, error) {
	if t.count++; t.count == trialPackets {
		t.enough()
	}
	return len(payload), nil
}

func (t *trialTrack) Write(packet []byte) (int, error) { return len(packet), nil }
