package soundcard_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media/soundcard"
)

// TestLoudspeakerOfAHungSoundSystemCloses and leaves no goroutine behind.
func TestLoudspeakerOfAHungSoundSystemCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, err := soundcard.HungOutput()
		if err != nil {
			t.Fatal(err)
		}
		if err := o.PCMSink.Open(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second) // it has no room any more
		start := time.Now()
		err = o.Close()
		if took := time.Since(start); took > 6*time.Second {
			t.Errorf("it took %v", took)
		}
		if !errors.As(err, new(*errs.MediaAccessError)) {
			t.Error(err)
		}
	})
}
