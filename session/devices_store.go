package session

import (
	"context"
	"encoding/json"

	"github.com/callrx/callrx/media"
)

// keyDevice is where the selected device of a kind is stored.
func keyDevice(kind media.DeviceKind) string { return keyPrefix + "device:" + string(kind) }

// A storedDevice is a device in the Browser SDK's form.
type storedDevice struct {
	ID      string           `json:"deviceId"`
	Label   string           `json:"label"`
	Kind    media.DeviceKind `json:"kind"`
	GroupID string           `json:"groupId"`
}

// keep stores what the program selected, or erases it. On the loop.
func (d *Devices) keep(s *deviceSlot) {
	st, key, selected := d.c.store, keyDevice(s.kind), s.choice.selected
	if selected == nil {
		st.later(func(ctx context.Context) error { return st.storage.Delete(ctx, ScopePersistent, key) })
		return
	}
	if !d.c.preferred().PersistDeviceSelection {
		return
	}
	text, err := json.Marshal(storedDevice{ID: selected.ID, Label: selected.Label, Kind: s.kind, GroupID: selected.GroupID})
	if err == nil {
		st.later(func(ctx context.Context) error { return st.storage.Set(ctx, ScopePersistent, key, text) })
	}
}

// load takes in, once, what an earlier process selected. Whoever has the slot for
// listing calls it.
func (d *Devices) load(ctx context.Context) {
	if d.loaded || d.c.store.storage == nil || !d.c.preferred().PersistDeviceSelection {
		return
	}
	var era int
	if d.c.ask(ctx, func() { era = d.era }) != nil {
		return
	}
	stored := map[media.DeviceKind]*media.Device{}
	for _, kind := range deviceKinds {
		text, err := d.c.store.read(ctx, keyDevice(kind))
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			d.c.store.fail("read", err, false)
		case len(text) > 0:
			stored[kind] = d.decode(kind, text)
		}
	}
	d.loaded = true
	_ = d.c.ask(ctx, func() {
		if era != d.era {
			return
		}
		for kind, device := range stored {
			d.slots[kind].choice.stored = device
		}
	})
}

func (d *Devices) decode(kind media.DeviceKind, text []byte) *media.Device {
	var v storedDevice
	if json.Unmarshal(text, &v) != nil || v.Kind != kind || v.ID == "" && v.Label == "" {
		d.c.store.damaged(keyDevice(kind))
		return nil
	}
	return &media.Device{ID: v.ID, Label: v.Label, GroupID: v.GroupID, Kind: kind}
}
