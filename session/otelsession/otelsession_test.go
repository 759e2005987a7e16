package otelsession_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/otelsession"
	"github.com/callrx/callrx/session/sessiontest"
	"github.com/pion/webrtc/v4"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// sharedKey spares each test the making of an RSA key.
var sharedKey = sync.OnceValue(func() *session.DPoPKey {
	key, err := session.GenerateDPoPKey()
	if err != nil {
		panic(err)
	}
	return key
})

// A recording is all that a tracer brings to OpenTelemetry.
type recording struct {
	provider *sdktrace.TracerProvider
	exporter *tracetest.InMemoryExporter
	reader   *sdkmetric.ManualReader
	tracer   *otelsession.Tracer
}

func record() (*recording, error) {
	r := &recording{exporter: tracetest.NewInMemoryExporter(), reader: sdkmetric.NewManualReader()}
	r.provider = sdktrace.NewTracerProvider(sdktrace.WithSyncer(r.exporter))
	var err error
	r.tracer, err = otelsession.New(otelsession.Options{
		TracerProvider: r.provider, MeterProvider: sdkmetric.NewMeterProvider(sdkmetric.WithReader(r.reader)),
	})
	return r, err
}

func recordFor(t *testing.T) *recording {
	t.Helper()
	r, err := record()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// named are the spans of a name that have ended.
func (r *recording) named(name string) (spans []tracetest.SpanStub) {
	for _, s := range r.exporter.GetSpans() {
		if s.Name == name {
			spans = append(spans, s)
		}
	}
	return spans
}

// one is the first span of a name.
func (r *recording) one(t *testing.T, name string) tracetest.SpanStub {
	t.Helper()
	found := r.named(name)
	if len(found) == 0 {
		var names []string
		for _, s := range r.exporter.GetSpans() {
			names = append(names, s.Name)
		}
		t.Fatalf("no span %q among %q", name, names)
	}
	return found[0]
}

func of(attributes []attribute.KeyValue, key string) string {
	for _, a := range attributes {
		if string(a.Key) == key {
			return a.Value.Emit()
		}
	}
	return ""
}

func wantAttributes(t *testing.T, s tracetest.SpanStub, want map[string]string) {
	t.Helper()
	for key, value := range want {
		if got := of(s.Attributes, key); got != value {
			t.Errorf("span %q: %s is %q, want %q", s.Name, key, got, value)
		}
	}
}

// metrics are the data points, by metric and attributes: of a histogram the count,
// of a counter the value.
func (r *recording) metrics(t *testing.T) map[string]int64 {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := r.reader.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	points := map[string]int64{}
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			switch data := m.Data.(type) {
			case metricdata.Sum[int64]:
				for _, p := range data.DataPoints {
					points[m.Name+labels(p.Attributes)] = p.Value
				}
			case metricdata.Histogram[float64]:
				for _, p := range data.DataPoints {
					points[m.Name+labels(p.Attributes)] = int64(p.Count)
					if p.Sum < 0 || m.Unit != "s" {
						t.Errorf("%s: sum %v %s", m.Name, p.Sum, m.Unit)
					}
				}
			}
		}
	}
	return points
}

func labels(s attribute.Set) string {
	var parts []string
	for _, a := range s.ToSlice() {
		key := string(a.Key)
		parts = append(parts, key[strings.LastIndexByte(key, '.')+1:]+"="+a.Value.Emit())
	}
	return "{" + strings.Join(parts, " ") + "}"
}

func wantMetrics(t *testing.T, points map[string]int64, want map[string]int64) {
	t.Helper()
	for name, n := range want {
		if got, ok := points[name]; !ok || got != n {
			t.Errorf("%s is %d (%v), want %d, of\n%v", name, got, ok, n, points)
		}
	}
}

// inBubble signs a subscriber in to a gateway in memory.
func inBubble(t *testing.T, test func(t *testing.T, srv *sessiontest.Server, o session.Options)) {
	t.Helper()
	key := sharedKey()
	synctest.Test(t, func(t *testing.T) {
		srv := sessiontest.NewServer(t, sessiontest.Options{InMemory: true})
		test(t, srv, session.Options{APIURL: srv.APIURL(), RelayURL: srv.RelayURL(), HTTPClient: srv.Client(), DPoPKey: key})
	})
}

func TestSpansAndMetricsOfASession(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *sessiontest.Server, o session.Options) {
		r := recordFor(t)
		o.Tracer = r.tracer
		sat := srv.IssueSAT(sessiontest.SATRequest{Reference: "ann", TTL: time.Minute, Scope: "sat:refresh", Fingerprint: o.DPoPKey.Fingerprint()})
		ctx, program := r.provider.Tracer("test").Start(t.Context(), "program")
		c, err := session.Open(ctx, session.StaticCredentials(session.Credential{Token: sat.Token}), o)
		if err != nil {
			t.Fatal(err)
		}
		program.End()
		srv.Inject(sessiontest.Fault{
			Match:  sessiontest.Match{Path: "/api/fabric/subscriber/devices/refresh"},
			Action: sessiontest.Action{Kind: sessiontest.FaultStatus, Status: 503, Body: `{"error":"not for ` + sat.Token + `"}`},
		})
		time.Sleep(50 * time.Second)
		srv.Drop("ann")
		time.Sleep(5 * time.Second)
		if err := c.Execute(t.Context(), "no.such.method", nil, nil); err == nil {
			t.Error("the service knows no.such.method")
		}
		_ = c.Close()

		connect, register := r.one(t, "callrx connect"), r.one(t, "callrx register")
		for _, s := range []tracetest.SpanStub{connect, register} {
			if s.Parent.SpanID() != program.SpanContext().SpanID() || s.SpanKind != trace.SpanKindInternal || s.Status.Code == codes.Error {
				t.Errorf("span %q: parent %v, kind %v, status %v", s.Name, s.Parent.SpanID(), s.SpanKind, s.Status)
			}
		}
		online := r.one(t, "subscriber.online")
		if online.Parent.SpanID() != register.SpanContext.SpanID() || online.SpanKind != trace.SpanKindClient {
			t.Errorf("span %q: parent %v, kind %v", online.Name, online.Parent.SpanID(), online.SpanKind)
		}
		wantAttributes(t, online, map[string]string{
			"rpc.system.name": "jsonrpc", "rpc.method": "subscriber.online", "callrx.client": c.ExportDiagnostics().Client, "error.type": "",
		})
		failed := r.one(t, "callrx refresh")
		wantAttributes(t, failed, map[string]string{
			"callrx.refresh.mechanism": "client-bound", "callrx.refresh.stage": "obtain", "callrx.refresh.attempt": "1", "error.type": "HTTPError",
		})
		if failed.Status.Code != codes.Error || len(failed.Events) != 1 || failed.Events[0].Name != "exception" ||
			of(failed.Events[0].Attributes, "exception.type") != "*errs.HTTPError" || !strings.Contains(of(failed.Events[0].Attributes, "exception.message"), "503") {
			t.Errorf("the failure: %v, %v", failed.Status, failed.Events)
		}
		wantAttributes(t, r.one(t, "no.such.method"), map[string]string{"error.type": "JSONRPCError", "rpc.response.status_code": "-32601"})
		for i, s := range r.named("signalwire.connect") {
			if in := r.one(t, []string{"callrx connect", "callrx reconnect"}[i]); s.Parent.SpanID() != in.SpanContext.SpanID() {
				t.Errorf("signing in, the %d. time, belongs to %v, not to %s", i+1, s.Parent.SpanID(), in.Name)
			}
		}
		if all := fmt.Sprintf("%+v", r.exporter.GetSpans()); strings.Contains(all, sat.Token) || !strings.Contains(all, "tok:sha256:") {
			t.Error("the token that the service repeated shows in a span, or nothing of it does")
		}
		wantMetrics(t, r.metrics(t), map[string]int64{
			"callrx.operation.duration{operation=connect}":                                                      1,
			"callrx.operation.duration{operation=register}":                                                     1,
			"callrx.operation.duration{operation=reconnect}":                                                    1,
			"callrx.operation.duration{operation=refresh mechanism=client-bound stage=obtain type=HTTPError}":   1,
			"callrx.operation.duration{operation=refresh mechanism=client-bound stage=obtain}":                  1,
			"callrx.operation.duration{operation=refresh mechanism=client-bound stage=apply}":                   1,
			"rpc.client.call.duration{method=signalwire.connect name=jsonrpc}":                                  2,
			"rpc.client.call.duration{type=JSONRPCError method=no.such.method status_code=-32601 name=jsonrpc}": 1,
		})
	})
}

func onLoopback(s *webrtc.SettingEngine) {
	s.SetIncludeLoopbackCandidate(true)
	s.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
}

func TestSpansAndMetricsOfCalls(t *testing.T) {
	srv := sessiontest.NewServer(t)
	r := recordFor(t)
	sat := srv.IssueSAT(sessiontest.SATRequest{Reference: "ann", TTL: time.Hour})
	c, err := session.Open(t.Context(), session.StaticCredentials(session.Credential{Token: sat.Token}), session.Options{
		APIURL: srv.APIURL(), RelayURL: srv.RelayURL(), HTTPClient: srv.Client(), DPoPKey: sharedKey(), Tracer: r.tracer,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	o := session.DialOptions{MediaOptions: session.MediaOptions{SettingEngine: onLoopback}}
	k, err := c.Dial(t.Context(), "/public/echo", o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if _, err := k.ObserveStatus().Wait(ctx, func(s session.CallStatus) bool { return s == session.CallStatusConnected }); err != nil {
		t.Fatal(err)
	}
	wantMetrics(t, r.metrics(t), map[string]int64{"callrx.call.active{direction=outbound}": 1})
	if err := k.Hold(ctx); err != nil {
		t.Error(err)
	}
	if err := k.Hangup(ctx); err != nil {
		t.Error(err)
	}
	if _, err := c.Dial(ctx, "/public/fail", o); err == nil {
		t.Error("it was taken")
	}

	dial, calls, invite := r.one(t, "callrx dial"), r.named("callrx call"), r.one(t, "webrtc.verto verto.invite")
	if len(calls) != 2 || calls[0].Parent.SpanID() != dial.SpanContext.SpanID() || invite.Parent.SpanID() != dial.SpanContext.SpanID() {
		t.Fatalf("%d calls, or not in their dial", len(calls))
	}
	wantAttributes(t, calls[0], map[string]string{"callrx.call.id": k.ID(), "callrx.call.direction": "outbound", "error.type": ""})
	wantAttributes(t, calls[1], map[string]string{"error.type": "CallEndedError"})
	wantAttributes(t, invite, map[string]string{"rpc.method": "webrtc.verto", "callrx.verto.method": "verto.invite", "callrx.call.id": k.ID()})
	media := r.one(t, "callrx media")
	if media.Parent.SpanID() != calls[0].SpanContext.SpanID() || !media.EndTime.Before(calls[0].EndTime) {
		t.Errorf("media %v in %v", media.Parent.SpanID(), calls[0].SpanContext.SpanID())
	}
	r.one(t, "webrtc.verto verto.modify")
	wantMetrics(t, r.metrics(t), map[string]int64{
		"callrx.call.active{direction=outbound}":                                            0,
		"callrx.call.duration{direction=outbound}":                                          1,
		"callrx.call.duration{direction=outbound type=CallEndedError}":                      1,
		"callrx.operation.duration{direction=outbound operation=dial}":                      1,
		"callrx.operation.duration{direction=outbound operation=dial type=CallCreateError}": 1,
		"callrx.operation.duration{direction=outbound operation=media}":                     1,
		"rpc.client.call.duration{method=verto.modify method=webrtc.verto name=jsonrpc}":    1,
	})
}

// What a provider or a service says may hold a token; what is exported may not.
func TestNoSecretIsExported(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *sessiontest.Server, o session.Options) {
		r := recordFor(t)
		o.Tracer = r.tracer
		token := srv.IssueSAT(sessiontest.SATRequest{Reference: "ann", TTL: time.Hour}).Token
		c, err := session.New(session.CredentialFunc(func(context.Context, session.AuthContext) (session.Credential, error) {
			return session.Credential{}, errors.New("the backend does not know " + token)
		}), o)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Connect(t.Context()); err == nil {
			t.Error("connected")
		}
		_ = c.Close()
		spans := fmt.Sprintf("%+v", r.exporter.GetSpans())
		if !strings.Contains(spans, "the backend does not know tok:sha256:") || strings.Contains(spans, token) {
			t.Errorf("exported %s", spans)
		}
		wantAttributes(t, r.one(t, "callrx connect"), map[string]string{"error.type": "InvalidCredentialsError"})
	})
}

func TestErrorsAreOfFewTypes(t *testing.T) {
	r := recordFor(t)
	for _, err := range []error{
		fmt.Errorf("about a call: %w", &errs.RPCTimeoutError{}), context.Canceled, context.DeadlineExceeded, errors.New("what nobody knows"),
	} {
		_, end := r.tracer.Start(t.Context(), session.Operation{Name: session.OperationRPC, Method: "m"})
		end(err)
	}
	var got []string
	for _, s := range r.exporter.GetSpans() {
		got = append(got, of(s.Attributes, "error.type"))
	}
	if want := []string{"RPCTimeoutError", "canceled", "timeout", "_OTHER"}; !slices.Equal(got, want) {
		t.Errorf("types %q, want %q", got, want)
	}
}

func BenchmarkRPCSpan(b *testing.B) {
	tracer, err := otelsession.New(otelsession.Options{}) // the global providers, which do nothing
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		_, end := tracer.Start(b.Context(), session.Operation{Name: session.OperationRPC, Method: "signalwire.ping", Client: "c"})
		end(nil)
	}
}
