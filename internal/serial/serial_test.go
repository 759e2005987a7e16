package serial_test

import (
	"slices"
	"sync"
	"testing"

	"github.com/callrx/callrx/internal/serial"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestFunctionsRunInOrderAlsoWhenGivenFromInside(t *testing.T) {
	var workers sync.WaitGroup
	q := serial.Queue{Workers: &workers}
	var got []int
	q.Do(func() {
		q.Do(func() { got = append(got, 2) })
		got = append(got, 1)
	})
	workers.Wait()
	q.Do(func() { got = append(got, 3) }) // the goroutine is made anew
	workers.Wait()
	if !slices.Equal(got, []int{1, 2, 3}) {
		t.Errorf("ran in the order %v", got)
	}
}

func TestGiverDoesNotWait(t *testing.T) {
	var q serial.Queue
	hold, done := make(chan struct{}), make(chan struct{})
	q.Do(func() { <-hold })
	q.Do(func() { close(done) }) // returns although the first still runs
	close(hold)
	<-done
}
