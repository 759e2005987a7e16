package sessiontest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"nhooyr.io/websocket"

	"github.com/callrx/callrx/session/sessiontest"
)

func get(gw *sessiontest.Server, path, token string) int {
	req, _ := http.NewRequest(http.MethodGet, gw.APIURL()+path, nil)
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := gw.Client().Do(req)
	if err != nil {
		return 0
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

func ExampleStart() {
	gw, err := sessiontest.Start(sessiontest.Options{TLS: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer gw.Close()

	sat := gw.IssueSAT(sessiontest.SATRequest{Reference: "mara@example.org", TTL: time.Hour})
	fmt.Println(get(gw, "/api/fabric/subscriber/info", sat.Token))
	gw.Revoke(sat.JTI)
	fmt.Println(get(gw, "/api/fabric/subscriber/info", sat.Token))
	// Output:
	// 200
	// 401
}

// The server in memory needs no port; in a test use NewServer, which closes it with the test.
func ExampleServer_Client() {
	gw, _ := sessiontest.Start(sessiontest.Options{InMemory: true})
	defer gw.Close()
	c := online(gw) // dials gw.RelayURL() with gw.Client()
	defer func() { _ = c.CloseNow() }()

	for _, s := range gw.Sessions() {
		fmt.Println(s.Reference, s.Connected, s.Registered)
	}
	// Output: subscriber true false
}

func ExampleServer_Inject() {
	gw, _ := sessiontest.Start(sessiontest.Options{InMemory: true})
	defer gw.Close()
	sat := gw.IssueSAT(sessiontest.SATRequest{})

	fault := gw.Inject(sessiontest.Fault{
		Match:  sessiontest.Match{Path: "/api/fabric/subscriber/info"},
		Skip:   1,
		Times:  2,
		Action: sessiontest.Action{Kind: sessiontest.FaultStatus, Status: http.StatusServiceUnavailable},
	})
	for range 4 {
		fmt.Println(get(gw, "/api/fabric/subscriber/info", sat.Token))
	}
	fmt.Println("hits:", fault.Hits())
	// Output:
	// 200
	// 503
	// 503
	// 200
	// hits: 2
}

func ExampleServer_WaitFor() {
	gw, _ := sessiontest.Start(sessiontest.Options{InMemory: true})
	defer gw.Close()
	go get(gw, "/api/fabric/addresses", "no token")

	e, err := gw.WaitFor(context.Background(), func(e sessiontest.Entry) bool { return e.Status != 0 })
	fmt.Println(e.Method, e.Path, e.Status, err)
	// Output: GET /api/fabric/addresses 401 <nil>
}

func ExampleServer_Drop() {
	gw, _ := sessiontest.Start(sessiontest.Options{InMemory: true})
	defer gw.Close()
	c, _, err := websocket.Dial(context.Background(), gw.RelayURL(), &websocket.DialOptions{HTTPClient: gw.Client()})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = c.CloseNow() }()
	_, _ = gw.WaitFor(context.Background(), func(e sessiontest.Entry) bool { return e.Status == http.StatusSwitchingProtocols })
	gw.Drop("")
	_, _, err = c.Read(context.Background())
	fmt.Println("cut without farewell:", err != nil && websocket.CloseStatus(err) == -1)
	// Output: cut without farewell: true
}

// online opens a socket and connects the default subscriber.
func online(gw *sessiontest.Server) *websocket.Conn {
	ctx := context.Background()
	c, _, err := websocket.Dial(ctx, gw.RelayURL(), &websocket.DialOptions{HTTPClient: gw.Client()})
	if err != nil {
		panic(err)
	}
	connect, _ := json.Marshal(map[string]any{
		"jsonrpc": "2.0", "id": "1", "method": "signalwire.connect",
		"params": map[string]any{"authentication": map[string]string{"jwt_token": gw.IssueSAT(sessiontest.SATRequest{}).Token}},
	})
	_ = c.Write(ctx, websocket.MessageText, connect)
	_, _, _ = c.Read(ctx) // the result
	_, _, _ = c.Read(ctx) // the authorization state
	return c
}

func ExampleServer_SendEvent() {
	gw, _ := sessiontest.Start(sessiontest.Options{InMemory: true})
	defer gw.Close()
	c := online(gw)
	defer func() { _ = c.CloseNow() }()

	n, err := gw.SendEvent("subscriber", "member.left", nil, map[string]string{"member_id": "m-1"})
	_, frame, _ := c.Read(context.Background())
	var event struct {
		Params struct {
			Type   string            `json:"event_type"`
			Params map[string]string `json:"params"`
		} `json:"params"`
	}
	_ = json.Unmarshal(frame, &event)
	fmt.Println(n, err, event.Params.Type, event.Params.Params)
	// Output: 1 <nil> member.left map[member_id:m-1]
}

// A mute server hears and acts, but nothing it sends arrives until the stall ends.
func ExampleServer_Stall() {
	gw, _ := sessiontest.Start(sessiontest.Options{InMemory: true})
	defer gw.Close()
	c := online(gw)
	defer func() { _ = c.CloseNow() }()

	gw.Stall("", sessiontest.StallMute)
	gw.SendRaw("", []byte("late"))
	gw.Stall("", sessiontest.StallNone)
	_, frame, err := c.Read(context.Background())
	fmt.Println(string(frame), err)
	// Output: late <nil>
}

func ExampleServer_RefuseConnections() {
	gw, _ := sessiontest.Start(sessiontest.Options{InMemory: true})
	defer gw.Close()

	refusal := gw.RefuseConnections(http.StatusServiceUnavailable, 3*time.Second)
	_, resp, err := websocket.Dial(context.Background(), gw.RelayURL(), &websocket.DialOptions{HTTPClient: gw.Client()})
	fmt.Println(err != nil, resp.StatusCode, resp.Header.Get("Retry-After"))
	refusal.Remove()
	c, _, err := websocket.Dial(context.Background(), gw.RelayURL(), &websocket.DialOptions{HTTPClient: gw.Client()})
	fmt.Println(err)
	_ = c.CloseNow()
	// Output:
	// true 503 3
	// <nil>
}

func ExampleServer_SetClockSkew() {
	gw, _ := sessiontest.Start(sessiontest.Options{InMemory: true})
	defer gw.Close()
	sat := gw.IssueSAT(sessiontest.SATRequest{TTL: time.Minute})

	gw.SetClockSkew(5 * time.Minute) // the server's clock is ahead: the token is old already
	fmt.Println(get(gw, "/api/fabric/subscriber/info", sat.Token))
	gw.SetClockSkew(0)
	fmt.Println(get(gw, "/api/fabric/subscriber/info", sat.Token))
	// Output:
	// 401
	// 200
}

func ExampleServer_Journal() {
	gw, _ := sessiontest.Start(sessiontest.Options{InMemory: true})
	defer gw.Close()
	c := online(gw)
	defer func() { _ = c.CloseNow() }()

	for _, e := range gw.Journal().RPC("") {
		fmt.Println(e.Method, e.TokenKind, e.Code)
	}
	// Output: signalwire.connect sat 0
}
