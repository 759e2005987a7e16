package media

import (
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/webrtc/v4"
)

// TestEverySectionHasItsGateInItsConnection: the gate learns of the connection's end
// only as one of its interceptors.
func TestEverySectionHasItsGateInItsConnection(t *testing.T) {
	leg, err := NewLeg(LegConfig{
		Directions: Directions{Audio: SendRecv, Video: SendRecv},
		SettingEngine: func(s *webrtc.SettingEngine) {
			s.SetIncludeLoopbackCandidate(true)
			s.SetIPFilter(net.IP.IsLoopback)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = leg.Offer(t.Context())
	sections := leg.live()
	if err := errors.Join(err, leg.Close()); err != nil || len(sections) != 2 {
		t.Fatal(len(sections), err)
	}
	for _, s := range sections {
		reports := s.gate.BindRTCPReader(interceptor.RTCPReaderFunc(
			func([]byte, interceptor.Attributes) (int, interceptor.Attributes, error) {
				return 0, nil, errors.New("the gate was open")
			}))
		read := make(chan error, 1)
		go func() {
			_, _, err := reports.Read(nil, nil)
			read <- err
		}()
		select {
		case err := <-read:
			if !errors.Is(err, io.EOF) {
				t.Errorf("%v: %v", s.kind, err)
			}
		case <-time.After(10 * time.Second):
			t.Errorf("%v: the gate is none of its connection's", s.kind)
		}
	}
}
