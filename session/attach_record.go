package session

import (
	"encoding/json"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
)

// An attachRecord is what another process needs to take a call up again.
type attachRecord struct {
	Destination string             `json:"destination"` // of the far end
	Direction   errs.CallDirection `json:"direction"`
	From        attachParty        `json:"from"`
	To          attachParty        `json:"to"`
	NodeID      string             `json:"nodeId,omitempty"`
	MemberID    string             `json:"memberId,omitempty"`
	Media       attachMedia        `json:"mediaDirections"`
	AudioMuted  bool               `json:"audioMuted,omitempty"`
	VideoMuted  bool               `json:"videoMuted,omitempty"`
	Held        bool               `json:"held,omitempty"`
	Answered    bool               `json:"answered,omitempty"`
	Variables   map[string]any     `json:"userVariables,omitempty"`
	Extras      []attachExtra      `json:"extraLegs,omitempty"` // what it sends beside its main leg
	AudioInput  *storedDevice      `json:"audioInputDevice,omitempty"`
	VideoInput  *storedDevice      `json:"videoInputDevice,omitempty"`
	AttachedAt  int64              `json:"attachedAt"`      // last written, in milliseconds
	Owner       string             `json:"owner,omitempty"` // empty: left for whoever comes next
	Beat        uint64             `json:"beat"`            // grows as long as the owner lives
}

type attachParty struct {
	URI  string `json:"uri"`
	Name string `json:"name,omitempty"`
}

// An attachExtra is a leg that ends with its process: its source does.
type attachExtra struct {
	ID     string `json:"id"`
	Screen bool   `json:"screen,omitempty"`
}

// attachMedia holds directions as SDP names them.
type attachMedia struct {
	Audio string `json:"audio"`
	Video string `json:"video"`
}

// attachRecords are the records of one user by call id.
type attachRecords map[string]attachRecord

// decodeRecords reads what is stored, and reports false when that makes no sense.
func decodeRecords(stored []byte) (attachRecords, bool) {
	records := attachRecords{}
	if len(stored) > 0 && json.Unmarshal(stored, &records) != nil {
		return attachRecords{}, false
	}
	if records == nil { // null
		records = attachRecords{}
	}
	return records, true
}

// encode is the stored form; nil when there is nothing to store.
func (mine attachRecords) encode() ([]byte, error) {
	if len(mine) == 0 {
		return nil, nil
	}
	return json.Marshal(mine)
}

// expired: nobody has written the record for so long, or it is from a future that
// no clock explains.
func (r attachRecord) expired(now time.Time, timeout time.Duration) bool {
	age := now.Sub(time.UnixMilli(r.AttachedAt))
	return age >= timeout || age <= -timeout
}

func (r attachRecord) directions() media.Directions {
	return media.Directions{Audio: directionNamed(r.Media.Audio), Video: directionNamed(r.Media.Video)}
}

// directionNamed is the inverse of Direction.String.
func directionNamed(name string) media.Direction {
	for d := media.Inactive; d <= media.SendRecv; d++ {
		if d.String() == name {
			return d
		}
	}
	return media.Inactive
}

// record is what is stored of the call now. On the loop.
func (k *Call) record() attachRecord {
	local := k.room.local.get()
	r := attachRecord{
		Destination: k.to.URI, Direction: k.direction,
		From: attachParty(k.from), To: attachParty(k.to), NodeID: k.NodeID(), MemberID: k.SelfID(),
		AudioMuted: local.audioMuted, VideoMuted: local.videoMuted, Held: k.held.Get(),
		Answered: k.state.answered || k.answeredBefore, Variables: k.UserVariables(),
		Extras: k.knownExtras(), AttachedAt: time.Now().UnixMilli(),
		AudioInput: k.input(media.KindAudio).record(), VideoInput: k.input(media.KindVideo).record(),
	}
	if k.direction == errs.DirectionInbound {
		r.Destination = k.from.URI
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	r.Media = attachMedia{Audio: k.wanted.Audio.String(), Video: k.wanted.Video.String()}
	return r
}
