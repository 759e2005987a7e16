package sessiontest_test

import (
	"testing"
	"time"

	"github.com/callrx/callrx/session/sessiontest"
)

// talking waits until a member is told to talk, or to have stopped.
func (p *phone) talking(member string, talks bool) {
	p.t.Helper()
	p.next("talking", func(f obj) bool {
		m, _ := dig(f, "params", "params", "member").(obj)
		return dig(f, "params", "event_type") == "member.talking" && m["member_id"] == member && m["talking"] == talks
	})
}

func TestTalkingFollowsTheSound(t *testing.T) {
	for codec, speak := range map[string]func(*media) func(){
		"pcmu": func(m *media) func() { return m.sing(0, 600) },
		"opus": func(m *media) func() { return m.speakEvery(0, 20*time.Millisecond, 960, sessiontest.ToneOpus) },
	} {
		t.Run(codec, func(t *testing.T) {
			gw := sessiontest.NewServer(t)
			in := guests(t, gw, []string{"mara", "noor"}, codec)
			for range 2 {
				stop := speak(in[0].media)
				for _, p := range in {
					p.talking(in[0].member, true)
				}
				stop()
				for _, p := range in {
					p.talking(in[0].member, false)
				}
			}
			events := gw.Journal().Sent("member.talking").Call(in[1].id)
			if len(events) != 4 {
				t.Fatalf("%d events for two utterances", len(events))
			}
			if pause := events[3].Time.Sub(events[2].Time); pause < 400*time.Millisecond {
				t.Errorf("talking ended %v after it began", pause)
			}
		})
	}
}

// A click does not make a talker, nor does a sound below what the sensitivity asks for. One that falls a
// little below it does not end the talking.
func TestTalkingTakesMoreThanAClickOrAWhisper(t *testing.T) {
	gw := sessiontest.NewServer(t)
	in := guests(t, gw, []string{"mara", "noor"}, "pcmu")
	loud, quiet := make([]byte, 160), make([]byte, 160)
	for i := range quiet {
		quiet[i], loud[i] = 0xff, 0x80
	}
	stop := in[0].media.speakEvery(0, 20*time.Millisecond, 160, func(n int) []byte {
		if n%3 == 0 {
			return loud
		}
		return quiet
	})
	heard(t, gw, in[0].id, 60)
	stop()
	stop = in[0].media.sound(0, 600, 0.002) // -54 dB
	heard(t, gw, in[0].id, 60)
	if n := len(gw.Journal().Sent("member.talking")); n != 0 {
		t.Fatalf("%d events for clicks and a whisper", n)
	}
	in[0].control("call.microphone.sensitivity.set", in[0].member, obj{"sensitivity": 60})
	in[1].talking(in[0].member, true)
	in[0].control("call.microphone.sensitivity.set", in[0].member, obj{"sensitivity": 52}) // -52 dB, and 6 less to end
	heard(t, gw, in[0].id, 60)
	if n := len(gw.Journal().Sent("member.talking").Call(in[1].id)); n != 1 {
		t.Errorf("%d events", n)
	}
	in[0].control("call.microphone.sensitivity.set", in[0].member, obj{"sensitivity": 44})
	in[1].talking(in[0].member, false)
	stop()
}

// heard waits until the gateway has got so many more packets of a leg.
func heard(t *testing.T, gw *sessiontest.Server, callID string, more uint64) {
	t.Helper()
	count := func() uint64 { info, _ := gw.Call(callID); return info.Section("audio").PacketsIn }
	for start, deadline := count(), time.Now().Add(20*time.Second); count() < start+more; {
		if time.Now().After(deadline) {
			t.Fatalf("only %d packets came", count()-start)
		}
		<-time.After(10 * time.Millisecond)
	}
}

func TestMutingEndsTalkingAtOnce(t *testing.T) {
	gw := sessiontest.NewServer(t)
	in := guests(t, gw, []string{"mara", "noor"}, "pcmu")
	in[0].media.sing(0, 600)
	in[1].talking(in[0].member, true)
	in[1].control("call.mute", in[0].member, obj{"channels": []string{"audio"}})
	heard(t, gw, in[0].id, 60)
	kinds := []string{"member.talking", "member.updated", "member.talking"}
	var got []string
	for _, e := range gw.Journal().Call(in[1].id).Filter(func(e sessiontest.Entry) bool {
		return e.Event == "member.talking" || e.Event == "member.updated"
	}) {
		got = append(got, e.Event)
	}
	if len(got) != len(kinds) || got[0] != kinds[0] || got[1] != kinds[1] || got[2] != kinds[2] {
		t.Errorf("events are %v", got)
	}
}
