package session

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
	k.kept = true
	u.write(attachRecords{k.id: r}, func(bool) {})
	u.beginBeats()
}

// rewrite keeps the record of a call that has one in step with the call.
func (k *Call) rewrite() {
	if k.kept {
		k.keep()
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
