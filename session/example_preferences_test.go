package session_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
)

// Preferences say what calls do that are not told otherwise. They belong to one
// client.
func ExampleDefaultPreferences() {
	p := session.DefaultPreferences()
	p.AudioCodecs = []string{media.PCMU}
	p.UserVariables = map[string]any{"team": "support"}
	client, err := session.New(nil, session.Options{Preferences: &p})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = client.Close() }()
	now := client.Preferences().Get()
	fmt.Println(now.AudioCodecs, now.UserVariables["team"], now.ICEGatheringTimeout)
	// Output: [PCMU] support 6s
}

// A change is made as a whole or not at all.
func ExamplePreferences_Update() {
	client, err := session.New(nil, session.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = client.Close() }()
	err = client.Preferences().Update(func(p *session.PreferenceValues) {
		p.RelayOnly = true
		p.ReconnectDelayMin = 5 * time.Second
	})
	var invalid *errs.ConfigError
	if errors.As(err, &invalid) {
		fmt.Println(invalid.Field, invalid.Problem)
	}
	fmt.Println(client.Preferences().Get().RelayOnly)
	err = client.Preferences().Update(func(p *session.PreferenceValues) {
		p.RelayOnly = true
		p.ReconnectDelayMin, p.ReconnectDelayMax = 5*time.Second, time.Minute
	})
	fmt.Println(client.Preferences().Get().RelayOnly, err)
	// Output:
	// ReconnectDelayMin is 5s: want at most the ReconnectDelayMax, which is 3s
	// false
	// true <nil>
}

// Whoever shows preferences follows them.
func ExamplePreferences_Observe() {
	client, err := session.New(nil, session.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	preferences := client.Preferences()
	seen := preferences.Observe()
	shown := seen.Subscribe(context.Background(), func(p session.PreferenceValues) { fmt.Println("stereo", p.StereoAudio) })
	_ = preferences.Update(func(p *session.PreferenceValues) { p.StereoAudio = true })
	_ = client.Close() // ends the stream
	<-shown.Done()
	// Output:
	// stereo false
	// stereo true
}

// What one client stored is there for the next, before anything is done with it.
// Options.SavePreferences does the same from the start.
func ExamplePreferences_Persist() {
	storage := session.NewMemoryStorage() // or files
	first, err := session.New(nil, session.Options{Storage: storage})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := first.Preferences().Persist(context.Background()); err != nil {
		fmt.Println(err)
		return
	}
	_ = first.Preferences().Update(func(p *session.PreferenceValues) { p.RelayOnly = true })
	_ = first.Close()

	second, err := session.New(nil, session.Options{Storage: storage, SavePreferences: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = second.Close() }()
	fmt.Println(second.Preferences().Get().RelayOnly)
	// Output: true
}

func ExamplePreferences_ResetToDefaults() {
	client, err := session.New(nil, session.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = client.Close() }()
	_ = client.Preferences().Update(func(p *session.PreferenceValues) { p.StereoAudio = true })
	fmt.Println(client.Preferences().Get().StereoAudio)
	fmt.Println(client.Preferences().ResetToDefaults(), client.Preferences().Get().StereoAudio)
	// Output:
	// true
	// <nil> false
}

// What one client has stored is gone for the next, and every preference is what it
// was in the beginning.
func ExampleClient_ResetToDefaults() {
	storage := session.NewMemoryStorage() // or files
	client, err := session.New(nil, session.Options{Storage: storage, SavePreferences: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = client.Close() }()
	_ = client.Preferences().Update(func(p *session.PreferenceValues) { p.RelayOnly = true })
	if err := client.ResetToDefaults(context.Background()); err != nil {
		fmt.Println(err)
	}
	_, stored, _ := storage.Get(context.Background(), session.ScopePersistent, "sw:preferences")
	fmt.Println("relay only:", client.Preferences().Get().RelayOnly, "stored:", stored)
	// Output: relay only: false stored: false
}
