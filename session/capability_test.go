package session_test

import (
	"strings"
	"testing"

	"github.com/callrx/callrx/session"
	"github.com/google/go-cmp/cmp"
)

var (
	both, on, off = session.OnOff{On: true, Off: true}, session.OnOff{On: true}, session.OnOff{Off: true}

	// everything of a member.
	everything = session.MemberCapabilities{
		MuteAudio: both, MuteVideo: both, Deaf: both, RaiseHand: both, MicrophoneVolume: true, MicrophoneSensitivity: true,
		SpeakerVolume: true, Position: true, Meta: true, Remove: true, AudioFlags: true, Denoise: true, LowBitrate: true,
	}
)

type memberGrants = session.MemberCapabilities

// What each string grants by itself, below self and member.
var ofMembers = map[string]memberGrants{
	"":                            everything,
	".mute":                       {MuteAudio: both, MuteVideo: both},
	".mute.audio":                 {MuteAudio: both},
	".mute.audio.on":              {MuteAudio: on},
	".mute.audio.off":             {MuteAudio: off},
	".mute.video":                 {MuteVideo: both},
	".mute.video.on":              {MuteVideo: on},
	".mute.video.off":             {MuteVideo: off},
	".deaf":                       {Deaf: both},
	".deaf.on":                    {Deaf: on},
	".deaf.off":                   {Deaf: off},
	".raisehand":                  {RaiseHand: both},
	".raisehand.on":               {RaiseHand: on},
	".raisehand.off":              {RaiseHand: off},
	".microphone":                 {MicrophoneVolume: true, MicrophoneSensitivity: true},
	".microphone.volume.set":      {MicrophoneVolume: true},
	".microphone.volume":          {MicrophoneVolume: true},
	".microphone.sensitivity.set": {MicrophoneSensitivity: true},
	".speaker":                    {SpeakerVolume: true},
	".speaker.volume.set":         {SpeakerVolume: true},
	".position":                   {Position: true},
	".position.set":               {Position: true},
	".meta":                       {Meta: true},
	".audioflags.set":             {AudioFlags: true},
	".remove":                     {Remove: true},
	".denoise":                    {Denoise: true},
	".lowbitrate":                 {LowBitrate: true},
	".mutes":                      {}, // whole segments only
	"ish.deaf":                    {},
	".later":                      {},
}

var ofCalls = map[string]session.CapabilitiesState{
	"layout":          {SetLayout: true},
	"layout.set":      {SetLayout: true},
	"layouts":         {},
	"digit":           {SendDigit: true},
	"digit.send":      {SendDigit: true},
	"vmuted":          {VMutedHide: both},
	"vmuted.hide":     {VMutedHide: both},
	"vmuted.hide.on":  {VMutedHide: on},
	"vmuted.hide.off": {VMutedHide: off},
	"lock":            {Lock: both},
	"lock.on":         {Lock: on},
	"lock.off":        {Lock: off},
	"locksmith":       {},
	"device":          {Device: true},
	"device.x":        {}, // these three are exact
	"screenshare":     {ScreenShare: true},
	"screenshare.x":   {},
	"end":             {End: true},
	"end.x":           {},
	"":                {},
	"unheard.of":      {},
}

func granted(names ...string) session.CapabilitiesState {
	var c []session.Capability
	for _, name := range names {
		c = append(c, session.Capability(name))
	}
	return session.ComputeCapabilities(c)
}

func TestEachCapabilityGrantsWhatItSays(t *testing.T) {
	check := func(name string, want session.CapabilitiesState) {
		t.Helper()
		if diff := cmp.Diff(want, granted(name)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", name, diff)
		}
	}
	for name, want := range ofMembers {
		check("self"+name, session.CapabilitiesState{Self: want})
		check("member"+name, session.CapabilitiesState{Member: want})
	}
	for name, want := range ofCalls {
		check(name, want)
	}
}

func TestCapabilitiesAddUp(t *testing.T) {
	for text, want := range map[string]session.CapabilitiesState{
		"": {},
		"self member device screenshare lock end vmuted layout digit": {
			Self: everything, Member: everything, End: true, SetLayout: true, SendDigit: true, VMutedHide: both,
			Lock: both, Device: true, ScreenShare: true},
		"self.mute self.mute.video.off":            {Self: memberGrants{MuteAudio: both, MuteVideo: both}},
		"self.mute.audio.on self.mute.audio.off":   {Self: memberGrants{MuteAudio: both}},
		"self.mute.video.off member.mute.audio.on": {Self: memberGrants{MuteVideo: off}, Member: memberGrants{MuteAudio: on}},
		"lock.off vmuted.hide.on self.microphone self.remove": {
			Lock: off, VMutedHide: on, Self: memberGrants{MicrophoneVolume: true, MicrophoneSensitivity: true, Remove: true}},
	} {
		if diff := cmp.Diff(want, granted(strings.Fields(text)...)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
}

// The constants are the strings of the protocol, all of them.
func TestTheNamesOfCapabilitiesAreThoseOfTheProtocol(t *testing.T) {
	for c, want := range map[session.Capability]string{
		session.CapabilitySelf: "self", session.CapabilitySelfMute: "self.mute",
		session.CapabilitySelfMuteAudio: "self.mute.audio", session.CapabilitySelfMuteAudioOn: "self.mute.audio.on",
		session.CapabilitySelfMuteAudioOff: "self.mute.audio.off", session.CapabilitySelfMuteVideo: "self.mute.video",
		session.CapabilitySelfMuteVideoOn: "self.mute.video.on", session.CapabilitySelfMuteVideoOff: "self.mute.video.off",
		session.CapabilitySelfDeaf: "self.deaf", session.CapabilitySelfDeafOn: "self.deaf.on",
		session.CapabilitySelfDeafOff: "self.deaf.off", session.CapabilitySelfMicrophone: "self.microphone",
		session.CapabilitySelfMicrophoneVolumeSet:      "self.microphone.volume.set",
		session.CapabilitySelfMicrophoneSensitivitySet: "self.microphone.sensitivity.set",
		session.CapabilitySelfSpeaker:                  "self.speaker", session.CapabilitySelfSpeakerVolumeSet: "self.speaker.volume.set",
		session.CapabilitySelfPositionSet: "self.position.set", session.CapabilitySelfMeta: "self.meta",
		session.CapabilitySelfAudioFlagsSet: "self.audioflags.set", session.CapabilitySelfRaiseHand: "self.raisehand",
		session.CapabilitySelfRemove: "self.remove", session.CapabilitySelfDenoise: "self.denoise",
		session.CapabilitySelfLowBitrate: "self.lowbitrate",
		session.CapabilityMember:         "member", session.CapabilityMemberMuteAudioOn: "member.mute.audio.on",
		session.CapabilityMemberRemove: "member.remove", session.CapabilityMemberPositionSet: "member.position.set",
		session.CapabilityLayout: "layout", session.CapabilityLayoutSet: "layout.set", session.CapabilityDigit: "digit",
		session.CapabilityDigitSend: "digit.send", session.CapabilityVMuted: "vmuted", session.CapabilityVMutedHide: "vmuted.hide",
		session.CapabilityVMutedHideOn: "vmuted.hide.on", session.CapabilityVMutedHideOff: "vmuted.hide.off",
		session.CapabilityLock: "lock", session.CapabilityLockOn: "lock.on", session.CapabilityLockOff: "lock.off",
		session.CapabilityDevice: "device", session.CapabilityScreenShare: "screenshare", session.CapabilityEnd: "end",
	} {
		if string(c) != want {
			t.Errorf("%q is named as %q", want, c)
		}
	}
}

// Each join replaces what is granted, and each part that changes is told.
func TestCapabilitiesFollowTheRoomThatWasJoinedLast(t *testing.T) {
	inTestRoom(t, func(r *roomRig) {
		c := r.k.Self().Capabilities()
		end, lock, state := keep(c.ObserveEnd(), printed), keep(c.ObserveLock(), printed), keep(c.ObserveState(), printed)
		member, raw := keep(c.ObserveMember(), printed), keep(r.k.ObserveCapabilities(), printed)
		for _, grants := range [][]string{{"lock.on", "self"}, {"lock.on", "self", "digit"}} {
			again := joinedRoom("rs-1", member1("m-ann"))
			again["capabilities"] = grants
			r.tell("call.joined", again)
		}
		for what, n := range map[*record]int{end: 2, lock: 2, state: 3, member: 2, raw: 3} {
			if got := what.so(); len(got) != n {
				t.Errorf("%d values instead of %d: %v", len(got), n, got)
			}
		}
		if !c.SendDigit() || c.Lock() != on || c.End() || c.Device() || c.Screenshare() || c.SetLayout() ||
			c.VMutedHide() != (session.OnOff{}) || c.Self() != everything || c.Member() != (memberGrants{}) {
			t.Errorf("granted %+v", c.State())
		}
	})
}

func member1(id string) map[string]any { return member(id, "c"+strings.TrimPrefix(id, "m")) }
