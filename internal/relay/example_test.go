package relay_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/callrx/callrx/internal/relay"
	"github.com/callrx/callrx/internal/wire"
	"nhooyr.io/websocket"
)

// exampleService grants every request, and sends one event first.
func exampleService() *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer c.CloseNow()
		grantAll(c, `{"jsonrpc":"2.0","id":"e-1","method":"signalwire.event","params":{"event_type":"room.updated","params":{}}}`)
	}))
}

func Example() {
	service := exampleService()
	defer service.Close()
	events := make(chan string, 1)
	r := relay.New(relay.Config{
		URL: func() string { return "ws" + strings.TrimPrefix(service.URL, "http") },
		Dial: func(ctx context.Context, url string) (relay.Socket, time.Duration, error) {
			s, _, err := relay.DialWebSocket(ctx, service.Client(), url, 1<<20)
			return s, 0, err
		},
		Authenticate: func(ctx context.Context, l *relay.Link) error {
			_, err := l.Call(ctx, wire.MethodConnect, wire.NewConnectParams("token", "example"))
			return err
		},
		Event:          func(e wire.Event) { events <- e.Type },
		OnStatus:       func(relay.Status, error) {},
		Report:         func(err error) { fmt.Println(err) },
		Retry:          func() relay.Retry { return relay.Retry{Min: 100 * time.Millisecond, Max: 3 * time.Second} },
		ConnectTimeout: func() time.Duration { return 10 * time.Second },
		AuthTimeout:    15 * time.Second,
		RequestTimeout: 5 * time.Second,
		WriteTimeout:   10 * time.Second,
		PingInterval:   30 * time.Second,
		PingTimeout:    5 * time.Second,
		CloseTimeout:   time.Second,
		QueueLimit:     256,
		Logger:         slog.New(slog.DiscardHandler),
	})
	r.Start()
	_, err := r.Call(context.Background(), wire.MethodOnline, nil)
	fmt.Println("online:", err)
	fmt.Println("event:", <-events)

	closed := errors.New("closed")
	r.Close("bye", closed)
	_, err = r.Call(context.Background(), wire.MethodOffline, nil)
	fmt.Println("offline:", err)
	// Output:
	// online: <nil>
	// event: room.updated
	// offline: closed
}

func ExampleFatal() {
	err := relay.Fatal(errors.New("token revoked"))
	fmt.Println(err)
	// Output: token revoked
}

func ExampleAgain() {
	err := fmt.Errorf("resume: %w", relay.Again(errors.New("state expired")))
	fmt.Println(err)
	// Output: resume: state expired
}
