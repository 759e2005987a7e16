package sessiontest_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"github.com/callrx/callrx/session/sessiontest"
)

// ear records what arrives in one section.
type ear struct {
	once      sync.Once
	connected chan struct{}

	mu      sync.Mutex
	packets []rtp.Packet
	changed chan struct{}
}

func newEar() *ear { return &ear{connected: make(chan struct{}), changed: make(chan struct{})} }

func (e *ear) listen(t *webrtc.TrackRemote) {
	for {
		p, _, err := t.ReadRTP()
		if err != nil {
			return
		}
		e.mu.Lock()
		e.packets = append(e.packets, *p)
		close(e.changed)
		e.changed = make(chan struct{})
		e.mu.Unlock()
	}
}

func (e *ear) heard() []rtp.Packet {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.packets)
}

// wait returns what was heard once enough holds for it.
func (e *ear) wait(t *testing.T, enough func([]rtp.Packet) bool) []rtp.Packet {
	t.Helper()
	timeout := time.NewTimer(20 * time.Second)
	defer timeout.Stop()
	for {
		e.mu.Lock()
		packets, changed := slices.Clone(e.packets), e.changed
		e.mu.Unlock()
		if enough(packets) {
			return packets
		}
		select {
		case <-changed:
		case <-timeout.C:
			t.Fatalf("only %d packets were heard", len(packets))
		}
	}
}

func atLeast(n int) func([]rtp.Packet) bool {
	return func(p []rtp.Packet) bool { return len(p) >= n }
}

// up waits until a section is connected.
func (m *media) up(i int) {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	select {
	case <-m.ears[i].connected:
	case <-ctx.Done():
		m.t.Fatalf("section %d did not connect: %v", i, m.pcs[i].ConnectionState())
	}
}

// speak sends packets into a section every 5 ms until the test ends or stop is called. Each payload is
// made by fill from its number.
func (m *media) speak(i int, step uint32, fill func(n int) []byte) (stop func()) {
	return m.speakEvery(i, 5*time.Millisecond, step, fill)
}

func (m *media) speakEvery(i int, pace time.Duration, step uint32, fill func(n int) []byte) (stop func()) {
	m.up(i)
	track := m.tracks[i]
	ctx, cancel := context.WithCancel(m.t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		ticker := time.NewTicker(pace)
		defer ticker.Stop()
		for n := 0; ; n++ {
			_ = track.WriteRTP(&rtp.Packet{
				Header: rtp.Header{Version: 2, SequenceNumber: uint16(n), Timestamp: uint32(n) * step}, Payload: fill(n),
			})
			select {
			case <-ticker.C:
			case <-ctx.Done():
				return
			}
		}
	}()
	var once sync.Once
	stop = func() { once.Do(func() { cancel(); <-done }) }
	m.t.Cleanup(stop)
	return stop
}

// spoken makes Opus packets of the tone that tell who sent them: real sound, with the mark in the padding
// (RFC 6716 section 3.2.5).
func spoken(who string) func(int) []byte {
	return func(n int) []byte {
		packet, mark := sessiontest.ToneOpus(n), fmt.Sprintf("%s-%08d", who, n)
		padded := append([]byte{packet[0] | 3, 0x41, byte(len(mark))}, packet[1:]...)
		return append(padded, mark...)
	}
}

// opusSilence is 20 ms of digital silence.
func opusSilence(int) []byte { return []byte{0xf8, 0xff, 0xfe} }

// said tells whether a packet was spoken by somebody.
func said(p rtp.Packet, who string) bool {
	mark := len(p.Payload) - len(who) - 9
	return mark > 0 && strings.HasPrefix(string(p.Payload[mark:]), who+"-")
}

// marked makes payloads that tell who sent them and which they are.
func marked(who string) func(int) []byte {
	return func(n int) []byte { return fmt.Appendf(nil, "%s-%08d-................", who, n) }
}

func from(p rtp.Packet, who string) bool { return strings.HasPrefix(string(p.Payload), who+"-") }
