package session

import (
	"net/url"
	"strings"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
	"github.com/pion/webrtc/v4"
)

// MediaOptions say what a call sends and receives. The zero value sends and
// receives audio; Dial and Answer add what their destination or offer implies.
// Sinks, and sources that are io.Closers, are the call's from then on: it closes
// them when it ends, and also when it never came about.
type MediaOptions struct {
	// Audio and Video say whether to send each kind. Default: audio yes, video
	// only with a VideoSource. It takes On, or "?channel=video", to open a camera.
	Audio, Video media.Toggle
	// ReceiveAudio and ReceiveVideo say whether to receive each kind. Default:
	// the preferences of that name, else audio yes, video if it is sent.
	ReceiveAudio, ReceiveVideo media.Toggle
	// AudioSource is what is sent. Nil: the microphone that Client.Devices has
	// selected; silence if it has none.
	AudioSource media.Source
	// VideoSource is what is sent. Nil: the selected camera, if Video says so; else no
	// video.
	VideoSource media.Source
	// AudioConstraints and VideoConstraints say how devices capture. A DeviceID has the
	// call use that device, whatever the client selects, as if the call had selected it:
	// see SelfParticipant.SelectAudioInput. Nil, and what they leave open: the
	// preferences of that name, then those of what is default.
	AudioConstraints, VideoConstraints *media.Constraints
	// RequireLocalMedia has a call fail that cannot capture what it is to send, with a
	// fatal *errs.MediaAccessError. False: it goes on without, as long as there is
	// something left to send or to receive, and tells on ObserveErrors.
	RequireLocalMedia bool
	// AudioSink and VideoSink take what arrives. Nil: it is counted and dropped.
	AudioSink, VideoSink media.Sink
	// Codecs lists preferred codecs by name, audio and video alike. The rest
	// follows in the usual order. Nil: the preferences AudioCodecs and
	// VideoCodecs.
	Codecs []string
	// Stereo asks for Opus in stereo. Default: the preference StereoAudio.
	Stereo media.Toggle
	// OpusEncoder lets PCM be sent as Opus. Nil: PCM is sent as G.711.
	OpusEncoder func(channels int) (media.Encoder, error)
	// RelayOnly sends media through TURN servers only. Default: the preferences
	// RelayOnly and DisableUDPICEServers.
	RelayOnly media.Toggle
	// ICEServers replace those that the service offers. Nil: the preference of
	// that name.
	ICEServers []media.ICEServer
	// SettingEngine tunes pion before the peer connections are made.
	SettingEngine func(*webrtc.SettingEngine)
}

// DialOptions say how to place a call. The zero value is an audio call.
type DialOptions struct {
	MediaOptions
	// UserVariables travel with every message of the call, beside those that are
	// preferred and those of the address, over which they win.
	UserVariables map[string]any
	// NodeID asks for a certain media node; the service may ignore it.
	NodeID string
}

// What a call waits for.
const (
	dialTimeout = 6 * time.Second // dialling as a whole, when the context has no deadline
	byeTimeout  = 2 * time.Second
)

// A destination is a dialled string taken apart.
type destination struct {
	uri       string // as dialled
	variables map[string]any
	channel   string // "audio", "video" or ""
}

// parseDestination reads "/public/lobby?channel=video", "+15551234567" or
// "sip:...". The query of an address becomes user variables.
func parseDestination(to string) (destination, error) {
	d := destination{uri: strings.TrimSpace(to), variables: map[string]any{}}
	if d.uri == "" {
		return d, &errs.InvalidParamsError{Param: "to", Reason: "is empty: want an address such as /public/lobby, a phone number or a SIP URI"}
	}
	if !strings.HasPrefix(d.uri, "/") {
		return d, nil
	}
	_, query, _ := strings.Cut(d.uri, "?")
	values, err := url.ParseQuery(query)
	if err != nil {
		return d, &errs.InvalidParamsError{Param: "to", Reason: "its query cannot be read", OriginalError: err}
	}
	for key := range values {
		d.variables[key] = values.Get(key)
	}
	d.channel = values.Get("channel")
	return d, nil
}

// release closes what a call that never came about would have closed.
func (o MediaOptions) release(c *Client) {
	for _, v := range []any{o.AudioSink, o.VideoSink, o.AudioSource, o.VideoSource} {
		c.shut(v)
	}
}
