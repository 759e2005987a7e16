package rest

import "context"

// DefaultEmbedHost exchanges embed tokens unless another host is named.
const DefaultEmbedHost = "embeds.signalwire.com"

// EmbedToken exchanges a public embed token for a Guest SAT. The host may have a
// scheme and a path, of which the path is ignored; empty means
// [DefaultEmbedHost]. It is sent twice at most, ten seconds each.
func (c *Client) EmbedToken(ctx context.Context, host, embedToken string) (TokenReply, error) {
	if host == "" {
		host = DefaultEmbedHost
	}
	base, err := baseURL("embed host", host)
	if err != nil {
		return TokenReply{}, err
	}
	base.Path, base.RawPath = "", ""
	body := struct {
		Token string `json:"token"`
	}{embedToken}
	r, err := post("exchange embed token", base, "/api/fabric/embeds/tokens", auth{}, body, embedToken)
	if err != nil {
		return TokenReply{}, err
	}
	r.retry = retryEmbed
	return c.issue(ctx, r)
}
