package media

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
)

// Ogg as it carries one stream of Opus (RFC 3533, RFC 7845).

const (
	oggHeader = 27
	oggFirst  = 2
	oggLast   = 4
	oggPacket = 255 * 255 // the most that a page holds
)

var errNotOgg = errors.New("not an Ogg file of Opus")

// An oggReader gives the packets of the first stream of a file.
type oggReader struct {
	r       *bufio.Reader
	serial  uint32
	begun   bool
	sizes   []byte // of the segments of the page that are left
	partial []byte
}

// newOggReader reads up to the first packet of sound.
func newOggReader(r io.Reader) (*oggReader, error) {
	o := &oggReader{r: bufio.NewReader(r)}
	for _, magic := range []string{"OpusHead", "OpusTags"} {
		packet, err := o.packet()
		if err != nil && err != io.EOF {
			return nil, err
		}
		if !bytes.HasPrefix(packet, []byte(magic)) {
			return nil, errNotOgg
		}
	}
	return o, nil
}

// packet is the next one, or io.EOF. A file that was cut short ends there.
func (o *oggReader) packet() ([]byte, error) {
	for {
		for len(o.sizes) == 0 {
			if err := o.page(); err != nil {
				return nil, err
			}
		}
		size := int(o.sizes[0])
		o.sizes = o.sizes[1:]
		from := len(o.partial)
		o.partial = append(o.partial, make([]byte, size)...)
		if _, err := io.ReadFull(o.r, o.partial[from:]); err != nil {
			return nil, ended(err)
		}
		if size < 255 {
			packet := o.partial
			o.partial = nil
			return packet, nil
		}
	}
}

// page reads the header of the next page of the stream and skips those of others.
func (o *oggReader) page() error {
	for {
		var h [oggHeader]byte
		if _, err := io.ReadFull(o.r, h[:]); err != nil {
			return ended(err)
		}
		if string(h[:4]) != "OggS" || h[4] != 0 {
			return errNotOgg
		}
		sizes := make([]byte, h[26])
		if _, err := io.ReadFull(o.r, sizes); err != nil {
			return ended(err)
		}
		serial := binary.LittleEndian.Uint32(h[14:])
		if !o.begun {
			o.begun, o.serial = true, serial
		}
		if serial == o.serial {
			o.sizes = sizes
			return nil
		}
		total := 0
		for _, size := range sizes {
			total += int(size)
		}
		if _, err := o.r.Discard(total); err != nil {
			return ended(err)
		}
	}
}

func ended(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return io.EOF
	}
	return err
}

// An oggWriter writes a page for each packet, so that the file is whole after each.
type oggWriter struct {
	w       io.Writer
	serial  uint32
	pages   uint32
	granule uint64
	buf     []byte
	table   [256]uint32
}

func newOggWriter(w io.Writer, serial uint32, channels int) (*oggWriter, error) {
	o := &oggWriter{w: w, serial: serial, table: oggTable()}
	head := append([]byte("OpusHead"), 1, byte(channels), 0, 0) // no pre-skip
	head = binary.LittleEndian.AppendUint32(head, 48000)
	head = append(head, 0, 0, 0)
	if err := o.page(head, oggFirst); err != nil {
		return nil, err
	}
	const vendor = "callrx"
	tags := binary.LittleEndian.AppendUint32([]byte("OpusTags"), uint32(len(vendor)))
	tags = append(tags, vendor...)
	return o, o.page(binary.LittleEndian.AppendUint32(tags, 0), 0)
}

// write appends a packet that lasts so many samples at 48 kHz.
func (o *oggWriter) write(packet []byte, samples int64) error {
	o.granule += uint64(samples)
	return o.page(packet, 0)
}

func (o *oggWriter) close() error { return o.page(nil, oggLast) }

func (o *oggWriter) page(packet []byte, flags byte) error {
	if len(packet) >= oggPacket {
		return errNotOgg
	}
	b := append(o.buf[:0], "OggS\x00"...)
	b = append(b, flags)
	b = binary.LittleEndian.AppendUint64(b, o.granule)
	b = binary.LittleEndian.AppendUint32(b, o.serial)
	b = binary.LittleEndian.AppendUint32(b, o.pages)
	b = append(b, 0, 0, 0, 0) // the checksum
	if packet == nil {
		b = append(b, 0)
	} else {
		b = append(b, byte(len(packet)/255+1))
		b = append(b, bytes.Repeat([]byte{255}, len(packet)/255)...)
		b = append(b, byte(len(packet)%255))
	}
	b = append(b, packet...)
	var sum uint32
	for _, v := range b {
		sum = sum<<8 ^ o.table[byte(sum>>24)^v]
	}
	binary.LittleEndian.PutUint32(b[22:], sum)
	o.buf = b
	o.pages++
	_, err := o.w.Write(b)
	return err
}

// oggTable is for the checksum with the polynomial 0x04c11db7, not reflected.
func oggTable() (table [256]uint32) {
	for i := range table {
		r := uint32(i) << 24
		for range 8 {
			top := r >> 31
			r = r<<1 ^ top*0x04c11db7
		}
		table[i] = r
	}
	return table
}
