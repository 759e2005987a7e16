package sessiontest_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/session/sessiontest"
)

func smoke(t *testing.T, gw *sessiontest.Server) {
	sat := gw.IssueSAT(sessiontest.SATRequest{Reference: "mara@example.org", TTL: time.Hour})
	info := call(t, gw, "GET", "/api/fabric/subscriber/info", bearer(sat.Token), nil)
	if info.Status != 200 || info.JSON["id"] != sat.SubscriberID {
		t.Fatalf("info: %d %s", info.Status, info.Body)
	}
	c := dialWS(t, gw)
	if f := c.rpc("subscriber.online", obj{}); code(f) != -32002 {
		t.Fatalf("before connect: %v", f)
	}
	if f := c.connect(sat.Token); code(f) != 0 {
		t.Fatalf("connect: %v", f)
	}
	if c.state() == "" {
		t.Fatal("no state")
	}
	if f := c.rpc("subscriber.online", obj{}); dig(f, "result", "code") != "200" {
		t.Fatalf("online: %v", f)
	}
	if f := c.rpc("signalwire.reauthenticate", obj{"authentication": obj{"jwt_token": sat.Token}}); code(f) != 0 {
		t.Fatalf("reauthenticate: %v", f)
	}
}

func TestSmoke(t *testing.T) {
	t.Run("plain", func(t *testing.T) { smoke(t, sessiontest.NewServer(t)) })
	t.Run("tls", func(t *testing.T) { smoke(t, sessiontest.NewServer(t, sessiontest.Options{TLS: true})) })
	t.Run("memory", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { smoke(t, sessiontest.NewServer(t, sessiontest.Options{InMemory: true})) })
	})
}
