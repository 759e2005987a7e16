package sessiontest_test

import (
	"strings"
	"testing"

	"github.com/callrx/callrx/session/sessiontest"
)

const browserOffer = "v=0\r\no=- 46 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1 2\r\n" +
	"m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=sendrecv\r\n" +
	"a=rtpmap:111 opus/48000/2\r\na=rtcp-fb:111 transport-cc\r\na=fmtp:111 minptime=10;useinbandfec=1\r\n" +
	"a=rtpmap:63 red/48000/2\r\na=rtpmap:13 CN/8000\r\na=rtpmap:110 telephone-event/48000\r\na=rtpmap:126 telephone-event/8000\r\n" +
	"m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\na=recvonly\r\n" +
	"a=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 nack pli\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n" +
	"m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:2\r\n"

func TestOfferOfABrowserIsRead(t *testing.T) {
	if n, err := sessiontest.ReadOffer(browserOffer); n != 2 || err != nil {
		t.Errorf("%d sections, %v", n, err)
	}
	bundleOnly := strings.Replace(browserOffer, "m=video 9", "m=video 0", 1)
	if n, err := sessiontest.ReadOffer(bundleOnly); n != 1 || err != nil {
		t.Errorf("with a bundle-only section: %d sections, %v", n, err)
	}
}

func FuzzReadOffer(f *testing.F) {
	f.Add(browserOffer)
	f.Add("v=0\r\no=- 0 0 IN IP4 0\r\ns=-\r\nt=0 0\r\nm=audio 9 RTP/AVP\r\n")
	f.Add("v=0\r\no=- 0 0 IN IP4 0\r\ns=-\r\nt=0 0\r\nm=audio 9 RTP/AVP 0 8\r\na=rtpmap:0 PCMU/0\r\na=fmtp:\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		n, err := sessiontest.ReadOffer(text)
		if n > strings.Count(text, "m=") {
			t.Errorf("%d sections, %v", n, err)
		}
	})
}
