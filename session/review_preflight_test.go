package session_test

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

func reviewClient(t *testing.T, srv *sessiontest.Server, seen *shown, p func(*session.Options)) *session.Client {
	t.Helper()
	o := session.Options{
		APIURL: srv.APIURL(), RelayURL: srv.RelayURL(), HTTPClient: srv.Client(), DPoPKey: sharedKey(),
		Logger:  slog.New(slog.NewTextHandler(seen, &slog.HandlerOptions{Level: session.LevelTrace})),
		WireTap: func(f session.WireFrame) { seen.add(f.Text) },
	}
	if p != nil {
		p(&o)
	}
	c, err := session.Open(t.Context(), session.StaticCredentials(session.Credential{Token: srv.IssueSAT(sessiontest.SATRequest{Reference: "ann"}).Token}), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func repeatsPassword(t *testing.T, srv *sessiontest.Server, c *session.Client, seen *shown, password string) {
	t.Helper()
	srv.Inject(sessiontest.Fault{Match: sessiontest.Match{RPC: "test.echo"},
		Action: sessiontest.Action{Kind: sessiontest.FaultRPCError, Code: -32000, Message: "cannot use " + password}})
	err := c.Execute(t.Context(), "test.echo", nil, nil)
	if !strings.Contains(fmt.Sprint(err), "cannot use") {
		t.Fatalf("the error is %v", err)
	}
	seen.error(err)
	d := c.ExportDiagnostics()
	seen.add(fmt.Sprintf("%+v", d))
	wantHidden(t, seen.String(), map[string][]string{"password": {password}}, "password")
}

// The preference ICEServers is the program's; its password is as secret.
func TestReviewPasswordOfThePreferredICEServer(t *testing.T) {
	srv, seen := sessiontest.NewServer(t), &shown{}
	const password = "long-lived-TURN-password"
	c := reviewClient(t, srv, seen, func(o *session.Options) {
		o.Preferences = preferring(func(p *session.PreferenceValues) {
			p.ICEServers = []media.ICEServer{{URLs: []string{"turn:127.0.0.1:3478"}, Username: "ann", Credential: password}}
		})
	})
	repeatsPassword(t, srv, c, seen, password)
}

// A password that the service has replaced is still that of the calls that began with it.
func TestReviewPasswordOfBeforeTheReconnection(t *testing.T) {
	srv, seen := sessiontest.NewServer(t), &shown{}
	c := reviewClient(t, srv, seen, nil)
	old := c.ICEServers()[0].Credential
	time.Sleep(1100 * time.Millisecond) // the name of the next says another second
	srv.Drop("ann")
	eventually(t, "there is a new password", func() bool { return c.Ready() && c.ICEServers()[0].Credential != old })
	repeatsPassword(t, srv, c, seen, old)
}

// What a bye says is in the error of the call, in the log and in its span.
func TestReviewPasswordInABye(t *testing.T) {
	srv, seen := sessiontest.NewServer(t), &shown{}
	c := reviewClient(t, srv, seen, nil)
	password := c.ICEServers()[0].Credential
	k := connected(t, c, "/public/echo", session.DialOptions{MediaOptions: onLoop(session.MediaOptions{})})
	srv.SendVerto(k.ID(), "verto.bye", map[string]any{"callID": k.ID(), "causeCode": 41, "cause": "cannot use " + password})
	select {
	case <-k.Done():
	case <-time.After(10 * time.Second):
		t.Fatal("not over")
	}
	seen.error(k.Err())
	if !strings.Contains(fmt.Sprint(k.Err()), "cannot use") {
		t.Fatalf("the error is %v", k.Err())
	}
	wantHidden(t, seen.String(), map[string][]string{"password": {password}}, "password")
}

// A device that is not there "is not replaced by another": neither in the test call.
func TestReviewPreflightOfAMissingDeviceOpensNoOther(t *testing.T) {
	inCallBubble(t, noOptions, func(t *testing.T, b *callBubble) {
		opened := 0
		v := virtual(t)
		plug(t, v, media.VirtualDevice{Device: desk, Source: func(media.Constraints) (media.Source, error) {
			opened++
			return media.NewTone(deskHz, micLevel)
		}})
		ann := b.withDevices(t, v, asUsual)
		pass(time.Second)
		gone := media.Device{ID: "gone", Label: "Gone", Kind: media.DeviceAudioInput}
		res, err := ann.Preflight(t.Context(), "/public/echo", session.PreflightOptions{
			MediaOptions: ann.media(session.MediaOptions{AudioSink: newListener(t), ICEServers: []media.ICEServer{}}),
			AudioDevice:  &gone, Duration: time.Second,
		})
		wantPhase(t, res, err, errs.PreflightDevices)
		if opened != 0 {
			t.Errorf("the desk's microphone was opened %d times though %q was asked for; bandwidth %+v", opened, gone.ID, res.Bandwidth)
		}
	})
}

// The same of the camera: with Video on, the test call would send pictures from another.
func TestReviewPreflightOfAMissingCameraOpensNoOther(t *testing.T) {
	inCallBubble(t, noOptions, func(t *testing.T, b *callBubble) {
		opened := 0
		v := virtual(t, desk)
		plug(t, v, media.VirtualDevice{Device: webcam, Source: func(media.Constraints) (media.Source, error) {
			opened++
			return nil, errors.New("opened")
		}})
		ann := b.withDevices(t, v, asUsual)
		pass(time.Second)
		gone := media.Device{ID: "gone", Label: "Gone", Kind: media.DeviceVideoInput}
		res, err := ann.Preflight(t.Context(), "/public/echo", session.PreflightOptions{
			MediaOptions: ann.media(session.MediaOptions{Video: media.On, ICEServers: []media.ICEServer{}}),
			VideoDevice:  &gone, Duration: time.Second,
		})
		wantPhase(t, res, err, errs.PreflightDevices)
		if opened != 0 {
			t.Errorf("another camera was opened %d times though %q was asked for", opened, gone.ID)
		}
	})
}

// A camera that is not there says nothing of the microphone.
func TestReviewPreflightTriesTheMicrophoneWithoutTheCamera(t *testing.T) {
	inCallBubble(t, noOptions, func(t *testing.T, b *callBubble) {
		ann := b.withDevices(t, virtual(t, desk), asUsual)
		gone := media.Device{Label: "Gone", Kind: media.DeviceVideoInput} // of yesterday, without an ID
		res, err := ann.Preflight(t.Context(), "/public/echo", session.PreflightOptions{
			MediaOptions: ann.media(session.MediaOptions{ICEServers: []media.ICEServer{}}), VideoDevice: &gone, SkipMediaTest: true,
		})
		wantPhase(t, res, err, errs.PreflightDevices)
		if !res.Devices.AudioInput.Given || !res.Devices.AudioInput.Working {
			t.Errorf("the microphone: %+v, warnings %q", res.Devices.AudioInput, res.Warnings)
		}
	})
}

// A call that may use relays only and has none cannot be.
func TestReviewPreflightOfRelaysOnlyWithoutARelay(t *testing.T) {
	inCallBubble(t, noOptions, func(t *testing.T, b *callBubble) {
		ann := b.client(t, "ann")
		o := ann.media(session.MediaOptions{RelayOnly: media.On})
		res, err := ann.Preflight(t.Context(), "/public/echo", session.PreflightOptions{MediaOptions: o, SkipMediaTest: true})
		k, dialled := ann.Dial(t.Context(), "/public/echo", session.DialOptions{MediaOptions: o})
		if dialled == nil {
			t.Fatal("it works", k.Hangup(t.Context()))
		}
		if err == nil || res.OK || res.Connectivity.Type != session.ConnectivityFailed {
			t.Errorf("OK %v, type %q, warnings %q, %v; but a call: %v", res.OK, res.Connectivity.Type, res.Warnings, err, dialled)
		}
		if slices.Contains(res.Warnings, "no ICE servers: only host candidates") {
			t.Error("there are no host candidates either")
		}
	})
}

// A sink that does not fit is no fault of the microphone.
func TestReviewPreflightOfASinkDoesNotBlameTheMicrophone(t *testing.T) {
	inCallBubble(t, noOptions, func(t *testing.T, b *callBubble) {
		ann := b.client(t, "ann")
		res, err := ann.Preflight(t.Context(), "/public/echo", session.PreflightOptions{
			MediaOptions: ann.media(session.MediaOptions{
				Audio: media.Off, AudioSink: media.NewIVFSink(discardPicture{}), ICEServers: []media.ICEServer{},
			}), SkipMediaTest: true,
		})
		if err == nil {
			t.Skip("the sink fits")
		}
		if slices.Contains(res.Warnings, "audio input device not working") {
			t.Errorf("no microphone was asked for: %q, %v", res.Warnings, err)
		}
	})
}

type discardPicture struct{}

func (discardPicture) Write(p []byte) (int, error) { return len(p), nil }

// ObserveAudioConstraintsChanges tells each change, also one that is done with a
// device that is selected afterwards.
func TestReviewConstraintsOfWhatIsNotYetCapturedAreTold(t *testing.T) {
	inCallBubble(t, noOptions, func(t *testing.T, b *callBubble) {
		v := virtual(t)
		plug(t, v, tuned(desk))
		ann := b.withDevices(t, v, asUsual)
		k, heard := b.echoed(t, ann, session.MediaOptions{})
		changes := taped(t, k.ObserveAudioConstraintsChanges())
		nowTone(t, heard, headsetHz)
		if err := errors.Join(ann.Devices().SelectAudioInput(nil),
			selfOf(t, k).SetAudioInputConstraints(t.Context(), media.Constraints{NoiseSuppression: media.Off})); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		if err := ann.Devices().SelectAudioInput(&desk); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		nowTone(t, heard, deskHz) // it is captured otherwise
		if got := changes.take(); len(got) != 1 {
			t.Errorf("told of %d changes, want 1: it is captured without noise suppression now", len(got))
		}
		b.over(t, ann, k)
	})
}

// A wish that comes while another device is being opened is told before it is done.
func TestReviewWishWhileADeviceIsBeingOpenedIsToldWhenDone(t *testing.T) {
	inCallBubble(t, noOptions, func(t *testing.T, b *callBubble) {
		v := virtual(t)
		plug(t, v, tuned(desk))
		plug(t, v, tuned(headset))
		p := &counting{DeviceProvider: v}
		ann := b.withDevices(t, p, asUsual)
		k, _ := b.echoed(t, ann, session.MediaOptions{})
		pass(time.Second)
		told, changes := taped(t, k.ObserveMediaParams()), taped(t, k.ObserveAudioConstraintsChanges())
		hold := make(chan struct{})
		p.set(func() { p.hold = hold })
		if err := ann.Devices().SelectAudioInput(&headset); err != nil {
			t.Fatal(err)
		}
		pass(100 * time.Millisecond)
		b.srv.SendVerto(k.ID(), "verto.mediaParams", map[string]any{"callID": k.ID(), "mediaParams": map[string]any{
			"audio": map[string]any{"noiseSuppression": false},
		}})
		pass(100 * time.Millisecond)
		if n := len(told.take()); n != 0 {
			t.Errorf("told %d as done, while the device is still being opened", n)
		}
		p.set(func() { p.hold = nil })
		close(hold)
		pass(time.Second)
		if n := len(changes.take()); n != 1 {
			t.Errorf("ObserveAudioConstraintsChanges told %d, want 1", n)
		}
		b.over(t, ann, k)
	})
}

// Wishes that came meanwhile need not be granted one by one: each opens the device.
func TestReviewManyWishesOpenTheDeviceOnce(t *testing.T) {
	inCallBubble(t, noOptions, func(t *testing.T, b *callBubble) {
		v := virtual(t)
		plug(t, v, tuned(desk))
		p := &counting{DeviceProvider: v}
		ann := b.withDevices(t, p, asUsual)
		k, _ := b.echoed(t, ann, session.MediaOptions{})
		pass(time.Second)
		p.asked()
		hold := make(chan struct{})
		p.set(func() { p.hold = hold })
		const many = 500
		for n := range many {
			b.srv.SendVerto(k.ID(), "verto.mediaParams", map[string]any{"callID": k.ID(), "mediaParams": map[string]any{
				"audio": map[string]any{"noiseSuppression": n%2 == 0},
			}})
		}
		pass(time.Second)
		p.set(func() { p.hold = nil })
		close(hold)
		pass(5 * time.Second)
		if _, opened := p.asked(); len(opened) > 10 {
			t.Errorf("%d wishes were kept, and opened the device %d times", many, len(opened))
		}
		b.over(t, ann, k)
	})
}

// Records are written again in the place of what is no file of callrx.
func TestReviewRecordsInAFileThatIsTooLongAreWrittenAgain(t *testing.T) {
	for name, spoil := range map[string]func(path string) error{
		"too long": func(path string) error { return os.Truncate(path, 17<<20) },
		"a link": func(path string) error {
			return errors.Join(os.Rename(path, path+"-away"), os.Symlink(filepath.Base(path)+"-away", path))
		},
	} {
		t.Run(name, func(t *testing.T) {
			inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
				dir := t.TempDir()
				if err := os.Chmod(dir, 0o700); err != nil {
					t.Fatal(err)
				}
				storage, err := session.NewFileStorage(dir)
				if err != nil {
					t.Fatal(err)
				}
				files := storage.(session.SharedStorage)
				first := b.start(t, "ann", files, session.Options{})
				connected(t, first.Client, "/public/tone", first.dialing(session.MediaOptions{}))
				pass(3 * time.Second)
				key := recordsKey(first)
				b.vanish(first, "ann")
				all, _ := filepath.Glob(filepath.Join(dir, "*att=*"))
				if len(all) != 1 {
					t.Fatal(all)
				}
				if err := spoil(all[0]); err != nil {
					t.Fatal(err)
				}
				second := b.start(t, "ann", files, takingUp(session.MediaOptions{}))
				k := connected(t, second.Client, "/public/echo", second.dialing(session.MediaOptions{}))
				pass(10 * time.Second)
				records, ok, err := files.Get(t.Context(), session.ScopePersistent, key)
				if !ok || err != nil || !strings.Contains(string(records), string(k.ID())) {
					t.Errorf("on record are %d bytes, %v, %v, want call %s", len(records), ok, err, k.ID())
				}
				_ = k.Hangup(t.Context())
			})
		})
	}
}
