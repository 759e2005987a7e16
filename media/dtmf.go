package media

import (
	"strings"
	"time"
)

// Digit is a DTMF digit that the far end sent as a telephone event (RFC 4733).
type Digit struct {
	Value    byte // one of 0-9, *, #, A-D
	Duration time.Duration
}

const digitValues = "0123456789*#ABCD"

// eventOf is the event code of a digit.
func eventOf(digit byte) (code uint8, ok bool) {
	i := strings.IndexByte(digitValues, digit)
	if i < 0 {
		i = strings.IndexByte("0123456789*#abcd", digit)
	}
	return uint8(i), i >= 0
}

// A telephoneEventPayload is the four bytes of RFC 4733, section 2.3.
type telephoneEventPayload struct {
	code     uint8
	end      bool
	volume   uint8  // in -dBm0
	duration uint16 // in units of the clock
}

func (e telephoneEventPayload) marshal() []byte {
	flags := e.volume & 0x3f
	if e.end {
		flags |= 0x80
	}
	return []byte{e.code, flags, byte(e.duration >> 8), byte(e.duration)}
}

func parseTelephoneEvent(b []byte) (e telephoneEventPayload, ok bool) {
	if len(b) < 4 {
		return e, false
	}
	return telephoneEventPayload{
		code: b[0], end: b[1]&0x80 != 0, volume: b[1] & 0x3f,
		duration: uint16(b[2])<<8 | uint16(b[3]),
	}, true
}

// A digitDetector turns the packets of telephone events into digits, each once:
// packets of one event have one timestamp, and the last is sent three times.
type digitDetector struct {
	seen      bool
	timestamp uint32
	ssrc      uint32
	code      uint8
	duration  uint16
	clock     int
	told      bool
}

// packet calls found for a digit when it ends. A digit whose end was lost is found
// when the next one begins.
func (d *digitDetector) packet(p Packet, found func(Digit)) {
	e, ok := parseTelephoneEvent(p.Payload)
	if !ok || int(e.code) >= len(digitValues) {
		return
	}
	if !d.seen || d.timestamp != p.Timestamp || d.ssrc != p.SSRC {
		if d.seen && d.ssrc == p.SSRC && int32(p.Timestamp-d.timestamp) < 0 {
			return // a straggler of an earlier digit
		}
		d.finish(found)
		*d = digitDetector{seen: true, timestamp: p.Timestamp, ssrc: p.SSRC, code: e.code, clock: p.Codec.ClockRate}
	}
	d.duration = max(d.duration, e.duration)
	if e.end {
		d.finish(found)
	}
}

func (d *digitDetector) finish(found func(Digit)) {
	if !d.seen || d.told {
		return
	}
	d.told = true
	found(Digit{Value: digitValues[d.code], Duration: ticks(int64(d.duration), d.clock)})
}

func (l *Leg) digit(d Digit) {
	if f := l.cfg.OnDigit; f != nil {
		l.notify.Do(func() { f(d) })
	}
}
