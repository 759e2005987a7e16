package sessiontest

import "time"

// expiring is a map whose entries are forgotten some time after they stopped to matter. It has no lock.
type expiring[V any] struct {
	entries map[string]expiringEntry[V]
	sweep   int // size at which the dead are swept out
}

type expiringEntry[V any] struct {
	value V
	until time.Time
}

func (m *expiring[V]) get(key string) (V, bool) {
	e, ok := m.entries[key]
	return e.value, ok
}

// put stores value; it may be forgotten from until on.
func (m *expiring[V]) put(key string, value V, until, now time.Time) {
	if m.entries == nil {
		m.entries = map[string]expiringEntry[V]{}
	}
	m.entries[key] = expiringEntry[V]{value, until}
	if len(m.entries) < max(m.sweep, 1024) {
		return
	}
	for k, e := range m.entries {
		if now.After(e.until) {
			delete(m.entries, k)
		}
	}
	m.sweep = 2 * len(m.entries)
}
