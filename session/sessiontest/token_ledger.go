package sessiontest

import (
	"sync"
	"time"
)

// memory of revocations; no token lives longer in practice.
const revocationMemory = 90 * 24 * time.Hour

// tokenLedger remembers what cannot be told from a token itself: revocations, and which key a token
// was bound to on first use.
type tokenLedger struct {
	mu           sync.Mutex
	revokedSince expiring[time.Time] // by jti
	deadFamilies expiring[bool]
	boundTo      expiring[string] // jti of an unbound token -> thumbprint of the first key
}

// revokeAt revokes a token from that time on. An earlier time given before stays.
func (l *tokenLedger) revokeAt(jti string, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if before, ok := l.revokedSince.get(jti); !ok || at.Before(before) {
		l.revokedSince.put(jti, at, at.Add(revocationMemory), at)
	}
}

func (l *tokenLedger) revokeFamily(family string, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.deadFamilies.put(family, true, now.Add(revocationMemory), now)
}

func (l *tokenLedger) revoked(jti, family string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	since, ok := l.revokedSince.get(jti)
	dead, _ := l.deadFamilies.get(family)
	return ok && !now.Before(since) || dead
}

// bind records the first key seen with a token and tells whether thumbprint is that key.
func (l *tokenLedger) bind(c claims, thumbprint string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if first, ok := l.boundTo.get(c.JTI); ok {
		return equalSecret(first, thumbprint)
	}
	l.boundTo.put(c.JTI, thumbprint, c.expiry(), now)
	return true
}
