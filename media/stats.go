package media

import (
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/callrx/callrx/media/internal/audio"
	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"
)

// Stats is what a leg has sent and received so far.
type Stats struct {
	Time            time.Time // of these figures
	State           State
	Directions      Directions    // what flows, as agreed
	Paths           uint64        // how many were found to be the best so far, by all transports
	RoundTrip       time.Duration // of the path in use, by ICE or else by RTCP; 0: not known
	OutgoingBitrate int           // bit/s that the far end believes the path to carry; 0: it does not tell
	Audio           TrackStats
	Video           TrackStats
}

// TrackStats is what went over one section. Loss, jitter and round trip follow
// RFC 3550, section 6.4. Levels are in dBFS, where a sine at full scale is 0 and
// silence is -127.
type TrackStats struct {
	Path Path // in use, or last in use

	SendCodec       string // such as "PCMU/8000"; empty before anything was sent
	PacketsSent     uint64
	BytesSent       uint64        // of payload
	SendLevel       float64       // of the last frame encoded here
	RoundTrip       time.Duration // 0 until the far end has reported
	FarPacketsLost  int64         // of what we sent, as the far end counts
	FarLossFraction float64       // of late, 0 to 1
	FarJitter       time.Duration

	ReceiveCodec    string
	PacketsReceived uint64
	BytesReceived   uint64 // of payload
	PacketsLost     int64  // expected and not there; duplicates count against it
	Jitter          time.Duration
	ReceiveLevel    float64   // of the last packet, of G.711, or frame decoded here
	LastPacketAt    time.Time // zero before the first
	Malformed       uint64    // packets that could not be read or had an unknown format
}

// Stats returns the figures of this moment. It may be called after Close.
func (l *Leg) Stats() Stats {
	s := Stats{
		Time: time.Now(), State: l.State(), Directions: l.Directions(), Paths: l.paths.Load(),
		Audio: l.trackStats(KindAudio), Video: l.trackStats(KindVideo),
	}
	for _, section := range l.live() {
		s.RoundTrip = max(s.RoundTrip, section.roundTrip())
		s.OutgoingBitrate += int(section.bitrate.Load())
	}
	if s.RoundTrip == 0 {
		s.RoundTrip = max(s.Audio.RoundTrip, s.Video.RoundTrip)
	}
	return s
}

// roundTrip is what ICE has measured of the path in use.
func (s *section) roundTrip() time.Duration {
	if s.pc.ConnectionState() != webrtc.PeerConnectionStateConnected {
		return 0
	}
	pair, ok := s.pc.SCTP().Transport().ICETransport().GetSelectedCandidatePairStats()
	if !ok {
		return 0
	}
	return time.Duration(pair.CurrentRoundTripTime * float64(time.Second))
}

func (l *Leg) trackStats(kind Kind) TrackStats {
	t := TrackStats{SendLevel: audio.SilenceLevel, ReceiveLevel: audio.SilenceLevel}
	s := l.section(kind)
	if s == nil {
		return t
	}
	s.outlet.sent.fill(&t)
	s.inlet.received.fill(&t)
	if p := s.path.Load(); p != nil {
		t.Path = *p
	}
	if meter, ok := l.sinks[kind].sink.(interface{ Level() float64 }); ok {
		t.ReceiveLevel = meter.Level()
	}
	return t
}

// A level is a level in dBFS that others may read. The zero value is silence.
type level struct{ offset atomic.Uint64 }

func (l *level) set(dBFS float64) { l.offset.Store(math.Float64bits(dBFS - audio.SilenceLevel)) }
func (l *level) silent()          { l.offset.Store(0) }
func (l *level) get() float64     { return math.Float64frombits(l.offset.Load()) + audio.SilenceLevel }

type sendCounters struct {
	level level

	mu      sync.Mutex
	codec   Codec
	packets uint64
	bytes   uint64
	last    rtcp.ReceptionReport
	trip    time.Duration
	// by the far end's count, on transports before these
	lostThen int64
}

func (c *sendCounters) add(codec Codec, payload int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if codec.ClockRate != 0 { // not a telephone event
		c.codec = codec
	}
	c.packets++
	c.bytes += uint64(payload)
}

// clock is that of the codec that was sent last.
func (c *sendCounters) clock() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.codec.ClockRate
}

// report takes what the far end says about our stream.
func (c *sendCounters) report(blocks []rtcp.ReceptionReport, ssrc uint32, now time.Time) {
	for _, block := range blocks {
		if block.SSRC != ssrc {
			continue
		}
		c.mu.Lock()
		c.last = block
		if block.LastSenderReport != 0 {
			trip := int32(compactNTP(now) - block.LastSenderReport - block.Delay)
			c.trip = max(0, time.Duration(trip)*time.Second>>16)
		}
		c.mu.Unlock()
	}
}

// compactNTP is the middle of an NTP timestamp, in 1/65536 s.
func compactNTP(t time.Time) uint32 {
	const since1900 = 2208988800
	seconds := uint64(t.Unix()) + since1900
	fraction := uint64(t.Nanosecond()) << 16 / uint64(time.Second)
	return uint32(seconds<<16 | fraction)
}

func (c *sendCounters) fill(t *TrackStats) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t.PacketsSent, t.BytesSent, t.RoundTrip = c.packets, c.bytes, c.trip
	t.SendLevel = c.level.get()
	t.FarPacketsLost = c.farLostLocked()
	t.FarLossFraction = float64(c.last.FractionLost) / 256
	if c.packets > 0 {
		t.SendCodec = c.codec.String()
		t.FarJitter = ticks(int64(c.last.Jitter), c.codec.ClockRate)
	}
}

// farLostLocked sign-extends a number of 24 bits.
func (c *sendCounters) farLostLocked() int64 {
	return c.lostThen + int64(int32(c.last.TotalLost<<8)>>8)
}

func ticks(n int64, clockRate int) time.Duration {
	return time.Duration(float64(n) / float64(max(clockRate, 1)) * float64(time.Second))
}

type receiveCounters struct {
	open      atomic.Bool
	malformed atomic.Uint64
	level     level
	scratch   []int16 // belongs to the packet path

	mu       sync.Mutex
	codec    Codec
	ssrc     uint32
	packets  uint64
	bytes    uint64
	lastAt   time.Time
	stream   streamCount
	lostThen int64 // by streams that have ended
}

// A streamCount follows the sequence numbers of one SSRC (RFC 3550, appendix A).
type streamCount struct {
	first, highest int64 // extended sequence numbers
	packets        int64
	transit        int64
	jitter         float64
}

func (c *receiveCounters) count(p Packet) {
	c.measure(p)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.packets++
	c.bytes += uint64(len(p.Payload))
	if c.stream.packets == 0 || c.ssrc != p.SSRC {
		c.lostThen += c.stream.lost()
		c.ssrc = p.SSRC
		c.stream = streamCount{first: int64(p.SequenceNumber), highest: int64(p.SequenceNumber)}
	}
	sameClock := c.codec.ClockRate == p.Codec.ClockRate
	if !p.Codec.Is(telephoneEvent) {
		c.codec = p.Codec
	}
	c.stream.add(p, sameClock && !p.Codec.Is(telephoneEvent))
	c.lastAt = p.ArrivedAt
}

// measure takes the level of what can be decoded at no cost.
func (c *receiveCounters) measure(p Packet) {
	switch {
	case p.Codec.Is(PCMU):
		c.scratch = audio.DecodeULaw(c.scratch[:0], p.Payload)
	case p.Codec.Is(PCMA):
		c.scratch = audio.DecodeALaw(c.scratch[:0], p.Payload)
	default:
		return
	}
	c.level.set(audio.Level(c.scratch))
}

func (s *streamCount) add(p Packet, timed bool) {
	extended := s.highest + int64(int16(p.SequenceNumber-uint16(s.highest)))
	s.highest = max(s.highest, extended)
	s.first = min(s.first, extended)
	s.packets++
	if !timed || p.Codec.ClockRate == 0 {
		return
	}
	arrival := p.ArrivedAt.UnixMicro() * int64(p.Codec.ClockRate) / 1e6
	transit := int64(int32(uint32(arrival) - p.Timestamp))
	if s.packets > 2 {
		d := math.Abs(float64(int32(uint32(transit - s.transit))))
		if d < float64(p.Codec.ClockRate) { // a jump of the clock is not jitter
			s.jitter += (d - s.jitter) / 16
		}
	}
	s.transit = transit
}

func (s *streamCount) lost() int64 {
	if s.packets == 0 {
		return 0
	}
	return s.highest - s.first + 1 - s.packets
}

func (c *receiveCounters) fill(t *TrackStats) {
	t.Malformed = c.malformed.Load()
	c.mu.Lock()
	defer c.mu.Unlock()
	t.PacketsReceived, t.BytesReceived, t.LastPacketAt = c.packets, c.bytes, c.lastAt
	t.PacketsLost = c.lostThen + c.stream.lost()
	t.ReceiveLevel = c.level.get()
	if c.packets > 0 {
		t.ReceiveCodec = c.codec.String()
		t.Jitter = ticks(int64(c.stream.jitter), c.codec.ClockRate)
	}
}

// source is the SSRC of what was received last.
func (c *receiveCounters) source() (ssrc uint32, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ssrc, c.packets > 0
}
