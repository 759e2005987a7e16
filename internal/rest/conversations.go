package rest

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"

	"github.com/callrx/callrx/errs"
)

const (
	conversationsPath = "/api/fabric/conversations"
	// messagesOnAPage is how many messages to ask for at once.
	messagesOnAPage = "?page_size=100"
)

// JoinConversation begins the conversation of the caller's own address with
// another one, or finds it, and returns its group id.
func (c *Client) JoinConversation(ctx context.Context, own, other string) (group string, err error) {
	body := struct {
		From    string   `json:"from_fabric_address_id"`
		Members []string `json:"fabric_address_ids"`
	}{own, []string{other, own}}
	result, err := c.submit(ctx, "join conversation", conversationsPath+"/join", body, retryReads)
	if err != nil {
		return "", err
	}
	var reply struct {
		Group text `json:"group_id"`
	}
	if err := result.decode(&reply); err != nil {
		return "", err
	}
	if reply.Group == "" {
		return "", result.unusable("group_id missing", nil)
	}
	return string(reply.Group), nil
}

// SendMessage adds a text to a conversation. It is sent again, three times at most,
// only if it surely was not taken: otherwise the text might be there twice.
func (c *Client) SendMessage(ctx context.Context, group, own, message string) error {
	body := struct {
		Group string `json:"group_id"`
		From  string `json:"from_fabric_address_id"`
		Text  string `json:"text"`
	}{group, own, message}
	_, err := c.submit(ctx, "send message", "/api/fabric/messages", body, retrySends)
	return err
}

// Messages reads a page of a conversation, newest first: the first one, or the
// one that an earlier page named. Each message is left as it came.
func (c *Client) Messages(ctx context.Context, group, next string) (messages []json.RawMessage, after string, err error) {
	first := conversationsPath + "/" + url.PathEscape(group) + "/messages" + messagesOnAPage
	after, err = c.page(ctx, "fetch messages", first, next, &messages)
	return messages, after, err
}

// A Conversation is an entry of the list of conversations.
type Conversation struct {
	Group         string          `json:"group_id"`
	From          string          `json:"from_fabric_address_id"`
	Name          string          `json:"name"`
	CreatedAt     json.RawMessage `json:"created_at"` // a number or ISO 8601, like the next
	LastMessageAt json.RawMessage `json:"last_message_at"`
	Metadata      object          `json:"metadata"`
}

// Conversations reads a page of the caller's conversations.
func (c *Client) Conversations(ctx context.Context, next string) (list []Conversation, after string, err error) {
	after, err = c.page(ctx, "fetch conversations", conversationsPath+messagesOnAPage, next, &list)
	return list, after, err
}

// submit posts in the session's name.
func (c *Client) submit(ctx context.Context, operation, path string, body any, retry retry) (*answer, error) {
	r, err := c.get(operation, path)
	if err != nil {
		return nil, err
	}
	if r.body, err = json.Marshal(body); err != nil {
		return nil, &errs.RequestError{Operation: operation, OriginalError: err}
	}
	r.method, r.retry = http.MethodPost, retry
	return c.do(ctx, r)
}
