package media

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"
)

const remoteSDP = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n" +
	"a=ice-ufrag:session\r\na=ice-pwd:secretsecretsecretsecret\r\na=fingerprint:sha-256 AA:BB\r\na=sendonly\r\n" +
	"m=audio 1234 UDP/TLS/RTP/SAVPF 0 8\r\nc=IN IP4 192.0.2.1\r\na=mid:voice\r\na=ssrc:1 cname:x\r\na=setup:active\r\n" +
	"m=video 0 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\n" +
	"m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=inactive\r\n"

func TestRemoteSectionsInheritFromTheirSession(t *testing.T) {
	session, sections, err := parseRemote(remoteSDP)
	if err != nil {
		t.Fatal(err)
	}
	type fact struct {
		Kind      Kind
		Direction Direction
		Rejected  bool
	}
	var got []fact
	for _, s := range sections {
		got = append(got, fact{s.kind, s.direction, s.rejected})
	}
	want := []fact{{KindAudio, SendOnly, false}, {KindVideo, SendOnly, true}, {0, Inactive, false}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	text, err := split(session, sections[0], "0")
	if err != nil {
		t.Fatal(err)
	}
	var one sdp.SessionDescription
	if err := one.UnmarshalString(text); err != nil {
		t.Fatal(err)
	}
	audio := one.MediaDescriptions[0]
	if mid, _ := audio.Attribute("mid"); mid != "0" || len(one.MediaDescriptions) != 1 {
		t.Error(text)
	}
	if _, there := audio.Attribute("ssrc"); there {
		t.Error("pion would insist on these streams")
	}
	if _, there := audio.Attribute("sendrecv"); !there {
		t.Error("pion would stop a direction")
	}
}

func TestBundleIsMoreThanOneSection(t *testing.T) {
	for group, want := range map[string]bool{"BUNDLE 0": false, "BUNDLE 0 1": true, "LS 0 1": false, "BUNDLE": false} {
		session := &sdp.SessionDescription{Attributes: []sdp.Attribute{{Key: "group", Value: group}}}
		if got := bundled(session); got != want {
			t.Errorf("%s: %v", group, got)
		}
	}
	if bundled(&sdp.SessionDescription{}) {
		t.Error("no group is a bundle")
	}
}

func TestMergeKeepsTheOrderAndTurnsDownWhatIsGone(t *testing.T) {
	section := "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n" +
		"m=audio 9 UDP/TLS/RTP/SAVPF 0\r\nc=IN IP4 0.0.0.0\r\na=mid:7\r\na=msid:a b\r\na=ssrc:1 cname:x\r\na=sendrecv\r\n" +
		"a=candidate:1 1 udp 1 10.0.0.1 5000 typ host\r\na=candidate:1 2 udp 1 10.0.0.1 5000 typ host\r\n" +
		"a=candidate:2 1 udp 1 2001:db8::1 6000 typ relay raddr 10.0.0.1 rport 5000\r\n" +
		"a=candidate:3 1 tcp 1 10.0.0.1 9 typ host tcptype active\r\na=end-of-candidates\r\n" +
		"m=audio 9 UDP/TLS/RTP/SAVPF 0\r\nc=IN IP4 0.0.0.0\r\na=mid:8\r\n"
	name := refusal("video")
	got, err := merge(5, 6, []localSection{
		{mid: "3", rejected: &name},
		{sdp: section, mid: "7", direction: RecvOnly},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := "v=0\r\no=- 5 6 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=msid-semantic:WMS *\r\n" +
		"m=video 0 UDP/TLS/RTP/SAVPF 0\r\nc=IN IP4 0.0.0.0\r\na=mid:3\r\na=inactive\r\n" +
		"m=audio 6000 UDP/TLS/RTP/SAVPF 0\r\nc=IN IP6 2001:db8::1\r\na=mid:7\r\n" +
		"a=candidate:1 1 udp 1 10.0.0.1 5000 typ host\r\n" +
		"a=candidate:2 1 udp 1 2001:db8::1 6000 typ relay raddr 10.0.0.1 rport 5000\r\n" +
		"a=candidate:3 1 tcp 1 10.0.0.1 9 typ host tcptype active\r\n" +
		"a=recvonly\r\na=end-of-candidates\r\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, err := merge(1, 1, []localSection{{sdp: section, mid: "9"}}); !errors.Is(err, errNoSections) {
		t.Error(err)
	}
}

func FuzzRemoteSDP(f *testing.F) {
	f.Add(remoteSDP)
	f.Fuzz(func(t *testing.T, text string) {
		session, sections, err := parseRemote(text)
		if err != nil {
			return
		}
		for i, s := range sections {
			_ = inCommon(audioCodecs(false), session, s.media)
			if _, err := split(session, s, midOf(s.media, i)); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestStateIsTheWorstOfTheSections(t *testing.T) {
	const (
		fresh  = webrtc.PeerConnectionStateNew
		on     = webrtc.PeerConnectionStateConnecting
		there  = webrtc.PeerConnectionStateConnected
		lost   = webrtc.PeerConnectionStateDisconnected
		failed = webrtc.PeerConnectionStateFailed
		closed = webrtc.PeerConnectionStateClosed
	)
	all := []webrtc.PeerConnectionState{fresh, on, there, lost, failed, closed}
	table := map[[2]webrtc.PeerConnectionState]State{
		{fresh, fresh}: StateConnecting, {fresh, on}: StateConnecting, {fresh, there}: StateConnecting,
		{fresh, lost}: StateDisconnected, {fresh, failed}: StateFailed, {fresh, closed}: StateDisconnected,
		{on, on}: StateConnecting, {on, there}: StateConnecting, {on, lost}: StateDisconnected,
		{on, failed}: StateFailed, {on, closed}: StateDisconnected,
		{there, there}: StateConnected, {there, lost}: StateDisconnected, {there, failed}: StateFailed, {there, closed}: StateDisconnected,
		{lost, lost}: StateDisconnected, {lost, failed}: StateFailed, {lost, closed}: StateDisconnected,
		{failed, failed}: StateFailed, {failed, closed}: StateFailed, {closed, closed}: StateDisconnected,
	}
	for _, a := range all {
		for _, b := range all {
			want, ok := table[[2]webrtc.PeerConnectionState{a, b}]
			if !ok {
				want, ok = table[[2]webrtc.PeerConnectionState{b, a}]
			}
			if got := sum([]webrtc.PeerConnectionState{a, b}); !ok || got != want {
				t.Errorf("%v and %v: %v, want %v", a, b, got, want)
			}
		}
	}
	if got := sum(nil); got != StateNew {
		t.Errorf("nothing: %v", got)
	}
}
