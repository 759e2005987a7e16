package storagetest

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

func swapLaws() []law {
	return []law{
		{name: "swap needs the value it is told", shared: true, check: swapping},
		{name: "no swap gets lost", shared: true, check: func(p *probe) { counting(p, p) }},
	}
}

func sharedLaws() []law {
	return []law{
		{name: "what one writes the other reads", check: reading},
		{name: "no swap gets lost", check: func(p *probe) { counting(p, p.other) }},
		{name: "one of many makes a key", check: func(p *probe) { claiming(p, p.other) }},
		{name: "what is set between swaps stays", check: setting},
	}
}

func swapping(p *probe) {
	none, empty, x, y := []byte(nil), []byte{}, []byte("x"), []byte("y")
	for i, step := range []struct {
		old, value []byte
		swapped    bool
	}{
		{x, y, false}, {empty, x, false}, {none, none, true}, {none, empty, true}, // an empty value now
		{none, x, false}, {x, y, false}, {empty, x, true}, // x
		{y, none, false}, {empty, none, false}, {x, y, true}, // y
		{none, none, false}, {y, y, true}, {y, none, true}, {y, x, false}, {none, x, true}, {x, empty, true},
	} {
		before, exists := p.get("k")
		if got := p.swap("k", step.old, step.value); got != step.swapped {
			p.errorf("step %d: Swap from %#v to %#v = %v, where it was %q, %v", i, step.old, step.value, got, before, exists)
		}
		switch {
		case !step.swapped && exists:
			p.want("k", before)
		case !step.swapped || step.value == nil:
			p.wantNone("k")
		default:
			p.want("k", string(step.value))
		}
	}
	p.wantNone("another")
}

// counting adds up in both, from several goroutines each.
func counting(a, b *probe) {
	const goroutines, each = 4, 12
	var wg sync.WaitGroup
	for g := range goroutines {
		p := []*probe{a, b}[g%2]
		wg.Go(func() {
			for added := 0; added < each && len(p.problems()) == 0 && p.ctx.Err() == nil; {
				var old []byte
				text, ok := p.get("count")
				if ok {
					old = []byte(text)
				}
				n, _ := strconv.Atoi(text)
				if p.swap("count", old, []byte(strconv.Itoa(n+1))) {
					added++
				}
			}
		})
	}
	wg.Wait()
	a.want("count", strconv.Itoa(goroutines*each))
}

func (p *probe) problems() []error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.broken
}

func reading(p *probe) {
	for _, key := range oddKeys() {
		p.set(key, "of "+key)
		p.other.want(key, "of "+key)
	}
	big := strings.Repeat("long", 1<<17)
	p.other.set("k", big)
	p.want("k", big)
	p.other.remove("k")
	p.wantNone("k")
	p.clear(p.scope, "sw:")
	p.other.wantNone("sw:7f3e:as")
	p.other.want("a/b", "of a/b")
}

func claiming(a, b *probe) {
	for round := range 12 {
		var wg sync.WaitGroup
		var winners atomic.Int32
		key := fmt.Sprint("claim", round)
		for g := range 4 {
			p := []*probe{a, b}[g%2]
			wg.Go(func() {
				if p.swap(key, nil, []byte{}) {
					winners.Add(1)
				}
			})
		}
		wg.Wait()
		if n := winners.Load(); n != 1 {
			a.errorf("%d of 4 made the key %q", n, key)
		}
	}
}

// setting has one goroutine set numbers while another marks what it finds: a
// mark on an older number would mean that a Set was overwritten unseen.
func setting(p *probe) {
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for p.ctx.Err() == nil && len(p.other.problems()) == 0 {
			select {
			case <-done:
				return
			default:
			}
			if found, ok := p.other.get("k"); ok {
				p.other.swap("k", []byte(found), []byte(found+"!"))
			}
		}
	})
	for i := range 40 {
		want := fmt.Sprint("set ", i)
		p.set("k", want)
		if got, _ := p.get("k"); strings.TrimRight(got, "!") != want {
			p.errorf("Get = %.20q after %q was set", got, want)
		}
	}
	close(done)
	wg.Wait()
}
