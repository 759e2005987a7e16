package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/observable"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
	"github.com/pion/webrtc/v4"
)

const weatherUsage = `demo weather has a call go through bad weather and live.

  demo weather [flags]      takes a minute and a half
    -plot weather.png       where to draw what was measured
    -short                  half a minute, without the short cut, and with a client that loses its patience sooner

The gateway plays a tone, over real UDP sockets on loopback, through a network in this process that loses
packets, has them late or overtaken, and is cut and mended. On a terminal a table shows how the call is doing;
elsewhere there is a line for each second. Recovery tells what it does as it does it.

  clear, drizzle (5 % lost), storm (20 %), fog (300 ms of jitter), far away (800 ms there and back)
  cut for 3 s             too short for anybody to do anything about it
  cut for 15 s            recovery finds the way back

Signaling is left alone. Interrupt to end early: the summary is printed and the plot drawn nevertheless. The
exit status is 0 only if the call was alive at the end.
`

// A voyage is a call through a programme of weathers.
type voyage struct {
	programme
	tl      *timeline
	footer  *footer // nil where there is no terminal
	network *sessiontest.Network
	record  *record
	call    *session.Call
	ear     *ear
	latest  atomic.Pointer[session.CallStats]
}

// weatherSeed makes each run throw the same dice.
const weatherSeed = 2026

// errInterrupted ends a voyage early, and is no failure.
var errInterrupted = errors.New("interrupted")

// runWeather plays the programme and shows what became of the call.
func runWeather(ctx context.Context, args []string, out, problems io.Writer) int {
	flags := newFlags("demo weather", weatherUsage, problems)
	path := flags.String("plot", "weather.png", "where to draw what was measured")
	short := flags.Bool("short", false, "half a minute")
	if status, done := parse(flags, args); done {
		return status
	}
	if folder, err := os.Stat(filepath.Dir(*path)); err != nil || !folder.IsDir() {
		_, _ = fmt.Fprintf(problems, "demo weather: -plot %s: there is no such folder\n", *path)
		return exitUsage
	}
	p := wholeProgramme()
	if *short {
		p = shortProgramme()
	}
	return newVoyage(p, out).show(ctx, *path)
}

func newVoyage(p programme, out io.Writer) *voyage {
	v := &voyage{programme: p, record: &record{}}
	lines := out
	if isTerminal(out) {
		v.footer = &footer{out: out}
		lines = v.footer
	}
	v.tl = newTimeline(lines, colourWanted(out))
	return v
}

// show has the call live through it, and tells what came of that.
func (v *voyage) show(ctx context.Context, path string) int {
	defer v.tl.close()
	err := v.sail(ctx)
	if stretches, _, _ := v.record.seen(); len(stretches) > 0 {
		err = errors.Join(err, v.conclude(stretches, path))
	}
	if err != nil {
		v.tl.failed(err)
		return exitFailed
	}
	return exitSeen
}

// sail places the call, leads it through every spell, and says why it is not well in the end.
func (v *voyage) sail(ctx context.Context) error {
	gw, err := sessiontest.Start(sessiontest.Options{})
	if err != nil {
		return err
	}
	defer gw.Close()
	sat := gw.IssueSAT(sessiontest.SATRequest{Reference: ann, TTL: time.Hour})
	c, err := session.Open(ctx, session.StaticCredentials(session.Credential{Token: sat.Token}),
		session.Options{APIURL: gw.APIURL(), RelayURL: gw.RelayURL(), Preferences: v.preferences})
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	if err := v.dial(ctx, c); err != nil {
		return err
	}
	shown := v.watch()
	defer func() {
		_ = c.Close() // which ends the call in any case
		shown()
	}()
	if err := v.live(ctx); err != nil && !errors.Is(err, errInterrupted) {
		return fmt.Errorf("the call has not survived: %w", err)
	} else if err != nil {
		v.tl.say("app", "interrupted")
		return v.hangUp(ctx)
	}
	return errors.Join(v.hear(ctx), v.hangUp(ctx))
}

// dial calls a tone, with a tone to send, over the network.
func (v *voyage) dial(ctx context.Context, c *session.Client) (err error) {
	if v.network, err = sessiontest.NewNetwork(weatherSeed); err != nil {
		return err
	}
	v.network.Set(v.spells[0].conditions)
	if v.ear, err = newEar(); err != nil {
		return err
	}
	tone, err := media.NewTone(toneHz, toneLevel)
	if err != nil {
		return err
	}
	v.call, err = c.Dial(ctx, surviveTone, session.DialOptions{MediaOptions: session.MediaOptions{
		AudioSource: tone, AudioSink: v.ear,
		SettingEngine: func(e *webrtc.SettingEngine) {
			onLoopback(e)
			v.network.SettingEngine(e)
		},
	}})
	if err != nil {
		return err
	}
	return reach(ctx, v.call, session.CallStatusConnected)
}

// watch shows what the call tells by itself. The function that it returns waits until all has been shown, when
// the call is over.
func (v *voyage) watch() (wait func()) {
	ctx := context.Background()
	watching := []*observable.Subscription{
		v.call.ObserveStats(0).Subscribe(ctx, func(s session.CallStats) { v.latest.Store(&s) }),
		v.call.ObserveStatus().Subscribe(ctx, func(s session.CallStatus) { v.tl.say("status$", "%s", s) }),
		v.call.ObserveRecoveryEvents().Subscribe(ctx, func(e session.RecoveryEvent) {
			v.tl.line("recovery", yellow, "%s", v.record.recovered(e))
		}),
	}
	return func() {
		for _, w := range watching {
			<-w.Done()
		}
	}
}

// live leads the call through every spell.
func (v *voyage) live(ctx context.Context) error {
	tick := time.NewTicker(v.every())
	defer tick.Stop()
	for _, s := range v.spells {
		v.network.Set(s.conditions)
		v.record.turn(s)
		v.tl.say("weather", "%s for %s: %s", s.name, s.lasts, s.does)
		if err := v.through(ctx, s, tick.C); err != nil {
			return err
		}
	}
	return nil
}

// every is how often the call is read.
func (v *voyage) every() time.Duration {
	if v.preferences == nil {
		return time.Second
	}
	return v.preferences.StatsPollingInterval
}

// through reads the call until the spell is over.
func (v *voyage) through(ctx context.Context, s spell, tick <-chan time.Time) error {
	over := time.NewTimer(s.lasts)
	defer over.Stop()
	for {
		select {
		case <-tick:
			v.read(s)
		case <-over.C:
			return nil
		case <-v.call.Done():
			return v.call.Err()
		case <-ctx.Done():
			return errInterrupted
		}
	}
}

// read takes a reading and shows it.
func (v *voyage) read(s spell) {
	figures := v.latest.Load()
	if figures == nil {
		return
	}
	r := v.record.read(*figures, v.call.Stats().Audio.LastPacketAt)
	if v.footer == nil {
		v.tl.say(s.name, "%s", r.figures())
		return
	}
	stretches, _, _ := v.record.seen()
	v.footer.set(v.table(stretches))
}

func (v *voyage) table(stretches []stretch) string {
	return weatherTable(stretches, func(s string) string { return v.tl.paint(bold, s) })
}

// hear makes sure that sound comes through when all is over.
func (v *voyage) hear(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	heard, err := v.ear.hear(ctx, listenFor, func(frame sound) bool { return frame.level() > silence })
	if err != nil {
		return err
	}
	if !isTone(heard.pitch(), heard.level()) {
		return fmt.Errorf("the call hears %.0f Hz at %.1f dBFS, and that is not the tone", heard.pitch(), heard.level())
	}
	v.tl.seen("the call has lived through it", fmt.Sprintf("it hears the tone, %.0f Hz at %.1f dBFS", heard.pitch(), heard.level()))
	return nil
}

func (v *voyage) hangUp(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	return v.call.Hangup(ctx)
}

// conclude shows the table once more, as the summary, and draws the plot.
func (v *voyage) conclude(stretches []stretch, path string) error {
	if v.footer != nil {
		v.footer.set("")
	}
	v.tl.lines.Publish(strings.TrimSuffix(v.table(stretches), "\n"))
	out, in := v.network.Counts()
	if err := v.record.plot(path); err != nil {
		return err
	}
	if whole, err := filepath.Abs(path); err == nil {
		path = whole
	}
	v.tl.summary([]string{
		fmt.Sprintf("the network lost %d of %d packets that were sent, and %d of %d that came", out.Lost, out.Lost+out.Passed, in.Lost, in.Lost+in.Passed),
		"the figures of each spell are those of its end; loss is of the last five seconds",
		"plot: " + path,
	})
	return nil
}
