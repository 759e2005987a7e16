package session

import "context"

// Resubscribe asks for the call's events again, as after a new session.
func (k *Call) Resubscribe(ctx context.Context) { k.resubscribe(ctx) }
