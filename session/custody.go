package session

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/callrx/callrx/errs"
)

// A call that the service has taken is on record in the storage, so that another
// process can go on with it (behaviour.md 8). Where several processes share the
// storage, a record has an owner, who shows that it lives by writing it again and
// again. Who reads that a call of its own has another owner takes its leave.

// custody is what a client knows of the records of its calls. The loop owns it
// and runs its methods.
type custody struct {
	c          *Client
	owner      string // what this client writes as
	key        string // of the user's records; empty before there is a user
	beating    bool
	writing    bool            // a beat is being written
	renewedAt  time.Time       // a write of ours that the storage took began: until a lease later, nobody else has
	elsewhere  bool            // another process has the session that is stored, and keeps it
	left       attachRecords   // calls of an earlier process, taken over and not taken up yet
	ready      bool            // to take them up
	seeking    map[string]bool // calls that the service offers and whose record is looked for
	handedOver bool
}

func newCustody(c *Client) custody {
	return custody{c: c, owner: rand.Text(), left: attachRecords{}, seeking: map[string]bool{}}
}

// write puts records under this client's name. What is another's by now is lost.
func (u *custody) write(mine attachRecords, done func(ok bool)) {
	var lost []string
	began := time.Now()
	u.c.store.amend(u.key, mine.write(u.owner, u.owner, &lost), func(ok bool) {
		u.c.post(func() {
			if ok {
				u.renewed(began)
				u.lose(lost)
			}
			done(ok)
		})
	})
}

// renewed: the storage has taken a write that began then. The answer may have been
// long on its way, while others watched. By the wall clock: machines sleep.
func (u *custody) renewed(began time.Time) { u.renewedAt = began.Round(0) }

// renewedFor tells how long ago that was.
func (u *custody) renewedFor() time.Duration {
	if ago := time.Now().Round(0).Sub(u.renewedAt); ago >= 0 {
		return ago
	}
	return lease
}

// mine are the records of all calls that this client has now.
func (u *custody) mine() attachRecords {
	mine := attachRecords{}
	now := time.Now().UnixMilli()
	for id, r := range u.left {
		r.AttachedAt = now
		mine[id] = r
	}
	for _, k := range u.c.streams.calls.Get() {
		if k.kept {
			mine[k.id] = k.record()
		}
	}
	return mine
}

// beginBeats shows that this client lives for as long as it has calls.
func (u *custody) beginBeats() {
	if u.beating || u.c.store.shared() == nil {
		return
	}
	u.beating = true
	u.c.workers.Go(func() {
		tick := time.NewTicker(beatPeriod)
		defer tick.Stop()
		for more := true; more; {
			select {
			case <-tick.C:
				_ = u.c.ask(u.c.ctx, func() { more = u.beat() })
			case <-u.c.ctx.Done():
				return
			}
		}
	})
}

// beat reports whether there is still something to live for.
func (u *custody) beat() bool {
	mine := u.mine()
	u.beating = len(mine) > 0
	if u.beating && !u.writing {
		u.writing = true
		u.write(mine, func(bool) { u.writing = false })
	}
	return u.beating
}

// lose gives up calls that another process has taken over. No word of it to the
// service, which would end them for the other as well.
func (u *custody) lose(calls []string) {
	for _, id := range calls {
		owned := &errs.CallOwnedError{CallID: id}
		_, left := u.left[id]
		delete(u.left, id)
		k := u.c.legs[id]
		if live := k != nil && k.id == id && k.known; !live && !left {
			continue
		}
		u.elsewhere, u.c.resume = true, resume{} // the session goes with its calls
		u.c.report(owned)
		if k != nil {
			k.kept, k.known = false, false
			why := &errs.CallEndedError{By: errs.EndedByNetwork, Cause: "taken over", OriginalError: owned}
			k.report(why, true)
			k.end(callFailed, why)
		}
	}
}

// drop takes a call off the record. done is told, in the end.
func (u *custody) drop(id string, done func()) {
	lost := false
	u.c.store.amend(u.key, func(all attachRecords) bool {
		r, ok := all[id]
		lost = ok && r.Owner != u.owner
		delete(all, id)
		return ok && !lost
	}, func(ok bool) {
		u.c.post(func() {
			if ok && lost {
				u.lose([]string{id})
			}
			done()
		})
	})
}

// dropAll takes every call off the record that no other process has.
func (u *custody) dropAll() {
	u.left = attachRecords{}
	if u.key == "" || u.handedOver {
		return
	}
	alone := u.c.store.shared() == nil
	u.c.store.amend(u.key, func(all attachRecords) bool {
		before := len(all)
		for id, r := range all {
			if alone || r.Owner == u.owner {
				delete(all, id)
			}
		}
		return len(all) < before
	}, nil)
}

// confirmSession gives up the session that a connection is to resume if another
// process has resumed it since: the two would take it from each other for ever.
func (c *Client) confirmSession(ctx context.Context) {
	user := ""
	err := c.ask(ctx, func() {
		if u := c.streams.user.Get(); u != nil && c.resume.usable() && !c.custody.elsewhere {
			user = u.ID
		}
	})
	if err != nil || user == "" || !c.store.othersState(ctx, user) {
		return
	}
	_ = c.ask(ctx, func() { c.custody.elsewhere, c.resume = true, resume{} })
	c.report(&errs.SessionOwnedError{})
}

// confirmCalls makes sure, as far as the storage can be asked, that this client
// still has its calls; what it has no more is lost when it returns. It reports
// false when another process may have taken them over unnoticed.
func (c *Client) confirmCalls(ctx context.Context) bool {
	u, told := &c.custody, make(chan bool, 1)
	err := c.ask(ctx, func() {
		mine := u.mine()
		if c.store.shared() == nil || len(mine) == 0 || u.renewedFor() < beatPeriod {
			told <- true
			return
		}
		u.write(mine, func(ok bool) { told <- ok })
	})
	patience := time.NewTimer(storeReadTimeout)
	defer patience.Stop()
	ok := false
	if err == nil {
		select {
		case ok = <-told:
		case <-patience.C:
		case <-ctx.Done():
		}
	}
	if ok {
		return true
	}
	fresh := make(chan bool, 1) // ask may return before it is known
	return c.ask(ctx, func() { fresh <- u.renewedFor() < lease }) == nil && <-fresh
}
