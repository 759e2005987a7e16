package sessiontest

import (
	"encoding/binary"
	"strings"
	"time"

	"github.com/pion/rtp"
)

// dtmfDigits are the events 0 to 15 (RFC 4733 section 3.2).
const dtmfDigits = "0123456789*#ABCD"

// dtmfReader finds digits in a stream of telephone events. Every packet of an event has the same time
// stamp, so a digit counts once however many of its packets arrive.
type dtmfReader struct {
	any  bool
	last uint32
}

func (r *dtmfReader) read(p *rtp.Packet) (digit string, isNew bool) {
	if len(p.Payload) < 4 || int(p.Payload[0]) >= len(dtmfDigits) || r.any && p.Timestamp == r.last {
		return "", false
	}
	r.any, r.last = true, p.Timestamp
	return dtmfDigits[p.Payload[0] : p.Payload[0]+1], true
}

const (
	dtmfStep   = 20 * time.Millisecond
	dtmfLength = 5 // steps of tone; the pause after it is as long
)

// sendDigits plays digits as telephone events into a section until it is done or stop is closed. It waits
// for the transport, and for digits that are being played.
func (sec *section) sendDigits(digits string, stop <-chan struct{}) {
	event, ok := sec.eventCodec()
	out := sec.out.Load()
	if !ok || out == nil {
		return
	}
	select {
	case <-sec.gate.Opened():
	case <-stop:
		return
	}
	select {
	case sec.playing <- struct{}{}:
		defer func() { <-sec.playing }()
	case <-stop:
		return
	}
	ticker := time.NewTicker(dtmfStep)
	defer ticker.Stop()
	for _, bound := out.codec(); !bound; _, bound = out.codec() {
		select {
		case <-ticker.C:
		case <-stop:
			return
		}
	}
	out.playDigits(digits, event, ticker.C, stop)
}

// eventCodec returns the telephone-event format that was agreed on.
func (sec *section) eventCodec() (codec, bool) {
	for _, c := range sec.agreed() {
		if c.isEvent() {
			return c, true
		}
	}
	return codec{}, false
}

// playDigits sends one packet with each tick.
func (o *outTrack) playDigits(digits string, event codec, tick <-chan time.Time, stop <-chan struct{}) {
	clock := event.params.ClockRate
	step := clock / uint32(time.Second/dtmfStep)
	p := rtp.Packet{Payload: make([]byte, 4)}
	o.reserve(&p)
	defer o.reserve(nil)
	for _, digit := range strings.ToUpper(digits) {
		number := strings.IndexRune(dtmfDigits, digit)
		if number < 0 {
			continue
		}
		for i := range uint32(2 * dtmfLength) {
			if i < dtmfLength+2 { // the end is sent three times
				p.Marker = i == 0
				p.Payload[0], p.Payload[1] = byte(number), 10
				if i >= dtmfLength-1 {
					p.Payload[1] |= 0x80
				}
				binary.BigEndian.PutUint16(p.Payload[2:], uint16(min(i+1, dtmfLength)*step))
				o.write(&p, event.name, clock, &p)
				p.SequenceNumber++
			}
			select {
			case <-tick:
			case <-stop:
				return
			}
		}
		p.Timestamp += 2 * dtmfLength * step
	}
}

// digitReceived records a digit and, unlike a telephone event in the media, passes nothing on.
func (t *callTable) digitReceived(l *leg, digit string) {
	t.mu.Lock()
	l.digits = append(l.digits, digit)
	session := l.session.protocol
	t.mu.Unlock()
	t.srv.journal.add(Entry{
		Time: t.srv.now(), Direction: "in", Transport: "rtp", Method: "telephone-event",
		Session: session, Subscriber: l.subject, Call: l.callID, DTMF: digit,
	})
}
