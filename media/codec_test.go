package media_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/callrx/callrx/media"
)

func TestCodecsFollowPreferencesAndSources(t *testing.T) {
	speaker, err := media.NewSpeaker(media.SpeakerConfig{})
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		cfg  media.LegConfig
		want string
	}{
		"default":    {media.LegConfig{Directions: audioOnly}, "opus PCMU PCMA"},
		"preference": {media.LegConfig{Directions: audioOnly, CodecPreferences: []string{"nonsense", "pcma", "OPUS"}}, "PCMA opus PCMU"},
		"speaker":    {media.LegConfig{Directions: audioOnly, AudioSource: speaker}, "PCMU PCMA"},
		"recvonly":   {media.LegConfig{Directions: media.Directions{Audio: media.RecvOnly}, AudioSource: speaker}, "opus PCMU PCMA"},
		"encoder": {media.LegConfig{Directions: audioOnly, AudioSource: speaker, OpusEncoder: func(int) (media.Encoder, error) {
			return nil, errors.New("not needed")
		}}, "opus PCMU PCMA"},
		"video": {media.LegConfig{Directions: media.Directions{Video: media.SendOnly}, CodecPreferences: []string{"VP9"}}, "VP9 VP8 H264 H264"},
	} {
		t.Run(name, func(t *testing.T) {
			offer, err := newLeg(t, test.cfg).Offer(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if got := codecOrder(offer); got != test.want {
				t.Errorf("%s, want %s", got, test.want)
			}
		})
	}
}

// codecOrder names the codecs in the order of the m-line.
func codecOrder(sdp string) string {
	var names []string
	line := regexp.MustCompile(`m=\S+ \d+ \S+ (.*)`).FindStringSubmatch(sdp)[1]
	for _, payload := range strings.Fields(line) {
		name := regexp.MustCompile(`a=rtpmap:` + payload + ` (\w[\w-]*)/`).FindStringSubmatch(sdp)
		if name != nil && name[1] != "rtx" && name[1] != "telephone-event" {
			names = append(names, name[1])
		}
	}
	return strings.Join(names, " ")
}

func TestStereoIsAskedFor(t *testing.T) {
	offer, err := newLeg(t, media.LegConfig{Directions: audioOnly, Stereo: true}).Offer(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`a=fmtp:111 .*;stereo=1;sprop-stereo=1;maxaveragebitrate=510000`).MatchString(offer) {
		t.Error(offer)
	}
}
