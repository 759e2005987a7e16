package session

import "time"

// refreshPeriod is how old the record of a call may get that the service says is
// alive.
const refreshPeriod = 30 * time.Second

// keep puts the call on record, or writes it again. A storage that fails costs
// the call nothing. On the loop, like everything in this file.
func (k *Call) keep() {
	u := &k.c.custody
	if k.state.status.ended() || k.c.store.storage == nil || u.key == "" {
		return
	}
	r := k.record()
	if r.Destination == "" {
		k.c.log.Warn("a call without a destination cannot be taken up again", "call_id", k.id)
		return
	}
	k.kept, k.keptAt = true, time.Now()
	u.write(attachRecords{k.id: r}, func(bool) {})
	u.beginBeats()
}

// rewrite keeps the record of a call that has one in step with the call.
func (k *Call) rewrite() {
	if k.kept {
		k.keep()
	}
}

// refresh shows in the record that the call lives, which the signs of life of its
// owner do as well. The service says so often, and of each call.
func (k *Call) refresh() {
	if !k.c.custody.beating && time.Since(k.keptAt) >= refreshPeriod {
		k.rewrite()
	}
}

// unkeep takes the call off the record. Where another process may have taken it
// over, k.letGo is closed when that is known.
func (k *Call) unkeep() {
	if !k.kept {
		return
	}
	k.kept = false
	done := make(chan struct{})
	if k.c.store.shared() != nil {
		k.letGo = done
	}
	k.c.custody.drop(k.id, func() { close(done) })
}
