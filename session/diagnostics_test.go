package session_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// told lists the events of d in few words, and checks their numbers and times.
func toldBy(t *testing.T, d session.SessionDiagnostics) (lines []string) {
	t.Helper()
	for i, e := range d.Events {
		if want := d.Dropped.Events + uint64(i) + 1; e.Sequence != want || e.Time.IsZero() || e.Time.After(d.ExportedAt) {
			t.Errorf("event %d is numbered %d, of %v; exported %v", want, e.Sequence, e.Time, d.ExportedAt)
		}
		line := fmt.Sprintf("%s %s", e.Category, e.Event)
		for _, key := range []string{"from", "to", "on", "kind", "mechanism", "httpStatus", "path", "source"} {
			if v := e.Details[key]; v != nil {
				line += fmt.Sprintf(" %s=%v", key, v)
			}
		}
		lines = append(lines, line)
	}
	return lines
}

// wantTold checks that lines holds each of want, in this order.
func wantTold(t *testing.T, lines []string, want ...string) {
	t.Helper()
	rest := lines
	for _, w := range want {
		at := slices.IndexFunc(rest, func(line string) bool { return strings.Contains(line, w) })
		if at < 0 {
			t.Fatalf("%q was not told, or too early, of\n%s", w, strings.Join(lines, "\n"))
		}
		rest = rest[at+1:]
	}
}

func TestDiagnosticsTellWhatBecameOfASession(t *testing.T) {
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		t := r.t
		r.connect(session.StaticCredentials(r.bindable(time.Minute)))
		if err := r.c.Register(t.Context()); err != nil {
			t.Fatal(err)
		}
		r.fault(pathDeviceRefresh, 1, sessiontest.Action{Kind: sessiontest.FaultStatus, Status: 503})
		r.to(14 * time.Minute) // bound tokens live a quarter of an hour
		r.to(15 * time.Minute)
		r.srv.Drop("ann")
		r.to(16 * time.Minute)
		r.wantOnline("in the end")
		d := r.c.ExportDiagnostics()
		if d.Status != "online" || !d.Registered || d.SDKVersion != session.Version || d.Schema != session.DiagnosticsSchema ||
			!d.Credential.ClientBound || d.Credential.Fingerprint != r.c.Credential().Fingerprint || d.Session == "" || d.Client == "" {
			t.Errorf("exported %+v", d)
		}
		if err := r.c.Close(); err != nil {
			t.Fatal(err)
		}
		d = r.c.ExportDiagnostics()
		wantTold(t, toldBy(t, d),
			"connection status from=new to=connecting on=connect",
			"connection status from=connecting to=online on=session up",
			"connection refresh from=activating to=armed on=activation done",
			"connection registered",
			"error error kind=TokenRefreshError mechanism=client-bound httpStatus=503",
			"connection refresh from=running to=backoff on=attempt failed",
			"connection refresh from=applying to=armed on=token applied",
			"connection connection_lost kind=WebSocketError",
			"connection status from=online to=reconnecting on=connection lost",
			"connection unregistered",
			"connection status from=reconnecting to=online on=session up",
			"connection registered",
			"connection status from=offline to=closed on=closed")
	})
}

func TestDiagnosticsSumUpACall(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		ann := b.client(t, "ann")
		k := connected(t, ann.Client, "/public/echo?channel=audio", ann.dialing(session.MediaOptions{AudioSource: newTone(t, 440, -12)}))
		pass(5 * time.Second)
		live := ann.ExportDiagnostics()
		if len(live.Calls) != 1 || live.Calls[0].Status != "connected" || !live.Calls[0].EndedAt.IsZero() {
			t.Errorf("the live call: %+v", live.Calls)
		}
		if err := k.Self().AddAudioInputDevice(t.Context(), newTone(t, 520, -12)); err != nil {
			t.Fatal(err)
		}
		b.over(t, ann, k)
		d := ann.ExportDiagnostics()
		if len(d.Calls) != 1 {
			t.Fatalf("one call, %d summaries", len(d.Calls))
		}
		s := d.Calls[0]
		if s.CallID != k.ID() || s.Direction != "outbound" || s.Destination != "/public/echo" || s.Status != "disconnected" ||
			s.EndedBy != "local" || s.Cause != "NORMAL_CLEARING" || s.Code != errs.CauseNormalClearing || s.Error != "" {
			t.Errorf("summary %+v", s)
		}
		if !slices.Equal(s.ICECandidateTypes, []string{"host"}) || s.RecoveryAttempts != 0 || s.Metrics.Video != nil {
			t.Errorf("paths %v, %d recoveries, video %+v", s.ICECandidateTypes, s.RecoveryAttempts, s.Metrics.Video)
		}
		if s.Duration < 5 || s.Duration > 7 || s.ConnectedAt.Before(s.StartedAt) || s.EndedAt.Sub(s.StartedAt).Seconds() < 5 {
			t.Errorf("began %v, connected %v, ended %v, %v s", s.StartedAt, s.ConnectedAt, s.EndedAt, s.Duration)
		}
		final := k.Stats().Audio
		if a := s.Metrics.Audio; a == nil || a.PacketsReceived != final.PacketsReceived || a.PacketsReceived < 200 ||
			a.PacketsSent != final.PacketsSent || a.SendCodec != "PCMU/8000" || a.Path != "host-host/udp" {
			t.Errorf("metrics %+v, want those of %+v", a, final)
		}
		wantTold(t, toldBy(t, d),
			"device opened kind=audioinput source=*media.toneSource", "call status from=new to=trying", "call path", "call media to=connected",
			"to=connected on=", "device replaced kind=audioinput", "to=disconnecting on=hangup begun", "call call_summary to=disconnected")
		var changes []string
		for _, c := range d.DeviceChanges {
			changes = append(changes, c.Change)
			if c.CallID != k.ID() || c.LegID != k.ID() || c.Sequence == 0 || c.Time.IsZero() {
				t.Errorf("change %+v", c)
			}
		}
		if want := []string{"opened", "replaced"}; !slices.Equal(changes, want) {
			t.Errorf("changes %v, want %v", changes, want)
		}
	})
}

func TestDiagnosticsTellHowACallWasRestored(t *testing.T) {
	inCallBubble(t, sessiontest.Options{MediaTimeout: time.Minute}, func(t *testing.T, b *callBubble) {
		ann := b.client(t, "ann")
		k := connected(t, ann.Client, "/public/echo", ann.dialing(session.MediaOptions{}))
		pass(5 * time.Second)
		b.cut.Store(true)
		pass(15 * time.Second)
		b.cut.Store(false)
		pass(15 * time.Second)
		d := ann.ExportDiagnostics()
		wantTold(t, toldBy(t, d), "recovery call_recovering", "recovery reinvite_started", "recovery reinvite_succeeded", "recovery call_recovered")
		if c := d.Calls[0]; c.RecoveryAttempts == 0 || c.MinQualityScore < 1 || c.AvgQualityScore < c.MinQualityScore-1e-9 || c.AvgQualityScore > 5 {
			t.Errorf("%+v", c)
		}
		b.over(t, ann, k)
	})
}

func TestDiagnosticsTellOfRecoveryAndFailure(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		ann := b.client(t, "ann")
		k := connected(t, ann.Client, "/public/echo", ann.dialing(session.MediaOptions{}))
		replaceSession(t, b.srv, ann.Client, "ann")
		awaitStatus(t, k, session.CallStatusConnected)
		pass(time.Second)
		_, err := ann.Dial(t.Context(), "/public/busy", ann.dialing(session.MediaOptions{}))
		if err == nil {
			pass(time.Second)
		}
		b.over(t, ann, k)
		d := ann.ExportDiagnostics()
		wantTold(t, toldBy(t, d), "status from=connected to=recovering", "recovery attach_started", "recovery attached", "error call_error kind=rejected")
		busy, good := d.Calls[0], d.Calls[1]
		if good.RecoveryAttempts != 1 || good.Status != "disconnected" || busy.Cause != "USER_BUSY" || busy.EndedBy != "remote" {
			t.Errorf("calls %+v", d.Calls)
		}
	})
}

func TestDiagnosticsTellOfScreens(t *testing.T) {
	srv := sessiontest.NewServer(t)
	ann := onLoopback(t, srv, "ann")
	k := inRoom(t, ann, "/public/stage", session.MediaOptions{})
	screen, err := k.ShareScreen(t.Context(), media.NewTestPattern(), session.MediaOptions{SettingEngine: loopbackMedia})
	if err != nil {
		t.Fatal(err)
	}
	if err := screen.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	var changes []string
	for _, c := range ann.ExportDiagnostics().DeviceChanges {
		changes = append(changes, fmt.Sprint(c.Kind, " ", c.Change, " ", c.LegID == screen.ID()))
	}
	if want := []string{"screen opened true", "screen stopped true"}; !slices.Equal(changes, want) {
		t.Errorf("changes %v, want %v", changes, want)
	}
}

func TestDiagnosticsAreBounded(t *testing.T) {
	c, err := session.New(nil, session.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	const n, kept = 1500, 1000
	for i := range n {
		session.End(session.Offline(c, fmt.Sprintf("call-%04d", i)))
	}
	d := c.ExportDiagnostics()
	toldBy(t, d)
	if len(d.Events) != kept || len(d.Calls) != kept || d.Dropped.Calls != n-kept || d.Dropped.Events < n {
		t.Errorf("%d events, %d calls, dropped %+v", len(d.Events), len(d.Calls), d.Dropped)
	}
	if first, last := d.Calls[0].CallID, d.Calls[kept-1].CallID; first != "call-0500" || last != "call-1499" {
		t.Errorf("calls from %s to %s", first, last)
	}
	text, err := json.Marshal(d)
	if err != nil || len(text) > 2<<20 {
		t.Errorf("%d bytes, %v", len(text), err)
	}
}

// The form is a contract: tools read it.
func TestDiagnosticsKeepTheirForm(t *testing.T) {
	c, err := session.New(nil, session.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	text, err := json.Marshal(c.ExportDiagnostics())
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"schema", "exportedAt", "sdkVersion", "userAgent", "platform", "client", "session", "status",
		"registered", "credential", "frames", "events", "calls", "deviceChanges", "devices", "dropped"} {
		if _, ok := fields[name]; !ok {
			t.Errorf("no field %q", name)
		}
		delete(fields, name)
	}
	if len(fields) != 0 {
		t.Errorf("unknown fields %v", fields)
	}
	for _, list := range []string{`"events":[]`, `"calls":[]`, `"deviceChanges":[]`, `"audioInput":[]`, `"audioOutput":[]`, `"videoInput":[]`} {
		if !strings.Contains(string(text), list) {
			t.Errorf("no %s in %s", list, text)
		}
	}
	var back session.SessionDiagnostics
	if err := json.Unmarshal(text, &back); err != nil {
		t.Error(err)
	}
}

// TestDiagnosticsHoldNoSecretOfACall puts a secret everywhere a program or the
// service may put one.
func TestDiagnosticsHoldNoSecretOfACall(t *testing.T) {
	secrets := map[string][]string{}
	plant := func(kind string) string {
		s := "hunter2-" + kind + "-of-a-call"
		secrets[kind] = append(secrets[kind], s)
		return s
	}
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		ann := b.client(t, "ann")
		o := ann.dialing(session.MediaOptions{ICEServers: []media.ICEServer{}})
		o.UserVariables = map[string]any{"pin": plant("variable")}
		k := connected(t, ann.Client, "/public/echo?pin="+plant("query"), o)
		secrets["digits"] = []string{"4711#0815"}
		if err := k.SendDigits(t.Context(), "4711#0815"); err != nil {
			t.Error(err)
		}
		sip := connected(t, ann.Client, "sip:bob:"+plant("password")+"@example.com;key="+plant("parameter"), ann.dialing(session.MediaOptions{}))
		sat := b.srv.IssueSAT(sessiontest.SATRequest{Reference: "ann", TTL: time.Hour}).Token
		secrets["token"] = []string{sat}
		b.srv.Inject(sessiontest.Fault{Match: sessiontest.Match{RPC: "webrtc.verto"}, Action: sessiontest.Action{
			Kind: sessiontest.FaultRPCError, Code: -32000, Message: `no {"password":"` + plant("refusal") + `"} for ` + sat + " a=ice-pwd:" + "hunter2xofxthexsdp",
		}})
		secrets["sdp"] = []string{"hunter2xofxthexsdp"}
		if _, err := ann.Dial(t.Context(), "/public/echo", ann.dialing(session.MediaOptions{})); !errors.As(err, new(*errs.CallCreateError)) {
			t.Errorf("Dial = %v", err)
		}
		if err := sip.Hangup(t.Context()); err != nil {
			t.Error(err)
		}
		b.over(t, ann, k)
		text, err := json.Marshal(ann.ExportDiagnostics())
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), "sip:bob@example.com") || !strings.Contains(string(text), "tok:sha256:") {
			t.Errorf("destination and fingerprints are not there: %s", text)
		}
		wantHidden(t, string(text), secrets, "variable", "query", "digits", "password", "parameter", "token", "refusal", "sdp")
	})
}

// FuzzDiagnosticsHideSecrets has a service and a provider say secrets in their
// errors, in every form that the SDK knows secrets by.
func FuzzDiagnosticsHideSecrets(f *testing.F) {
	f.Add("c2VjcmV0LXZhbHVl", uint8(0))
	f.Add("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", uint8(255))
	f.Fuzz(func(t *testing.T, secret string, pad uint8) {
		for _, r := range secret {
			if r > 'z' || !strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", r) {
				t.Skip()
			}
		}
		if len(secret) < 12 {
			t.Skip()
		}
		c, err := session.New(nil, session.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		session.UseICEServers(c, media.ICEServer{Credential: secret + "ice"})
		around := strings.Repeat("x ", int(pad)*2)
		for _, text := range []string{
			"Bearer " + secret, `{"token":"` + secret + `"}`, `"{\"jwt_token\":\"` + secret + `\"}"`, "eyJ" + secret + ".." + secret,
			"a=ice-pwd:" + secret, "https://me:" + secret + "@proxy.example", "turn refused " + secret + "ice", "GET /x?token=" + secret,
		} {
			session.Fail(c, "call-1", &errs.CallError{OriginalError: &errs.TransportError{
				CloseCode: 4000, CloseReason: around + text, OriginalError: errors.New(around + text),
			}})
		}
		text, err := json.Marshal(c.ExportDiagnostics())
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), secret) {
			t.Errorf("%q is shown: %s", secret, text)
		}
	})
}

// What nobody asks for must cost next to nothing.
func TestRecordingAllocatesNothing(t *testing.T) {
	c, err := session.New(nil, session.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for range 2000 {
		session.Note(c)
	}
	if n := testing.AllocsPerRun(1000, func() { session.Note(c) }); n != 0 {
		t.Errorf("%v allocations for each event", n)
	}
}

func BenchmarkDiagnosticsNote(b *testing.B) {
	c, err := session.New(nil, session.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	b.ReportAllocs()
	for b.Loop() {
		session.Note(c)
	}
}

func BenchmarkExportDiagnostics(b *testing.B) {
	c, err := session.New(nil, session.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	for range 2000 {
		session.Note(c)
	}
	b.ReportAllocs()
	for b.Loop() {
		c.ExportDiagnostics()
	}
}
