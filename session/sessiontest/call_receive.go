package sessiontest

import (
	"errors"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

// receive reads the incoming stream until it ends.
func (sec *section) receive(track *webrtc.TrackRemote) {
	if !sec.enter() {
		return
	}
	defer sec.readers.Done()
	sec.ssrc.Store(uint32(track.SSRC()))
	buf := make([]byte, receiveMTU)
	sound, v := soundDecoder{}, voice{leg: sec.leg}
	for {
		n, _, err := track.Read(buf)
		var p rtp.Packet
		switch {
		case errors.Is(err, webrtc.ErrCodecNotFound):
			continue // a payload type that was not agreed on
		case err != nil:
			return
		case p.Unmarshal(buf[:n]) == nil:
			sec.packets.Add(1)
			sec.bytes.Add(uint64(len(p.Payload)))
			sec.received(&p, &sound, &v)
		}
	}
}

// received handles a packet from the client.
func (sec *section) received(p *rtp.Packet, sound *soundDecoder, v *voice) {
	c, ok := sec.codecOf(p.PayloadType)
	if !ok {
		return
	}
	if c.isEvent() {
		if digit, isNew := sec.digits.read(p); isNew {
			sec.leg.t.digitReceived(sec.leg, digit)
		}
	} else if pcm := sound.decode(c.name, p.Payload); pcm != nil {
		v.hear(pcm)
		sec.inlet.put(pcm)
	}
	sec.forward(c, p)
}

// forward sends a packet wherever this section's packets go at the moment.
func (sec *section) forward(c codec, p *rtp.Packet) {
	if targets := sec.targets.Load(); targets != nil {
		for _, out := range *targets {
			out.write(sec, c.name, c.params.ClockRate, p)
		}
	}
}
