package session_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// Where the world is reached through a proxy only, Options.HTTPClient names it,
// for requests and for the WebSocket; without one the environment does, as with
// net/http. Media goes through relays over TCP then (the preference
// DisableUDPICEServers), which pion dials through a proxy if
// MediaOptions.SettingEngine sets an ICE proxy dialer.
func ExampleOptions_proxy() {
	gw, err := sessiontest.Start(sessiontest.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer gw.Close()
	var requests, sockets atomic.Int64
	forward := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		if requests.Add(1); r.In.Header.Get("Upgrade") == "websocket" {
			sockets.Add(1)
		}
	}}
	proxy := httptest.NewServer(forward)
	defer proxy.Close()

	address, err := url.Parse(proxy.URL)
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	client, err := session.Open(ctx, session.StaticCredentials(annsToken(gw, time.Hour)), session.Options{
		HTTPClient: &http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(address)}},
		APIURL:     gw.APIURL(), RelayURL: gw.RelayURL(), DPoPKey: sharedKey(),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = client.Close() }()
	fmt.Println(client.Status(), "through the proxy:", sockets.Load(), "socket, requests as well:", requests.Load() > 1)
	// Output: online through the proxy: 1 socket, requests as well: true
}
