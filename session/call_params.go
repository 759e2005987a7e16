package session

import (
	"encoding/json"
	"maps"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/internal/wire"
	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/observable"
)

// MediaParams is how the service would like a call's media to be captured, as a
// browser's track constraints: for audio "autoGainControl", "echoCancellation"
// and "noiseSuppression", for video "width", "height", "frameRate" and others. A
// kind that the service says nothing of is nil.
type MediaParams struct {
	Audio, Video map[string]any
	ReceivedAt   time.Time
}

// ObserveMediaParams delivers the service's wishes for the capture of this
// call's media: an event stream without replay. What the call captures from a device
// of Client.Devices is captured as is wished by then, as by SetInputConstraints; if
// that cannot be, ObserveErrors tells of a *errs.MediaTrackError instead. A source of
// the program's own is the program's to change, and no device is opened for a wish.
func (k *Call) ObserveMediaParams() observable.Of[MediaParams] { return k.params.Observe() }

// mediaParams reads the wishes; what cannot be read is none.
func mediaParams(raw wire.Raw) MediaParams {
	var p struct {
		Audio map[string]any `json:"audio"`
		Video map[string]any `json:"video"`
	}
	if json.Unmarshal([]byte(raw), &p) != nil {
		return MediaParams{ReceivedAt: time.Now()}
	}
	return MediaParams{Audio: p.Audio, Video: p.Video, ReceivedAt: time.Now()}
}

// wishesKept is how many wishes wait at most; those that come then are one.
const wishesKept = 8

// wished queues what the service wishes. On the loop.
func (k *Call) wished(p MediaParams) {
	if last := len(k.wishes) - 1; last == wishesKept {
		k.wishes[last] = k.wishes[last].and(p)
	} else {
		k.wishes = append(k.wishes, p)
	}
	k.grant()
}

// and is what is wished by both, the later first.
func (m MediaParams) and(later MediaParams) MediaParams {
	merged := func(a, b map[string]any) map[string]any {
		if a == nil {
			return b
		}
		a = maps.Clone(a)
		maps.Copy(a, b)
		return a
	}
	return MediaParams{Audio: merged(m.Audio, later.Audio), Video: merged(m.Video, later.Video), ReceivedAt: later.ReceivedAt}
}

// grant does what was wished first, and then the rest, when no device is being opened
// that it is about. On the loop.
func (k *Call) grant() {
	for !k.granting && len(k.wishes) > 0 && !k.state.status.ended() {
		p, a, v := k.wishes[0], k.input(media.KindAudio), k.input(media.KindVideo)
		if a.switching && len(p.Audio) > 0 || v.switching && len(p.Video) > 0 {
			return
		}
		audio, video := a.canGrant(p.Audio), v.canGrant(p.Video)
		if audio || video {
			k.granting = true
			k.c.workers.Go(func() { k.grantInTurn(p, audio, video) })
			return
		}
		k.granted(p, nil)
	}
}

// canGrant reports whether there is a wish for what is being captured.
func (i *callInput) canGrant(wish map[string]any) bool {
	return len(wish) > 0 && !i.given && i.now != nil && !i.now.over
}

// grantInTurn opens devices. Not on the loop.
func (k *Call) grantInTurn(p MediaParams, audio, video bool) {
	var failed []error
	for _, w := range []struct {
		is   bool
		kind media.Kind
		wish map[string]any
	}{{audio, media.KindAudio, p.Audio}, {video, media.KindVideo, p.Video}} {
		if !w.is {
			continue
		}
		if err := k.setConstraints(k.ctx, k.input(w.kind), constraintsOf(w.wish)); err != nil {
			failed = append(failed, trackError(w.kind, err))
		}
	}
	k.c.post(func() {
		k.granted(p, failed)
		k.grant()
	})
}

// granted tells what became of the first wish. On the loop.
func (k *Call) granted(p MediaParams, failed []error) {
	k.wishes, k.granting = k.wishes[1:], false
	if k.state.status.ended() {
		return
	}
	for _, err := range failed {
		k.report(err, false)
	}
	if failed == nil {
		k.params.Publish(p)
	}
}

// trackError is what ObserveErrors tells.
func trackError(kind media.Kind, err error) error {
	if _, is := err.(*errs.MediaTrackError); is {
		return err
	}
	return &errs.MediaTrackError{Operation: "set input constraints", Kind: kind.String(), OriginalError: err}
}

// constraintsOf reads track constraints (W3C Media Capture and Streams, section 11).
// Which device it is, is not the service's to say.
func constraintsOf(wish map[string]any) media.Constraints {
	var c media.Constraints
	rest := maps.Clone(wish)
	for name, to := range map[string]*media.Toggle{
		"echoCancellation": &c.EchoCancellation, "noiseSuppression": &c.NoiseSuppression, "autoGainControl": &c.AutoGainControl,
	} {
		*to = wishedToggle(rest[name])
		delete(rest, name)
	}
	for name, to := range map[string]*media.Range{
		"width": &c.Width, "height": &c.Height, "frameRate": &c.FrameRate, "aspectRatio": &c.AspectRatio,
	} {
		*to = wishedRange(rest[name])
		delete(rest, name)
	}
	delete(rest, "deviceId")
	delete(rest, "groupId")
	if len(rest) > 0 {
		c.Extra = rest
	}
	return c
}

func wishedToggle(v any) media.Toggle {
	if m, is := v.(map[string]any); is {
		v = m["ideal"]
		if exact, given := m["exact"]; given {
			v = exact
		}
	}
	switch v {
	case true:
		return media.On
	case false:
		return media.Off
	}
	return media.Default
}

func wishedRange(v any) media.Range {
	switch v := v.(type) {
	case float64:
		return media.Range{Ideal: v}
	case map[string]any:
		n := func(name string) float64 { f, _ := v[name].(float64); return f }
		return media.Range{Min: n("min"), Max: n("max"), Ideal: n("ideal"), Exact: n("exact")}
	}
	return media.Range{}
}
