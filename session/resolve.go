package session

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/callrx/callrx/internal/relay"
	"github.com/callrx/callrx/media"
)

// What holds when options, preferences and defaults all have a say is decided
// here, and nowhere else.

// preferred are the preferences as they are now. They are shared: do not change
// them.
func (c *Client) preferred() *PreferenceValues { return c.preferences.state.Get() }

func (c *Client) relayURL() string {
	for _, url := range []string{c.opts.RelayURL, c.preferred().RelayURL} {
		if url != "" {
			return url
		}
	}
	if h := c.hosts.Load(); h != nil {
		return h.relay
	}
	return ""
}

// connectTimeout is how long a socket may take to open.
func (c *Client) connectTimeout() time.Duration {
	if t := c.opts.ConnectTimeout; t > 0 {
		return t
	}
	return c.preferred().ConnectionTimeout
}

// retry is how to reconnect. An option bends the preference that it contradicts.
func (c *Client) retry() relay.Retry {
	o, p := c.opts.Reconnect, c.preferred()
	shortest, longest := o.MinDelay, o.MaxDelay
	switch {
	case shortest == 0 && longest == 0:
		shortest, longest = p.ReconnectDelayMin, p.ReconnectDelayMax
	case shortest == 0:
		shortest = min(p.ReconnectDelayMin, longest)
	case longest == 0:
		longest = max(p.ReconnectDelayMax, shortest)
	}
	return relay.Retry{Min: shortest, Max: longest, Budget: o.Budget, Delay: o.Delay}
}

// answerTimeout bounds the wait for the service's answer to new descriptions.
func (c *Client) answerTimeout(ctx context.Context) (context.Context, context.CancelFunc) {
	_, given := ctx.Deadline()
	if given || c.opts.RequestTimeout > 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, c.preferred().ReinviteTimeout)
}

// requestTimeout bounds every other request whose context does not say when.
func (c *Client) requestTimeout() time.Duration {
	if t := c.opts.RequestTimeout; t > 0 {
		return t
	}
	return requestTimeout
}

// An iceChoice is which servers a leg uses for as long as it lives.
type iceChoice struct {
	servers []media.ICEServer // nil: those that the session has at the time
	tcpOnly bool
}

// iceOf is what the options say, or the preferences.
func (o MediaOptions) iceOf(p *PreferenceValues) iceChoice {
	if o.ICEServers != nil {
		return iceChoice{servers: o.ICEServers}
	}
	return iceChoice{servers: p.ICEServers, tcpOnly: p.DisableUDPICEServers}
}

// now are the servers of the choice.
func (i iceChoice) now(c *Client) []media.ICEServer {
	servers := i.servers
	if servers == nil {
		servers = c.ICEServers()
	}
	if i.tcpOnly {
		servers = overTCP(servers)
	}
	return servers
}

// overTCP leaves the servers that are reached over TCP: turns is, unless it says
// otherwise (RFC 7065).
func overTCP(servers []media.ICEServer) []media.ICEServer {
	kept := []media.ICEServer{}
	for _, s := range servers {
		s.URLs = slices.DeleteFunc(slices.Clone(s.URLs), func(url string) bool {
			url = strings.ToLower(url)
			return !strings.Contains(url, "transport=tcp") &&
				(!strings.HasPrefix(url, "turns:") || strings.Contains(url, "transport="))
		})
		if len(s.URLs) > 0 {
			kept = append(kept, s)
		}
	}
	return kept
}

// codecs are the preferred ones, of either kind.
func (o MediaOptions) codecs(p *PreferenceValues) []string {
	if o.Codecs != nil {
		return slices.Clone(o.Codecs)
	}
	return slices.Concat(p.AudioCodecs, p.VideoCodecs)
}

// relayOnly reports whether media may go through TURN servers only.
func (o MediaOptions) relayOnly(p *PreferenceValues) bool {
	return o.RelayOnly.Or(p.RelayOnly || p.DisableUDPICEServers)
}

// An implication is what a call sends and receives where its options say nothing.
type implication struct {
	audio, video               bool         // sent
	receiveAudio, receiveVideo media.Toggle // Default: audio yes, video if it is sent
}

// impliedBy is what a destination asks for, then what is preferred.
func (d destination) impliedBy(p *PreferenceValues) implication {
	i := implication{audio: true, receiveAudio: p.ReceiveAudio, receiveVideo: p.ReceiveVideo}
	switch d.channel {
	case "audio":
		i.receiveVideo = media.Off
	case "video":
		i.video, i.receiveVideo = true, media.On
	}
	return i
}

// impliedByOffer is what a caller offers, unless it is preferred not to have it.
func impliedByOffer(offered media.Directions, p *PreferenceValues) implication {
	receiveAudio := offered.Audio.Sends() && p.ReceiveAudio.Or(true)
	receiveVideo := offered.Video.Sends() && p.ReceiveVideo.Or(true)
	return implication{
		audio: offered.Audio.Receives(), receiveAudio: toggleOf(&receiveAudio), receiveVideo: toggleOf(&receiveVideo),
	}
}

// impliedByRecord is what the call did in an earlier process.
func impliedByRecord(did media.Directions) implication {
	receiveAudio, receiveVideo := did.Audio.Receives(), did.Video.Receives()
	return implication{
		audio: did.Audio.Sends(), video: did.Video.Sends(),
		receiveAudio: toggleOf(&receiveAudio), receiveVideo: toggleOf(&receiveVideo),
	}
}

// directions are what the options want, given what is implied without them.
func (o MediaOptions) directions(i implication) media.Directions {
	video := o.Video.Or(i.video || o.VideoSource != nil)
	receiveVideo := i.receiveVideo.Or(video)
	return media.Directions{
		Audio: media.DirectionOf(o.Audio.Or(i.audio), o.ReceiveAudio.Or(i.receiveAudio.Or(true))),
		Video: media.DirectionOf(video && o.VideoSource != nil, o.ReceiveVideo.Or(receiveVideo)),
	}
}
