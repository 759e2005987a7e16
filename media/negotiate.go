package media

import (
	"context"
	"errors"
	"fmt"

	"github.com/callrx/callrx/errs"
	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"
)

type mediaName = sdp.MediaName

const (
	stable    = "stable"
	haveOffer = "have-local-offer"
)

var errNothingLeft = errors.New("every section was turned down")

// begin waits for the turn to exchange SDP and, the first time, starts the leg.
func (l *Leg) begin(ctx context.Context) error {
	select {
	case l.turn <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-l.ctx.Done():
		return errs.ErrClosed
	}
	switch {
	case l.ctx.Err() != nil:
		l.end()
		return errs.ErrClosed
	case ctx.Err() != nil:
		l.end()
		return context.Cause(ctx)
	}
	l.mu.Lock()
	first := !l.running
	l.running = true
	l.mu.Unlock()
	if first {
		l.spawn(l.run)
	}
	return nil
}

func (l *Leg) end() { <-l.turn }

// Offer makes an offer: the first, or one that renegotiates what [Leg.SetDirections]
// has changed since. It returns when the candidates are gathered. The answer goes
// to [Leg.Accept]; if none will come, call [Leg.Rollback].
//
// It returns an [*errs.MediaTrackError], an [*errs.InvalidStateTransitionError]
// while another offer waits, [errs.ErrClosed], or the cause of ctx. Nothing has
// changed then.
func (l *Leg) Offer(ctx context.Context) (string, error) { return l.offer(ctx, false) }

// Restart is [Leg.Offer] with an ICE restart (RFC 8445, section 2.4): transports
// look for a new way to the far end. A restart that is rolled back leaves the leg
// on its way to failed; another restart can follow.
func (l *Leg) Restart(ctx context.Context) (string, error) { return l.offer(ctx, true) }

func (l *Leg) offer(ctx context.Context, restart bool) (text string, err error) {
	if err := l.begin(ctx); err != nil {
		return "", err
	}
	defer l.end()
	if l.hasOffered() {
		return "", &errs.InvalidStateTransitionError{From: haveOffer, To: haveOffer}
	}
	defer func() {
		if err != nil {
			l.withdraw()
		}
	}()
	wanted, err := l.addSections()
	if err != nil {
		return "", l.failed(ctx, "offer", 0, err)
	}
	sections := l.live()
	for _, s := range sections {
		s.offering = wanted.Of(s.kind)
		if err := s.startOffer(restart); err != nil {
			return "", l.failed(ctx, "offer", s.kind, err)
		}
	}
	if err := l.gather(ctx, sections); err != nil {
		return "", l.failed(ctx, "gather candidates", 0, err)
	}
	text, err = l.describe((*section).localOffer)
	if err != nil {
		return "", l.failed(ctx, "offer", 0, err)
	}
	l.setOffered(true)
	return text, nil
}

// Accept takes the answer to the last offer. Answering twice is an
// [*errs.InvalidStateTransitionError], which does no harm: a platform that has
// sent early media may repeat its answer. Other errors are [*errs.MediaTrackError]:
// the offer still waits if the answer made no sense, and the leg is of no further
// use if a peer connection refused it.
func (l *Leg) Accept(ctx context.Context, answer string) error {
	if err := l.begin(ctx); err != nil {
		return err
	}
	defer l.end()
	if !l.hasOffered() {
		return &errs.InvalidStateTransitionError{From: stable, To: stable}
	}
	session, remote, err := parseRemote(answer)
	if err == nil {
		err = l.checkAnswer(session, remote)
	}
	if err != nil {
		return l.failed(ctx, "accept answer", 0, err)
	}
	for i, s := range l.allSlots() {
		if err := l.applyAnswer(s, session, remote[i]); err != nil {
			return l.failed(ctx, "accept answer", s.kind, err)
		}
	}
	l.setOffered(false)
	if len(l.live()) == 0 {
		return l.failed(ctx, "accept answer", 0, errNothingLeft)
	}
	return nil
}

// checkAnswer finds what is wrong with an answer before any of it is applied.
func (l *Leg) checkAnswer(session *sdp.SessionDescription, remote []remoteSection) error {
	slots := l.allSlots()
	switch {
	case len(remote) != len(slots):
		return errSectionCount
	case bundled(session):
		return errBundled
	}
	for i, s := range slots {
		if s.kind != 0 && remote[i].kind != s.kind {
			return errSectionKind
		}
	}
	return nil
}

func (l *Leg) applyAnswer(slot *slot, session *sdp.SessionDescription, remote remoteSection) error {
	slot.agreed = true
	s := slot.section
	if s == nil {
		return nil
	}
	if remote.rejected {
		l.vacate(slot)
		return nil
	}
	text, err := split(session, remote, s.mid)
	if err != nil {
		return err
	}
	if s.pending != "" {
		offer := webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: s.pending}
		if err := s.pc.SetLocalDescription(offer); err != nil {
			return err
		}
		s.pending = ""
	}
	err = s.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: text})
	if err != nil {
		return err
	}
	s.ufrag = ufragOf(session, remote.media)
	s.agree(s.offering & remote.direction.Reverse())
	return nil
}

// Rollback takes back an offer that got no answer: sections that it added are
// gone, others go on as before. Without such an offer it does nothing.
func (l *Leg) Rollback() {
	select {
	case l.turn <- struct{}{}:
	case <-l.ctx.Done():
		return
	}
	defer l.end()
	l.withdraw()
}

// Answer takes an offer, the first or a later one, and returns the answer when the
// candidates are gathered. Sections of a kind that is not wanted, further ones of
// a kind, and ones that exist in a bundle only are turned down; the others get a
// transport each, also if the offer would bundle them. An offer of ours that waits
// is rolled back first.
//
// It returns an [*errs.MediaTrackError], [errs.ErrClosed], or the cause of ctx.
// The leg is of no further use then.
func (l *Leg) Answer(ctx context.Context, offer string) (string, error) {
	if err := l.begin(ctx); err != nil {
		return "", err
	}
	defer l.end()
	l.withdraw()
	session, remote, err := parseRemote(offer)
	if err != nil {
		return "", l.failed(ctx, "answer", 0, err)
	}
	if len(remote) < len(l.allSlots()) {
		return "", l.failed(ctx, "answer", 0, errSectionCount)
	}
	var sections []*section
	for i := range remote {
		s, err := l.applyOffer(i, session, remote[i])
		if err != nil {
			return "", l.failed(ctx, "answer", remote[i].kind, err)
		}
		if s != nil {
			sections = append(sections, s)
		}
	}
	if len(sections) == 0 {
		return "", l.failed(ctx, "answer", 0, errNothingLeft)
	}
	if err := l.gather(ctx, sections); err != nil {
		return "", l.failed(ctx, "gather candidates", 0, err)
	}
	text, err := l.describe((*section).localAnswer)
	if err != nil {
		return "", l.failed(ctx, "answer", 0, err)
	}
	for i, s := range l.allSlots() {
		if s.agreed = true; s.section != nil {
			s.section.agree(s.section.offering & remote[i].direction.Reverse())
		}
	}
	return text, nil
}

// failed names what went wrong, unless it is that the leg was closed or that the
// program's patience has ended.
func (l *Leg) failed(ctx context.Context, operation string, kind Kind, err error) error {
	switch {
	case l.ctx.Err() != nil:
		return errs.ErrClosed
	case ctx.Err() != nil:
		return fmt.Errorf("%s: %w", operation, context.Cause(ctx))
	}
	return trackError(operation, kind, err)
}
