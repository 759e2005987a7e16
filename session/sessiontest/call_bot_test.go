package sessiontest_test

import (
	"context"
	"errors"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/session/sessiontest"
)

func join(t *testing.T, gw *sessiontest.Server, o sessiontest.BotOptions) *sessiontest.Bot {
	t.Helper()
	b, err := gw.Join("/public/lobby", o)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestBotIsAMemberLikeAnyOther(t *testing.T) {
	gw := sessiontest.NewServer(t)
	mara := newPhone(t, gw, "mara@example.org").dial("/public/lobby", "pcmu")
	stay := make(chan struct{})
	bot := join(t, gw, sessiontest.BotOptions{Name: "Echo", Muted: true, Script: func(ctx context.Context, b *sessiontest.Bot) {
		b.Mute(false)
		_ = b.Tone(ctx, 700, 300*time.Millisecond)
		b.RaiseHand(true)
		<-stay
		b.Mute(true)
	}})
	m := mara.on("member.joined")["member"].(obj)
	if m["member_id"] != bot.MemberID() || m["call_id"] != bot.CallID() || m["name"] != "Echo" || m["audio_muted"] != true || m["type"] != "member" {
		t.Errorf("bot is %v", m)
	}
	if m := mara.on("member.updated")["member"].(obj); m["audio_muted"] != false {
		t.Errorf("member.updated is %v", m)
	}
	mara.talking(bot.MemberID(), true)
	if m := mara.on("member.updated")["member"].(obj); m["handraised"] != true {
		t.Errorf("member.updated is %v", m)
	}
	mara.talking(bot.MemberID(), false)
	close(stay)
	if m := mara.on("member.updated")["member"].(obj); m["audio_muted"] != true {
		t.Errorf("member.updated is %v", m)
	}
	if left := mara.on("member.left"); dig(left, "member", "member_id") != bot.MemberID() || left["reason"] != "hangup" {
		t.Errorf("member.left is %v", left)
	}
	<-bot.Done()
	if info, _ := gw.Call(bot.CallID()); info.State != sessiontest.CallEnded || info.Session != "" {
		t.Errorf("call is %+v", info)
	}
}

func TestBotsAreHeardAndHear(t *testing.T) {
	gw := sessiontest.NewServer(t)
	mara := newPhone(t, gw, "mara@example.org").dial("/public/lobby", "pcmu")
	mara.media.sing(0, 500)
	sing := func(hertz float64) func(context.Context, *sessiontest.Bot) {
		return func(ctx context.Context, b *sessiontest.Bot) { _ = b.Tone(ctx, hertz, time.Minute) }
	}
	first := join(t, gw, sessiontest.BotOptions{Script: sing(900)})
	join(t, gw, sessiontest.BotOptions{Script: sing(1700)})
	mara.media.hears(t, []float64{900, 1700}, []float64{500})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for range 10 {
		pcm, err := first.Hear(ctx, 400*time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		samples := make([]float64, len(pcm))
		for i, v := range pcm {
			samples[i] = float64(v)
		}
		if math.Abs(levelAt(samples, 500)+12) < 1.5 && math.Abs(levelAt(samples, 1700)+12) < 1.5 && levelAt(samples, 900) < -45 {
			return
		}
	}
	t.Error("the bot does not hear the two others, or hears itself")
}

func TestRemovedBotKnowsIt(t *testing.T) {
	gw := sessiontest.NewServer(t)
	mara := newPhone(t, gw, "mara@example.org").dial("/public/lobby", "pcmu")
	var said error
	ended := make(chan struct{})
	bot := join(t, gw, sessiontest.BotOptions{Script: func(_ context.Context, b *sessiontest.Bot) {
		said = b.Tone(context.Background(), 700, time.Hour)
		close(ended)
	}})
	mara.control("call.mute", bot.MemberID(), obj{"channels": []string{"audio"}})
	mara.on("member.updated")
	mara.control("call.member.remove", "", obj{"targets": []obj{{"member_id": bot.MemberID()}}})
	<-ended
	if !errors.Is(said, sessiontest.ErrBotLeft) {
		t.Errorf("speaking ended with %v", said)
	}
	if left := mara.on("member.left"); left["reason"] != "removed" {
		t.Errorf("member.left is %v", left)
	}
	bot.Leave()
	bot.RaiseHand(true)
	if _, err := bot.Hear(t.Context(), time.Second); !errors.Is(err, sessiontest.ErrBotLeft) {
		t.Errorf("hearing ended with %v", err)
	}
	if n := len(gw.Journal().Sent("member.updated")); n != 1 {
		t.Errorf("%d updates", n)
	}
}

func TestBotsRefuseWhatIsNoRoom(t *testing.T) {
	gw := sessiontest.NewServer(t)
	for _, address := range []string{"/public/echo", "/private/nobody", "", "/public/busy"} {
		if _, err := gw.Join(address, sessiontest.BotOptions{}); err == nil {
			t.Errorf("joined %q", address)
		}
	}
	gw.Close()
	if _, err := gw.Join("/public/lobby", sessiontest.BotOptions{}); !errors.Is(err, sessiontest.ErrClosed) {
		t.Errorf("joined a closed server: %v", err)
	}
}

// Bots need no network, so they live in a bubble, and their speech takes exactly its time.
func TestBotsTalkToEachOtherInABubble(t *testing.T) {
	bubble(t, sessiontest.Options{}, func(t *testing.T, gw *sessiontest.Server) {
		speaker, listener := join(t, gw, sessiontest.BotOptions{}), join(t, gw, sessiontest.BotOptions{})
		start := time.Now()
		var pcm []int16
		go func() { pcm, _ = listener.Hear(t.Context(), 2*time.Second) }()
		if err := speaker.Tone(t.Context(), 700, 3*time.Second); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took != 3040*time.Millisecond {
			t.Errorf("three seconds took %v", took)
		}
		synctest.Wait()
		samples := make([]float64, len(pcm))
		for i, v := range pcm {
			samples[i] = float64(v)
		}
		if level := levelAt(samples[4000:12000], 700); math.Abs(level+12) > 0.2 {
			t.Errorf("level is %.2f dB", level)
		}
		if err := speaker.Pause(t.Context(), time.Second); err != nil {
			t.Error(err)
		}
		speaker.Leave()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := listener.Hear(ctx, time.Second); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("alone it hears %v", err)
		}
	})
}

// What is said while muted, and what was under way then, is not heard when the mute ends.
func TestMutedSpeechIsNeverHeard(t *testing.T) {
	bubble(t, sessiontest.Options{}, func(t *testing.T, gw *sessiontest.Server) {
		speaker, listener := join(t, gw, sessiontest.BotOptions{}), join(t, gw, sessiontest.BotOptions{})
		join(t, gw, sessiontest.BotOptions{}) // somebody to hear, so that the mix goes on
		var pcm []int16
		heard := make(chan struct{})
		go func() {
			defer close(heard)
			pcm, _ = listener.Hear(t.Context(), 1500*time.Millisecond)
		}()
		go func() { _ = speaker.Tone(t.Context(), 500, 900*time.Millisecond) }()
		for _, muted := range []bool{true, false} {
			if err := speaker.Pause(t.Context(), 500*time.Millisecond); err != nil {
				t.Fatal(err)
			}
			speaker.Mute(muted)
		}
		if err := speaker.Tone(t.Context(), 1700, 600*time.Millisecond); err != nil {
			t.Fatal(err)
		}
		<-heard
		samples := make([]float64, len(pcm))
		for i, v := range pcm {
			samples[i] = float64(v)
		}
		if level := levelAt(samples[4000:8000], 500); level > -40 { // the mute may come within a frame
			t.Errorf("while muted it is heard at %.1f dB", level)
		}
		if level := levelAt(samples[7900:8500], 500); level > -40 {
			t.Errorf("what was under way is heard afterwards at %.1f dB", level)
		}
		if level := levelAt(samples[8500:11500], 1700); math.Abs(level+12) > 1 {
			t.Errorf("what was said afterwards is heard at %.1f dB", level)
		}
	})
}
