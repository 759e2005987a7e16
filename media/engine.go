package media

import (
	"time"

	"github.com/callrx/callrx/internal/peer"
	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/report"
	"github.com/pion/webrtc/v4"
)

// reportInterval is how often sender and receiver reports go out: the round trip
// and the loss seen by the far end are that old at most.
const reportInterval = time.Second

// patientChecks is how often a pair of candidates is tried, five times a second:
// for as long as ICE takes to fail. Pion's own seven would give a pair up 1.4 s
// after a network went away, for good.
const patientChecks = 150

// newPeerConnection builds the peer connection of one section, which has one
// kind of media, its codecs, and nothing else, and its gate, which says so when it
// opens.
func newPeerConnection(cfg *LegConfig, kind Kind, codecs codecSet, certificate webrtc.Certificate, opened func()) (*webrtc.PeerConnection, *peer.Gate, error) {
	engine := &webrtc.MediaEngine{}
	registry := &interceptor.Registry{}
	settings := newSettingEngine(cfg, kind)
	gate := peer.Guard(&settings, registry, opened)
	if err := registerCodecs(engine, kind, codecs); err != nil {
		return nil, nil, err
	}
	if err := registerInterceptors(engine, registry, kind); err != nil {
		return nil, nil, err
	}
	api := webrtc.NewAPI(webrtc.WithMediaEngine(engine), webrtc.WithInterceptorRegistry(registry), webrtc.WithSettingEngine(settings))
	pc, err := api.NewPeerConnection(configuration(cfg, certificate))
	return pc, gate, err
}

func registerCodecs(engine *webrtc.MediaEngine, kind Kind, codecs codecSet) error {
	for _, codec := range codecs {
		if err := engine.RegisterCodec(codec, codecType(kind)); err != nil {
			return err
		}
	}
	return nil
}

// registerInterceptors adds reports for both kinds, and for video the repair of
// losses and the feedback from which a far end estimates bandwidth.
func registerInterceptors(engine *webrtc.MediaEngine, registry *interceptor.Registry, kind Kind) error {
	err := webrtc.ConfigureRTCPReportsWithOptions(registry,
		[]report.ReceiverOption{report.ReceiverInterval(reportInterval)},
		report.SenderInterval(reportInterval))
	if err != nil || kind == KindAudio {
		return err
	}
	if err := webrtc.ConfigureNack(engine, registry); err != nil {
		return err
	}
	return webrtc.ConfigureTWCCSender(engine, registry)
}

func newSettingEngine(cfg *LegConfig, kind Kind) webrtc.SettingEngine {
	settings := webrtc.SettingEngine{LoggerFactory: pionLoggers{cfg.Logger.With("section", kind.String())}}
	settings.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	settings.SetSDPMediaLevelFingerprints(true)
	settings.SetICEMaxBindingRequests(patientChecks)
	settings.SetHandleUndeclaredSSRCWithoutAnswer(true)
	if cfg.RelayOnly {
		settings.SetRelayAcceptanceMinWait(0) // nothing better will come
	}
	if cfg.SettingEngine != nil {
		cfg.SettingEngine(&settings)
	}
	return settings
}

func configuration(cfg *LegConfig, certificate webrtc.Certificate) webrtc.Configuration {
	c := webrtc.Configuration{
		Certificates:              []webrtc.Certificate{certificate},
		RTPHeaderEncryptionPolicy: webrtc.RTPHeaderEncryptionPolicyDisable,
	}
	if cfg.RelayOnly {
		c.ICETransportPolicy = webrtc.ICETransportPolicyRelay
	}
	for _, s := range cfg.ICEServers {
		c.ICEServers = append(c.ICEServers, webrtc.ICEServer{
			URLs: s.URLs, Username: s.Username, Credential: s.Credential,
		})
	}
	return c
}

func codecType(kind Kind) webrtc.RTPCodecType {
	if kind == KindVideo {
		return webrtc.RTPCodecTypeVideo
	}
	return webrtc.RTPCodecTypeAudio
}
