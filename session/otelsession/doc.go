// Package otelsession tells OpenTelemetry what callrx clients do: spans for what
// they work at, and metrics for how that goes. It is a module of its own, so that
// nothing else depends on OpenTelemetry.
//
//	tracer, err := otelsession.New(otelsession.Options{})
//	if err != nil {
//		return err
//	}
//	client, err := session.Open(ctx, provider, session.Options{Tracer: tracer})
//
// One tracer may serve any number of clients.
//
// # Spans
//
// An operation of [session.OperationName] is a span named "callrx " and its name;
// a request is a client span named by its method, with that of the message inside
// if there is one: "webrtc.verto verto.invite". Spans of what the program asks for
// belong to the span of the context it asks with, and so does the call that it
// dials. Attributes:
//
//	callrx.client                  which client of the process, as in its log
//	callrx.call.id                 of what is about a call
//	callrx.call.direction          "inbound" or "outbound"
//	callrx.refresh.mechanism       "client-bound" or "developer"
//	callrx.refresh.stage           "obtain" or "apply"
//	callrx.refresh.attempt         from 1
//	callrx.verto.method            of the message in a request
//	rpc.system.name, rpc.method    of a request: "jsonrpc" and its method
//	rpc.response.status_code       with which the service refused
//	error.type                     of what failed: a type of package errs, without the package,
//	                               "canceled", "timeout" or "_OTHER"
//
// What fails has the status Error and an event "exception" with exception.type and
// exception.message, secrets replaced. HTTP requests are not among the spans:
// instrument the client in session.Options.HTTPClient.
//
// # Metrics
//
//	callrx.call.active            up-down counter, {call}: callrx.call.direction
//	callrx.call.duration          histogram, s: callrx.call.direction, error.type
//	callrx.operation.duration     histogram, s: callrx.operation, error.type and, of a
//	                              refresh, callrx.refresh.mechanism and stage
//	rpc.client.call.duration      histogram, s: rpc.system.name, rpc.method, error.type,
//	                              rpc.response.status_code, callrx.verto.method
//
// How often something happened is the count of its histogram: connects, refreshes
// by outcome, reconnects, recoveries. No identifier of a call or a client is an
// attribute of a metric.
package otelsession
