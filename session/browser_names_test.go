package session_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/callrx/callrx/session"
)

// What the Browser SDK has of a call, of its participants, of itself and of its
// capabilities, and what there is of it here: a snapshot and its observable for "foo$",
// or after a dash why there is no counterpart.
var browserNames = map[reflect.Type]string{
	reflect.TypeFor[*session.Call](): `
		id: ID
		to: To
		toName: To
		from: From
		fromName: From
		direction: Direction
		address$: Address
		options: - the program has them
		answerMediaOptions: - the program has them
		answered$: Status ObserveStatus
		answer: Answer
		reject: Reject
		hangup: Hangup
		destroy: - Hangup takes two seconds at most, whatever the service does
		destroyed$: Done Err EndReason
		clientSession: - internal
		addCallId createParticipant emitError emitMediaParamsUpdated notifyModifyFailed: - internal
		status$: Status ObserveStatus
		errors$: ObserveErrors
		bandwidthConstrained$ isNetworkHealthy$ networkIssues$ networkMetrics$: - belongs to resilience, with what follows
		qualityLevel$ qualityScore$ recoveryEvent$ recoveryState$: - likewise; Stats has the figures
		requestIceRestart: RestartICE
		requestKeyframe: RequestKeyframe
		callEvent$ signalingEvent$: ObserveEvents
		callStates$: ObserveCallStates ObserveCallPlays ObserveCallConnects
		callUpdated$: ObserveCallUpdated ObserveCallJoined ObserveCallLeft
		memberJoined$: ObserveMemberJoined
		memberUpdated$: ObserveMemberUpdated
		memberTalking$: ObserveMemberTalking
		memberLeft$: ObserveMemberLeft
		layoutEvent$ layoutUpdates$: ObserveLayoutUpdates
		webrtcMessages$: ObserveWebRTCMessages
		subscribe: Subscribe
		participants$ participantsId$: Participants ObserveParticipants Participant
		self$: Self ObserveSelf
		selfId$: SelfID ObserveSelfID
		nodeId$: NodeID ObserveNodeID
		capabilities$: Capabilities ObserveCapabilities
		layout$: Layout ObserveLayout
		layouts$: Layouts ObserveLayouts RefreshLayouts
		layoutLayers$: LayoutLayers ObserveLayoutLayers
		setLayout: SetLayout
		locked$: Locked ObserveLocked
		toggleLock: ToggleLock SetLocked
		recording$: Recording ObserveRecording
		streaming$: Streaming ObserveStreaming
		raiseHandPriority$: RaiseHandPriority ObserveRaiseHandPriority
		meta$: Meta ObserveMeta
		setMeta: SetMeta
		updateMeta: UpdateMeta
		startRecording: StartRecording
		startStreaming: StartStreaming
		execute: Execute
		executeMethod: ExecuteMethod
		userVariables$: UserVariables ObserveUserVariables MergeUserVariables
		toggleHold: ToggleHold Hold Unhold Held ObserveHeld
		transfer: Transfer
		sendDigits: SendDigits
		mediaDirections$: Directions ObserveDirections SetDirections
		mediaParamsUpdated$: ObserveMediaParams
		toggleIncomingAudio: ToggleIncomingAudio
		toggleIncomingVideo: ToggleIncomingVideo
		localStream$ remoteStream$: - sources and sinks of package media take the place of streams
		rtcPeerConnection: - a call has one for each kind; LegConfig.SettingEngine reaches them
		setAutoGainControl setEchoCancellation setNoiseSuppression: - the source is the program's; SetAudioFlags asks the service
		enablePushToTalk: EnablePushToTalk
		disablePushToTalk: DisablePushToTalk
		setPushToTalkActive: SetPushToTalkActive
		localMicrophoneGain$: LocalMicrophoneGain ObserveLocalMicrophoneGain
		setLocalMicrophoneGain: SetLocalMicrophoneGain
		localAudioLevel$: LocalAudioLevel ObserveLocalAudioLevel
		localSpeaking$: LocalSpeaking ObserveLocalSpeaking
		remoteAudioLevel$: RemoteAudioLevel ObserveRemoteAudioLevel`,
	reflect.TypeFor[*session.Participant](): `
		id: ID
		callId: CallID ObserveCallID
		nodeId$: NodeID ObserveNodeID
		name$: Name ObserveName
		type$: Type ObserveType
		userId$: UserID ObserveUserID
		addressId$: AddressID ObserveAddressID
		meta$: Meta ObserveMeta
		audioMuted$: AudioMuted ObserveAudioMuted
		videoMuted$: VideoMuted ObserveVideoMuted
		visible$: Visible ObserveVisible
		deaf$: Deaf ObserveDeaf
		handraised$: HandRaised ObserveHandRaised
		isTalking$: Talking ObserveTalking
		isAudience: Audience ObserveAudience
		autoGain$: AutoGain ObserveAutoGain
		echoCancellation$: EchoCancellation ObserveEchoCancellation
		noiseSuppression$: NoiseSuppression ObserveNoiseSuppression
		denoise$: Denoise ObserveDenoise
		lowbitrate$: LowBitrate ObserveLowBitrate
		inputVolume$: InputVolume ObserveInputVolume
		outputVolume$: OutputVolume ObserveOutputVolume
		inputSensitivity$: InputSensitivity ObserveInputSensitivity
		position$: Position ObservePosition
		parent_id requested_position room_id room_session_id: Member
		destroy: - the room ends it
		destroyed$: Done
		mute: Mute
		unmute: Unmute
		toggleMute: ToggleMute
		muteVideo: MuteVideo
		unmuteVideo: UnmuteVideo
		toggleMuteVideo: ToggleMuteVideo
		toggleDeaf: ToggleDeaf SetDeaf
		toggleHandraise: ToggleHandraise SetHandRaised
		toggleLowbitrate: ToggleLowbitrate SetLowBitrate
		toggleAudioInputAutoGain: ToggleAudioInputAutoGain SetAudioFlags AudioFlags
		toggleEchoCancellation: ToggleEchoCancellation
		toggleNoiseSuppression: ToggleNoiseSuppression
		setAudioInputVolume: SetAudioInputVolume
		setAudioOutputVolume: SetAudioOutputVolume
		setAudioInputSensitivity: SetAudioInputSensitivity
		setPosition: SetPosition
		setMeta: SetMeta
		updateMeta: UpdateMeta
		remove: Remove
		end: End`,
	reflect.TypeFor[*session.SelfParticipant](): `
		capabilities: Capabilities
		addAdditionalDevice: AddAdditionalDevice
		removeAdditionalDevice: RemoveAdditionalDevice
		addAudioInputDevice: AddAudioInputDevice
		addVideoInputDevice: AddVideoInputDevice
		addInputDevices: AddAudioInputDevice AddVideoInputDevice
		enableStudioAudio: EnableStudioAudio
		disableStudioAudio: DisableStudioAudio
		studioAudio$: StudioAudio ObserveStudioAudio
		startScreenShare: StartScreenShare
		stopScreenShare: StopScreenShare
		screenShareStatus$: ScreenShareStatus ObserveScreenShareStatus
		selectAudioInputDevice selectVideoInputDevice: SelectAudioInput SelectVideoInput
		selectAudioOutputDevice: - Devices.SelectAudioOutput, which a sink of Devices.OpenSelectedOutput follows
		setAudioInputDeviceConstraints setVideoInputDeviceConstraints setInputDevicesConstraints: SetAudioInputConstraints SetVideoInputConstraints SetInputConstraints`,
	reflect.TypeFor[*session.Devices](): `
		audioInputDevices$: AudioInputs ObserveAudioInputs
		audioOutputDevices$: AudioOutputs ObserveAudioOutputs
		videoInputDevices$: VideoInputs ObserveVideoInputs
		selectedAudioInputDevice$: SelectedAudioInput ObserveSelectedAudioInput
		selectedAudioOutputDevice$: SelectedAudioOutput ObserveSelectedAudioOutput
		selectedVideoInputDevice$: SelectedVideoInput ObserveSelectedVideoInput
		selectedAudioInputDeviceConstraints: AudioInputConstraints
		selectedVideoInputDeviceConstraints: VideoInputConstraints
		deviceInfoToConstraints: ConstraintsFor
		selectAudioInputDevice: SelectAudioInput
		selectAudioOutputDevice: SelectAudioOutput
		selectVideoInputDevice: SelectVideoInput
		applySelectedAudioOutputDevice: OpenSelectedOutput
		enableDeviceMonitoring: EnableMonitoring
		disableDeviceMonitoring: DisableMonitoring
		enumerateDevices: Enumerate
		getDeviceCapabilities: Capabilities
		isValidDevice: Valid
		setStorageManager: SetStorage
		clearDeviceState: ClearState
		disableAudioInput: DisableAudioInput
		enableAudioInput: EnableAudioInput
		disableVideoInput: DisableVideoInput
		enableVideoInput: EnableVideoInput
		audioInputDisabled$: AudioInputDisabled ObserveAudioInputDisabled
		videoInputDisabled$: VideoInputDisabled ObserveVideoInputDisabled
		deviceRecovered$: ObserveRecovered
		requestMediaPermissions: Probe
		errors$: ObserveErrors`,
	reflect.TypeFor[*session.SelfCapabilities](): `
		self$: Self ObserveSelf
		member$: Member ObserveMember
		end$: End ObserveEnd
		setLayout$: SetLayout ObserveSetLayout
		sendDigit$: SendDigit ObserveSendDigit
		vmutedHide$: VMutedHide ObserveVMutedHide
		lock$: Lock ObserveLock
		device$: Device ObserveDevice
		screenshare$: Screenshare ObserveScreenshare
		state$: State ObserveState
		destroyed$: - SelfParticipant.Done
		destroy: - the participant ends it`,
}

// Whoever comes from the Browser SDK finds every member of a room's objects, and of its
// devices.
func TestEveryMemberOfTheBrowserSDKsRoomHasACounterpart(t *testing.T) {
	for of, table := range browserNames {
		for line := range strings.Lines(strings.TrimSpace(table)) {
			theirs, ours, ok := strings.Cut(strings.TrimSpace(line), ": ")
			if reason, none := strings.CutPrefix(ours, "- "); none {
				ok, ours = ok && len(reason) > 5, ""
			}
			for name := range strings.FieldsSeq(ours) {
				if _, there := of.MethodByName(name); !there {
					t.Errorf("%v has no %s for %s", of, name, theirs)
				}
			}
			if !ok {
				t.Errorf("%v: neither a name nor a reason in %q", of, line)
			}
		}
	}
}
