package sessiontest

import "slices"

// setMuted mutes the channels that the request names, audio without a name.
func setMuted(muted bool) func(*controlCall) (map[string]any, *refusal) {
	way := ".off"
	if muted {
		way = ".on"
	}
	return func(c *controlCall) (map[string]any, *refusal) {
		audio, video := slices.Contains(c.params.Channels, "audio"), slices.Contains(c.params.Channels, "video")
		audio = audio || !video
		if audio && !c.allowed(".mute.audio"+way) || video && !c.allowed(".mute.video"+way) {
			return nil, notPermitted()
		}
		if audio {
			c.changeTargets(func(f *memberFlags) { f.AudioMuted = muted }, "audio_muted")
		}
		if video {
			c.changeTargets(func(f *memberFlags) { f.VideoMuted, f.Visible = muted, !muted }, "video_muted", "visible")
			c.layoutChanged()
		}
		return nil, nil
	}
}

// raiseHand also moves who raises a hand, where hands have priority.
func raiseHand(raised bool) func(*controlCall) (map[string]any, *refusal) {
	return func(c *controlCall) (map[string]any, *refusal) {
		c.changeTargets(func(f *memberFlags) { f.HandRaised = raised }, "handraised")
		if c.self.room.state.PrioritizeHandRaise {
			c.layoutChanged()
		}
		return nil, nil
	}
}

func setFlag(field string, set func(*memberFlags, controlParams)) func(*controlCall) (map[string]any, *refusal) {
	return func(c *controlCall) (map[string]any, *refusal) {
		c.changeTargets(func(f *memberFlags) { set(f, c.params) }, field)
		return nil, nil
	}
}

// setNumber sets a volume or the sensitivity.
func setNumber(field string) func(*controlCall) (map[string]any, *refusal) {
	return func(c *controlCall) (map[string]any, *refusal) {
		value := c.params.Volume
		if field == "input_sensitivity" {
			value = c.params.Sensitivity
		}
		if value == nil || *value < -50 || *value > 100 {
			return nil, badParams()
		}
		if field == "input_sensitivity" {
			c.after(c.t, func() {
				for _, l := range c.targets {
					l.sensitivity.Store(int64(*value))
				}
			})
		}
		c.changeTargets(func(f *memberFlags) {
			switch field {
			case "input_volume":
				f.InputVolume = *value
			case "output_volume":
				f.OutputVolume = *value
			default:
				f.InputSensitivity = *value
			}
		}, field)
		return nil, nil
	}
}

// setAudioFlags also tells the target's client to change its microphone.
func setAudioFlags(c *controlCall) (map[string]any, *refusal) {
	p := c.params
	c.changeTargets(func(f *memberFlags) {
		f.EchoCancellation, f.AutoGain, f.NoiseSuppression = p.EchoCancellation, p.AutoGain, p.NoiseSuppression
	}, "echo_cancellation", "auto_gain", "noise_suppression")
	c.after(c.t, func() {
		for _, l := range c.targets {
			l.sendVertoLocked("verto.mediaParams", map[string]any{"callID": l.callID, "mediaParams": map[string]any{
				"audio": map[string]any{
					"autoGainControl": p.AutoGain, "echoCancellation": p.EchoCancellation, "noiseSuppression": p.NoiseSuppression,
				},
			}})
		}
	})
	return nil, nil
}

// setPositions asks for places in the layout. A place that the layout does not have is no error and changes
// nothing.
func setPositions(c *controlCall) (map[string]any, *refusal) {
	if len(c.params.Targets) == 0 {
		return nil, badParams()
	}
	c.after(c.t, func() {
		for i, l := range c.targets {
			if position := c.params.Targets[i].Position; l.answered() && l.room.hasPositionLocked(position) {
				l.flags.RequestedPosition = position
				l.updatedLocked("requested_position")
			}
		}
	})
	c.layoutChanged()
	return nil, nil
}
