package soundcard

import (
	"bytes"
	"context"
	"encoding/hex"
	"slices"
	"unicode"
	"unicode/utf8"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
	"github.com/gen2brain/malgo"
)

// An entry is a device in the list.
type entry struct {
	media.Device
	native malgo.DeviceID
}

func (e entry) is(d media.Device) bool { return e.Kind == d.Kind && e.ID == d.ID }

// Devices lists microphones and loudspeakers, the default of each kind first. On
// PulseAudio what is played by a loudspeaker is a microphone too, its monitor. It
// is an [*errs.MediaAccessError] if the sound system has gone; it is looked for
// again each time.
func (p *Provider) Devices(ctx context.Context) ([]media.Device, error) {
	return do(ctx, p, func() ([]media.Device, error) {
		listed, err := p.look()
		devices := make([]media.Device, len(listed))
		for i, e := range listed {
			devices[i] = e.Device
		}
		return devices, err
	}, nil)
}

// Inspect says how many channels a device has, 2 at most, or 0 if it does not say.
// It is an [*errs.DeviceNotFoundError] for what is not there.
func (p *Provider) Inspect(ctx context.Context, d media.Device) (media.DeviceCapabilities, error) {
	return do(ctx, p, func() (media.DeviceCapabilities, error) {
		e, err := p.find(d.Kind, d.ID)
		if err != nil {
			return media.DeviceCapabilities{}, err
		}
		channels, err := p.channels(e)
		return media.DeviceCapabilities{Channels: channels}, err
	}, nil)
}

func (p *Provider) channels(e entry) (int, error) {
	info, err := p.system.DeviceInfo(nativeKind(e.Kind), e.native, malgo.Shared)
	if err != nil {
		return 0, failure("inspect "+e.Label, err)
	}
	most := uint32(0)
	for _, format := range info.Formats {
		most = max(most, format.Channels)
	}
	return int(min(most, 2)), nil
}

// look lists the devices, tells the watchers if the list has changed and ends the
// streams of devices that are no more. A sound system that was lost is looked for
// again; nothing that was open survives that.
func (p *Provider) look() ([]entry, error) {
	listed, err := p.list()
	if err != nil {
		for s := range p.streams {
			p.end(s, &errs.DeviceNotFoundError{DeviceID: s.device.ID})
		}
		p.disconnect()
		if err = p.connect(); err == nil {
			listed, err = p.list()
		}
	}
	for s := range p.streams {
		switch {
		case !slices.ContainsFunc(listed, func(e entry) bool { return e.is(s.device) }):
			p.end(s, &errs.DeviceNotFoundError{DeviceID: s.device.ID})
		case s.started && !s.native.IsStarted():
			p.end(s, failure("go on with "+s.device.Label, errStopped))
		}
	}
	if p.looked && !slices.Equal(p.last, listed) {
		for watcher := range p.watchers {
			wake(watcher)
		}
	}
	p.looked, p.last = true, listed
	return listed, err
}

// list asks the sound system.
func (p *Provider) list() (listed []entry, err error) {
	if p.system == nil {
		return nil, failure("list devices", malgo.ErrNoBackend)
	}
	for _, kind := range []media.DeviceKind{media.DeviceAudioInput, media.DeviceAudioOutput} {
		infos, err := p.system.Devices(nativeKind(kind))
		if err != nil {
			return nil, failure("list devices", err)
		}
		slices.SortStableFunc(infos, func(a, b malgo.DeviceInfo) int { return int(b.IsDefault) - int(a.IsDefault) })
		for _, info := range infos {
			listed = append(listed, entry{media.Device{ID: text(info.ID), Label: info.Name(), Kind: kind}, info.ID})
		}
	}
	return listed, nil
}

// find is the device of that id, or the default one of the kind if it is empty.
func (p *Provider) find(kind media.DeviceKind, id string) (entry, error) {
	listed, err := p.look()
	if err != nil {
		return entry{}, err
	}
	i := slices.IndexFunc(listed, func(e entry) bool { return e.Kind == kind && (id == "" || e.ID == id) })
	if i < 0 {
		return entry{}, &errs.DeviceNotFoundError{DeviceID: id}
	}
	return listed[i], nil
}

func nativeKind(kind media.DeviceKind) malgo.DeviceType {
	if kind == media.DeviceAudioOutput {
		return malgo.Playback
	}
	return malgo.Capture
}

// text is an id as the sound system writes it, in one byte a letter or on Windows in
// two, or in hexadecimal digits if it is no text. Where there is none it is the
// default one.
func text(id malgo.DeviceID) string {
	raw := bytes.TrimRight(id[:], "\x00")
	if len(raw) == 0 {
		return "default"
	}
	if printable(string(raw)) {
		return string(raw)
	}
	var wide []byte
	for i := 0; i < len(raw) && id[i+1] == 0; i += 2 {
		wide = append(wide, id[i])
	}
	if len(wide) == (len(raw)+1)/2 && printable(string(wide)) {
		return string(wide)
	}
	return hex.EncodeToString(raw)
}

func printable(s string) bool {
	for _, r := range s {
		if !unicode.IsPrint(r) || r == utf8.RuneError {
			return false
		}
	}
	return s != ""
}
