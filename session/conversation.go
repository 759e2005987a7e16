package session

import (
	"context"
	"errors"
	"iter"
	"slices"
	"sync"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/observable"
)

// A Conversation is what the signed-in subscriber and an address write to each
// other, with the calls between them. It holds the pages that were loaded and
// every message that has arrived since it was opened, each once, oldest first.
// It ends with its client.
type Conversation struct {
	c     *Client
	id    string
	own   string
	turn  chan struct{} // one slot: one page at a time
	other *Address

	messages *observable.State[[]Message]
	hasMore  *observable.State[bool]

	mu    sync.Mutex // guards the rest
	list  []Message  // by time; shown, so replaced rather than changed
	known map[string]bool
	next  string // link to older ones; empty: the first page
	pages int
}

// Conversation is the conversation with the address, opened on first use: what
// the service refuses is an *errs.ConversationError. Nothing of its history is
// loaded until LoadMore. One's own address has none.
func (a *Address) Conversation(ctx context.Context) (*Conversation, error) {
	ctx, cancel := joined(ctx, a.d.c.ctx)
	defer cancel()
	select {
	case a.opening <- struct{}{}:
		defer func() { <-a.opening }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if k := a.talk.Load(); k != nil {
		return k, nil
	}
	own := ""
	if u := a.d.c.User(); u != nil && len(u.Addresses) > 0 {
		own = u.Addresses[0].ID
	}
	id, err := a.d.c.api.JoinConversation(ctx, own, a.id)
	if err != nil {
		return nil, conversationFailed(ctx, "join", err)
	}
	k := &Conversation{
		c: a.d.c, id: id, own: own, other: a, turn: make(chan struct{}, 1), known: map[string]bool{},
		messages: observable.NewStateFunc([]Message(nil), slices.Equal), hasMore: observable.NewState(true),
	}
	return k, a.d.c.ask(ctx, func() {
		a.d.c.talks[id] = k
		a.talk.Store(k)
	})
}

// SendText writes to the address, in their conversation; see
// [Conversation.SendText].
func (a *Address) SendText(ctx context.Context, text string) error {
	k, err := a.Conversation(ctx)
	if err != nil {
		return err
	}
	return k.SendText(ctx, text)
}

// ID is the service's group id.
func (k *Conversation) ID() string { return k.id }

// Address is whom the conversation is with.
func (k *Conversation) Address() *Address { return k.other }

// Messages are those that are known, oldest first. The slice is shared: do not
// change it.
func (k *Conversation) Messages() []Message { return k.messages.Get() }

// ObserveMessages is the state stream of Messages: one value for each page and
// for each message that arrives.
func (k *Conversation) ObserveMessages() observable.Of[[]Message] { return k.messages.Observe() }

// HasMore reports whether LoadMore has anything left to load. It is true until
// the service has said otherwise.
func (k *Conversation) HasMore() bool { return k.hasMore.Get() }

// ObserveHasMore is the state stream of HasMore.
func (k *Conversation) ObserveHasMore() observable.Of[bool] { return k.hasMore.Observe() }

// SendText writes a text. It comes back as a message like any other. The error is
// an *errs.ConversationError; the text is never sent twice, so after a time-out it
// may have arrived.
func (k *Conversation) SendText(ctx context.Context, text string) error {
	ctx, cancel := joined(ctx, k.c.ctx)
	defer cancel()
	if err := k.c.api.SendMessage(ctx, k.id, k.own, text); err != nil {
		return conversationFailed(ctx, "send", err)
	}
	return nil
}

// LoadMore loads the next page of older messages, up to a hundred, or nothing
// when all are there. What fails is an *errs.CollectionFetchError, and can be
// tried again.
func (k *Conversation) LoadMore(ctx context.Context) error {
	ctx, cancel := joined(ctx, k.c.ctx)
	defer cancel()
	k.mu.Lock()
	before := k.pages
	k.mu.Unlock()
	select {
	case k.turn <- struct{}{}:
		defer func() { <-k.turn }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	k.mu.Lock()
	next, pages := k.next, k.pages
	k.mu.Unlock()
	if pages != before || pages > 0 && next == "" {
		return nil
	}
	loaded, after, err := k.page(ctx, next)
	if err != nil {
		return fetchFailed(ctx, "load messages", err)
	}
	k.mu.Lock()
	k.next, k.pages = after, k.pages+1
	k.mu.Unlock()
	k.add(loaded...)
	k.hasMore.Set(after != "")
	return nil
}

// add takes in messages, in any order; known ones are replaced.
func (k *Conversation) add(all ...Message) {
	k.mu.Lock()
	defer k.mu.Unlock()
	list := slices.Clone(k.list)
	for _, m := range all {
		if k.known[m.ID] {
			list = slices.DeleteFunc(list, func(old Message) bool { return old.ID == m.ID })
		}
		k.known[m.ID] = true
		list = append(list, m)
	}
	slices.SortFunc(list, compareMessages)
	k.list = list
	k.messages.Set(list)
}

// History goes through all messages, newest first, a page at a time as the loop
// goes on, and keeps none of them. An *errs.CollectionFetchError ends it.
func (k *Conversation) History(ctx context.Context) iter.Seq2[Message, error] {
	return pages(ctx, k.c, "load messages", k.page)
}

// page asks for a page of messages; what is none is left out.
func (k *Conversation) page(ctx context.Context, next string) (page []Message, after string, err error) {
	raws, after, err := k.c.api.Messages(ctx, k.id, next)
	for _, raw := range raws {
		if m, ok := decodeMessage(raw); ok {
			page = append(page, m)
		}
	}
	return page, after, err
}

func (k *Conversation) complete() {
	k.messages.Complete()
	k.hasMore.Complete()
}

// converse brings a message to its conversation, if that is open. An update says
// that something about its sender has changed, but not what. On the loop.
func (c *Client) converse(e *Event) {
	if e.Type != eventMessage && e.Type != eventMessageUpdated {
		return
	}
	m, ok := decodeMessage(e.Payload)
	if !ok {
		return
	}
	if k := c.talks[m.ConversationID]; k != nil && m.Subtype != "update" {
		k.add(m)
	}
	if e.Type == eventMessageUpdated {
		c.directory.renew(m.FromAddressID)
	}
}

func conversationFailed(ctx context.Context, operation string, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	failed := &errs.ConversationError{Operation: operation, OriginalError: err}
	var refused *errs.HTTPError
	if errors.As(err, &refused) {
		failed.Status = refused.Status
	}
	return failed
}
