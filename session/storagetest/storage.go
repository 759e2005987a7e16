package storagetest

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/callrx/callrx/session"
)

// TestStorage checks that what open returns, a new and empty storage each time,
// is as [session.Storage] says, in both scopes: any key of up to 90 bytes, any
// value of up to 512 KiB, copies instead of aliases, clearing by prefix, several
// goroutines, contexts that have ended. If it is a [session.SharedStorage], Swap
// is checked as well. The error lists every break of the contract; nil means
// that there was none.
func TestStorage(ctx context.Context, open func() (session.Storage, error)) error {
	var all []error
	for _, scope := range []session.Scope{session.ScopeSession, session.ScopePersistent} {
		for _, l := range append(laws(), swapLaws()...) {
			s, err := open()
			if err != nil {
				return errors.Join(append(all, fmt.Errorf("open: %w", err))...)
			}
			p := &probe{ctx: ctx, Storage: s, scope: scope, law: l.name}
			p.shared, _ = s.(session.SharedStorage)
			if p.shared != nil || !l.shared {
				l.check(p)
			}
			all = append(all, p.broken...)
		}
	}
	return errors.Join(all...)
}

// TestShared checks that the two storages that open returns, as two processes
// would have them, share their persistent values, empty at first: what one
// writes the other reads, and no Swap, Set or Delete of one gets lost between
// those of the other.
func TestShared(ctx context.Context, open func() (a, b session.SharedStorage, err error)) error {
	var all []error
	for _, l := range sharedLaws() {
		a, b, err := open()
		if err != nil {
			return errors.Join(append(all, fmt.Errorf("open: %w", err))...)
		}
		p := &probe{ctx: ctx, Storage: a, shared: a, scope: session.ScopePersistent, law: l.name}
		p.other = &probe{ctx: ctx, Storage: b, shared: b, scope: session.ScopePersistent, law: l.name}
		l.check(p)
		all = append(append(all, p.broken...), p.other.broken...)
	}
	return errors.Join(all...)
}

// A law is one thing that a storage promises.
type law struct {
	name   string
	shared bool // only a SharedStorage promises it
	check  func(p *probe)
}

// A probe is a storage that is looked at, and what is wrong with it.
type probe struct {
	session.Storage
	ctx    context.Context
	shared session.SharedStorage // nil: it is none
	other  *probe                // of the same values
	scope  session.Scope
	law    string

	mu     sync.Mutex
	broken []error
}

func (p *probe) errorf(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.broken = append(p.broken, fmt.Errorf("%s (%s scope): %w", p.law, p.scope, fmt.Errorf(format, args...)))
}

func (p *probe) get(key string) (string, bool) {
	v, ok, err := p.Get(p.ctx, p.scope, key)
	if err != nil {
		p.errorf("Get(%q): %w", key, err)
	}
	return string(v), ok
}

func (p *probe) set(key, value string) {
	if err := p.Set(p.ctx, p.scope, key, []byte(value)); err != nil {
		p.errorf("Set(%q, %.20q): %w", key, value, err)
	}
}

func (p *probe) remove(key string) {
	if err := p.Delete(p.ctx, p.scope, key); err != nil {
		p.errorf("Delete(%q): %w", key, err)
	}
}

func (p *probe) clear(scope session.Scope, prefix string) {
	if err := p.Clear(p.ctx, scope, prefix); err != nil {
		p.errorf("Clear(%s, %q): %w", scope, prefix, err)
	}
}

// swap takes nil for no value.
func (p *probe) swap(key string, old, value []byte) bool {
	ok, err := p.shared.Swap(p.ctx, p.scope, key, old, value)
	if err != nil {
		p.errorf("Swap(%q): %w", key, err)
	}
	return ok
}

func (p *probe) want(key, want string) {
	if got, ok := p.get(key); !ok || got != want {
		p.errorf("Get(%q) = %.20q (%d bytes), %v; want %.20q (%d bytes), true", key, got, len(got), ok, want, len(want))
	}
}

func (p *probe) wantNone(key string) {
	if got, ok := p.get(key); ok || got != "" {
		p.errorf("Get(%q) = %.20q, %v; want none", key, got, ok)
	}
}
