package media

import (
	"io"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/pion/rtp/codecs"
	"github.com/pion/webrtc/v4/pkg/media/h264reader"
)

// NewH264Source returns a source of an H.264 byte stream (ITU-T H.264, annex B),
// which is sent as it is, at the frame rate of the options. After an interruption it
// goes on with the next keyframe; with Loop, it begins anew whenever the far end
// asks for a keyframe. The leg closes r if it can be closed. It returns an
// [*errs.ConfigError] for what is no such stream.
func NewH264Source(r io.Reader, options *FileOptions) (Source, error) {
	file, o, err := newAgain(r, options)
	if err != nil {
		return nil, err
	}
	if o.FrameRate == 0 {
		o.FrameRate = 30
	}
	if !(o.FrameRate > 0 && o.FrameRate <= 240) {
		return nil, &errs.ConfigError{Field: "FrameRate", Problem: "not within 0 and 240"}
	}
	interval := time.Duration(float64(time.Second) / o.FrameRate)
	open := func(r io.Reader) (videoReader, error) { return newAnnexBReader(r, interval) }
	reader, err := open(r)
	if err != nil {
		return nil, &errs.ConfigError{Field: "H264", Problem: "cannot be read", OriginalError: err}
	}
	return &videoSource{codec: H264, file: file, open: open, reader: reader, split: &codecs.H264Payloader{}}, nil
}

// An annexBReader puts the units of a stream together to pictures.
type annexBReader struct {
	units    *h264reader.H264Reader
	interval time.Duration
	held     *h264reader.NAL // the first of the next picture
	count    time.Duration
}

func newAnnexBReader(r io.Reader, interval time.Duration) (*annexBReader, error) {
	units, err := h264reader.NewReader(r)
	if err != nil {
		return nil, err
	}
	first, err := units.NextNAL()
	return &annexBReader{units: units, interval: interval, held: first}, err
}

// picture collects units up to the first one of the next picture.
func (a *annexBReader) picture() (picture, error) {
	p := picture{at: a.count * a.interval}
	sliced := false
	for unit := a.held; ; {
		a.held = nil
		if unit != nil {
			if sliced && beginsPicture(unit) {
				a.held = unit
				break
			}
			sliced = sliced || isSlice(unit)
			p.key = p.key || unit.UnitType == h264reader.NalUnitTypeCodedSliceIdr
			p.data = append(append(p.data, 0, 0, 0, 1), unit.Data...)
		}
		next, err := a.units.NextNAL()
		if err != nil && !sliced {
			return p, ended(err)
		}
		if err != nil {
			break // the last picture; the next call ends
		}
		unit = next
	}
	a.count++
	return p, nil
}

func isSlice(unit *h264reader.NAL) bool {
	return unit.UnitType >= h264reader.NalUnitTypeCodedSliceNonIdr && unit.UnitType <= h264reader.NalUnitTypeCodedSliceIdr
}

// beginsPicture is true of what cannot belong to a picture that has a slice: a
// slice with the first macroblock, whose number 0 is coded as a one, or parameters
// (ITU-T H.264, section 7.4.1.2.3).
func beginsPicture(unit *h264reader.NAL) bool {
	if isSlice(unit) {
		return len(unit.Data) > 1 && unit.Data[1]&0x80 != 0
	}
	return unit.UnitType >= h264reader.NalUnitTypeSEI && unit.UnitType <= h264reader.NalUnitTypeAUD
}
