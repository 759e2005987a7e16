package storagetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/callrx/callrx/session"
)

func laws() []law {
	return []law{
		{name: "a missing key is no error", check: missing},
		{name: "odd keys are keys like others", check: odd},
		{name: "any bytes are a value, and the last one counts", check: anyBytes},
		{name: "values are copies", check: copies},
		{name: "scopes are apart", check: apart},
		{name: "clear goes by prefix", check: clearing},
		{name: "goroutines may share it, and never see half a value", check: together},
		{name: "a context that has ended changes nothing", check: ended},
	}
}

// oddKeys are keys that a careless file name, or subject, would trip over.
func oddKeys() []string {
	return []string{
		"", ".", "..", "/", "a/b", "../../etc/passwd", `a\b`, "a:b", "sw:cached_credential", "sw:7f3e:as", "a b", "ä", "日本語",
		"a\x00b", "a\nb", "CON", "a.", "a..b", "-rf", "*", ">", "a.*", "a.>", "$KV", "%2e", "=", "a=", ".tmp-x", ".lock",
		"\xff\xfe", strings.Repeat("k", 90), "a", "A",
	}
}

func missing(p *probe) {
	for _, key := range oddKeys() {
		p.wantNone(key)
		p.remove(key)
	}
	p.clear(p.scope, "")
}

func odd(p *probe) {
	keys := oddKeys()
	for _, key := range keys {
		p.set(key, "value of "+key)
	}
	for _, key := range keys {
		p.want(key, "value of "+key)
	}
	for i, key := range keys {
		p.remove(key)
		p.wantNone(key)
		if i%8 == 0 {
			for _, other := range keys[i+1:] {
				p.want(other, "value of "+other)
			}
		}
	}
}

func anyBytes(p *probe) {
	for _, value := range []string{"x", "", "\x00\xff\n", "null", strings.Repeat("long", 1<<17), "y"} {
		p.set("k", value)
		p.want("k", value)
	}
}

func copies(p *probe) {
	mine := []byte("abc")
	if err := p.Set(p.ctx, p.scope, "k", mine); err != nil {
		p.errorf("Set: %w", err)
	}
	mine[0] = 'X'
	if got, ok, err := p.Get(p.ctx, p.scope, "k"); ok && err == nil && len(got) == 3 {
		got[1] = 'X'
	}
	p.want("k", "abc")
}

func apart(p *probe) {
	p.set("k", "mine")
	for _, other := range []session.Scope{session.ScopeSession, session.ScopePersistent} {
		if other == p.scope {
			continue
		}
		if v, ok, err := p.Get(p.ctx, other, "k"); ok || err != nil {
			p.errorf("Get in scope %s = %.20q, %v, %w", other, v, ok, err)
		}
		p.clear(other, "")
	}
	p.want("k", "mine")
}

func clearing(p *probe) {
	gone, kept := []string{"sw:", "sw:a", "sw:/b", "sw:a:c"}, []string{"sw", "SW:a", "x-sw:a", ""}
	for _, key := range append(gone, kept...) {
		p.set(key, "value of "+key)
	}
	p.clear(p.scope, "sw:")
	for _, key := range gone {
		p.wantNone(key)
	}
	for _, key := range kept {
		p.want(key, "value of "+key)
	}
	p.clear(p.scope, "")
	for _, key := range kept {
		p.wantNone(key)
	}
}

func together(p *probe) {
	var wg sync.WaitGroup
	for g := range 6 {
		wg.Go(func() {
			for i := range 12 {
				key := fmt.Sprint("k", i%3)
				p.set(key, strings.Repeat(string(rune('a'+g)), 10_000))
				if got, ok := p.get(key); ok && (len(got) != 10_000 || strings.Count(got, got[:1]) != len(got)) {
					p.errorf("Get(%q): %d bytes, of several values", key, len(got))
				}
				if i%5 == g%5 {
					p.remove(key)
				}
			}
		})
	}
	wg.Wait()
}

func ended(p *probe) {
	p.set("k", "old")
	ctx, cancel := context.WithCancel(p.ctx)
	cancel()
	failed := func(method string, err error) {
		if !errors.Is(err, context.Canceled) {
			p.errorf("%s = %w, want context.Canceled", method, err)
		}
	}
	_, _, err := p.Get(ctx, p.scope, "k")
	failed("Get", err)
	failed("Set", p.Set(ctx, p.scope, "k", []byte("new")))
	failed("Delete", p.Delete(ctx, p.scope, "k"))
	failed("Clear", p.Clear(ctx, p.scope, ""))
	if p.shared != nil {
		ok, err := p.shared.Swap(ctx, p.scope, "k", []byte("old"), []byte("new"))
		failed(fmt.Sprint("Swap: ", ok), err)
	}
	if v, ok, err := p.Get(p.ctx, p.scope, "k"); !ok || err != nil || !bytes.Equal(v, []byte("old")) {
		p.errorf("afterwards Get = %.20q, %v, %w; want the old value", v, ok, err)
	}
}
