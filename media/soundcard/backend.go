package soundcard

import (
	"github.com/callrx/callrx/errs"
	"github.com/gen2brain/malgo"
)

// A Backend is a sound system. The zero value stands for the first one that is
// there, in the order in which they are declared.
type Backend int

const (
	// WASAPI is that of Windows.
	WASAPI Backend = iota + 1
	// CoreAudio is that of macOS.
	CoreAudio
	// PulseAudio is on Linux; PipeWire speaks it too.
	PulseAudio
	// ALSA is on Linux, without a sound server.
	ALSA
	// Silent is on every system: one microphone that hears nothing and one
	// loudspeaker that nobody hears. It is never chosen by itself.
	Silent
)

// native is what the library calls a backend.
func (b Backend) native() []malgo.Backend {
	return [...][]malgo.Backend{
		WASAPI: {malgo.BackendWasapi}, CoreAudio: {malgo.BackendCoreaudio},
		PulseAudio: {malgo.BackendPulseaudio}, ALSA: {malgo.BackendAlsa},
		// In malgo v0.11.24 the name is one off: its number is that of a backend of the
		// program's own, which is passed over.
		Silent: {malgo.BackendNull, malgo.BackendNull + 1},
	}[b]
}

// String is its name.
func (b Backend) String() string {
	if b < 0 || b > Silent {
		return "unknown"
	}
	return [...]string{"default", "WASAPI", "CoreAudio", "PulseAudio", "ALSA", "silent"}[b]
}

// connect finds the sound system. It runs on the thread of the provider. Once one
// is found it stays the one: ids of another would mean nothing to the program.
func (p *Provider) connect() error {
	candidates := []Backend{p.backend}
	if p.backend == 0 {
		candidates = []Backend{WASAPI, CoreAudio, PulseAudio, ALSA}
	}
	var err error
	for _, b := range candidates {
		if p.system, err = malgo.InitContext(b.native(), malgo.ContextConfig{}, nil); err == nil {
			p.backend = b
			return nil
		}
	}
	p.system = nil
	return failure("find the sound system", err)
}

// disconnect gives the sound system up.
func (p *Provider) disconnect() {
	if p.system != nil {
		_ = p.system.Uninit()
		p.system.Free()
		p.system = nil
	}
}

// failure is why the sound system did not do what was asked.
func failure(operation string, err error) error {
	denied := err == malgo.ErrAccessDenied
	return &errs.MediaAccessError{Operation: operation, Media: "audio", Denied: denied, OriginalError: err}
}
