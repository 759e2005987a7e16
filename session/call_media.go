package session

import (
	"github.com/callrx/callrx/media"
)

// legConfig is what every leg of the call has in common.
func (k *Call) legConfig(id string, o MediaOptions, d media.Directions, p *PreferenceValues) media.LegConfig {
	servers := o.iceOf(p).now(k.c)
	k.c.passwords.add(servers)
	return media.LegConfig{
		ICEServers: servers, RelayOnly: o.relayOnly(p), Directions: d,
		AudioSource: o.AudioSource, VideoSource: o.VideoSource,
		Voice: k.voice.Voice, Meter: k.voice.far,
		AudioSink: o.AudioSink, VideoSink: o.VideoSink,
		CodecPreferences: o.codecs(p), Stereo: o.Stereo.Or(p.StereoAudio), OpusEncoder: o.OpusEncoder,
		CandidateTimeout: p.ICECandidateTimeout, GatherTimeout: p.ICEGatheringTimeout,
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
