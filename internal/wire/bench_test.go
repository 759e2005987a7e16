package wire_test

import (
	"encoding/json"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/callrx/callrx/internal/wire"
)

// bodies are frames as a room sends them.
var bodies = []string{"member_updated", "member_talking", "call_joined_100"}

func frameBytes(tb testing.TB, name string) []byte {
	tb.Helper()
	b, err := os.ReadFile("../../testdata/frames/" + name + ".json")
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// envelope is what a receiver that uses encoding/json would decode into.
type envelope struct {
	JSONRPC string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Method  string          `json:"method"`
	Result  json.RawMessage `json:"result"`
	Error   json.RawMessage `json:"error"`
	Params  struct {
		EventType    string          `json:"event_type"`
		EventChannel json.RawMessage `json:"event_channel"`
		Timestamp    json.RawMessage `json:"timestamp"`
		ProjectID    string          `json:"project_id"`
		NodeID       string          `json:"node_id"`
		Params       json.RawMessage `json:"params"`
	} `json:"params"`
}

func TestEventFramesDecodeIntoTwoAllocationsAtMost(t *testing.T) {
	for _, name := range bodies {
		body := frameBytes(t, name)
		allocs := testing.AllocsPerRun(100, func() {
			if f, err := wire.Decode(string(body)); err != nil || !f.IsEvent() {
				t.Fatal(f, err)
			}
		})
		if allocs > 2 {
			t.Errorf("%s: %v allocations", name, allocs)
		}
	}
}

// BenchmarkDecode reads a frame as it comes from the socket, copy included, and
// reports how many times longer encoding/json takes for the envelope.
func BenchmarkDecode(b *testing.B) {
	for _, name := range bodies {
		body := frameBytes(b, name)
		ours := func() {
			if _, err := wire.Decode(string(body)); err != nil {
				b.Fatal(err)
			}
		}
		theirs := func() {
			var e envelope
			if err := json.Unmarshal(body, &e); err != nil {
				b.Fatal(err)
			}
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				ours()
			}
			b.ReportMetric(ratio(theirs, ours), "std/ours")
		})
		b.Run(name+"/encoding-json", func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				theirs()
			}
		})
	}
}

// ratio says how many times longer a takes than b. They take turns, so that
// other work on the machine slows both.
func ratio(a, b func()) float64 {
	took := func(f func()) float64 {
		start := time.Now()
		for range 20 {
			f()
		}
		return float64(time.Since(start))
	}
	rounds := make([]float64, 51)
	for i := range rounds {
		rounds[i] = took(a) / took(b)
	}
	slices.Sort(rounds)
	return rounds[len(rounds)/2]
}

func BenchmarkEncode(b *testing.B) {
	b.Run("ack", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			wire.EncodeAck("79653e57-7b6a-4a2b-b8bc-5ec4e3533def")
		}
	})
	b.Run("request", func(b *testing.B) {
		b.ReportAllocs()
		params := wire.Ping{Timestamp: 1718299953.114}
		for b.Loop() {
			if _, err := wire.EncodeRequest("79653e57-7b6a-4a2b-b8bc-5ec4e3533def", wire.MethodPing, params); err != nil {
				b.Fatal(err)
			}
		}
	})
}
