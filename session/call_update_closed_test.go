package session

import (
	"context"
	"errors"
	"testing"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
)

// TestExchangeOfACallThatEndsSaysWhyThoughItsLegIsClosed before anybody has told
// the exchange.
func TestExchangeOfACallThatEndsSaysWhyThoughItsLegIsClosed(t *testing.T) {
	why := errors.New("the call has ended")
	for _, ends := range []bool{true, false} {
		k := calm(t, func(*PreferenceValues) {})
		k.attached = true
		err := k.renegotiate(t.Context(), "change", func(_ context.Context, leg *media.Leg) error {
			if ends {
				k.leave(why)
			}
			_ = leg.Close()
			_, err := leg.Offer(context.Background())
			return err
		})
		if want := map[bool]error{true: why, false: errs.ErrClosed}[ends]; !errors.Is(err, want) {
			t.Errorf("the call ends %v: %v, want %v", ends, err, want)
		}
	}
}
