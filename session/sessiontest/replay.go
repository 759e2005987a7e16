package sessiontest

import (
	"container/list"
	"sync"
	"time"
)

// maxReplays bounds the memory of a replay cache; the oldest proof ids are forgotten first.
const maxReplays = 1 << 18

// replayCache remembers used proof ids per key thumbprint.
type replayCache struct {
	keep time.Duration // how long an id is remembered

	mu   sync.Mutex
	seen map[replayKey]*list.Element
	age  *list.List // of replayItem, oldest first
}

type replayKey struct{ thumbprint, jti string }

type replayItem struct {
	key replayKey
	at  time.Time
}

func newReplayCache(keep time.Duration) *replayCache {
	return &replayCache{keep: keep, seen: map[replayKey]*list.Element{}, age: list.New()}
}

// reservation is a proof id in use by a request whose outcome is not known yet.
type reservation struct {
	cache *replayCache
	key   replayKey
}

// reserve takes an id, or tells that it is taken. Two requests racing with one proof cannot both win.
func (c *replayCache) reserve(thumbprint, jti string, now time.Time) (*reservation, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forgetLocked(now)
	key := replayKey{thumbprint, jti}
	if _, taken := c.seen[key]; taken {
		return nil, false
	}
	c.seen[key] = c.age.PushBack(replayItem{key, now})
	return &reservation{c, key}, true
}

func (c *replayCache) forgetLocked(now time.Time) {
	for e := c.age.Front(); e != nil; e = c.age.Front() {
		item := e.Value.(replayItem)
		if c.age.Len() < maxReplays && now.Sub(item.at) < c.keep {
			return
		}
		c.age.Remove(e)
		delete(c.seen, item.key)
	}
}

// release gives the id back, because the request failed on the server's side.
func (r *reservation) release() {
	r.cache.mu.Lock()
	defer r.cache.mu.Unlock()
	if e, ok := r.cache.seen[r.key]; ok {
		r.cache.age.Remove(e)
		delete(r.cache.seen, r.key)
	}
}
