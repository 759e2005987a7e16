package soundcard_test

import (
	"errors"
	"testing"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
)

func TestToneIsPlayedAndHeardOverALSA(t *testing.T) {
	pactl(t, "set-default-sink", "desk")
	pactl(t, "set-default-source", "desk.monitor")
	p := openALSA(t)
	speaker, microphone := output(t, p, "default"), input(t, p, media.Constraints{DeviceID: "default"})
	play(t, speaker, 440, -12)
	hears(t, 440, -12, 1, of(t.Context(), microphone))
	t.Logf("%v dropped, %d underruns", microphone.Dropped(), speaker.Underruns())
}

func TestALSADeviceThatFailsIsAnAccessError(t *testing.T) {
	s := ownServer(t, "car")
	begun, captured := capturing(t.Context(), input(t, openALSA(t), media.Constraints{DeviceID: "default"}))
	wait(t, "the first frame", begun)
	s.stop()
	var access *errs.MediaAccessError
	if err := wait(t, "the end", captured); !errors.As(err, &access) || access.Denied {
		t.Error(err)
	}
}
