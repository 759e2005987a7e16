package session

import (
	"encoding/json"
	"time"

	"github.com/callrx/callrx/internal/wire"
	"github.com/callrx/callrx/observable"
)

// MediaParams is how the service would like a call's media to be captured, as a
// browser's track constraints: for audio "autoGainControl", "echoCancellation"
// and "noiseSuppression", for video "width", "height", "frameRate" and others. A
// kind that the service says nothing of is nil. Sources are the program's own,
// so that it is the program which acts on them.
type MediaParams struct {
	Audio, Video map[string]any
	ReceivedAt   time.Time
}

// ObserveMediaParams delivers the service's wishes for the capture of this
// call's media: an event stream without replay.
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
