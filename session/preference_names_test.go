package session_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/callrx/callrx/session"
)

// preferencesOfBrowserSDK lists its 55 members, what each is here, and the test
// that shows what it does.
var preferencesOfBrowserSDK = []struct{ theirs, ours, shown string }{
	{"connectionTimeout", "ConnectionTimeout", "TestConnectWaitsForASocketAsLongAsPreferred"},
	{"reconnectDelayMin", "ReconnectDelayMin", "TestReconnectWaitsAsLongAsPreferred"},
	{"reconnectDelayMax", "ReconnectDelayMax", "TestReconnectWaitsAsLongAsPreferred"},
	{"reconnectCallsTimeout", "ReconnectCallsTimeout", "TestCallWaitsForTheServiceAsLongAsPreferred"},
	{"relayHost", "RelayURL", "TestClientConnectsToThePreferredRelay"},
	{"receiveVideo", "ReceiveVideo", "TestCallReceivesWhatIsPreferred"},
	{"receiveAudio", "ReceiveAudio", "TestCallReceivesWhatIsPreferred"},
	{"preferredAudioInput", "PreferredAudioInput", "TestPreferredDevicesAreChosen"},
	{"preferredAudioOutput", "PreferredAudioOutput", "TestPreferredDevicesAreChosen"},
	{"preferredVideoInput", "PreferredVideoInput", "TestPreferredDevicesAreChosen"},
	{"inputAudioConstraints", "AudioConstraints", "TestCallsCaptureAsPreferred"},
	{"inputVideoConstraints", "VideoConstraints", "TestCallsCaptureAsPreferred"},
	{"defaultAudioConstraints", "DefaultAudioConstraints", "TestCallsCaptureWithTheDefaults"},
	{"defaultVideoConstraints", "DefaultVideoConstraints", "TestCallsCaptureAsPreferred"},
	{"deviceDebounceTime", "DeviceDebounce", "TestDevicesAreChosenWhenTheyHaveBeenTheSameAsLongAsPreferred"},
	{"devicePollingInterval", "DevicePollingInterval", "TestDevicesAreListedAsOftenAsPreferred"},
	{"persistDeviceSelection", "PersistDeviceSelection", "TestTheSelectionOutlivesTheProcessIfPreferred"},
	{"syncDevicesToActiveCalls", "SyncDevicesToActiveCalls", "TestAutomaticChoicesReachCallsIfPreferred"},
	{"disableUdpIceServers", "DisableUDPICEServers", "TestCallsAvoidUDPIfPreferred"},
	{"relayOnly", "RelayOnly", "TestCallsGoThroughRelaysIfPreferred"},
	{"iceCandidateTimeout", "ICECandidateTimeout", "TestDialWaitsForCandidatesAsLongAsPreferred"},
	{"iceGatheringTimeout", "ICEGatheringTimeout", "TestDialWaitsForCandidatesAsLongAsPreferred"},
	{"iceServers", "ICEServers", "TestCallsUseThePreferredICEServers"},
	{"userVariables", "UserVariables", "TestCallsCarryPreferredUserVariables"},
	{"preferredVideoCodecs", "VideoCodecs", "TestCallOffersPreferredCodecsFirst"},
	{"preferredAudioCodecs", "AudioCodecs", "TestCallOffersPreferredCodecsFirst"},
	{"stereoAudio", "StereoAudio", "TestCallOffersStereoIfPreferred"},
	{"statsPollingInterval", "StatsPollingInterval", "TestFiguresAreTakenAsPreferred"},
	{"statsBaselineSamples", "StatsBaselineSamples", "TestMonitorHeedsPreferences"},
	{"statsNoPacketThreshold", "StatsNoPacketThreshold", "TestIssuesAreRaisedAsPreferred"},
	{"statsRttSpikeMultiplier", "StatsRTTSpikeMultiplier", "TestMonitorHeedsPreferences"},
	{"statsPacketLossThreshold", "StatsPacketLossThreshold", "TestIssuesAreRaisedAsPreferred"},
	{"statsJitterSpikeMultiplier", "StatsJitterSpikeMultiplier", "TestMonitorHeedsPreferences"},
	{"statsHistorySize", "StatsHistory", "TestFiguresAreTakenAsPreferred"},
	{"keyframeMaxBurst", "KeyframeMaxBurst", "TestKeyframesAreRationedAsPreferred"},
	{"keyframeBurstWindow", "KeyframeBurstWindow", "TestKeyframesAreRationedAsPreferred"},
	{"keyframeCooldown", "KeyframeCooldown", "TestKeyframesAreRationedAsPreferred"},
	{"reinviteDebounceTime", "ReinviteDebounce", "TestBothSidesAgreeAgainAfterAChangeOfWhichNobodyKnows"},
	{"reinviteMaxAttempts", "ReinviteMaxAttempts", "TestAgreeingIsTriedAsOftenAsPreferred"},
	{"reinviteTimeout", "ReinviteTimeout", "TestBothSidesAgreeAgainAfterAChangeOfWhichNobodyKnows"},
	{"recoveryDebounceTime", "RecoveryDebounce", "TestRecoveryIsTimedAsPreferred"},
	{"recoveryCooldown", "RecoveryCooldown", "TestRecoveryIsTimedAsPreferred"},
	{"iceDisconnectedGracePeriod", "ICEDisconnectedGrace", "TestLostPathMayHealAsLongAsPreferred"},
	{"iceRestartTimeout", "ICERestartTimeout", "TestRecoveryIsTimedAsPreferred"},
	{"maxRecoveryAttempts", "MaxRecoveryAttempts", "TestRecoveryIsTimedAsPreferred"},
	{"enableRelayFallback", "EnableRelayFallback", "TestRelaysAreTriedIfPreferredAndThere"},
	{"enableNetworkChangeDetection", "EnableNetworkChangeDetection", "TestNetworkIsHeardIfPreferred"},
	{"enableServerHangupInterception", "EnableServerHangupInterception", "TestCallThatTheServiceGivesUpForWantOfMediaIsAttachedOnce"},
	{"autoMuteVideoOnHidden", "AutoMuteVideoOnSuspend", "TestVideoIsNotSentWhileSuspendedIfPreferred"},
	{"refreshDevicesOnVisible", "RefreshDevicesOnResume", "TestDevicesAreListedOnResumeIfPreferred"},
	{"checkConnectionOnVisible", "CheckConnectionOnResume", "TestResumeReplacesADeadConnectionIfPreferred"},
	{"enableAutoDegradation", "EnableAutoDegradation", "TestVideoIsPausedAsPreferred"},
	{"degradationBitrateThreshold", "DegradationBitrate", "TestVideoIsPausedAsPreferred"},
	{"degradationRecoveryThreshold", "DegradationRecoveryBitrate", "TestVideoIsPausedAsPreferred"},
	{"enableSavePreferences", "Persist", "TestPreferencesAreSavedWholeAndLoadedBeforeTheyAreUsed"},
}

func TestEveryPreferenceHasAnEffectThatIsShown(t *testing.T) {
	if len(preferencesOfBrowserSDK) != 55 {
		t.Errorf("%d members, want 55", len(preferencesOfBrowserSDK))
	}
	tests, listed := testsOfThisPackage(t), map[string]bool{}
	for _, p := range preferencesOfBrowserSDK {
		listed[p.ours] = true
		if !tests[p.shown] {
			t.Errorf("%s: there is no %s", p.theirs, p.shown)
		}
		_, isField := reflect.TypeFor[session.PreferenceValues]().FieldByName(p.ours)
		_, isMethod := reflect.TypeFor[*session.Preferences]().MethodByName(p.ours)
		if !isField && !isMethod {
			t.Errorf("%s: there is no %s", p.theirs, p.ours)
		}
	}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[session.PreferenceValues]()) {
		if !listed[f.Name] {
			t.Errorf("%s is missing", f.Name)
		}
	}
}

// testsOfThisPackage are the names of its tests.
func testsOfThisPackage(t *testing.T) map[string]bool {
	t.Helper()
	names, err := fs.Glob(os.DirFS("."), "*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]bool{}
	for _, name := range names {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && strings.HasPrefix(f.Name.Name, "Test") {
				tests[f.Name.Name] = true
			}
		}
	}
	return tests
}
