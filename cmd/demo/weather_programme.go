package main

import (
	"time"

	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// A spell is a time of one weather.
type spell struct {
	name       string
	does       string // what it does to the network
	lasts      time.Duration
	conditions sessiontest.NetworkConditions
}

// lineDelay is how late every packet is in any weather: a round trip of 20 ms.
const lineDelay = 10 * time.Millisecond

func clear(lasts time.Duration) spell {
	return spell{"clear", "20 ms round trip", lasts, sessiontest.NetworkConditions{Delay: lineDelay}}
}

func drizzle(lasts time.Duration) spell {
	return spell{"drizzle", "5 % lost", lasts, sessiontest.NetworkConditions{Delay: lineDelay, Loss: 0.05}}
}

func storm(lasts time.Duration) spell {
	return spell{"storm", "20 % lost", lasts, sessiontest.NetworkConditions{Delay: lineDelay, Loss: 0.2}}
}

func fog(lasts time.Duration) spell {
	return spell{"fog", "300 ms jitter", lasts, sessiontest.NetworkConditions{Delay: lineDelay, Jitter: 300 * time.Millisecond}}
}

func far(lasts time.Duration) spell {
	return spell{"far away", "800 ms round trip", lasts, sessiontest.NetworkConditions{Delay: 400 * time.Millisecond}}
}

func cut(lasts time.Duration) spell {
	return spell{"cut", "nothing passes", lasts, sessiontest.NetworkConditions{Cut: true}}
}

// A programme is what weather there will be, and how fast the client reacts to it.
type programme struct {
	spells      []spell
	preferences *session.PreferenceValues // nil: the default
}

// wholeProgramme is for people. The client has the preferences that it has anywhere.
func wholeProgramme() programme {
	const s = time.Second
	return programme{spells: []spell{
		clear(10 * s), drizzle(9 * s), storm(9 * s), fog(9 * s), far(8 * s), cut(3 * s), clear(12 * s), cut(15 * s), clear(12 * s),
	}}
}

// shortProgramme is for machines: the client loses its patience sooner, so that there is something to recover
// from.
func shortProgramme() programme {
	const s = time.Second
	p := session.DefaultPreferences()
	p.StatsPollingInterval, p.StatsNoPacketThreshold = s/2, s
	p.RecoveryDebounce, p.RecoveryCooldown = s/2, s
	p.ICEDisconnectedGrace, p.ICERestartTimeout = s, 2*s
	return programme{
		spells:      []spell{clear(3 * s), drizzle(3 * s), storm(4 * s), fog(3 * s), far(3 * s), cut(5 * s), clear(6500 * time.Millisecond)},
		preferences: &p,
	}
}

// length is how long it takes.
func (p programme) length() (all time.Duration) {
	for _, s := range p.spells {
		all += s.lasts
	}
	return all
}
