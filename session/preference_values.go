package session

import (
	"time"

	"github.com/callrx/callrx/media"
)

// PreferenceValues are what a client does where nothing more explicit is said.
// From strong to weak: an option of Dial or Answer, the "?channel=" of a dialled
// address, a preference, what is built in; and for what Options can say too, the
// option wins. A change affects what begins after it.
//
// Make one with DefaultPreferences: the zero value is not valid. Fields marked
// (not stored) are left out by Preferences.Persist.
type PreferenceValues struct {
	// ConnectionTimeout bounds the opening of one socket; above zero. Default:
	// 10 s. Options.ConnectTimeout wins.
	ConnectionTimeout time.Duration
	// ReconnectDelayMin and ReconnectDelayMax bound the growing delay between
	// attempts to reconnect; above zero. Default: 100 ms and 3 s.
	// Options.Reconnect wins.
	ReconnectDelayMin, ReconnectDelayMax time.Duration
	// ReconnectCallsTimeout is how long after it was lost a call may still be
	// attached to another session, and taken up by another process; above zero.
	// Default: 5 min.
	ReconnectCallsTimeout time.Duration
	// RelayURL replaces the WebSocket address that the token names; plain ws is
	// allowed on loopback only. Default: empty, as the token says.
	// Options.RelayURL wins.
	RelayURL string

	// ReceiveAudio and ReceiveVideo say whether calls receive each kind.
	// Default: audio yes, video if it is sent.
	ReceiveAudio, ReceiveVideo media.Toggle
	// VideoCodecs and AudioCodecs list preferred codecs by name. The rest follows
	// in the usual order, and so does all of it by default.
	VideoCodecs, AudioCodecs []string
	// StereoAudio asks for Opus in stereo. Default: false.
	StereoAudio bool
	// UserVariables travel with every message of a call; those of the dialled
	// address, of Dial and of the service are added to them. They must be
	// encodable as JSON. Default: none.
	UserVariables map[string]any

	// ICEServers replace those that the service offers. Default: nil, as the
	// service says; empty means none at all.
	ICEServers []media.ICEServer
	// RelayOnly sends media through TURN servers only. Default: false.
	RelayOnly bool
	// DisableUDPICEServers uses ICE servers over TCP only, and nothing but them,
	// where UDP does not get through. Default: false.
	DisableUDPICEServers bool
	// ICECandidateTimeout is how long no new candidate may come before an offer
	// goes out although gathering goes on; above zero. Default: 600 ms.
	ICECandidateTimeout time.Duration
	// ICEGatheringTimeout bounds gathering as a whole; above zero. Default: 6 s.
	ICEGatheringTimeout time.Duration

	// PreferredAudioInput, PreferredAudioOutput and PreferredVideoInput are
	// chosen when nothing is selected, or the selection has gone; by ID or by
	// Label. Default: nil, the platform's first (not stored).
	PreferredAudioInput, PreferredAudioOutput, PreferredVideoInput *media.Device
	// AudioConstraints and VideoConstraints say how calls capture. They turn
	// nothing on. Default: nil (not stored).
	AudioConstraints, VideoConstraints *media.Constraints
	// DefaultAudioConstraints and DefaultVideoConstraints are what is left of
	// constraints where those say nothing. Default: all audio processing on, and
	// ideally 1280x720 pixels in 16:9 (not stored).
	DefaultAudioConstraints, DefaultVideoConstraints *media.Constraints
	// DeviceDebounce is how long devices must have been the same before one is
	// selected automatically. Default: 1.5 s.
	DeviceDebounce time.Duration
	// DevicePollingInterval is how often devices are listed besides when the
	// platform tells of a change. Default: zero, never.
	DevicePollingInterval time.Duration
	// PersistDeviceSelection stores which devices were selected. Default: true.
	PersistDeviceSelection bool
	// SyncDevicesToActiveCalls lets an automatic choice take the place of a selected
	// device, and with it that of a call. False: what is selected stays so. Default:
	// true.
	SyncDevicesToActiveCalls bool

	// StatsPollingInterval is how often a call's figures are taken; above zero. A
	// change counts when the interval under way is over.
	// Default: 1 s.
	StatsPollingInterval time.Duration
	// StatsBaselineSamples is how many of the first figures make the baseline; at
	// least 1. Default: 10.
	StatsBaselineSamples int
	// StatsNoPacketThreshold is how long nothing may arrive of what is received
	// before that is a critical issue; above zero. Default: 2 s.
	StatsNoPacketThreshold time.Duration
	// StatsRTTSpikeMultiplier is how many times its baseline the round trip may
	// take before that is an issue, five thirds of it a critical one; at least 1.
	// Default: 3.
	StatsRTTSpikeMultiplier float64
	// StatsPacketLossThreshold is the share of packets that may be lost before
	// that is an issue, twice it a critical one; above 0, at most 1. Default:
	// 0.05.
	StatsPacketLossThreshold float64
	// StatsJitterSpikeMultiplier is how many times its baseline the jitter may
	// reach before that is an issue; at least 1. Default: 4.
	StatsJitterSpikeMultiplier float64
	// StatsHistory is how far back a call's figures are kept; above zero.
	// Default: 30 s.
	StatsHistory time.Duration

	// KeyframeMaxBurst is how many key frames may be asked for within
	// KeyframeBurstWindow before none is for KeyframeCooldown; at least 1.
	// Default: 3 in 3 s, then 10 s.
	KeyframeMaxBurst                      int
	KeyframeBurstWindow, KeyframeCooldown time.Duration
	// ReinviteDebounce is the pause before each exchange of descriptions that a
	// call begins by itself outside recovery: when the service's answer to a
	// change of directions is lost, nobody knows whether it was made, and both
	// sides agree once more on what held before. Default: 10 s.
	ReinviteDebounce time.Duration
	// ReinviteMaxAttempts is how often that is tried; at least 1. Default: 3.
	ReinviteMaxAttempts int
	// ReinviteTimeout bounds the wait for the service's answer to new
	// descriptions, unless a context says when; above zero. Default: 5 s.
	ReinviteTimeout time.Duration

	// RecoveryDebounce is how long after the first sign of trouble recovery
	// begins. Default: 2 s.
	RecoveryDebounce time.Duration
	// RecoveryCooldown is the pause between two recoveries. Default: 10 s.
	RecoveryCooldown time.Duration
	// ICEDisconnectedGrace is how long media may be without a connection before
	// that is trouble. Default: 3 s.
	ICEDisconnectedGrace time.Duration
	// ICERestartTimeout bounds one ICE restart; above zero. Default: 5 s.
	ICERestartTimeout time.Duration
	// MaxRecoveryAttempts is how many restarts are tried before the call is given
	// up; zero: none. Default: 3.
	MaxRecoveryAttempts int
	// EnableRelayFallback lets a restart use relays only, when another one has
	// failed. Default: true.
	EnableRelayFallback bool
	// EnableNetworkChangeDetection has the client hear Options.Network, if there is
	// one, and act upon changes of the machine's network at once. Default: true.
	EnableNetworkChangeDetection bool
	// EnableServerHangupInterception answers a hangup by the service for want of
	// media (MEDIA_TIMEOUT), while the call is recovering, by attaching the call
	// once more, before it ends. Default: true.
	EnableServerHangupInterception bool

	// EnableAutoDegradation pauses the video that is sent while less than
	// DegradationBitrate gets through. Default: true.
	EnableAutoDegradation bool
	// DegradationBitrate and DegradationRecoveryBitrate are where video is paused
	// and where it comes back, in bits per second; above zero. Default: 150,000
	// and 300,000.
	DegradationBitrate, DegradationRecoveryBitrate int

	// AutoMuteVideoOnSuspend has Client.Suspend stop sending video, and Resume send
	// what Suspend has stopped. Default: false.
	AutoMuteVideoOnSuspend bool
	// RefreshDevicesOnResume has Client.Resume list devices anew, while they are
	// monitored. Default: true.
	RefreshDevicesOnResume bool
	// CheckConnectionOnResume has it look whether the connection and the media of
	// calls still work. Default: true.
	CheckConnectionOnResume bool
}

// DefaultPreferences are the preferences of a client that was told nothing.
func DefaultPreferences() PreferenceValues {
	return PreferenceValues{
		ConnectionTimeout: 10 * time.Second,
		ReconnectDelayMin: 100 * time.Millisecond, ReconnectDelayMax: 3 * time.Second,
		ReconnectCallsTimeout: 5 * time.Minute,
		ICECandidateTimeout:   media.DefaultCandidateTimeout,
		ICEGatheringTimeout:   media.DefaultGatherTimeout,

		DefaultAudioConstraints: &media.Constraints{
			EchoCancellation: media.On, NoiseSuppression: media.On, AutoGainControl: media.On,
		},
		DefaultVideoConstraints: &media.Constraints{
			Width: media.Range{Ideal: 1280}, Height: media.Range{Ideal: 720}, AspectRatio: media.Range{Ideal: 16.0 / 9},
		},
		DeviceDebounce:         1500 * time.Millisecond,
		PersistDeviceSelection: true, SyncDevicesToActiveCalls: true,

		StatsPollingInterval: time.Second, StatsBaselineSamples: 10,
		StatsNoPacketThreshold: 2 * time.Second, StatsHistory: 30 * time.Second,
		StatsRTTSpikeMultiplier: 3, StatsPacketLossThreshold: 0.05, StatsJitterSpikeMultiplier: 4,

		KeyframeMaxBurst: 3, KeyframeBurstWindow: 3 * time.Second, KeyframeCooldown: 10 * time.Second,
		ReinviteDebounce: 10 * time.Second, ReinviteMaxAttempts: 3, ReinviteTimeout: 5 * time.Second,

		RecoveryDebounce: 2 * time.Second, RecoveryCooldown: 10 * time.Second,
		ICEDisconnectedGrace: 3 * time.Second, ICERestartTimeout: 5 * time.Second,
		MaxRecoveryAttempts: 3, EnableRelayFallback: true,
		EnableNetworkChangeDetection: true, EnableServerHangupInterception: true,

		EnableAutoDegradation: true, DegradationBitrate: 150_000, DegradationRecoveryBitrate: 300_000,
		RefreshDevicesOnResume: true, CheckConnectionOnResume: true,
	}
}

// preferredDevice is the field for devices of that kind.
func (v *PreferenceValues) preferredDevice(kind media.DeviceKind) **media.Device {
	switch kind {
	case media.DeviceAudioInput:
		return &v.PreferredAudioInput
	case media.DeviceAudioOutput:
		return &v.PreferredAudioOutput
	}
	return &v.PreferredVideoInput
}
