package sessiontest

import (
	"context"
	"math"
	"time"
)

const (
	botLevel = 0.25 // of full scale, peak: three of them at once are not too loud
	earLimit = 250  // frames that a bot hears before it listens, 5 s
)

// Tone makes the bot sound a sine, at a quarter of full scale, for so long. It takes as long as it sounds
// and returns what [Bot.Say] returns.
func (b *Bot) Tone(ctx context.Context, hertz float64, d time.Duration) error {
	pcm := make([]int16, int(d.Seconds()*mixRate))
	for i := range pcm {
		pcm[i] = int16(botLevel * math.MaxInt16 * math.Sin(2*math.Pi*hertz*float64(i)/mixRate))
	}
	return b.Say(ctx, pcm)
}

// Say makes the bot sound PCM: one channel at 8000 Hz. It takes as long as it sounds; one thing is said
// after another. It returns the context's error, or [ErrBotLeft]. A muted bot speaks and is not heard.
func (b *Bot) Say(ctx context.Context, pcm []int16) error {
	select {
	case b.turn <- struct{}{}:
		defer func() { <-b.turn }()
	case <-b.Done():
		return ErrBotLeft
	case <-ctx.Done():
		return ctx.Err()
	}
	// what is said is followed by as much silence as a mix gathers before it begins
	pcm = append(append([]int16{}, pcm...), make([]int16, inletStart)...)
	for start := time.Now(); len(pcm) > 0; {
		frame := pcm[:min(mixFrame, len(pcm))]
		pcm = pcm[len(frame):]
		b.voice.put(frame)
		b.level.hear(frame)
		start = start.Add(toneStep)
		if err := b.Pause(ctx, time.Until(start)); err != nil {
			return err
		}
	}
	return nil
}

// Hear returns what the bot hears in the next time of that length, the mix of all others: one channel at
// 8000 Hz. Two who hear at once share what comes. While nobody else can be heard nothing comes, and it waits. It returns the context's error, or
// [ErrBotLeft].
func (b *Bot) Hear(ctx context.Context, d time.Duration) ([]int16, error) {
	for len(b.ear.frames) > 0 { // from before
		select {
		case <-b.ear.frames:
		default:
		}
	}
	var pcm []int16
	for want := int(d.Seconds() * mixRate); len(pcm) < want; {
		select {
		case frame := <-b.ear.frames:
			pcm = append(pcm, frame...)
		case <-b.Done():
			return pcm, ErrBotLeft
		case <-ctx.Done():
			return pcm, ctx.Err()
		}
	}
	return pcm, nil
}

// botEar takes the mix for a bot. What nobody listens to in time is dropped.
type botEar struct{ frames chan []int16 }

func (e *botEar) play(_ *mixer, _ int, frame []int16) {
	if len(e.frames) == cap(e.frames) {
		return
	}
	select {
	case e.frames <- append([]int16{}, frame...):
	default: // another mixer was faster, as the bot is on its way into another room
	}
}
