package main

import (
	"fmt"
	"sync"
	"time"

	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
)

// unheard is how long nothing may arrive before there is nothing to measure.
const unheard = time.Second

// A reading is what a call tells of its network at one moment.
type reading struct {
	at                time.Duration // since the first spell began
	silent            time.Duration // for how long nothing has arrived
	score             float64
	quality           media.QualityLevel
	lossHere, lossFar float64 // in percent, of what arrives here and at the far end
	jitter, roundTrip time.Duration
}

// heard reports whether anything arrives, so that there is something to measure.
func (r reading) heard() bool { return r.silent < unheard }

// A stretch is a spell that has begun.
type stretch struct {
	spell
	from, to time.Duration // to: until now, while it lasts
	last     reading       // in it
	silence  time.Duration // the longest
}

// A happening is something that recovery did.
type happening struct {
	at     time.Duration
	action session.RecoveryAction
	text   string
}

// A record is everything that was seen of a call in bad weather. Any goroutine may add to it.
type record struct {
	mu         sync.Mutex
	began      time.Time // the first spell
	restored   time.Time // when the network was last cut and is no more
	trouble    time.Time // when recovery had to begin
	attempt    time.Time // when its last attempt began
	stretches  []stretch
	readings   []reading
	happenings []happening
}

// turn begins the next spell.
func (r *record) turn(s spell) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.began.IsZero() {
		r.began = time.Now()
	}
	now := time.Since(r.began)
	if n := len(r.stretches); n > 0 {
		r.stretches[n-1].to = now
		if r.stretches[n-1].conditions.Cut && !s.conditions.Cut {
			r.restored = time.Now()
		}
	}
	r.stretches = append(r.stretches, stretch{spell: s, from: now, to: now})
}

// read adds what the figures of a call come to, to the spell that it is.
func (r *record) read(f session.CallStats, lastPacket time.Time) reading {
	r.mu.Lock()
	defer r.mu.Unlock()
	v := reading{
		at: time.Since(r.began), silent: time.Since(lastPacket), score: f.QualityScore, quality: f.Quality,
		lossHere: f.Loss, lossFar: 100 * f.Audio.FarLossFraction, jitter: f.Audio.Jitter, roundTrip: f.RoundTrip,
	}
	r.readings = append(r.readings, v)
	s := &r.stretches[len(r.stretches)-1]
	s.to, s.last = v.at, v
	if !v.heard() {
		s.silence = max(s.silence, min(v.silent, v.at-s.from))
	}
	return v
}

// recovered adds what recovery did, and returns it in words.
func (r *record) recovered(e session.RecoveryEvent) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch e.Action {
	case session.RecoveryCallRecovering:
		r.trouble = e.Time
	case session.RecoveryReinviteStarted:
		r.attempt = e.Time
	}
	text := r.wordsLocked(e)
	r.happenings = append(r.happenings, happening{e.Time.Sub(r.began), e.Action, text})
	return text
}

// wordsLocked says what a step of recovery is about.
func (r *record) wordsLocked(e session.RecoveryEvent) string {
	took := func(since time.Time) string { return fmt.Sprintf("%.1f s", e.Time.Sub(since).Seconds()) }
	switch e.Action {
	case session.RecoveryCallRecovering:
		return "the call is being recovered: " + e.Reason
	case session.RecoveryReinviteStarted:
		return fmt.Sprintf("re-invite, attempt %d of %d", e.Attempt, e.MaxAttempts)
	case session.RecoveryReinviteSucceeded:
		return fmt.Sprintf("attempt %d has brought media back after %s", e.Attempt, took(r.attempt))
	case session.RecoveryReinviteTimeout:
		return fmt.Sprintf("attempt %d brought nothing in %s", e.Attempt, took(r.attempt))
	case session.RecoveryReinviteFailed:
		return fmt.Sprintf("attempt %d has failed", e.Attempt)
	case session.RecoveryCallRecovered:
		if r.restored.Before(r.trouble) { // it found a way around the trouble
			return "recovered after " + took(r.trouble)
		}
		return fmt.Sprintf("recovered, %s after the network was back", took(r.restored))
	}
	return string(e.Action)
}

// seen is a copy of the record so far, for who shows it.
func (r *record) seen() (stretches []stretch, readings []reading, happenings []happening) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append(stretches, r.stretches...), append(readings, r.readings...), append(happenings, r.happenings...)
}
