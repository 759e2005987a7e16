package session

import (
	"io"
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
	// only with a VideoSource.
	Audio, Video media.Toggle
	// ReceiveAudio and ReceiveVideo say whether to receive each kind. Default:
	// audio yes, video if video is sent.
	ReceiveAudio, ReceiveVideo media.Toggle
	// AudioSource is what is sent. Nil: silence.
	AudioSource media.Source
	// VideoSource is what is sent. Nil: no video.
	VideoSource media.Source
	// AudioSink and VideoSink take what arrives. Nil: it is counted and dropped.
	AudioSink, VideoSink media.Sink
	// Codecs lists preferred codecs by name, audio and video alike. The rest
	// follows in the usual order.
	Codecs []string
	// Stereo asks for Opus in stereo.
	Stereo bool
	// OpusEncoder lets PCM be sent as Opus. Nil: PCM is sent as G.711.
	OpusEncoder func(channels int) (media.Encoder, error)
	// RelayOnly sends media through TURN servers only.
	RelayOnly bool
	// ICEServers replace those that the service offers.
	ICEServers []media.ICEServer
	// SettingEngine tunes pion before the peer connections are made.
	SettingEngine func(*webrtc.SettingEngine)
}

// DialOptions say how to place a call. The zero value is an audio call.
type DialOptions struct {
	MediaOptions
	// UserVariables travel with every message of the call.
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
func (o MediaOptions) release() {
	for _, sink := range []media.Sink{o.AudioSink, o.VideoSink} {
		if sink != nil {
			_ = sink.Close()
		}
	}
	for _, source := range []media.Source{o.AudioSource, o.VideoSource} {
		if c, ok := source.(io.Closer); ok {
			_ = c.Close()
		}
	}
}

// directions are what the options want, given what is implied without them.
func (o MediaOptions) directions(implied media.Directions) media.Directions {
	video := o.Video.Or(implied.Video.Sends() || o.VideoSource != nil)
	return media.Directions{
		Audio: media.DirectionOf(o.Audio.Or(implied.Audio.Sends()), o.ReceiveAudio.Or(implied.Audio.Receives())),
		Video: media.DirectionOf(video && o.VideoSource != nil, o.ReceiveVideo.Or(implied.Video.Receives() || video)),
	}
}

// impliedBy is what a destination asks for by itself.
func (d destination) implied() media.Directions {
	i := media.Directions{Audio: media.SendRecv}
	if d.channel == "video" {
		i.Video = media.SendRecv
	}
	return i
}
