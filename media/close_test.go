package media_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
)

// A countedSink says how often it was opened and closed, and fails if asked to.
type countedSink struct {
	opened, closed, written int
	writeErr, closeErr      error
}

func (s *countedSink) Codecs() []string { return nil }
func (s *countedSink) Open() error      { s.opened++; return nil }
func (s *countedSink) Close() error     { s.closed++; return s.closeErr }
func (s *countedSink) WritePacket(media.Packet) error {
	s.written++
	return s.writeErr
}

// The bubble fails a test that leaves a goroutine behind; the router would show a
// port in use.
func TestCloseAtEveryPointLeavesNothing(t *testing.T) {
	type legs struct{ caller, callee *media.Leg }
	offer := func(t *testing.T, l legs) string {
		t.Helper()
		text, err := l.caller.Offer(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	for name, reach := range map[string]func(*testing.T, legs){
		"new":     func(*testing.T, legs) {},
		"offered": func(t *testing.T, l legs) { offer(t, l) },
		"offering": func(t *testing.T, l legs) {
			go func() { _, _ = l.caller.Offer(context.Background()) }()
		},
		"answered": func(t *testing.T, l legs) {
			if _, err := l.callee.Answer(t.Context(), offer(t, l)); err != nil {
				t.Fatal(err)
			}
		},
		"connecting": func(t *testing.T, l legs) { exchange(t, l.caller, l.callee) },
		"connected": func(t *testing.T, l legs) {
			exchange(t, l.caller, l.callee)
			time.Sleep(time.Second)
			if l.caller.State() != media.StateConnected {
				t.Fatal(l.caller.State())
			}
		},
		"renegotiating": func(t *testing.T, l legs) {
			exchange(t, l.caller, l.callee)
			time.Sleep(time.Second)
			offer(t, l)
		},
		"restarting": func(t *testing.T, l legs) {
			exchange(t, l.caller, l.callee)
			time.Sleep(time.Second)
			go func() { _, _ = l.caller.Restart(context.Background()) }()
		},
		"sending digits": func(t *testing.T, l legs) {
			exchange(t, l.caller, l.callee)
			time.Sleep(time.Second)
			go func() { _ = l.caller.SendDTMF(context.Background(), "123w456") }()
			time.Sleep(200 * time.Millisecond)
		},
		"rolled back": func(t *testing.T, l legs) {
			offer(t, l)
			l.caller.Rollback()
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, n *network) {
				states, sink := newStates(), &countedSink{}
				l := legs{
					newLeg(t, media.LegConfig{
						Directions: bothKinds, SettingEngine: n.at(here), OnState: states.note, AudioSink: sink,
						AudioSource: newSpeaker(t, media.SpeakerConfig{}), VideoSource: media.NewTestPattern(),
					}),
					newLeg(t, media.LegConfig{Directions: bothKinds, SettingEngine: n.at(there), AudioSource: tone(t, 440, -20)}),
				}
				reach(t, l)
				start := time.Now()
				var closing sync.WaitGroup
				for range 3 {
					closing.Go(func() {
						if err := l.caller.Close(); err != nil {
							t.Error(err)
						}
						<-l.caller.Done()
					})
				}
				closing.Wait()
				if took := time.Since(start); took > time.Second {
					t.Errorf("it took %v", took)
				}
				synctest.Wait() // the last state has been told
				if !states.has(media.StateClosed) || l.caller.State() != media.StateClosed {
					t.Error("nobody was told")
				}
				if sink.closed != 1 || sink.opened > 1 {
					t.Errorf("the sink was opened %d times and closed %d times", sink.opened, sink.closed)
				}
				if !errors.Is(l.caller.Err(), errs.ErrClosed) {
					t.Error(l.caller.Err())
				}
				if _, err := l.caller.Offer(t.Context()); !errors.Is(err, errs.ErrClosed) {
					t.Error(err)
				}
				if err := l.caller.Accept(t.Context(), ""); !errors.Is(err, errs.ErrClosed) {
					t.Error(err)
				}
				if err := l.caller.Replace(media.KindAudio, nil); !errors.Is(err, errs.ErrClosed) {
					t.Error(err)
				}
				l.caller.Rollback()
				_ = l.caller.Stats()
			})
		})
	}
}

func TestLegMayBeClosedInItsOwnCallback(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		var caller *media.Leg
		done := make(chan struct{})
		caller = newLeg(t, media.LegConfig{Directions: audioOnly, SettingEngine: n.at(here), OnState: func(s media.State) {
			if s == media.StateConnected {
				_ = caller.Close()
				close(done)
			}
		}})
		callee := newLeg(t, media.LegConfig{Directions: audioOnly, SettingEngine: n.at(there)})
		exchange(t, caller, callee)
		<-done
	})
}

func TestFailuresOfSourcesAndSinksAreToldAndTheLegGoesOn(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		reported := make(chan error, 10)
		broken := errors.New("broken")
		sink := &countedSink{writeErr: broken}
		source, err := media.NewPCMFunc(8000, 1, func([]int16) (int, error) { return 0, broken })
		if err != nil {
			t.Fatal(err)
		}
		got := newPackets()
		ended := newEnds()
		caller, callee := pairIn(t, n,
			media.LegConfig{Directions: audioOnly, AudioSource: source, OnSourceEnd: ended.note, OnError: func(err error) { reported <- err }, AudioSink: got.sink()},
			media.LegConfig{Directions: audioOnly, AudioSink: sink, OnError: func(err error) { reported <- err }})
		for range 2 {
			var track *errs.MediaTrackError
			if err := <-reported; !errors.As(err, &track) || !errors.Is(err, broken) || track.Kind != "audio" {
				t.Error(err)
			}
		}
		<-ended.c
		time.Sleep(time.Second)
		if sink.written != 1 {
			t.Errorf("%d packets after the error", sink.written-1)
		}
		if !flows(got) || caller.State() != media.StateConnected || callee.Stats().Audio.PacketsReceived < 40 {
			t.Error("the leg does not go on")
		}
		sink.closeErr = broken
		if err := callee.Close(); !errors.Is(err, broken) {
			t.Error(err)
		}
	})
}

func TestConfigurationsThatCannotBe(t *testing.T) {
	ogg, err := media.NewOggSource(openFile(t, "speech.ogg"), nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, cfg := range map[string]media.LegConfig{
		"nothing":             {},
		"relay without relay": {Directions: audioOnly, RelayOnly: true},
		"negative candidate":  {Directions: audioOnly, CandidateTimeout: -1},
		"negative gather":     {Directions: audioOnly, GatherTimeout: -1},
		"nothing in common":   {Directions: bothKinds, AudioSource: ogg, AudioSink: onlyPCMU{}},
	} {
		var config *errs.ConfigError
		if _, err := media.NewLeg(cfg); !errors.As(err, &config) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

type onlyPCMU struct{ *countedSink }

func (onlyPCMU) Codecs() []string { return []string{media.PCMU} }

// TestCloseAtTheMomentOfConnecting: the first packet may be there before pion is
// ready for it, and then must not hold up the end.
func TestCloseAtTheMomentOfConnecting(t *testing.T) {
	for range 100 {
		inBubble(t, func(t *testing.T, n *network) {
			states := newStates()
			caller := newLeg(t, media.LegConfig{SettingEngine: n.at(here), OnState: states.note, Directions: media.Directions{Audio: media.SendRecv}})
			callee := newLeg(t, media.LegConfig{SettingEngine: n.at(there), OnState: states.note, Directions: media.Directions{Audio: media.SendRecv}})
			exchange(t, caller, callee)
			states.await(t, media.StateConnected) // one of them
			var both sync.WaitGroup
			for _, leg := range []*media.Leg{caller, callee} {
				both.Go(func() {
					if err := leg.Close(); err != nil {
						t.Error(err)
					}
				})
			}
			both.Wait()
		})
	}
}
