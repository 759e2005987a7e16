package session

import "strings"

// A Capability is a permission that the service grants in a call, in dotted
// form. One grants all that begin with it: "self" grants "self.mute.audio.on".
type Capability string

// OnOff is a permission to switch something on, to switch it off, or both.
type OnOff struct{ On, Off bool }

// MemberCapabilities say what may be done to members.
type MemberCapabilities struct {
	MuteAudio OnOff
	MuteVideo OnOff
	Deaf      OnOff
	RaiseHand OnOff

	MicrophoneVolume      bool
	MicrophoneSensitivity bool
	SpeakerVolume         bool
	Position              bool
	Meta                  bool
	Remove                bool
	AudioFlags            bool
	Denoise               bool
	LowBitrate            bool
}

// CapabilitiesState is everything that a set of capabilities grants. Without
// any, nothing is.
type CapabilitiesState struct {
	Self        MemberCapabilities // what may be done to oneself
	Member      MemberCapabilities // and to others
	End         bool               // ending the call of a member
	SetLayout   bool
	SendDigit   bool
	VMutedHide  OnOff // hiding members without video
	Lock        OnOff
	Device      bool // adding devices
	ScreenShare bool
}

// ComputeCapabilities says what c grants. Strings that it does not know grant
// nothing.
func ComputeCapabilities(c []Capability) CapabilitiesState {
	g := grants(c)
	return CapabilitiesState{
		Self:        g.member("self"),
		Member:      g.member("member"),
		End:         g.exactly("end"),
		SetLayout:   g.under("layout"),
		SendDigit:   g.under("digit"),
		VMutedHide:  g.onOff(nil, "vmuted"),
		Lock:        g.onOff(nil, "lock"),
		Device:      g.exactly("device"),
		ScreenShare: g.exactly("screenshare"),
	}
}

func capabilitiesOf(names []string) []Capability {
	c := make([]Capability, len(names))
	for i, name := range names {
		c[i] = Capability(strings.Clone(name))
	}
	return c
}

// grants answers questions about a set of capabilities.
type grants []Capability

func (g grants) member(x Capability) MemberCapabilities {
	all, mute := []Capability{x}, []Capability{x, x + ".mute"}
	may := func(name Capability, parents ...Capability) bool {
		return g.exactly(append(parents, x)...) || g.under(x+name)
	}
	return MemberCapabilities{
		MuteAudio:             g.onOff(mute, x+".mute.audio"),
		MuteVideo:             g.onOff(mute, x+".mute.video"),
		Deaf:                  g.onOff(all, x+".deaf"),
		RaiseHand:             g.onOff(all, x+".raisehand"),
		MicrophoneVolume:      may(".microphone.volume", x+".microphone"),
		MicrophoneSensitivity: may(".microphone.sensitivity", x+".microphone"),
		SpeakerVolume:         may(".speaker.volume", x+".speaker"),
		Position:              may(".position"),
		Meta:                  may(".meta"),
		Remove:                may(".remove"),
		AudioFlags:            may(".audioflags"),
		Denoise:               may(".denoise"),
		LowBitrate:            may(".lowbitrate"),
	}
}

// exactly reports whether one of these is granted itself.
func (g grants) exactly(these ...Capability) bool {
	for _, c := range g {
		for _, want := range these {
			if c == want {
				return true
			}
		}
	}
	return false
}

// under reports whether root, or something below it, is granted.
func (g grants) under(root Capability) bool {
	for _, c := range g {
		if c.within(root) {
			return true
		}
	}
	return false
}

// onOff looks at what is one of parents or below root. Only what ends in .on
// does not grant off, and the other way round.
func (g grants) onOff(parents []Capability, root Capability) (may OnOff) {
	for _, c := range g {
		if c.within(root) || grants(parents).exactly(c) {
			may.On = may.On || !strings.HasSuffix(string(c), ".off")
			may.Off = may.Off || !strings.HasSuffix(string(c), ".on")
		}
	}
	return may
}

// within reports whether c is root or below it, in whole segments: "selfish" is
// not within "self".
func (c Capability) within(root Capability) bool {
	rest, ok := strings.CutPrefix(string(c), string(root))
	return ok && (rest == "" || rest[0] == '.')
}
