package soundcard

import (
	"context"
	"errors"
	"runtime"
	"unsafe"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
	"github.com/gen2brain/malgo"
)

const (
	rate      = 48000
	frameSize = rate / 50 // samples of 20 ms
)

var errStopped = errors.New("the sound system has stopped the device")

// A stream is a device in use.
type stream struct {
	provider *Provider
	device   media.Device
	channels int
	ended    chan struct{}
	err      error // why, before ended

	// What follows belongs to the provider's run.
	native  *malgo.Device
	started bool
}

// open prepares a device for s. data is called on a thread of the sound system
// with what is captured, or with silence to be replaced.
func (p *Provider) open(s *stream, id malgo.DeviceID, data func([]int16)) error {
	var pinned runtime.Pinner
	pinned.Pin(&id)
	defer pinned.Unpin()
	config := malgo.DefaultDeviceConfig(nativeKind(s.device.Kind))
	config.SampleRate, config.NoFixedSizedCallback = rate, 1
	config.Pulse.StreamNameCapture, config.Pulse.StreamNamePlayback = "call", "call"
	side := &config.Capture
	if s.device.Kind == media.DeviceAudioOutput {
		side = &config.Playback
		config.PeriodSizeInMilliseconds = 40 // what is late is a hole, what is heard late is not
	}
	side.DeviceID, side.Format, side.Channels = unsafe.Pointer(&id), malgo.FormatS16, uint32(s.channels)
	native, err := malgo.InitDevice(p.system.Context, config, malgo.DeviceCallbacks{
		Data: func(out, in []byte, _ uint32) {
			data(samples(out))
			data(samples(in))
		},
		Stop: func() { wake(p.kick) },
	})
	if err != nil {
		return p.refused(s.device, err)
	}
	s.provider, s.native, s.ended = p, native, make(chan struct{})
	p.streams[s] = struct{}{}
	return nil
}

// refused is why a device cannot be used: mostly because it has just gone.
func (p *Provider) refused(d media.Device, err error) error {
	if _, missing := p.find(d.Kind, d.ID); missing != nil {
		return &errs.DeviceNotFoundError{DeviceID: d.ID}
	}
	return failure("open "+d.Label, err)
}

// start lets sound flow. It does nothing the second time, nor after the end.
func (s *stream) start(ctx context.Context) error {
	_, err := do(ctx, s.provider, func() (struct{}, error) {
		if s.started || s.native == nil {
			return struct{}{}, nil
		}
		if err := s.native.Start(); err != nil {
			return struct{}{}, s.provider.refused(s.device, err)
		}
		s.started = true
		return struct{}{}, nil
	}, nil)
	return err
}

// close ends the stream for the program.
func (s *stream) close() error {
	ctx, cancel := context.WithTimeoutCause(context.Background(), patience,
		failure("close "+s.device.Label, context.DeadlineExceeded))
	defer cancel()
	_, err := do(ctx, s.provider, func() (struct{}, error) {
		s.provider.end(s, errs.ErrClosed)
		return struct{}{}, nil
	}, nil)
	if err == errs.ErrClosed { // by the provider
		return nil
	}
	return err
}

// end gives the device back and says why. It runs on the provider's thread.
func (p *Provider) end(s *stream, why error) {
	if s.native == nil {
		return
	}
	delete(p.streams, s)
	s.err = why
	close(s.ended) // who waits for sound lets go
	if p.backend != CoreAudio {
		// Uninit waits for the thread of the device, which may be waiting for a server
		// that has nothing more to say; Stop wakes it. On macOS there is no such thread,
		// and Stop would wait for a device that is no more.
		_ = s.native.Stop()
	}
	s.native.Uninit()
	s.native = nil
}

// samples are bytes of the sound system, in the order of the machine.
func samples(b []byte) []int16 {
	if len(b) == 0 {
		return nil
	}
	return unsafe.Slice((*int16)(unsafe.Pointer(&b[0])), len(b)/2)
}
