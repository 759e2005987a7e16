package rest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/internal/rest"
)

func itoa(n int) string { return strconv.Itoa(n) }

// serve starts a server that gives one answer.
func serve(status int, body string) (*rest.Client, string, func()) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	client := rest.New(rest.Config{
		Base:  func() string { return server.URL },
		Token: func() string { return "a-token" },
	})
	return client, server.URL, func() { client.Close(); server.Close() }
}

func ExampleClient_SubscriberInfo() {
	client, _, stop := serve(200, `{"id":"sub-1","display_name":"Mara","sat_claims":{"scope":["sat:refresh"]}}`)
	defer stop()
	subscriber, err := client.SubscriberInfo(context.Background())
	fmt.Println(subscriber.DisplayName, subscriber.Claims.HasScope("sat:refresh"), err)
	// Output: Mara true <nil>
}

func ExampleClient_DeviceToken() {
	client, _, stop := serve(200, `{"token":"bound-token","expires_at":1795374900}`)
	defer stop()
	reply, err := client.DeviceToken(context.Background(), "a-sat", "a-proof", 15*time.Minute)
	fmt.Println(reply.Token, reply.ExpiresAt.UTC().Format(time.RFC3339), err)
	// Output: bound-token 2026-11-22T19:15:00Z <nil>
}

// What went wrong is a typed error, and the decoder's own error is inside.
func ExampleClient_DeviceRefresh() {
	client, _, stop := serve(200, `{"token":"bound-to`)
	defer stop()
	_, err := client.DeviceRefresh(context.Background(), "bound-token", "a-proof", 15*time.Minute)

	var unusable *errs.ResponseError
	fmt.Println(errors.As(err, &unusable))
	fmt.Println(err)
	// Output:
	// true
	// http POST /api/fabric/subscriber/devices/refresh: unusable response: not JSON: unexpected end of JSON input
}

func ExampleClient_EmbedToken() {
	client, host, stop := serve(404, `{"error":"Not Found"}`)
	defer stop()
	_, err := client.EmbedToken(context.Background(), host, "c2c_0f3e")
	fmt.Println(err)
	// Output: http POST /api/fabric/embeds/tokens: 404 Not Found: Not Found
}

func ExampleClient_SubscriberToken() {
	client, space, stop := serve(200, `{"subscriber_id":"sub-1","token":"sat-1","refresh_token":"refresh-1"}`)
	defer stop()
	project := rest.Project{Space: space, ID: "c0ffee00", Token: "api-token"}
	reply, err := client.SubscriberToken(context.Background(), project, rest.SubscriberTokenRequest{Reference: "mara@example.org"})
	fmt.Println(reply.SubscriberID, reply.Token, err)
	// Output: sub-1 sat-1 <nil>
}

func ExampleClient_SubscriberTokenRefresh() {
	client, space, stop := serve(422, `{"errors":[{"code":"token_expired","message":"too late","attribute":"refresh_token"}]}`)
	defer stop()
	project := rest.Project{Space: space, ID: "c0ffee00", Token: "api-token"}
	_, err := client.SubscriberTokenRefresh(context.Background(), project, "refresh-1")

	var refused *errs.HTTPError
	fmt.Println(errors.As(err, &refused) && refused.Code == "token_expired")
	fmt.Println(err)
	// Output:
	// true
	// http POST /api/fabric/subscribers/tokens/refresh: 422 Unprocessable Entity: token_expired: too late at refresh_token
}

func ExampleIsLoopback() {
	fmt.Println(rest.IsLoopback("fabric.swdev.localhost"), rest.IsLoopback("fabric.signalwire.com"))
	// Output: true false
}
