package session_test

import (
	"testing"

	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session/sessiontest"
)

// A camera that is switched on in the middle of a call which so far only received video is seen.
func TestVideoThatIsSwitchedOnLaterArrives(t *testing.T) {
	srv := sessiontest.NewServer(t)
	o := dialing()
	o.VideoSource, o.Video, o.ReceiveVideo = media.NewTestPattern(), media.Off, media.On
	k := connected(t, onLoopback(t, srv, "ann"), "/public/echo", o)
	if err := k.SetDirections(t.Context(), media.Directions{Audio: media.SendRecv, Video: media.SendRecv}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "video goes to the gateway and comes back", func() bool {
		info, _ := srv.Call(k.ID())
		return info.Section("video").PacketsIn > 10 && k.Stats().Video.PacketsReceived > 10
	})
}
