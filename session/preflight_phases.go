package session

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/internal/wire"
	"github.com/callrx/callrx/media"
)

// slowSignaling is when requests take so long that people notice.
const slowSignaling = 500 * time.Millisecond

// signaling times requests, one after the other, on the session's connection.
func (p *preflight) signaling(ctx context.Context) error {
	s := &p.res.Signaling
	if !p.c.Ready() {
		return &errs.NotConnectedError{Operation: "preflight"}
	}
	var took []time.Duration
	var last error
	for range p.o.Samples {
		began := time.Now()
		err := p.ping(ctx, began)
		var refused *errs.JSONRPCError
		if err != nil && !errors.As(err, &refused) { // a refusal is an answer
			last = err
			s.Lost++
		} else {
			took = append(took, time.Since(began))
		}
		if ctx.Err() != nil {
			break
		}
	}
	if s.Samples = len(took); s.Samples == 0 {
		return last
	}
	slices.Sort(took)
	s.Reachable, s.RTT = true, took[len(took)/2]
	s.MinRTT, s.MaxRTT = took[0], took[len(took)-1]
	if s.RTT > slowSignaling {
		p.warn("signaling is slow: requests take " + s.RTT.Round(time.Millisecond).String())
	}
	if s.Lost > 0 {
		p.warn("signaling is unreliable: some requests were not answered")
	}
	return nil
}

// ping asks the service for a sign of life.
func (p *preflight) ping(ctx context.Context, at time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, p.c.requestTimeout())
	defer cancel()
	_, err := p.c.call(ctx, wire.MethodPing, wire.Ping{Timestamp: float64(at.UnixMilli()) / 1e3})
	return err
}

var errNoServer = errors.New("no ICE server can be used")

// connectivity asks every ICE server.
func (p *preflight) connectivity(ctx context.Context) error {
	choice := p.o.iceOf(p.c.preferred())
	servers := choice.now(p.c)
	p.c.passwords.add(servers)
	r := &p.res.Connectivity
	r.Servers = media.ProbeICE(ctx, servers)
	relayOnly := p.o.relayOnly(p.c.preferred())
	if len(r.Servers) == 0 {
		if relayOnly {
			p.warn("relay only, but there is no relay")
			r.Type = ConnectivityFailed
			return errNoServer
		}
		if choice.servers == nil { // else that is wanted
			p.warn("no ICE servers: only host candidates")
		}
		return nil
	}
	var dead []error
	datagrams, relays := false, false
	for _, s := range r.Servers {
		relays = relays || s.Relay
		if s.Err != nil {
			dead = append(dead, s.Err)
			p.warn(s.Err.Error())
			continue
		}
		r.STUNReachable = r.STUNReachable || s.RoundTrip > 0
		r.TURNReachable = r.TURNReachable || s.Relay
		datagrams = datagrams || s.Protocol == "udp" || s.Protocol == "dtls"
		if r.RTT == 0 || s.RoundTrip > 0 && s.RoundTrip < r.RTT {
			r.RTT = s.RoundTrip
		}
	}
	if relays && !r.TURNReachable {
		p.warn("TURN servers not reachable")
	}
	switch {
	case len(dead) == len(r.Servers), relayOnly && !r.TURNReachable:
		r.Type = ConnectivityFailed
		return errors.Join(append([]error{errNoServer}, dead...)...)
	case datagrams && !relayOnly:
		r.Type = ConnectivityDirect
	default:
		r.Type = ConnectivityRelay
		p.warn("media can only go through a relay")
	}
	return nil
}

// What is sent in place of silence, which weighs nothing: in Hz and dBFS.
const testTone, testLevel = 440, -30

var errNoMedia = errors.New("connected, but nothing arrived")

// bandwidth makes a call and measures its media.
func (p *preflight) bandwidth(ctx context.Context) error {
	began := time.Now()
	p.dialled = true
	o := p.o.MediaOptions
	p.doWithout(&o)
	if o.AudioSource == nil && o.AudioSink == nil { // else there may be no codec in common
		o.Audio = p.o.Audio
		o.AudioSource, _ = media.NewTone(testTone, testLevel)
	}
	k, err := p.c.Dial(ctx, p.to, DialOptions{MediaOptions: o})
	if err != nil {
		return err
	}
	defer func() { _ = k.Hangup(ctx) }() // begun also when ctx is over
	if err := k.awaitMedia(ctx); err != nil {
		return err
	}
	b := &PreflightBandwidth{SetupTime: time.Since(began)}
	before, since := k.Stats(), time.Now()
	end := time.NewTimer(p.o.Duration)
	defer end.Stop()
	select {
	case <-end.C:
	case <-ctx.Done():
		err = context.Cause(ctx)
	case <-k.Done():
		err = k.Err()
	}
	b.Measured = time.Since(since)
	b.measure(before, k.Stats())
	p.res.Bandwidth = b // also of a call that was cut short
	if err == nil && b.Download == 0 && k.Directions().Audio.Receives() {
		err = errNoMedia
	}
	return err
}

// awaitMedia waits until the call is connected or over.
func (k *Call) awaitMedia(ctx context.Context) error {
	s, err := k.status.Observe().Wait(ctx, func(s CallStatus) bool { return s == CallStatusConnected || s.ended() })
	if err == nil && s.ended() {
		<-k.done
		err = k.Err()
	}
	return err
}

// measure fills in what went over both kinds of media between two moments.
func (b *PreflightBandwidth) measure(from, to media.Stats) {
	sent, lostThere, arrived, lostHere := 0.0, 0.0, 0.0, 0.0
	var up, down float64
	for _, t := range [...]struct{ from, to media.TrackStats }{{from.Audio, to.Audio}, {from.Video, to.Video}} {
		packets, lost := float64(t.to.PacketsSent-t.from.PacketsSent), float64(t.to.FarPacketsLost-t.from.FarPacketsLost)
		sent, lostThere = sent+packets, lostThere+lost
		bytes := float64(t.to.BytesSent - t.from.BytesSent)
		up += bytes * (1 - fraction(lost, packets))
		arrived += float64(t.to.PacketsReceived - t.from.PacketsReceived)
		lostHere += float64(t.to.PacketsLost - t.from.PacketsLost)
		down += float64(t.to.BytesReceived - t.from.BytesReceived)
		b.UploadJitter = max(b.UploadJitter, t.to.FarJitter)
		b.DownloadJitter = max(b.DownloadJitter, t.to.Jitter)
		b.RTT = max(b.RTT, t.to.RoundTrip)
	}
	if seconds := b.Measured.Seconds(); seconds > 0 {
		b.Upload, b.Download = int(8*up/seconds), int(8*down/seconds)
	}
	b.UploadLoss, b.DownloadLoss = fraction(lostThere, sent), fraction(lostHere, arrived+lostHere)
	main := to.Audio
	if main.Path == (media.Path{}) {
		main = to.Video
	}
	b.Path, b.SendCodec, b.ReceiveCodec = main.Path, main.SendCodec, main.ReceiveCodec
}

// fraction is part of whole, of 0 to 1.
func fraction(part, whole float64) float64 {
	if whole <= 0 {
		return 0
	}
	return min(1, max(0, part/whole))
}
