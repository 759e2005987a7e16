package media

import (
	"encoding/binary"
	"errors"
	"io"
	"time"
)

var errNotIVF = errors.New("not an IVF file of VP8 or VP9")

// An ivfReader reads a container that holds pictures and their times, nothing
// else.
type ivfReader struct {
	r           io.Reader
	codec       string
	rate, scale uint64 // a unit of time is scale/rate seconds
}

func newIVFReader(r io.Reader) (*ivfReader, error) {
	var h [32]byte
	if _, err := io.ReadFull(r, h[:]); err != nil {
		return nil, errors.Join(errNotIVF, err)
	}
	v := &ivfReader{
		r:    r,
		rate: uint64(binary.LittleEndian.Uint32(h[16:])), scale: uint64(binary.LittleEndian.Uint32(h[20:])),
	}
	switch string(h[8:12]) {
	case "VP80":
		v.codec = VP8
	case "VP90":
		v.codec = VP9
	}
	if string(h[:4]) != "DKIF" || v.codec == "" || v.rate == 0 || v.scale == 0 {
		return nil, errNotIVF
	}
	return v, nil
}

func (v *ivfReader) picture() (picture, error) {
	var h [12]byte
	if _, err := io.ReadFull(v.r, h[:]); err != nil {
		return picture{}, ended(err)
	}
	size := binary.LittleEndian.Uint32(h[:])
	if size > 1<<24 {
		return picture{}, errNotIVF
	}
	data := make([]byte, size)
	if _, err := io.ReadFull(v.r, data); err != nil {
		return picture{}, ended(err)
	}
	units := binary.LittleEndian.Uint64(h[4:])
	return picture{
		data: data, key: v.isKey(data),
		at: time.Duration(units * v.scale * uint64(time.Second) / v.rate),
	}, nil
}

// isKey looks at the frame header (RFC 6386, section 9.1; VP9 bitstream, 6.2).
func (v *ivfReader) isKey(frame []byte) bool {
	if len(frame) == 0 {
		return false
	}
	if v.codec == VP8 {
		return frame[0]&1 == 0
	}
	const shownAgain, inter = 0x08, 0x04
	return frame[0]&(shownAgain|inter) == 0
}
