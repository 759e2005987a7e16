package session

import (
	"context"
	"iter"
	"time"
)

// A ConversationRecord is an entry of the list of conversations: a snapshot.
type ConversationRecord struct {
	ID                       string // the service's group id
	Name                     string
	FromAddressID            string
	CreatedAt, LastMessageAt time.Time      // zero: not told
	Metadata                 map[string]any // what the service keeps about it, such as what is unread, if anything
}

// Conversations goes through the subscriber's conversations, a page at a time as
// the loop goes on. An *errs.CollectionFetchError ends it.
func (c *Client) Conversations(ctx context.Context) iter.Seq2[ConversationRecord, error] {
	id := func(r ConversationRecord) string { return r.ID }
	return pages(ctx, c, "list conversations", id, func(ctx context.Context, next string) (page []ConversationRecord, after string, err error) {
		list, after, err := c.api.Conversations(ctx, next)
		for _, r := range list {
			if r.From == "" || r.Group == "" {
				continue // nobody's, or none
			}
			page = append(page, ConversationRecord{
				ID: r.Group, Name: r.Name, FromAddressID: r.From, Metadata: r.Metadata,
				CreatedAt: instant(r.CreatedAt), LastMessageAt: instant(r.LastMessageAt),
			})
		}
		return page, after, err
	})
}
