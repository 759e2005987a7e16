package dpop_test

import (
	"testing"
	"time"

	"github.com/callrx/callrx/internal/dpop"
)

func BenchmarkGenerate(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := dpop.Generate(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	der, err := testKey(b).MarshalPKCS8()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := dpop.Parse(der); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkHTTPProof(b *testing.B) {
	key := testKey(b)
	now := time.Unix(1795373309, 0)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := key.HTTPProof("POST", refreshPath, "example-token", now); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRPCProof(b *testing.B) {
	key := testKey(b)
	now := time.Unix(1795373309, 0)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := key.RPCProof("signalwire.connect", now); err != nil {
			b.Fatal(err)
		}
	}
}
