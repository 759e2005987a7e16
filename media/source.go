package media

import "context"

// A Source feeds one section of a leg.
type Source interface {
	// Codecs names what the source can write, best first. [PCM] stands for every
	// codec that the leg can encode to. None means whatever was negotiated.
	Codecs() []string

	// Send writes media to out, at the pace of the media, until it has no more,
	// which is nil, until it fails, or until ctx is done, after which it returns
	// at once: a leg that ends waits two seconds for it, then leaves it behind and
	// says so in the log. It runs on a goroutine of the leg.
	//
	// It is called when the leg is connected and sends, and again, on the same
	// source, after an interruption such as hold: a source keeps its position. A
	// source serves one leg at a time. A source that is an [io.Closer] is closed
	// when its leg ends, unless it has been replaced before. Its Close should return
	// soon, too: after two seconds nobody waits for it any more.
	Send(ctx context.Context, out *Output) error
}

// A Sink takes what arrives on one section of a leg. Its methods are not called
// at the same time.
type Sink interface {
	// Codecs names what the sink can take, best first; see [Source]. Codecs that
	// it cannot take are not negotiated.
	Codecs() []string

	// Open says that the leg is connected and time begins to count. It is called
	// once, and not at all if the leg never connects.
	Open() error

	// WritePacket takes a packet in the order of arrival. The payload is valid
	// during the call only. Blocking delays nothing but this section, and the end
	// of its leg by two seconds at most. After an error the sink gets no more
	// packets.
	WritePacket(p Packet) error

	// Close says that the leg has ended. It is called once, even without Open, and
	// should return soon. A leg waits two seconds for it, then says so in the log,
	// and its own Close returns an error that wraps [context.DeadlineExceeded] and
	// names the sink. The same goes for a WritePacket that has not returned; then
	// Close is called while it runs.
	Close() error
}
