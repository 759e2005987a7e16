package session

import (
	"context"
	"errors"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
)

// devices tries the sources, or the devices that would be captured from, each by
// itself, and looks whether the sinks fit.
func (p *preflight) devices(ctx context.Context) error {
	audio, video := p.pin(ctx, media.KindAudio), p.pin(ctx, media.KindVideo)
	o, preferred, implied := p.o.MediaOptions, p.c.preferred(), implication{audio: true}
	cfg := media.LegConfig{
		Directions:  o.directions(implied),
		AudioSource: o.AudioSource, VideoSource: o.VideoSource, AudioSink: o.AudioSink, VideoSink: o.VideoSink,
		CodecPreferences: o.codecs(preferred), Stereo: o.Stereo.Or(preferred.StereoAudio), OpusEncoder: o.OpusEncoder,
	}
	d := &p.res.Devices
	if p.c.devices.provider != nil {
		p.c.devices.ready(ctx)
		if o.AudioSink == nil {
			p.output(ctx, &d.AudioOutput)
		}
	}
	if audio == nil {
		audio = p.kind(ctx, media.KindAudio, cfg, o.lacks(media.KindAudio, implied), &d.AudioInput, &d.AudioOutput)
	}
	if video == nil {
		video = p.kind(ctx, media.KindVideo, cfg, o.lacks(media.KindVideo, implied), &d.VideoInput, &d.VideoOutput)
	}
	return errors.Join(audio, video)
}

// doWithout has the test call capture from no other device where the one that is given
// does not work.
func (p *preflight) doWithout(o *MediaOptions) {
	d := &p.res.Devices
	if p.o.AudioDevice != nil && !d.AudioInput.Working {
		o.Audio, o.AudioConstraints = media.Off, nil
	}
	if p.o.VideoDevice != nil && !d.VideoInput.Working {
		o.Video, o.VideoConstraints = media.Off, nil
	}
}

// given is the device of a kind that is to be tried; nil: what a call would have.
func (p *preflight) given(kind media.Kind) *media.Device {
	if kind == media.KindVideo {
		return p.o.VideoDevice
	}
	return p.o.AudioDevice
}

// pin has a call of these options capture from the device that is given.
func (p *preflight) pin(ctx context.Context, kind media.Kind) error {
	device, d := p.given(kind), p.c.devices
	if device == nil {
		return nil
	}
	if d.provider == nil {
		p.notWorking(kind)
		return accessError("try the device", kind, &errs.DeviceNotFoundError{DeviceID: device.ID})
	}
	d.ready(ctx)
	here, err := d.slots[inputOf(kind)].selectable(device)
	if err != nil {
		p.notWorking(kind)
		return err
	}
	constraints := p.o.constraints(kind).Clone()
	if constraints == nil {
		constraints = &media.Constraints{}
	}
	constraints.DeviceID, constraints.PreferDeviceID = here.ID, ""
	if kind == media.KindVideo {
		p.o.Video, p.o.VideoConstraints = media.On, constraints
	} else {
		p.o.AudioConstraints = constraints
	}
	return nil
}

// kind tries what there is of one kind: what the program gave, or a device.
func (p *preflight) kind(ctx context.Context, kind media.Kind, cfg media.LegConfig, lacks bool, in *PreflightInput, out *PreflightOutput) error {
	ctx, cancel := context.WithTimeout(ctx, p.o.Timeout/2) // the other kind wants some, too
	defer cancel()
	source, sink := cfg.AudioSource, cfg.AudioSink
	if kind == media.KindVideo {
		source, sink = cfg.VideoSource, cfg.VideoSink
	}
	if d := p.c.devices; lacks && d.provider != nil {
		given, own := p.given(kind) != nil, p.o.constraints(kind)
		pinned := own != nil && own.DeviceID != ""
		if off := d.slots[inputOf(kind)].disabled.Get(); !given && (off || d.wantsNone(kind) && !pinned) {
			return p.off(kind)
		}
		in.Given = true
		open, err := d.open(ctx, media.InputRequest{
			Kind: inputOf(kind), Constraints: d.constraintsOf(kind, own), KeepDevice: given,
		})
		if err != nil {
			p.notWorking(kind)
			return accessError("try the device", kind, err)
		}
		if open.Source == nil {
			p.notWorking(kind)
			return accessError("try the device", kind, errNoSource)
		}
		defer p.c.shut(open.Source)
		source, in.Device = open.Source, open.Device
		if kind == media.KindVideo {
			cfg.VideoSource, cfg.Directions.Video = source, cfg.Directions.Video|media.SendOnly
		} else {
			cfg.AudioSource = source
		}
	}
	return p.device(ctx, kind, cfg, source != nil, sink != nil, in, out)
}

// off: a call would capture from no device. It can do without a picture.
func (p *preflight) off(kind media.Kind) error {
	if kind == media.KindVideo {
		return nil
	}
	p.notWorking(kind)
	return accessError("try the device", kind, errInputOff)
}

var (
	errInputOff = errors.New("the input is disabled, or no device is selected: a call would send silence")
	errNoSource = errors.New("the provider has opened nothing")
)

func (p *preflight) notWorking(kind media.Kind) { p.warn(kind.String() + " input device not working") }

// device tries a source and a sink.
func (p *preflight) device(ctx context.Context, kind media.Kind, cfg media.LegConfig, source, sink bool, in *PreflightInput, out *PreflightOutput) error {
	in.Given = source
	if !source && !sink {
		return nil
	}
	probe, err := media.ProbeSource(ctx, kind, cfg)
	in.Codec, in.Level = probe.Codec, probe.Level
	in.Working = source && err == nil
	if sink {
		out.Given, out.Available = true, !errors.As(err, new(*errs.ConfigError))
	}
	if err == nil {
		return nil
	}
	if !source {
		p.warn(kind.String() + " output device not available")
		return &errs.MediaAccessError{Operation: "try the sink", Media: kind.String(), OriginalError: err}
	}
	p.notWorking(kind)
	return &errs.MediaAccessError{Operation: "try the source", Media: kind.String(), OriginalError: err}
}

// output tries the selected loudspeaker, which is no reason to fail.
func (p *preflight) output(ctx context.Context, out *PreflightOutput) {
	selected := p.c.devices.SelectedAudioOutput()
	if selected == nil {
		return
	}
	_, sink, err := p.c.devices.openSelectedOutput(ctx)
	if errors.Is(err, errs.ErrUnsupported) {
		return
	}
	out.Given, out.Device, out.Available = true, selected, err == nil
	if err != nil {
		p.warn("audio output device not available")
		return
	}
	p.c.shut(sink)
}
