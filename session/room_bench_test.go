package session_test

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/callrx/callrx/session"
)

// roomOf is a call in a room of n members, as large on the wire as they are.
func roomOf(tb testing.TB, n int) (*session.Client, *session.Call) {
	tb.Helper()
	c := offlineClient(tb)
	k := session.Offline(c, "c-ann")
	session.Feed(c, joinedFrame(n))
	if got := len(k.Participants()); got != n {
		tb.Fatalf("%d members", got)
	}
	return c, k
}

func joinedFrame(n int) string {
	members := make([]map[string]any, n)
	for i := range members {
		members[i] = bigMember(i)
	}
	return session.EventFrame("call.joined", joinedRoom("rs-1", members...))
}

func bigMember(i int) map[string]any {
	m := member(fmt.Sprintf("m-%d-4f7a2c10-9d1e-4b7e-a1c3-0b7a5d1f2e3c", i), fmt.Sprintf("c-%d-4f7a2c10-9d1e-4b7e-a1c3-0b7a5d1f2e3c", i))
	m["name"], m["meta"] = fmt.Sprint("Participant ", i), map[string]any{"team": "blue", "seat": i}
	return m
}

// updates are member.updated frames, two for each member: muted and unmuted,
// with all other fields as well.
func updates(n int) (frames []string) {
	for _, muted := range []bool{true, false} {
		for i := range n {
			m := bigMember(i)
			m["audio_muted"], m["updated"] = muted, []string{"audio_muted"}
			frames = append(frames, session.EventFrame("member.updated", inSession("rs-1", map[string]any{"member": m})))
		}
	}
	return frames
}

func talks(n int) (frames []string) {
	for _, talking := range []bool{true, false} {
		for i := range n {
			m := map[string]any{"member_id": bigMember(i)["member_id"], "node_id": "n-1@puc", "talking": talking}
			frames = append(frames, session.EventFrame("member.talking", inSession("rs-1", map[string]any{"member": m})))
		}
	}
	return frames
}

// BenchmarkRoom is the way of a frame through the client, from its text to the
// public state: with nobody watching, with the participants list observed, and
// with every member's own stream observed, until the observers have it all.
func BenchmarkRoom(b *testing.B) {
	for _, n := range []int{10, 1000} {
		for kind, frames := range map[string][]string{"updated": updates(n), "talking": talks(n)} {
			for _, who := range []string{"nobody", "list", "members"} {
				b.Run(fmt.Sprintf("%s/M=%d/%s", kind, n, who), func(b *testing.B) { benchRoom(b, n, kind, frames, who) })
			}
		}
	}
}

func benchRoom(b *testing.B, n int, kind string, frames []string, who string) {
	c, k := roomOf(b, n)
	var got atomic.Int64
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	switch who {
	case "list":
		k.ObserveParticipants().Subscribe(ctx, func([]*session.Participant) { got.Add(1) })
	case "members":
		for _, p := range k.Participants() {
			o := p.ObserveAudioMuted()
			if kind == "talking" {
				o = p.ObserveTalking()
			}
			o.Subscribe(ctx, func(bool) { got.Add(1) })
		}
	}
	b.ReportAllocs()
	b.ResetTimer()
	session.Replay(c, frames, b.N)
	if who == "members" {
		for got.Load() < int64(b.N) {
			runtime.Gosched()
		}
	}
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

// BenchmarkRoomState is what applying a decoded envelope costs, nobody watching.
func BenchmarkRoomState(b *testing.B) {
	for kind, frames := range map[string][]string{"updated": updates(1000), "talking": talks(1000)} {
		b.Run(kind, func(b *testing.B) {
			c, _ := roomOf(b, 1000)
			b.ReportAllocs()
			b.ResetTimer()
			session.Apply(c, frames, b.N)
		})
	}
}

// BenchmarkRoomJoin is a call.joined, from its text to the public state, and what
// the members take afterwards.
func BenchmarkRoomJoin(b *testing.B) {
	for _, n := range []int{10, 100, 1000} {
		frame := joinedFrame(n)
		b.Run(fmt.Sprint("M=", n), func(b *testing.B) {
			c := offlineClient(b)
			b.SetBytes(int64(len(frame)))
			b.ReportAllocs()
			for b.Loop() {
				k := session.Offline(c, "c-ann")
				session.Replay(c, []string{frame}, 1)
				b.StopTimer()
				session.End(k)
				b.StartTimer()
			}
		})
	}
}

// BenchmarkMemberMemory is what a member of a room of a thousand takes.
func BenchmarkMemberMemory(b *testing.B) {
	const n = 1000
	frame := joinedFrame(n)
	var each float64
	for b.Loop() {
		c := offlineClient(b)
		k := session.Offline(c, "c-ann")
		before := heapNow()
		session.Replay(c, []string{frame}, 1)
		each += float64(heapNow()-before) / n
		runtime.KeepAlive(k)
		session.End(k)
	}
	b.ReportMetric(each/float64(b.N), "B/member")
}

func heapNow() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
