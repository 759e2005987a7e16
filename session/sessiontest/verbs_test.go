package sessiontest_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"nhooyr.io/websocket"

	"github.com/callrx/callrx/session/sessiontest"
)

// connected opens a session for that reference.
func connected(t *testing.T, gw *sessiontest.Server, reference string) (*wsClient, string) {
	t.Helper()
	c := dialWS(t, gw)
	f := c.connect(gw.IssueSAT(sessiontest.SATRequest{Reference: reference}).Token)
	c.state()
	protocol, _ := dig(f, "result", "protocol").(string)
	return c, protocol
}

func TestVerbsReachWhoTheyName(t *testing.T) {
	bubble(t, sessiontest.Options{}, func(t *testing.T, gw *sessiontest.Server) {
		a, protocol := connected(t, gw, "ann")
		b, _ := connected(t, gw, "bob")
		lone := dialWS(t, gw)
		if n := gw.Drop("nobody"); n != 0 {
			t.Errorf("dropped %d", n)
		}
		if n := gw.CloseSockets(protocol, 4001, "moved"); n != 1 {
			t.Errorf("closed %d", n)
		}
		synctest.Wait()
		if a.closeCode() != 4001 || b.closeCode() != 0 {
			t.Errorf("ended with %d and %d", a.closeCode(), b.closeCode())
		}
		if n := gw.Drop("bob"); n != 1 {
			t.Errorf("dropped %d", n)
		}
		synctest.Wait()
		if b.closeCode() != -1 || lone.closeCode() != 0 {
			t.Errorf("ended with %d and %d", b.closeCode(), lone.closeCode())
		}
		if n := gw.Drop(""); n != 1 {
			t.Errorf("dropped %d", n)
		}
		synctest.Wait()
		if lone.closeCode() != -1 {
			t.Error("socket without session was spared")
		}
	})
}

func TestExpireEndsSession(t *testing.T) {
	bubble(t, sessiontest.Options{}, func(t *testing.T, gw *sessiontest.Server) {
		c, protocol := connected(t, gw, "ann")
		if n := gw.Expire(protocol); n != 1 {
			t.Errorf("expired %d", n)
		}
		synctest.Wait()
		if c.closeCode() != 4401 || len(gw.Sessions()) != 0 {
			t.Errorf("ended with %d, sessions %+v", c.closeCode(), gw.Sessions())
		}
	})
}

func TestDeafSocketStillSends(t *testing.T) {
	bubble(t, sessiontest.Options{}, func(t *testing.T, gw *sessiontest.Server) {
		c, _ := connected(t, gw, "ann")
		gw.Stall("ann", sessiontest.StallDeaf)
		before := len(gw.Journal().RPC(""))
		id := c.send("subscriber.online", obj{})
		wait(time.Minute)
		if n := len(gw.Journal().RPC("")); n != before || c.closeCode() != 0 {
			t.Errorf("deaf server took %d requests, socket ended with %d", n-before, c.closeCode())
		}
		c.expect(func(f obj) bool { return f["method"] == "signalwire.ping" })
		gw.Stall("ann", sessiontest.StallNone)
		if f := c.expect(func(f obj) bool { return f["id"] == id }); dig(f, "result", "code") != "200" {
			t.Errorf("after the stall: %v", f)
		}
	})
}

func TestMuteSocketStillHears(t *testing.T) {
	bubble(t, sessiontest.Options{PingInterval: -1}, func(t *testing.T, gw *sessiontest.Server) {
		c, _ := connected(t, gw, "ann")
		gw.Stall("", sessiontest.StallMute)
		id := c.send("subscriber.online", obj{})
		synctest.Wait()
		if !gw.Sessions()[0].Registered {
			t.Error("mute server did not act")
		}
		select {
		case f := <-c.frames:
			t.Errorf("mute server sent %v", f)
		default:
		}
		gw.Stall("", sessiontest.StallNone)
		c.expect(func(f obj) bool { return f["id"] == id })
	})
}

func TestStalledSocketOverTLS(t *testing.T) {
	gw := sessiontest.NewServer(t, sessiontest.Options{TLS: true})
	c, _ := connected(t, gw, "ann")
	gw.Stall("", sessiontest.StallBoth)
	id := c.send("subscriber.online", obj{})
	gw.Stall("", sessiontest.StallNone)
	c.expect(func(f obj) bool { return f["id"] == id })
}

func TestServerCanBeClosedWhileStalled(t *testing.T) {
	for _, mode := range []sessiontest.StallMode{sessiontest.StallDeaf, sessiontest.StallMute, sessiontest.StallBoth} {
		bubble(t, sessiontest.Options{}, func(t *testing.T, gw *sessiontest.Server) {
			c, _ := connected(t, gw, "ann")
			gw.Stall("", mode)
			c.send("subscriber.online", obj{})
			start := time.Now()
			gw.Close()
			gw.Close()
			if time.Since(start) != 0 {
				t.Errorf("mode %d: close took %v", mode, time.Since(start))
			}
		})
	}
}

func TestEventsCarryChannelAndAreAcked(t *testing.T) {
	gw := sessiontest.NewServer(t)
	c, protocol := connected(t, gw, "ann")
	if n, err := gw.SendEvent("ann", "room.updated", []string{protocol}, obj{"x": 1}); n != 1 || err != nil {
		t.Fatalf("sent to %d: %v", n, err)
	}
	f := c.expect(func(f obj) bool { return dig(f, "params", "event_type") == "room.updated" })
	if list, _ := dig(f, "params", "event_channel").([]any); len(list) != 1 || list[0] != protocol {
		t.Errorf("event: %v", f)
	}
	c.write(obj{"jsonrpc": "2.0", "id": f["id"], "result": obj{}})
	if _, err := gw.WaitFor(t.Context(), func(e sessiontest.Entry) bool {
		return e.Event == "room.updated" && !e.Answered.IsZero()
	}); err != nil {
		t.Error(err)
	}
	if _, err := gw.SendEvent("ann", "x", nil, func() {}); err == nil {
		t.Error("event that cannot be encoded was sent")
	}
}

func TestRawFramesAndDisconnectNotice(t *testing.T) {
	gw := sessiontest.NewServer(t)
	c, _ := connected(t, gw, "ann")
	gw.SendRaw("ann", []byte("{half"))
	c.expect(func(f obj) bool { return f["raw"] == "{half" })
	gw.SendRaw("ann", []byte(`{"big":"`+strings.Repeat("x", 10<<20)+`"}`))
	c.expect(func(f obj) bool { s, _ := f["big"].(string); return len(s) == 10<<20 })
	gw.AnnounceDisconnect("ann")
	f := c.expect(func(f obj) bool { return f["method"] == "signalwire.disconnect" })
	if _, ok := f["id"].(string); !ok {
		t.Errorf("notice: %v", f)
	}
}

func TestGarbageFromClientIsNoted(t *testing.T) {
	gw := sessiontest.NewServer(t)
	c, _ := connected(t, gw, "ann")
	for _, text := range []string{"{half", "[]", `"x"`, `{"jsonrpc":"2.0","id":"?","result":{}}`} {
		if err := c.conn.Write(context.Background(), websocket.MessageText, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if f := c.rpc("subscriber.online", obj{}); code(f) != 0 {
		t.Errorf("after garbage: %v", f)
	}
	noted := gw.Journal().Filter(func(e sessiontest.Entry) bool { return e.Transport == "ws" && e.Reason != "" })
	if len(noted) != 3 {
		t.Errorf("journal: %+v", noted)
	}
}
