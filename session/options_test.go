package session_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/session"
)

func TestOptionsThatCannotWorkAreNamed(t *testing.T) {
	const late = -time.Nanosecond
	for _, c := range []struct {
		field string
		spoil func(o *session.Options)
	}{
		{"APIURL", func(o *session.Options) { o.APIURL = "http://fabric.example.com" }},
		{"APIURL", func(o *session.Options) { o.APIURL = "http://127.0.0.1.example.com" }},
		{"APIURL", func(o *session.Options) { o.APIURL = "http://localhost.example.com:8080" }},
		{"APIURL", func(o *session.Options) { o.APIURL = "http://notlocalhost" }},
		{"APIURL", func(o *session.Options) { o.APIURL = "http://0.0.0.0:80" }},
		{"APIURL", func(o *session.Options) { o.APIURL = "http://[2001:db8::1]" }},
		{"APIURL", func(o *session.Options) { o.APIURL = "http://10.0.0.1" }},
		{"APIURL", func(o *session.Options) { o.APIURL = "wss://fabric.example.com" }},
		{"APIURL", func(o *session.Options) { o.APIURL = "ftp://localhost" }},
		{"APIURL", func(o *session.Options) { o.APIURL = "fabric.example.com" }},
		{"APIURL", func(o *session.Options) { o.APIURL = "fabric.example.com:443" }},
		{"APIURL", func(o *session.Options) { o.APIURL = "https://" }},
		{"APIURL", func(o *session.Options) { o.APIURL = "https://:443" }},
		{"APIURL", func(o *session.Options) { o.APIURL = "https:fabric.example.com" }},
		{"APIURL", func(o *session.Options) { o.APIURL = "https://ann:hunter2@fabric.example.com" }},
		{"APIURL", func(o *session.Options) { o.APIURL = "https://ann:hunter2@fabric.exa mple.com" }},
		{"APIURL", func(o *session.Options) { o.APIURL = "https://ann:hunter2@[fabric" }},
		{"APIURL", func(o *session.Options) { o.APIURL = "https://fabric.example.com?token=hunter2" }},
		{"APIURL", func(o *session.Options) { o.APIURL = "https://fabric.example.com#hunter2" }},
		{"APIURL", func(o *session.Options) { o.APIURL = "https://fabric.example.com\n" }},
		{"RelayURL", func(o *session.Options) { o.RelayURL = "ws://puc.example.com" }},
		{"RelayURL", func(o *session.Options) { o.RelayURL = "https://puc.example.com" }},
		{"RelayURL", func(o *session.Options) { o.RelayURL = "puc.example.com" }},
		{"RelayURL", func(o *session.Options) { o.RelayURL = "wss://puc.example.com?token=hunter2" }},
		{"HTTPClient", func(o *session.Options) { o.HTTPClient = &http.Client{Timeout: time.Second} }},
		{"PersistSession", func(o *session.Options) { o.PersistSession = true }},
		{"DPoPKey", func(o *session.Options) { o.DPoPKey = new(session.DPoPKey) }},
		{"MaxFrame", func(o *session.Options) { o.MaxFrame = -1 }},
		{"ConnectTimeout", func(o *session.Options) { o.ConnectTimeout = late }},
		{"RequestTimeout", func(o *session.Options) { o.RequestTimeout = late }},
		{"Refresh.Lead", func(o *session.Options) { o.Refresh.Lead = late }},
		{"Refresh.MaxAttempts", func(o *session.Options) { o.Refresh.MaxAttempts = -1 }},
		{"Refresh.ObtainTimeout", func(o *session.Options) { o.Refresh.ObtainTimeout = late }},
		{"Refresh.ApplyTimeout", func(o *session.Options) { o.Refresh.ApplyTimeout = late }},
		{"Refresh.MinBackoff", func(o *session.Options) { o.Refresh.MinBackoff = late }},
		{"Refresh.MaxBackoff", func(o *session.Options) { o.Refresh.MaxBackoff = late }},
		{"Refresh.ExpiryGrace", func(o *session.Options) { o.Refresh.ExpiryGrace = late }},
		{"Reconnect.MinDelay", func(o *session.Options) { o.Reconnect.MinDelay = late }},
		{"Reconnect.MaxDelay", func(o *session.Options) { o.Reconnect.MaxDelay = late }},
		{"Reconnect.Budget", func(o *session.Options) { o.Reconnect.Budget = late }},
		{"Reconnect.PingTimeout", func(o *session.Options) { o.Reconnect.PingTimeout = late }},
	} {
		var o session.Options
		c.spoil(&o)
		client, err := session.New(nil, o)
		opened, openErr := session.Open(t.Context(), nil, o)
		var config, again *errs.ConfigError
		if client != nil || !errors.As(err, &config) || config.Field != c.field || config.Problem == "" {
			t.Errorf("%s in %+v: New = %v", c.field, o, err)
			continue
		}
		if opened != nil || !errors.As(openErr, &again) || again.Field != c.field {
			t.Errorf("%s: Open = %v", c.field, openErr)
		}
		if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the message shows a secret: %v", c.field, err)
		}
	}
}

// TestKeyThatIsNoneIsRefused before anything is signed with it, and names itself
// without failing.
func TestKeyThatIsNoneIsRefused(t *testing.T) {
	none := new(session.DPoPKey)
	var uninitialised *errs.DPoPInitError
	if _, err := session.New(nil, session.Options{DPoPKey: none}); !errors.As(err, &uninitialised) {
		t.Errorf("New: %v", err)
	}
	if none.Fingerprint() != "" || none.String() != "session.DPoPKey()" {
		t.Errorf("the key is %s", none)
	}
}

func TestOptionsThatMayLookOdd(t *testing.T) {
	for name, o := range map[string]session.Options{
		"nothing":               {},
		"https anywhere":        {APIURL: "https://fabric.example.com:8443/prefix", RelayURL: "wss://puc.example.com/path"},
		"schemes in capitals":   {APIURL: "HTTPS://fabric.example.com", RelayURL: "WSS://puc.example.com"},
		"plain on loopback":     {APIURL: "http://127.0.0.1:8080", RelayURL: "ws://[::1]:8080"},
		"plain on 127/8":        {APIURL: "http://127.9.9.9", RelayURL: "ws://localhost"},
		"plain on *.localhost":  {APIURL: "http://fabric.dev.localhost:1", RelayURL: "ws://PUC.dev.LOCALHOST"},
		"never ping":            {Reconnect: session.ReconnectPolicy{PingInterval: -1}},
		"an HTTP client":        {HTTPClient: &http.Client{}},
		"lasting in memory":     {PersistSession: true, Storage: session.NewMemoryStorage()},
		"bounds in wrong order": {Refresh: session.RefreshPolicy{MinBackoff: time.Hour, MaxBackoff: time.Second}},
	} {
		client, err := session.New(nil, o)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		_ = client.Close()
	}
}
