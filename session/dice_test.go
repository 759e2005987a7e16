package session_test

import (
	"math/rand/v2"
	"sync"
	"time"
)

// dice are thrown by several goroutines. A seed fixes what they show.
type dice struct {
	mu  sync.Mutex // guards rng
	rng *rand.Rand
}

func newDice(seed, stream uint64) *dice { return &dice{rng: rand.New(rand.NewPCG(seed, stream))} }

// n is a random number below k.
func (d *dice) n(k int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.rng.IntN(k)
}

// upTo is a random duration below most.
func (d *dice) upTo(most time.Duration) time.Duration {
	return time.Duration(d.n(int(most/time.Millisecond))) * time.Millisecond
}

// between is a random duration of at least least and below most.
func (d *dice) between(least, most time.Duration) time.Duration { return least + d.upTo(most-least) }

// pick picks one of its arguments.
func pick[T any](d interface{ n(int) int }, of ...T) T { return of[d.n(len(of))] }
