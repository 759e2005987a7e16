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
// What was written while the connection was away it asks for when the connection
// is back. It ends with Close, with its client, and when the client signs in as
// somebody else.
type Conversation struct {
	c      *Client
	id     string
	own    string
	other  *Address
	ctx    context.Context // ends with the conversation
	end    context.CancelCauseFunc
	cursor *cursor // of the older messages

	messages *observable.State[[]Message]

	gap *gap // what may be missing; the client's loop owns it

	mu    sync.Mutex     // guards the rest
	list  []Message      // by time; shown, so only ever appended to
	known map[string]int // which arrival each is of
	came  int            // how many have arrived
}

// Conversation is the conversation with the address, opened on first use: what
// the service refuses is an *errs.ConversationError. Nothing of its history is
// loaded until LoadMore. One's own address has none.
func (a *Address) Conversation(ctx context.Context) (*Conversation, error) {
	ctx, cancel := joined(ctx, a.d.c.ctx)
	defer cancel()
	if err := a.opening.take(ctx); err != nil {
		return nil, err
	}
	defer a.opening.give()
	if k := a.talk.Load(); k != nil && k.ctx.Err() == nil {
		return k, nil
	}
	own := ""
	if u := a.d.c.User(); u != nil && len(u.Addresses) > 0 {
		own = u.Addresses[0].ID
	}
	id, err := a.d.c.api.JoinConversation(ctx, own, a.id)
	if err != nil {
		return nil, a.conversationFailed(ctx, "join", err)
	}
	k := newConversation(a, id, own)
	err = a.d.c.ask(ctx, func() {
		if open := a.d.c.talks[id]; open != nil {
			k = open // by an address that the directory has forgotten since
		}
		a.d.c.talks[id] = k
		a.talk.Store(k)
	})
	if err != nil {
		return nil, err
	}
	return k, nil
}

func newConversation(a *Address, id, own string) *Conversation {
	k := &Conversation{
		c: a.d.c, id: id, own: own, other: a, cursor: newCursor(), known: map[string]int{},
		messages: observable.NewStateFunc([]Message(nil), slices.Equal),
	}
	k.ctx, k.end = context.WithCancelCause(a.d.c.ctx)
	return k
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
func (k *Conversation) HasMore() bool { return k.cursor.hasMore.Get() }

// ObserveHasMore is the state stream of HasMore.
func (k *Conversation) ObserveHasMore() observable.Of[bool] { return k.cursor.hasMore.Observe() }

// Loading reports whether a page is being loaded.
func (k *Conversation) Loading() bool { return k.cursor.loading.Get() }

// ObserveLoading is the state stream of Loading.
func (k *Conversation) ObserveLoading() observable.Of[bool] { return k.cursor.loading.Observe() }

// SendText writes a text. It comes back as a message like any other. The error is
// an *errs.ConversationError; a text that the service may have is never sent again,
// so after a time-out it may have arrived.
func (k *Conversation) SendText(ctx context.Context, text string) error {
	ctx, cancel := joined(ctx, k.ctx)
	defer cancel()
	if err := k.c.api.SendMessage(ctx, k.id, k.own, text); err != nil {
		return k.other.conversationFailed(ctx, "send", err)
	}
	return nil
}

// LoadMore loads the next page of older messages, up to a hundred, or nothing
// when all are there. What fails is an *errs.CollectionFetchError, and can be
// tried again.
func (k *Conversation) LoadMore(ctx context.Context) error {
	ctx, cancel := joined(ctx, k.ctx)
	defer cancel()
	before := k.cursor.place().pages
	if err := k.cursor.turn.take(ctx); err != nil {
		return err
	}
	defer k.cursor.turn.give()
	at := k.cursor.place()
	if at.end() || at.pages != before { // it has been loaded meanwhile
		return nil
	}
	defer k.cursor.requesting()()
	asked := k.arrivals()
	loaded, after, err := k.page(ctx, at.next)
	if err == nil {
		at, err = at.beyond(after)
	}
	if err != nil {
		return fetchFailed(ctx, "load messages with "+k.other.Name(), err)
	}
	k.add(asked, loaded)
	k.cursor.set(at)
	return nil
}

// arrivals is how many messages have arrived.
func (k *Conversation) arrivals() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.came
}

// arrived takes in a message, or another version of it.
func (k *Conversation) arrived(m Message) {
	k.mu.Lock()
	k.came++
	asked := k.came
	k.mu.Unlock()
	k.add(asked, []Message{m})
}

// add takes in messages, in any order, for which the service was asked when so many
// had arrived; known ones are replaced, unless they have arrived since.
func (k *Conversation) add(asked int, all []Message) {
	k.mu.Lock()
	defer k.mu.Unlock()
	all = slices.DeleteFunc(all, func(m Message) bool { return k.known[m.ID] > asked })
	slices.SortFunc(all, compareMessages)
	later := len(all) == 0 || len(k.list) == 0 || compareMessages(k.list[len(k.list)-1], all[0]) < 0
	for _, m := range all {
		_, had := k.known[m.ID]
		later = later && !had
		k.known[m.ID] = asked
	}
	if later {
		k.list = append(k.list, all...)
	} else {
		k.list = merged(k.list, all)
	}
	k.messages.Set(slices.Clip(k.list))
}

// amend takes in what the service has changed about a message; what it does not
// mention stays. An update of an unknown message that does not tell its time is
// none: History will have it.
func (k *Conversation) amend(id string, raw []byte) {
	k.mu.Lock()
	var m Message
	if _, ok := k.known[id]; ok {
		m = k.list[slices.IndexFunc(k.list, func(m Message) bool { return m.ID == id })]
	}
	k.mu.Unlock()
	if m, ok := m.with(raw); ok && !m.SentAt.IsZero() {
		k.arrived(m)
	}
}

// merged is both lists in one, by time and each message once, as the newer list
// has it.
func merged(older, newer []Message) []Message {
	all, seen := slices.Concat(newer, older), map[string]bool{}
	all = slices.DeleteFunc(all, func(m Message) bool {
		had := seen[m.ID]
		seen[m.ID] = true
		return had
	})
	slices.SortFunc(all, compareMessages)
	return all
}

// History goes through all messages, newest first, a page at a time as the loop
// goes on, and keeps none of them. An *errs.CollectionFetchError ends it.
func (k *Conversation) History(ctx context.Context) iter.Seq2[Message, error] {
	return pages(ctx, k.c, "load messages with "+k.other.Name(), func(m Message) string { return m.ID }, k.page)
}

// page asks for a page of messages; what is none, or of another conversation, is
// left out.
func (k *Conversation) page(ctx context.Context, next string) (page []Message, after string, err error) {
	raws, after, err := k.c.api.Messages(ctx, k.id, next)
	for _, raw := range raws {
		if m, ok := decodeMessage(raw); ok && (m.ConversationID == k.id || m.ConversationID == "") {
			page = append(page, m)
		}
	}
	return page, after, err
}

// Close gives up what the conversation holds and ends what can be observed of it;
// calls of its methods end with errs.ErrClosed. The service is not told:
// Address.Conversation opens it anew. It returns nil.
func (k *Conversation) Close() error {
	_ = k.c.ask(context.Background(), func() {
		if k.c.talks[k.id] == k {
			delete(k.c.talks, k.id)
		}
	})
	k.complete()
	return nil
}

// complete ends the conversation.
func (k *Conversation) complete() {
	k.other.talk.CompareAndSwap(k, nil)
	k.end(errs.ErrClosed)
	k.messages.Complete()
	k.cursor.complete()
}

func (a *Address) conversationFailed(ctx context.Context, operation string, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	failed := &errs.ConversationError{With: a.Name(), Operation: operation, OriginalError: err}
	var refused *errs.HTTPError
	if errors.As(err, &refused) {
		failed.Status = refused.Status
	}
	return failed
}
