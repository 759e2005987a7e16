package sessiontest_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"nhooyr.io/websocket"

	"github.com/callrx/callrx/session/sessiontest"
)

// A node that goes away says so first. The session can be resumed then, which one whose
// token has run out cannot.
func ExampleServer_CloseSockets() {
	gw, _ := sessiontest.Start(sessiontest.Options{InMemory: true})
	defer gw.Close()
	for _, over := range []func() int{
		func() int { gw.AnnounceDisconnect(""); return gw.CloseSockets("", 1012, "restart") },
		func() int { return gw.Expire("") },
	} {
		c := online(gw)
		fmt.Println(over(), "socket")
		for {
			_, text, err := c.Read(context.Background())
			if err != nil {
				fmt.Println(websocket.CloseStatus(err), "resumable:", len(gw.Sessions()) > 0)
				break
			}
			fmt.Println("told:", strings.Contains(string(text), "signalwire.disconnect"))
		}
		_ = c.CloseNow()
		gw.Expire("")
	}
	// Output:
	// 1 socket
	// told: true
	// StatusServiceRestart resumable: true
	// 1 socket
	// StatusCode(4401) resumable: false
}

// With TLS any client that trusts the throw-away authority reaches every name of the
// cluster, whether the system knows the name or not.
func ExampleServer_CertPool() {
	gw, _ := sessiontest.Start(sessiontest.Options{TLS: true})
	defer gw.Close()

	conn, err := gw.DialContext(context.Background(), "tcp", gw.ClusterHost())
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = conn.Close()
	fmt.Println("authority:", gw.CertPool() != nil, strings.HasPrefix(gw.ClusterHost(), "puc."))
	// Output: authority: true true
}

// Guests reach the addresses they were let in to. Who is invited cannot stay longer.
func ExampleServer_IssueGuest() {
	gw, _ := sessiontest.Start(sessiontest.Options{InMemory: true})
	defer gw.Close()

	guest, invited := gw.IssueGuest(time.Hour, "addr-1"), gw.IssueInvite(time.Hour, "addr-1")
	fmt.Println("guest:", get(gw, "/api/fabric/subscriber/info", guest.Token))
	fmt.Println("invited:", get(gw, "/api/fabric/subscriber/info", invited.Token))
	fmt.Println(len(gw.Journal().HTTP("/api/fabric/subscriber/info")), "requests")
	// Output:
	// guest: 200
	// invited: 200
	// 2 requests
}

// A server that stands by itself is steered over HTTP.
func ExampleServer_AdminURL() {
	gw, _ := sessiontest.Start(sessiontest.Options{AdminAddr: "127.0.0.1:0"})
	defer gw.Close()

	fault := `{"match":{"path":"/api/fabric/subscriber/info"},"times":-1,"action":{"kind":"status","status":503}}`
	resp, err := http.Post(gw.AdminURL()+"/faults", "application/json", strings.NewReader(fault))
	if err != nil {
		fmt.Println(err)
		return
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	sat := gw.IssueSAT(sessiontest.SATRequest{})
	fmt.Println(get(gw, "/api/fabric/subscriber/info", sat.Token))
	gw.ClearFaults()
	fmt.Println(get(gw, "/api/fabric/subscriber/info", sat.Token))
	http.DefaultClient.CloseIdleConnections()
	// Output:
	// 503
	// 200
}

// A conversation holds calls as well as texts.
func ExampleServer_LogCall() {
	gw, _ := sessiontest.Start(sessiontest.Options{InMemory: true})
	defer gw.Close()
	for _, name := range []string{"ann", "bob"} {
		gw.IssueSAT(sessiontest.SATRequest{Reference: name})
	}
	began := time.Now().Add(-time.Minute)
	fmt.Println(gw.SendText("ann", "bob", "may I call?"), gw.LogCall("ann", "bob", "ended", began, time.Now()))
	fmt.Println(gw.LogCall("ann", "nobody", "ended", began, time.Now()) != nil)
	// Output:
	// <nil> <nil>
	// true
}

// A leg that is put out of its room without a bye: its client has to notice by itself.
func ExampleServer_DismissCall() {
	gw, _ := sessiontest.Start(sessiontest.Options{InMemory: true})
	defer gw.Close()
	d, err := dial(gw, "/public/lobby")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer d.close()

	fmt.Println(gw.DismissCall("c-1", "removed"), gw.DismissCall("c-2", ""))
	j := gw.Journal().Call("c-1")
	fmt.Println(len(j.Sent("call.left")), len(j.Verto("verto.bye")))
	// Output:
	// true false
	// 1 0
}

// What a bot says may be any samples.
func ExampleBot_Say() {
	gw, _ := sessiontest.Start(sessiontest.Options{InMemory: true})
	defer gw.Close()
	bot, err := gw.Join("/public/lobby", sessiontest.BotOptions{Name: "Mara"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(bot.Say(context.Background(), make([]int16, 800))) // 100 ms of silence
	bot.Leave()
	fmt.Println(bot.Say(context.Background(), make([]int16, 800)) == sessiontest.ErrBotLeft)
	// Output:
	// <nil>
	// true
}

// Getters are checked beside the events: they may be ahead of one, and never behind.
func ExampleStateOrder() {
	muted := false // what the getter of a client says that is behind
	order := sessiontest.StateOrder{Read: func(string) map[string]any { return map[string]any{"audio_muted": muted} }}
	order.Saw(1, "call.joined", []byte(`{"call_id":"c","room_session_id":"r"}`))
	order.Saw(2, "member.updated", []byte(`{"room_session_id":"r","member":{"member_id":"m","audio_muted":true}}`))
	fmt.Println(order.Err())

	var lists sessiontest.ListOrder
	lists.Saw([]sessiontest.ListedMember{{ID: "m", Known: true, Listed: true, Ended: true}})
	fmt.Println(lists.Err())
	// Output:
	// order rule 4: event 1 (member.updated, sequence 2) says that audio_muted is true, and the getter that it is false
	// order rule 6: event 0 (participants, sequence 0) still lists m, which has ended
}
