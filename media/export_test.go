package media

// Senders is how many streams pion believes it sends for one kind.
func (l *Leg) Senders(kind Kind) (n int) {
	for _, sender := range l.section(kind).pc.GetSenders() {
		if sender.Track() != nil {
			n++
		}
	}
	return n
}

// Receives is whether packets of one kind would reach the sink now.
func (l *Leg) Receives(kind Kind) bool { return l.section(kind).inlet.received.open.Load() }
