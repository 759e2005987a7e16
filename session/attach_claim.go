package session

import (
	"context"
	"maps"
	"slices"
	"time"
)

// clockTolerance is how far the clocks of two machines are apart as a rule.
const clockTolerance = 2 * time.Second

// A search looks for calls that another process left, and takes them over. A call
// that has an owner is watched first: if its record stands still for a whole lease,
// the owner is gone. How old the record says it is decides nothing: that is by the
// clock of another machine.
type search struct {
	c     *Client
	key   string
	only  string                                   // this call; empty: all
	first func()                                   // told when all is done that needs no watching; may be nil
	gain  func(won attachRecords, began time.Time) // has what a claim has brought, which others watch from then on; nil: taken has

	taken attachRecords // this client's now
	owned []string      // which have a living owner
	fresh int           // whose owner seems to live, as far as one look tells
	watch map[string]sighting
}

// A sighting is the first look at a record of somebody else.
type sighting struct {
	attachRecord
	at time.Time
}

func (c *Client) newSearch(key, only string) *search {
	return &search{c: c, key: key, only: only, taken: attachRecords{}, watch: map[string]sighting{}}
}

// run searches until every record has found an owner, or ctx ends.
func (s *search) run(ctx context.Context) {
	s.begin(ctx)
	if s.first != nil {
		s.first()
	}
	tick := time.NewTicker(beatPeriod / 3)
	defer tick.Stop()
	for len(s.watch) > 0 {
		select {
		case <-tick.C:
			s.look(ctx)
		case <-ctx.Done():
			return
		}
	}
}

// begin takes what is free, forgets what is too old, and watches the rest.
func (s *search) begin(ctx context.Context) {
	s.c.store.settled(ctx) // read what was written
	all, ok := s.c.store.readRecords(ctx, s.key)
	if !ok {
		return
	}
	now, free, old := time.Now(), attachRecords{}, attachRecords{}
	for id, r := range all {
		switch {
		case s.only != "" && s.only != id:
		case r.expired(now, s.c.preferred().ReconnectCallsTimeout):
			old[id] = r
		case s.c.store.shared() == nil, r.Owner == "", r.Owner == s.c.custody.owner:
			free[id] = r
		default:
			s.watch[id] = sighting{r, now}
			if now.Sub(time.UnixMilli(r.AttachedAt)) <= lease+clockTolerance {
				s.fresh++
			}
		}
	}
	if len(free)+len(old) > 0 {
		s.claim(ctx, free, old)
	}
}

// look takes over what has stood still for long enough.
func (s *search) look(ctx context.Context) {
	all, ok := s.c.store.readRecords(ctx, s.key)
	if !ok {
		return
	}
	free := attachRecords{}
	for id, seen := range s.watch {
		r, there := all[id]
		switch {
		case !there: // its owner has ended it
			delete(s.watch, id)
		case r.Owner == "":
			free[id] = r
		case r.Owner != seen.Owner || r.Beat != seen.Beat:
			delete(s.watch, id)
			s.owned = append(s.owned, id)
		case time.Since(seen.at) >= lease:
			free[id] = r
		}
	}
	if len(free) > 0 {
		s.claim(ctx, free, nil)
	}
}

// claim makes free records this client's, and removes old ones, if nobody has
// written them since. Of several who claim a record one gets it.
func (s *search) claim(ctx context.Context, free, old attachRecords) {
	owner, began := s.c.custody.owner, time.Now()
	var won attachRecords
	var lost []string
	done := make(chan bool, 1)
	s.c.store.amend(s.key, func(all attachRecords) bool {
		won, lost = attachRecords{}, nil
		for id, seen := range free {
			r, there := all[id]
			if there && (r.Owner != seen.Owner || r.Beat != seen.Beat) {
				lost = append(lost, id)
			} else if there {
				r.Owner, r.Beat, r.AttachedAt = owner, r.Beat+1, began.UnixMilli()
				all[id], won[id] = r, r
			}
		}
		before := len(all)
		maps.DeleteFunc(all, func(id string, r attachRecord) bool {
			seen, outdated := old[id]
			return outdated && r.Beat == seen.Beat && r.Owner == seen.Owner
		})
		return len(won) > 0 || len(all) < before
	}, func(ok bool) { done <- ok })
	select {
	case ok := <-done:
		if !ok {
			return // those that are watched are looked at again
		}
	case <-ctx.Done():
		return
	}
	if s.gain != nil {
		s.gain(won, began)
	}
	maps.Copy(s.taken, won)
	s.owned = append(s.owned, lost...)
	for _, id := range slices.AppendSeq(lost, maps.Keys(won)) {
		delete(s.watch, id)
	}
}

// readRecords reports false when there are none to be had. What makes no sense is
// none, and replaced.
func (s *store) readRecords(ctx context.Context, key string) (attachRecords, bool) {
	if s.storage == nil {
		return nil, false
	}
	var damage error
	stored, ok := access(ctx, s, "read", storeReadTimeout, func(ctx context.Context) ([]byte, error) {
		stored, _, err := s.getRecords(ctx, key)
		if isDamaged(err) {
			damage, err = err, nil
		}
		return stored, err
	})
	if !ok {
		return nil, false
	}
	records, sound := decodeRecords(stored)
	switch {
	case damage != nil:
		s.fail("decode", damage, false)
	case !sound:
		s.damaged(key)
	default:
		return records, true
	}
	s.amend(key, func(attachRecords) bool { return true }, nil)
	return records, true
}
