package otelsession

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/internal/redact"
	"github.com/callrx/callrx/session"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// scope names this package to OpenTelemetry.
const scope = "github.com/callrx/callrx/session/otelsession"

// Options say where spans and metrics go. Nil: to the global provider.
type Options struct {
	TracerProvider trace.TracerProvider
	MeterProvider  metric.MeterProvider
}

// A Tracer is a [session.Tracer] for session.Options.
type Tracer struct {
	tracer     trace.Tracer
	active     metric.Int64UpDownCounter
	calls      metric.Float64Histogram
	operations metric.Float64Histogram
	requests   metric.Float64Histogram
}

var _ session.Tracer = (*Tracer)(nil)

// New makes a tracer. It returns the error of a meter that does not take an
// instrument.
func New(o Options) (*Tracer, error) {
	if o.TracerProvider == nil {
		o.TracerProvider = otel.GetTracerProvider()
	}
	if o.MeterProvider == nil {
		o.MeterProvider = otel.GetMeterProvider()
	}
	t := &Tracer{tracer: o.TracerProvider.Tracer(scope, trace.WithInstrumentationVersion(session.Version), trace.WithSchemaURL(semconv.SchemaURL))}
	meter := o.MeterProvider.Meter(scope, metric.WithInstrumentationVersion(session.Version), metric.WithSchemaURL(semconv.SchemaURL))
	var failed [4]error
	t.active, failed[0] = meter.Int64UpDownCounter("callrx.call.active",
		metric.WithDescription("Calls that are being placed, offered or held."), metric.WithUnit("{call}"))
	t.calls, failed[1] = meter.Float64Histogram("callrx.call.duration",
		metric.WithDescription("How long calls lasted, from dialling or ringing on."), metric.WithUnit("s"),
		metric.WithExplicitBucketBoundaries(1, 5, 10, 30, 60, 300, 600, 1800, 3600, 7200))
	t.operations, failed[2] = meter.Float64Histogram("callrx.operation.duration",
		metric.WithDescription("How long a client worked at something."), metric.WithUnit("s"),
		metric.WithExplicitBucketBoundaries(shortTimes...))
	t.requests, failed[3] = meter.Float64Histogram("rpc.client.call.duration",
		metric.WithDescription("How long requests took to be answered."), metric.WithUnit("s"),
		metric.WithExplicitBucketBoundaries(shortTimes...))
	return t, errors.Join(failed[:]...)
}

// shortTimes are the boundaries that OpenTelemetry gives for requests, and some
// above, for what may wait for a network.
var shortTimes = []float64{0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 30, 60, 120}

// Start begins the span of an operation. See [session.Tracer].
func (t *Tracer) Start(ctx context.Context, o session.Operation) (context.Context, func(error)) {
	began := time.Now()
	common := facts(o)
	kind := trace.SpanKindInternal
	if o.Name == session.OperationRPC {
		kind = trace.SpanKindClient
	}
	ctx, span := t.tracer.Start(ctx, spanName(o), trace.WithTimestamp(began), trace.WithSpanKind(kind),
		trace.WithAttributes(append(identity(o), common...)...))
	if o.Name == session.OperationCall {
		t.active.Add(ctx, 1, metric.WithAttributes(common...))
	}
	return ctx, func(err error) {
		failure := failureOf(o, err)
		if err != nil {
			message := redact.Snippet([]byte(err.Error()))
			span.SetAttributes(failure...)
			span.AddEvent("exception", trace.WithAttributes(
				semconv.ExceptionType(fmt.Sprintf("%T", err)), semconv.ExceptionMessage(message)))
			span.SetStatus(codes.Error, message)
		}
		span.End()
		t.measure(ctx, o, time.Since(began), common, failure)
	}
}

// measure counts an operation that is over.
func (t *Tracer) measure(ctx context.Context, o session.Operation, took time.Duration, common, failure []attribute.KeyValue) {
	all := append(append([]attribute.KeyValue{}, common...), failure...)
	switch o.Name {
	case session.OperationCall:
		t.active.Add(ctx, -1, metric.WithAttributes(common...))
		t.calls.Record(ctx, took.Seconds(), metric.WithAttributes(all...))
	case session.OperationRPC:
		t.requests.Record(ctx, took.Seconds(), metric.WithAttributes(all...))
	default:
		all = append(all, attribute.String("callrx.operation", string(o.Name)))
		t.operations.Record(ctx, took.Seconds(), metric.WithAttributes(all...))
	}
}

func spanName(o session.Operation) string {
	if o.Name != session.OperationRPC {
		return "callrx " + string(o.Name)
	}
	return strings.TrimSpace(o.Method + " " + o.Verto)
}

// identity says whose operation it is: for spans only, there are too many values.
func identity(o session.Operation) []attribute.KeyValue {
	out := []attribute.KeyValue{attribute.String("callrx.client", o.Client)}
	if o.CallID != "" {
		out = append(out, attribute.String("callrx.call.id", o.CallID))
	}
	if o.Attempt > 0 {
		out = append(out, attribute.Int("callrx.refresh.attempt", o.Attempt))
	}
	return out
}

// facts are the attributes with few values.
func facts(o session.Operation) []attribute.KeyValue {
	var out []attribute.KeyValue
	if o.Name == session.OperationRPC {
		out = append(out, semconv.RPCSystemNameKey.String("jsonrpc"), semconv.RPCMethod(o.Method))
	}
	for _, a := range [...]struct{ key, value string }{
		{"callrx.call.direction", string(o.Direction)}, {"callrx.verto.method", o.Verto},
		{"callrx.refresh.mechanism", string(o.Mechanism)}, {"callrx.refresh.stage", string(o.Stage)},
	} {
		if a.value != "" {
			out = append(out, attribute.String(a.key, a.value))
		}
	}
	return out
}

// failureOf classifies an error; none for nil.
func failureOf(o session.Operation, err error) []attribute.KeyValue {
	if err == nil {
		return nil
	}
	out := []attribute.KeyValue{errorType(err)}
	if refused, ok := errors.AsType[*errs.JSONRPCError](err); ok && o.Name == session.OperationRPC {
		out = append(out, semconv.RPCResponseStatusCode(strconv.Itoa(refused.Code)))
	}
	return out
}

// errorType is the outermost type that a program knows, so that there are few.
func errorType(err error) attribute.KeyValue {
	for e := err; e != nil; e = errors.Unwrap(e) {
		if name, ours := strings.CutPrefix(fmt.Sprintf("%T", e), "*errs."); ours {
			return semconv.ErrorTypeKey.String(name)
		}
	}
	switch {
	case errors.Is(err, context.Canceled):
		return semconv.ErrorTypeKey.String("canceled")
	case errors.Is(err, context.DeadlineExceeded):
		return semconv.ErrorTypeKey.String("timeout")
	}
	return semconv.ErrorTypeOther
}
