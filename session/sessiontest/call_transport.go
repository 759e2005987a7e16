package sessiontest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"io"
	"net"

	"github.com/callrx/callrx/internal/peer"
	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/logging"
	"github.com/pion/webrtc/v4"
)

const receiveMTU = 1600

// newAPI prepares a transport for one section that knows exactly the given codecs, so that payload types
// are the client's and nothing else is agreed on, and the gate that keeps it from a deadlock.
func (t *callTable) newAPI(kind webrtc.RTPCodecType, codecs []codec) (*webrtc.API, *peer.Gate, error) {
	media := &webrtc.MediaEngine{}
	for _, c := range codecs {
		if err := media.RegisterCodec(c.params, kind); err != nil {
			return nil, nil, fmt.Errorf("register codec %s: %w", c.name, err)
		}
	}
	registry, settings := &interceptor.Registry{}, t.settings()
	gate := peer.Guard(&settings, registry, nil)
	if err := webrtc.ConfigureRTCPReports(registry); err != nil {
		return nil, nil, fmt.Errorf("configure reports: %w", err)
	}
	if kind == webrtc.RTPCodecTypeVideo {
		if err := webrtc.ConfigureNack(media, registry); err != nil {
			return nil, nil, fmt.Errorf("configure retransmission: %w", err)
		}
	}
	return webrtc.NewAPI(
		webrtc.WithMediaEngine(media), webrtc.WithInterceptorRegistry(registry), webrtc.WithSettingEngine(settings),
	), gate, nil
}

func (t *callTable) settings() webrtc.SettingEngine {
	var engine webrtc.SettingEngine
	engine.LoggerFactory = quietLoggers()
	engine.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	engine.SetSDPMediaLevelFingerprints(true)
	engine.SetReceiveMTU(receiveMTU)
	engine.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	if o := t.srv.opts; o.SettingEngine != nil {
		o.SettingEngine(&engine)
	} else {
		engine.SetIncludeLoopbackCandidate(true)
		if !o.AllInterfaces {
			engine.SetIPFilter(net.IP.IsLoopback)
		}
	}
	return engine
}

// newDTLSCertificate makes the one certificate of all transports.
func newDTLSCertificate() (*webrtc.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make media key: %w", err)
	}
	cert, err := webrtc.GenerateCertificate(key)
	if err != nil {
		return nil, fmt.Errorf("make media certificate: %w", err)
	}
	return cert, nil
}

// quietLoggers keeps pion from writing to the standard output. What it has to say at the end of every
// connection is no news.
func quietLoggers() logging.LoggerFactory {
	return &logging.DefaultLoggerFactory{Writer: io.Discard, DefaultLogLevel: logging.LogLevelDisabled}
}
