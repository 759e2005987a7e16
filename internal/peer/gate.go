package peer

import (
	"io"
	"sync"

	"github.com/pion/interceptor"
	"github.com/pion/logging"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

// A Gate keeps a connection from a deadlock of pion (v4.2.26) that no pause
// excludes. There, whoever first sends, or reads the reports of, a stream has SRTP
// start as soon as DTLS is connected, before pion accepts streams. Three then wait
// for each other if the connection is closed in between, by either end:
//
//   - DTLSTransport.Stop holds the transport's lock and waits for the SRTP session
//     to have stopped reading;
//   - the session hands over the stream of the first packet, on a channel that
//     nobody reads yet;
//   - PeerConnection.startRTP, which would start the one who does, calls wantSRTP,
//     which waits for the lock.
//
// The gate is shut until startRTP itself starts SRTP: nothing passes that would do
// so before. Then startRTP has the lock behind it, and whatever happens it goes on
// to accept streams.
type Gate struct {
	interceptor.NoOp
	opened chan struct{}
	closed chan struct{} // the connection is
	open   func()
	close  func()
}

// Guard adds a gate to what the one connection of an API is made of. It must come
// before other interceptors are added, and after the logger factory is set. The
// function, which may be nil, is called when the gate opens; it must not block.
func Guard(settings *webrtc.SettingEngine, registry *interceptor.Registry, opened func()) *Gate {
	g := &Gate{opened: make(chan struct{}), closed: make(chan struct{})}
	g.open = sync.OnceFunc(func() {
		close(g.opened)
		if opened != nil {
			opened()
		}
	})
	g.close = sync.OnceFunc(func() { close(g.closed) })
	registry.Add(g)
	if settings.LoggerFactory == nil {
		settings.LoggerFactory = logging.NewDefaultLoggerFactory()
	}
	settings.LoggerFactory = gateLoggers{settings.LoggerFactory, g}
	return g
}

// Opened is closed when SRTP has started, so that what is sent goes out.
func (g *Gate) Opened() <-chan struct{} { return g.opened }

// Open reports whether SRTP has started.
func (g *Gate) Open() bool {
	select {
	case <-g.opened:
		return true
	default:
		return false
	}
}

// NewInterceptor is pion making the connection.
func (g *Gate) NewInterceptor(string) (interceptor.Interceptor, error) { return g, nil }

// BindRTCPWriter drops reports, as pion does where there is no connection.
func (g *Gate) BindRTCPWriter(next interceptor.RTCPWriter) interceptor.RTCPWriter {
	return interceptor.RTCPWriterFunc(func(packets []rtcp.Packet, a interceptor.Attributes) (int, error) {
		if !g.Open() {
			return 0, nil
		}
		return next.Write(packets, a)
	})
}

// BindLocalStream drops packets, as pion does where there is no connection.
func (g *Gate) BindLocalStream(_ *interceptor.StreamInfo, next interceptor.RTPWriter) interceptor.RTPWriter {
	return interceptor.RTPWriterFunc(func(header *rtp.Header, payload []byte, a interceptor.Attributes) (int, error) {
		if !g.Open() {
			return 0, nil
		}
		return next.Write(header, payload, a)
	})
}

// BindRTCPReader waits, as pion does where there is no connection.
func (g *Gate) BindRTCPReader(next interceptor.RTCPReader) interceptor.RTCPReader {
	return interceptor.RTCPReaderFunc(func(b []byte, a interceptor.Attributes) (int, interceptor.Attributes, error) {
		select {
		case <-g.opened:
			return next.Read(b, a)
		case <-g.closed:
			return 0, nil, io.EOF
		}
	})
}

// Close is pion having closed the connection.
func (g *Gate) Close() error {
	g.close()
	return nil
}

// gateLoggers open the gate when pion makes the logger of an SRTP session, which it
// does holding the transport's lock and nowhere else.
type gateLoggers struct {
	logging.LoggerFactory
	gate *Gate
}

func (l gateLoggers) NewLogger(scope string) logging.LeveledLogger {
	if scope == "srtp" {
		l.gate.open()
	}
	return l.LoggerFactory.NewLogger(scope)
}
