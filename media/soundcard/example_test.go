package soundcard_test

import (
	"context"
	"fmt"
	"time"

	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/media/soundcard"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// An intercom: whoever rings at the door is put through at once. The sound system
// here is the silent one, which every machine has. Without Backend it is the one
// that people hear.
func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	visitor, door, end := exampleClients(ctx)
	defer end()
	sound, err := soundcard.Open(soundcard.Options{Backend: soundcard.Silent})
	if err != nil {
		panic(err) // an *errs.MediaAccessError: there is no sound system
	}
	defer sound.Close()

	door.ObserveIncoming().Subscribe(ctx, func(call *session.Call) {
		if err := putThrough(ctx, call, sound); err != nil {
			fmt.Println(err)
			_ = call.Reject(ctx)
		}
	})

	heard, err := media.NewListener(16000, 1)
	if err != nil {
		panic(err)
	}
	call, err := visitor.Dial(ctx, "/private/door", session.DialOptions{MediaOptions: session.MediaOptions{AudioSink: heard}})
	if err != nil {
		panic(err)
	}
	for call.Stats().Audio.PacketsReceived < 10 {
		if _, err := heard.ReadFrame(ctx); err != nil {
			panic(err)
		}
	}
	fmt.Println("the microphone is heard")
	fmt.Println(call.Hangup(ctx))
	// Output:
	// the microphone is heard
	// <nil>
}

// putThrough answers with the default microphone and loudspeaker. The call gives
// them back when it ends.
func putThrough(ctx context.Context, call *session.Call, sound *soundcard.Provider) error {
	microphone, err := sound.OpenInput(ctx, media.DeviceAudioInput, media.Constraints{})
	if err != nil {
		return err // an *errs.DeviceNotFoundError, an *errs.MediaAccessError …
	}
	loudspeaker, err := sound.OpenOutput(ctx, "")
	if err != nil {
		return err // the provider gives the microphone back
	}
	return call.Answer(ctx, session.MediaOptions{AudioSource: microphone, AudioSink: loudspeaker})
}

func ExampleProvider_Devices() {
	sound, err := soundcard.Open(soundcard.Options{Backend: soundcard.Silent})
	if err != nil {
		panic(err)
	}
	defer sound.Close()
	devices, err := sound.Devices(context.Background())
	for _, d := range devices {
		fmt.Printf("%s %q: %s\n", d.Kind, d.ID, d.Label)
	}
	fmt.Println(err)
	// Output:
	// audioinput "default": NULL Capture Device
	// audiooutput "default": NULL Playback Device
	// <nil>
}

// exampleClients are two, named "visitor" and "door".
func exampleClients(ctx context.Context) (visitor, door *session.Client, end func()) {
	gw, err := sessiontest.Start(sessiontest.Options{})
	if err != nil {
		panic(err)
	}
	var clients []*session.Client
	for _, name := range []string{"visitor", "door"} {
		sat := gw.IssueSAT(sessiontest.SATRequest{Reference: name, TTL: time.Hour})
		c, err := session.Open(ctx, session.StaticCredentials(session.Credential{Token: sat.Token}),
			session.Options{APIURL: gw.APIURL(), RelayURL: gw.RelayURL(), HTTPClient: gw.Client()})
		if err != nil {
			panic(err)
		}
		clients = append(clients, c)
	}
	return clients[0], clients[1], func() {
		for _, c := range clients {
			_ = c.Close()
		}
		gw.Close()
	}
}
