package media

import (
	"context"
	"sync"

	"github.com/callrx/callrx/errs"
)

// A heldDevice is one use of a device.
type heldDevice struct {
	v    *VirtualDevices
	d    *virtualDevice
	id   string
	once sync.Once
}

func (h *heldDevice) close() {
	h.once.Do(func() {
		h.v.mu.Lock()
		defer h.v.mu.Unlock()
		h.d.use--
	})
}

// err says whether the device has been removed.
func (h *heldDevice) err() error {
	select {
	case <-h.d.gone:
		return &errs.DeviceNotFoundError{DeviceID: h.id}
	default:
		return nil
	}
}

// A virtualSource captures from a virtual device.
type virtualSource struct {
	Source
	held   *heldDevice
	device Device
}

func (s *virtualSource) Device() Device { return s.device }

func (s *virtualSource) Send(ctx context.Context, out *Output) error {
	if err := s.held.err(); err != nil {
		return err
	}
	within, cancel := context.WithCancel(ctx)
	defer cancel()
	over := make(chan struct{})
	go func() { // ends with within, which this function sees to
		defer close(over)
		select {
		case <-s.held.d.gone:
			cancel()
		case <-within.Done():
		}
	}()
	err := s.Source.Send(within, out)
	cancel()
	<-over
	if gone := s.held.err(); gone != nil && ctx.Err() == nil {
		return gone
	}
	return err
}

func (s *virtualSource) Close() error {
	s.held.close()
	return closerOf(s.Source)()
}

// A virtualSink plays on a virtual device.
type virtualSink struct {
	Sink
	held *heldDevice
}

func (s *virtualSink) WritePacket(p Packet) error {
	if err := s.held.err(); err != nil {
		return err
	}
	return s.Sink.WritePacket(p)
}

func (s *virtualSink) Close() error {
	s.held.close()
	return s.Sink.Close()
}
