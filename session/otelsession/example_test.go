package otelsession_test

import (
	"context"
	"fmt"
	"time"

	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// The spans of a program that signs in and calls nobody. record makes a tracer
// that exports to memory; a program exports to a collector.
func Example() {
	gw, err := sessiontest.Start(sessiontest.Options{})
	if err != nil {
		panic(err)
	}
	defer gw.Close()
	spans, err := record()
	if err != nil {
		panic(err)
	}
	sat := gw.IssueSAT(sessiontest.SATRequest{Reference: "ann", TTL: time.Hour})
	client, err := session.Open(context.Background(), session.StaticCredentials(session.Credential{Token: sat.Token}), session.Options{
		APIURL: gw.APIURL(), RelayURL: gw.RelayURL(), HTTPClient: gw.Client(), DPoPKey: sharedKey(), Tracer: spans.tracer,
	})
	if err != nil {
		panic(err)
	}
	_ = client.Close()
	for _, s := range spans.exporter.GetSpans() {
		fmt.Println(s.SpanKind, s.Name)
	}
	// Output:
	// client signalwire.connect
	// internal callrx connect
	// client subscriber.online
	// internal callrx register
}
