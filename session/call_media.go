package session

import (
	"slices"

	"github.com/callrx/callrx/media"
)

// legConfig is what every leg of the call has in common.
func (k *Call) legConfig(id string, o MediaOptions, d media.Directions) media.LegConfig {
	servers := o.ICEServers
	if servers == nil {
		servers = k.c.ICEServers()
	}
	return media.LegConfig{
		ICEServers: servers, RelayOnly: o.RelayOnly, Directions: d,
		AudioSource: o.AudioSource, VideoSource: o.VideoSource,
		Voice:     k.voice.Voice,
		AudioSink: o.AudioSink, VideoSink: o.VideoSink,
		CodecPreferences: slices.Clone(o.Codecs), Stereo: o.Stereo, OpusEncoder: o.OpusEncoder,
		OnError:       func(err error) { k.c.post(func() { k.report(err, false) }) },
		SettingEngine: o.SettingEngine, Logger: k.c.log.With("call_id", k.id, "leg_id", id),
		OnPath: func(kind media.Kind, p media.Path) {
			k.past.took(p)
			k.c.past.add(note{category: DiagnosticCall, what: "path", callID: k.id, more: map[string]any{
				"legId": id, "kind": kind.String(), "path": p.String(),
			}})
		},
	}
}
