package session

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/internal/program"
	"github.com/callrx/callrx/media"
)

// A CallDiagnosticSummary is a call, as it is or as it was.
type CallDiagnosticSummary struct {
	CallID            string            `json:"callId"`
	Direction         string            `json:"direction"`             // "inbound" or "outbound"
	Destination       string            `json:"destination,omitempty"` // without query, parameters and password
	StartedAt         time.Time         `json:"startTime"`
	ConnectedAt       time.Time         `json:"connectTime,omitzero"` // for the first time
	EndedAt           time.Time         `json:"endTime,omitzero"`     // of a call that is over
	Duration          float64           `json:"duration"`             // in seconds, from StartedAt
	Status            string            `json:"status"`               // of a call that is over: "disconnected" or "failed"
	EndedBy           string            `json:"endedBy,omitempty"`
	Cause             string            `json:"cause,omitempty"`
	Code              int               `json:"causeCode,omitempty"`
	Error             string            `json:"error,omitempty"`
	RecoveryAttempts  int               `json:"recoveryAttempts"`
	AvgQualityScore   float64           `json:"avgQualityScore,omitempty"` // 1 to 5; 0: not measured
	MinQualityScore   float64           `json:"minQualityScore,omitempty"`
	ICECandidateTypes []string          `json:"iceCandidateTypes"` // that media went by: "host", "srflx", "prflx", "relay"
	Metrics           DiagnosticMetrics `json:"finalMetrics"`
}

// DiagnosticMetrics is what a call's main leg sent and received; a kind that was
// not there is nil.
type DiagnosticMetrics struct {
	Audio *DiagnosticTrack `json:"audio,omitempty"`
	Video *DiagnosticTrack `json:"video,omitempty"`
}

// A DiagnosticTrack is media.TrackStats in fewer words. Times are in
// milliseconds.
type DiagnosticTrack struct {
	Path            string  `json:"path,omitempty"` // as in "host-relay/udp"
	SendCodec       string  `json:"sendCodec,omitempty"`
	PacketsSent     uint64  `json:"packetsSent"`
	BytesSent       uint64  `json:"bytesSent"`
	FarPacketsLost  int64   `json:"farPacketsLost"` // of those sent
	FarJitter       float64 `json:"farJitter"`
	RoundTripTime   float64 `json:"roundTripTime"` // 0: not known
	ReceiveCodec    string  `json:"receiveCodec,omitempty"`
	PacketsReceived uint64  `json:"packetsReceived"`
	BytesReceived   uint64  `json:"bytesReceived"`
	PacketsLost     int64   `json:"packetsLost"`
	Jitter          float64 `json:"jitter"`
	Malformed       uint64  `json:"malformed"`
}

// A callPast is what a summary tells beside the call's own state.
type callPast struct {
	mu          sync.Mutex // guards the rest
	began       time.Time
	connectedAt time.Time
	recoveries  int
	scores      int // how many
	sum, worst  float64
	types       []string // of candidates, sorted
}

// moved follows the status.
func (p *callPast) moved(to CallStatus) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if to == CallStatusConnected && p.connectedAt.IsZero() {
		p.connectedAt = time.Now().Round(0)
	}
}

// recovering counts an attempt to restore the call.
func (p *callPast) recovering() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.recoveries++
}

// scored takes in a quality score.
func (p *callPast) scored(score float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.scores == 0 || score < p.worst {
		p.worst = score
	}
	p.scores, p.sum = p.scores+1, p.sum+score
}

// took notes how media travels.
func (p *callPast) took(path media.Path) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, kind := range []string{path.Local, path.Remote} {
		if at, known := slices.BinarySearch(p.types, kind); !known {
			p.types = slices.Insert(p.types, at, kind)
		}
	}
}

// summary is the call as it is now.
func (k *Call) summary() CallDiagnosticSummary {
	now, stats := time.Now().Round(0), k.Stats()
	s := CallDiagnosticSummary{
		CallID: k.id, Direction: string(k.direction), Destination: k.c.clean(bare(k.to.URI)),
		Status: k.Status().String(), Metrics: DiagnosticMetrics{Audio: newTrack(stats.Audio), Video: newTrack(stats.Video)},
	}
	s.endDetails(k.c, k.EndReason())
	k.past.mu.Lock()
	defer k.past.mu.Unlock()
	s.StartedAt, s.ConnectedAt = k.past.began, k.past.connectedAt
	s.Duration = now.Sub(k.past.began).Seconds()
	s.RecoveryAttempts = k.past.recoveries
	if n := k.past.scores; n > 0 {
		s.AvgQualityScore, s.MinQualityScore = k.past.sum/float64(n), k.past.worst
	}
	s.ICECandidateTypes = append([]string{}, k.past.types...)
	return s
}

// sumUp takes the call down, once, when nothing more comes of it.
func (k *Call) sumUp(last CallStatus) {
	s := k.summary()
	s.Status = last.String()
	s.EndedAt = s.StartedAt.Add(time.Duration(s.Duration * float64(time.Second)))
	k.c.past.over(s)
}

// endDetails adds why a call ended.
func (s *CallDiagnosticSummary) endDetails(c *Client, why *errs.CallEndedError) {
	if why == nil {
		return
	}
	s.EndedBy, s.Cause, s.Code = string(why.By), c.clean(why.Cause), why.Code
	if why.OriginalError != nil {
		s.Error = c.clean(why.OriginalError.Error())
	}
}

// bare is an address without what may be secret in it: a query, the parameters
// and the password of a SIP URI.
func bare(uri string) string {
	uri, _, _ = strings.Cut(uri, "?")
	scheme, rest, ok := strings.Cut(uri, ":")
	if !ok || strings.HasPrefix(uri, "/") {
		return uri
	}
	rest, _, _ = strings.Cut(rest, ";")
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		user, _, _ := strings.Cut(rest[:at], ":")
		rest = user + rest[at:]
	}
	return scheme + ":" + rest
}

// newTrack is nil for media that was not there.
func newTrack(t media.TrackStats) *DiagnosticTrack {
	if t.PacketsSent+t.PacketsReceived == 0 && t.Path == (media.Path{}) {
		return nil
	}
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	return &DiagnosticTrack{
		Path: t.Path.String(), SendCodec: t.SendCodec, PacketsSent: t.PacketsSent, BytesSent: t.BytesSent,
		FarPacketsLost: t.FarPacketsLost, FarJitter: ms(t.FarJitter), RoundTripTime: ms(t.RoundTrip),
		ReceiveCodec: t.ReceiveCodec, PacketsReceived: t.PacketsReceived, BytesReceived: t.BytesReceived,
		PacketsLost: t.PacketsLost, Jitter: ms(t.Jitter), Malformed: t.Malformed,
	}
}

// sends takes down what became of a source of leg, which is the call itself or
// one beside it. A nil source has no name.
func (k *Call) sends(leg, change, kind string, source media.Source) {
	d := DiagnosticDeviceChange{CallID: k.id, LegID: leg, Kind: kind, Change: change}
	if c, ok := source.(*capture); ok {
		d.Device = k.c.nameOf(c.device)
	}
	if source != nil {
		d.Source = program.Name(source)
	}
	k.c.past.changed(d)
}

// deviceChanged takes down which device is selected, and why if nobody asked for it.
func (c *Client) deviceChanged(kind media.DeviceKind, selected *media.Device, reason DeviceRecoveryReason) {
	change := "selected"
	if reason != "" {
		change = "recovered"
	}
	c.log.Info("device", "kind", string(kind), "change", change, "reason", string(reason))
	c.past.changed(DiagnosticDeviceChange{Kind: string(kind), Change: change, Device: c.nameOf(selected), Reason: string(reason)})
}

// nameOf is what a device is called; empty: there is none, or it is not known.
func (c *Client) nameOf(d *media.Device) string {
	switch {
	case d == nil:
		return ""
	case d.Label != "":
		return c.clean(d.Label)
	}
	return c.clean(d.ID)
}

// diagnostics are the lists of devices.
func (d *Devices) diagnostics() DiagnosticDevices {
	lists := map[media.DeviceKind][]DiagnosticListedDevice{}
	for kind, s := range d.slots {
		lists[kind] = []DiagnosticListedDevice{}
		for _, device := range s.list.Get() {
			lists[kind] = append(lists[kind], DiagnosticListedDevice{ID: d.c.clean(device.ID), Label: d.c.clean(device.Label)})
		}
	}
	return DiagnosticDevices{
		AudioInput: lists[media.DeviceAudioInput], AudioOutput: lists[media.DeviceAudioOutput],
		VideoInput: lists[media.DeviceVideoInput],
	}
}

// opened takes down what the call sends from when it begins.
func (k *Call) opened(kind media.Kind, source media.Source) {
	if source != nil {
		k.sends(k.id, "opened", input(kind), source)
	}
}

// input names what a kind of media is captured with.
func input(kind media.Kind) string { return string(inputOf(kind)) }
