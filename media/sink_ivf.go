package media

import (
	"encoding/binary"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
	"github.com/pion/webrtc/v4/pkg/media/samplebuilder"
)

// videoWindow is how many packets out of order are waited for.
const videoWindow = 128

var errCodecChanged = errors.New("the codec has changed in the middle of a file")

// An IVFSink records VP8 or VP9 as it comes into an IVF file, without decoding it.
// It begins with the first keyframe and leaves out pictures that did not arrive
// whole. Times count from Open in milliseconds.
type IVFSink struct {
	w        io.Writer
	seeker   io.Seeker // nil in a pipe
	start    int64     // where in the file the header is
	size     int64     // of the file
	opened   time.Time
	codec    Codec
	builder  *samplebuilder.SampleBuilder
	offset   time.Duration // of the first picture
	begun    bool
	extended int64 // RTP time since the first picture
	lastTime uint32
	count    uint32
	keyframe func() // asks the far end, if the leg has said how
	askedAt  time.Time
	busy     sync.Mutex // WritePacket runs
}

// NewIVFSink returns a sink that writes to w, which is closed with the sink if it
// can be. Pictures go straight to w, so the file is whole even if the process is
// killed. If w can seek, as a file can, the header says how many there are;
// elsewhere, as in a pipe, it says 0, which readers take for unknown.
func NewIVFSink(w io.Writer) *IVFSink { return &IVFSink{w: w} }

// Codecs are [VP8] and [VP9].
func (*IVFSink) Codecs() []string { return []string{VP8, VP9} }

// Open starts the clock. The file begins with the first keyframe.
func (s *IVFSink) Open() error {
	s.opened = time.Now()
	return nil
}

// onKeyframeNeeded lets the sink ask for keyframes.
func (s *IVFSink) onKeyframeNeeded(ask func()) { s.keyframe = ask }

// WritePacket takes a packet; pictures are written when they are whole.
func (s *IVFSink) WritePacket(p Packet) error {
	s.busy.Lock()
	defer s.busy.Unlock()
	if s.builder == nil {
		s.codec = p.Codec
		var d rtp.Depacketizer = &codecs.VP8Packet{}
		if p.Codec.Is(VP9) {
			d = &codecs.VP9Packet{}
		}
		s.builder = samplebuilder.New(videoWindow, d, uint32(p.Codec.ClockRate))
	}
	if !p.Codec.Is(s.codec.Name) {
		return errCodecChanged
	}
	s.builder.Push(&rtp.Packet{
		Header: rtp.Header{
			Version: 2, Marker: p.Marker, SequenceNumber: p.SequenceNumber,
			Timestamp: p.Timestamp, SSRC: p.SSRC,
		},
		Payload: append([]byte(nil), p.Payload...),
	})
	return s.pictures()
}

// pictures writes those that are whole and known to be.
func (s *IVFSink) pictures() error {
	for sample := s.builder.Pop(); sample != nil; sample = s.builder.Pop() {
		if err := s.picture(sample.Data, sample.PacketTimestamp, sample.PrevDroppedPackets > 0); err != nil {
			return err
		}
	}
	return nil
}

// picture writes one, unless the file has not begun and it is no keyframe.
func (s *IVFSink) picture(frame []byte, timestamp uint32, afterLoss bool) error {
	reader := ivfReader{codec: s.codec.Name}
	key := reader.isKey(frame)
	if (afterLoss || !s.begun) && !key {
		s.ask()
	}
	if !s.begun {
		if !key {
			return nil
		}
		if err := s.begin(frame, timestamp); err != nil {
			return err
		}
	}
	s.extended += int64(int32(timestamp - s.lastTime))
	s.lastTime = timestamp
	at := s.offset + time.Duration(s.extended)*time.Second/time.Duration(s.codec.ClockRate)
	var h [12]byte
	binary.LittleEndian.PutUint32(h[:], uint32(len(frame)))
	binary.LittleEndian.PutUint64(h[4:], uint64(max(0, at.Milliseconds())))
	if err := s.write(append(h[:], frame...)); err != nil {
		return err
	}
	s.count++
	return s.restate()
}

func (s *IVFSink) write(b []byte) error {
	n, err := s.w.Write(b)
	s.size += int64(n)
	return err
}

// restate brings the number of pictures in the header up to date.
func (s *IVFSink) restate() error {
	if s.seeker == nil {
		return nil
	}
	if _, err := s.seeker.Seek(s.start+24, io.SeekStart); err != nil {
		return err
	}
	_, err := s.w.Write(binary.LittleEndian.AppendUint32(nil, s.count))
	_, back := s.seeker.Seek(s.start+s.size, io.SeekStart)
	return errors.Join(err, back)
}

// ask requests a keyframe, once a second at most.
func (s *IVFSink) ask() {
	if now := time.Now(); s.keyframe != nil && now.Sub(s.askedAt) > time.Second {
		s.askedAt = now
		s.keyframe()
	}
}

// begin writes the header, with the size of the picture where it is easy to find.
func (s *IVFSink) begin(frame []byte, timestamp uint32) error {
	s.begun, s.lastTime = true, timestamp
	s.offset = time.Since(s.opened)
	if seeker, ok := s.w.(io.Seeker); ok {
		if at, err := seeker.Seek(0, io.SeekCurrent); err == nil {
			s.seeker, s.start = seeker, at
		}
	}
	h := make([]byte, 32)
	copy(h, "DKIF")
	h[6] = 32
	copy(h[8:], "VP80")
	if s.codec.Is(VP9) {
		copy(h[8:], "VP90")
	} else if len(frame) >= 10 { // RFC 6386, section 9.1
		copy(h[12:16], frame[6:10])
		h[13] &= 0x3f // the upper two bits scale
		h[15] &= 0x3f
	}
	binary.LittleEndian.PutUint32(h[16:], 1000)
	binary.LittleEndian.PutUint32(h[20:], 1)
	return s.write(h)
}

// Close writes the last picture and closes the file. While WritePacket is blocked it
// only closes the file, and returns an error that wraps [context.DeadlineExceeded].
func (s *IVFSink) Close() error {
	if !s.busy.TryLock() {
		return abandon(s.w, nil)
	}
	defer s.busy.Unlock()
	var err error
	if s.builder != nil {
		s.builder.Flush()
		err = s.pictures()
	}
	return errors.Join(err, closerOf(s.w)())
}
