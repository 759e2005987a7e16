package session

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/url"
	"reflect"
	"slices"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
)

// A preference is what there is to know of one field of PreferenceValues.
type preference struct {
	field string
	key   string        // what it is stored as, which is its name in the Browser SDK; empty: it is not
	unit  time.Duration // that its number is stored in; zero: in milliseconds if it is a time, else as it is
	rule  func(any) string
}

// preferenceTable has a row for each field, in the order of the fields.
var preferenceTable = []preference{
	{"ConnectionTimeout", "connectionTimeout", 0, aboveZero},
	{"ReconnectDelayMin", "reconnectDelayMin", 0, aboveZero},
	{"ReconnectDelayMax", "reconnectDelayMax", 0, aboveZero},
	{"ReconnectCallsTimeout", "reconnectCallsTimeout", 0, aboveZero},
	{"RelayURL", "relayHost", 0, relayAddress},
	{"ReceiveAudio", "receiveAudio", 0, toggle},
	{"ReceiveVideo", "receiveVideo", 0, toggle},
	{"VideoCodecs", "preferredVideoCodecs", 0, names},
	{"AudioCodecs", "preferredAudioCodecs", 0, names},
	{"StereoAudio", "stereoAudio", 0, anything},
	{"UserVariables", "userVariables", 0, encodable},
	{"ICEServers", "iceServers", 0, iceServers},
	{"RelayOnly", "relayOnly", 0, anything},
	{"DisableUDPICEServers", "disableUdpIceServers", 0, anything},
	{"ICECandidateTimeout", "iceCandidateTimeout", 0, aboveZero},
	{"ICEGatheringTimeout", "iceGatheringTimeout", 0, aboveZero},
	{"PreferredAudioInput", "", 0, deviceOf(media.DeviceAudioInput)},
	{"PreferredAudioOutput", "", 0, deviceOf(media.DeviceAudioOutput)},
	{"PreferredVideoInput", "", 0, deviceOf(media.DeviceVideoInput)},
	{"AudioConstraints", "", 0, constraints},
	{"VideoConstraints", "", 0, constraints},
	{"DefaultAudioConstraints", "", 0, constraints},
	{"DefaultVideoConstraints", "", 0, constraints},
	{"DeviceDebounce", "deviceDebounceTime", 0, notNegative},
	{"DevicePollingInterval", "devicePollingInterval", 0, notNegative},
	{"PersistDeviceSelection", "persistDeviceSelection", 0, anything},
	{"SyncDevicesToActiveCalls", "syncDevicesToActiveCalls", 0, anything},
	{"StatsPollingInterval", "statsPollingInterval", 0, aboveZero},
	{"StatsBaselineSamples", "statsBaselineSamples", 0, aboveZero},
	{"StatsNoPacketThreshold", "statsNoPacketThreshold", 0, aboveZero},
	{"StatsRTTSpikeMultiplier", "statsRttSpikeMultiplier", 0, factor},
	{"StatsPacketLossThreshold", "statsPacketLossThreshold", 0, share},
	{"StatsJitterSpikeMultiplier", "statsJitterSpikeMultiplier", 0, factor},
	{"StatsHistory", "statsHistorySize", time.Second, aboveZero},
	{"KeyframeMaxBurst", "keyframeMaxBurst", 0, aboveZero},
	{"KeyframeBurstWindow", "keyframeBurstWindow", 0, aboveZero},
	{"KeyframeCooldown", "keyframeCooldown", 0, notNegative},
	{"ReinviteDebounce", "reinviteDebounceTime", 0, notNegative},
	{"ReinviteMaxAttempts", "reinviteMaxAttempts", 0, aboveZero},
	{"ReinviteTimeout", "reinviteTimeout", 0, aboveZero},
	{"RecoveryDebounce", "recoveryDebounceTime", 0, notNegative},
	{"RecoveryCooldown", "recoveryCooldown", 0, notNegative},
	{"ICEDisconnectedGrace", "iceDisconnectedGracePeriod", 0, notNegative},
	{"ICERestartTimeout", "iceRestartTimeout", 0, aboveZero},
	{"MaxRecoveryAttempts", "maxRecoveryAttempts", 0, notNegative},
	{"EnableRelayFallback", "enableRelayFallback", 0, anything},
	{"EnableNetworkChangeDetection", "enableNetworkChangeDetection", 0, anything},
	{"EnableServerHangupInterception", "enableServerHangupInterception", 0, anything},
	{"EnableAutoDegradation", "enableAutoDegradation", 0, anything},
	{"DegradationBitrate", "degradationBitrateThreshold", kilobit, aboveZero},
	{"DegradationRecoveryBitrate", "degradationRecoveryThreshold", kilobit, aboveZero},
	{"AutoMuteVideoOnSuspend", "autoMuteVideoOnHidden", 0, anything},
	{"RefreshDevicesOnResume", "refreshDevicesOnVisible", 0, anything},
	{"CheckConnectionOnResume", "checkConnectionOnVisible", 0, anything},
}

// kilobit is the unit of stored bit rates.
const kilobit = 1000

// preferencePairs are fields of which the second may not be less than the first.
var preferencePairs = [][2]string{
	{"ReconnectDelayMin", "ReconnectDelayMax"},
	{"DegradationBitrate", "DegradationRecoveryBitrate"},
}

// validate returns a *errs.ConfigError for the first value that cannot be.
func (v *PreferenceValues) validate() error {
	of := reflect.ValueOf(v).Elem()
	for _, p := range preferenceTable {
		if problem := p.rule(of.FieldByName(p.field).Interface()); problem != "" {
			return &errs.ConfigError{Field: p.field, Problem: problem}
		}
	}
	for _, pair := range preferencePairs {
		if low, high := of.FieldByName(pair[0]), of.FieldByName(pair[1]); low.Int() > high.Int() {
			return &errs.ConfigError{Field: pair[0], Problem: fmt.Sprintf("is %v: want at most the %s, which is %v", low, pair[1], high)}
		}
	}
	return nil
}

// The rules say what is wrong with a value; empty: nothing.

func anything(any) string { return "" }

func aboveZero(v any) string {
	if reflect.ValueOf(v).Int() <= 0 {
		return fmt.Sprintf("is %v: want more than zero", v)
	}
	return ""
}

func notNegative(v any) string {
	if reflect.ValueOf(v).Int() < 0 {
		return fmt.Sprintf("is %v: want zero or more", v)
	}
	return ""
}

func factor(v any) string {
	if f, _ := v.(float64); !(f >= 1) || math.IsInf(f, 0) {
		return fmt.Sprintf("is %v: want 1 or more", v)
	}
	return ""
}

func share(v any) string {
	if f, _ := v.(float64); !(f > 0 && f <= 1) {
		return fmt.Sprintf("is %v: want more than 0 and at most 1", v)
	}
	return ""
}

func toggle(v any) string {
	if t, _ := v.(media.Toggle); !t.Valid() {
		return fmt.Sprintf("is %d: want Default, On or Off", v)
	}
	return ""
}

func names(v any) string {
	if list, _ := v.([]string); slices.Contains(list, "") {
		return "holds an empty name"
	}
	return ""
}

func encodable(v any) string {
	if _, err := json.Marshal(v); err != nil {
		return "cannot be JSON: " + err.Error()
	}
	return ""
}

func relayAddress(v any) string {
	text, _ := v.(string)
	var bad *errs.ConfigError
	if errors.As(checkURL("", text, "wss", "ws"), &bad) {
		return bad.Problem
	}
	return ""
}

func deviceOf(kind media.DeviceKind) func(any) string {
	return func(v any) string {
		device, _ := v.(*media.Device)
		switch {
		case device == nil:
		case device.Kind != kind:
			return fmt.Sprintf("is of kind %q: want %q", device.Kind, kind)
		case device.ID == "" && device.Label == "":
			return "has neither ID nor Label to be known by"
		}
		return ""
	}
}

func constraints(v any) string {
	c, _ := v.(*media.Constraints)
	var bad *errs.ConfigError
	switch {
	case errors.As(c.Validate(), &bad):
		return bad.Field + ": " + bad.Problem
	case c != nil:
		return encodable(c.Extra)
	}
	return ""
}

// iceServers wants what RFC 7064 and RFC 7065 allow, and a credential for a
// relay.
func iceServers(v any) string {
	servers, _ := v.([]media.ICEServer)
	for i, s := range servers {
		if len(s.URLs) == 0 {
			return fmt.Sprintf("number %d has no URL", i)
		}
		for _, text := range s.URLs {
			u, err := url.Parse(text)
			switch {
			case err != nil || u.Opaque == "":
				return fmt.Sprintf("number %d has no URL such as turn:turn.example.com:3478", i)
			case u.Scheme == "stun" || u.Scheme == "stuns":
			case u.Scheme != "turn" && u.Scheme != "turns":
				return fmt.Sprintf("number %d has a URL of scheme %q: want stun, stuns, turn or turns", i, u.Scheme)
			case s.Username == "" || s.Credential == "":
				return fmt.Sprintf("number %d is a relay without user name or credential", i)
			}
		}
	}
	return ""
}
