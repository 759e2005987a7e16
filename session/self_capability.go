package session

import "github.com/callrx/callrx/observable"

// SelfCapabilities say what the service lets a call do, and tell each change,
// which comes with a room that the call joins. They end with their participant.
type SelfCapabilities struct {
	granted facts[CapabilitiesState]
}

const (
	factAllGranted factKey = iota
	factSelf
	factMember
	factEnd
	factSetLayout
	factSendDigit
	factVMutedHide
	factLock
	factDevice
	factScreenShare
)

func newSelfCapabilities() *SelfCapabilities {
	return &SelfCapabilities{granted: facts[CapabilitiesState]{now: &CapabilitiesState{}}}
}

// State is all of them at one moment.
func (c *SelfCapabilities) State() CapabilitiesState { return *c.granted.get() }

// ObserveState is the state stream of State.
func (c *SelfCapabilities) ObserveState() observable.Of[CapabilitiesState] {
	return observeSame(&c.granted, factAllGranted, func(s *CapabilitiesState) CapabilitiesState { return *s })
}

// Self is what the call may do to itself.
func (c *SelfCapabilities) Self() MemberCapabilities { return c.granted.get().Self }

// ObserveSelf is the state stream of Self.
func (c *SelfCapabilities) ObserveSelf() observable.Of[MemberCapabilities] {
	return observeSame(&c.granted, factSelf, func(s *CapabilitiesState) MemberCapabilities { return s.Self })
}

// Member is what the call may do to other members.
func (c *SelfCapabilities) Member() MemberCapabilities { return c.granted.get().Member }

// ObserveMember is the state stream of Member.
func (c *SelfCapabilities) ObserveMember() observable.Of[MemberCapabilities] {
	return observeSame(&c.granted, factMember, func(s *CapabilitiesState) MemberCapabilities { return s.Member })
}

// End reports whether the call may end that of a member.
func (c *SelfCapabilities) End() bool { return c.granted.get().End }

// ObserveEnd is the state stream of End.
func (c *SelfCapabilities) ObserveEnd() observable.Of[bool] {
	return observeSame(&c.granted, factEnd, func(s *CapabilitiesState) bool { return s.End })
}

// SetLayout reports whether the call may change the layout.
func (c *SelfCapabilities) SetLayout() bool { return c.granted.get().SetLayout }

// ObserveSetLayout is the state stream of SetLayout.
func (c *SelfCapabilities) ObserveSetLayout() observable.Of[bool] {
	return observeSame(&c.granted, factSetLayout, func(s *CapabilitiesState) bool { return s.SetLayout })
}

// SendDigit reports whether the call may press keys.
func (c *SelfCapabilities) SendDigit() bool { return c.granted.get().SendDigit }

// ObserveSendDigit is the state stream of SendDigit.
func (c *SelfCapabilities) ObserveSendDigit() observable.Of[bool] {
	return observeSame(&c.granted, factSendDigit, func(s *CapabilitiesState) bool { return s.SendDigit })
}

// VMutedHide is whether the call may hide members without video, and show them.
func (c *SelfCapabilities) VMutedHide() OnOff { return c.granted.get().VMutedHide }

// ObserveVMutedHide is the state stream of VMutedHide.
func (c *SelfCapabilities) ObserveVMutedHide() observable.Of[OnOff] {
	return observeSame(&c.granted, factVMutedHide, func(s *CapabilitiesState) OnOff { return s.VMutedHide })
}

// Lock is whether the call may lock the room, and unlock it.
func (c *SelfCapabilities) Lock() OnOff { return c.granted.get().Lock }

// ObserveLock is the state stream of Lock.
func (c *SelfCapabilities) ObserveLock() observable.Of[OnOff] {
	return observeSame(&c.granted, factLock, func(s *CapabilitiesState) OnOff { return s.Lock })
}

// Device reports whether the call may add devices.
func (c *SelfCapabilities) Device() bool { return c.granted.get().Device }

// ObserveDevice is the state stream of Device.
func (c *SelfCapabilities) ObserveDevice() observable.Of[bool] {
	return observeSame(&c.granted, factDevice, func(s *CapabilitiesState) bool { return s.Device })
}

// Screenshare reports whether the call may share a screen.
func (c *SelfCapabilities) Screenshare() bool { return c.granted.get().ScreenShare }

// ObserveScreenshare is the state stream of Screenshare.
func (c *SelfCapabilities) ObserveScreenshare() observable.Of[bool] {
	return observeSame(&c.granted, factScreenShare, func(s *CapabilitiesState) bool { return s.ScreenShare })
}
