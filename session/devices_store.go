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

func stored(d media.Device) storedDevice {
	return storedDevice{ID: d.ID, Label: d.Label, Kind: d.Kind, GroupID: d.GroupID}
}

// SetStorage has what the program selects from now on kept in another storage than
// Options.Storage, and looks for what an earlier process has selected there: with the
// next list it is selected if nothing else is. What was stored elsewhere stays there.
// Nil is no storage. The storage is the program's: Client.Close waits for what is being
// written, and [Client.ResetToDefaults] removes the selected devices from it and nothing
// else. After Client.Close it is errs.ErrClosed.
func (d *Devices) SetStorage(storage Storage) error {
	return d.ask(func() {
		if old := d.store; old != d.c.store {
			d.c.workers.Go(old.close)
		}
		d.store = newStore(storage, true, d.c.report)
		d.era++
		d.loaded = false
		for _, s := range d.slots {
			s.choice.stored = nil
		}
		if d.listed {
			d.refresh()
		}
	})
}

// keep stores what the program selected, or erases it. On the loop.
func (d *Devices) keep(s *deviceSlot) {
	st, key, selected := d.store, keyDevice(s.kind), s.choice.selected
	if selected == nil {
		st.later(func(ctx context.Context) error { return st.storage.Delete(ctx, ScopePersistent, key) })
		return
	}
	if !d.c.preferred().PersistDeviceSelection {
		return
	}
	text, err := json.Marshal(stored(*selected))
	if err == nil {
		st.later(func(ctx context.Context) error { return st.storage.Set(ctx, ScopePersistent, key, text) })
	}
}

// load takes in, once for each storage, what an earlier process selected. Whoever has
// the slot for listing calls it.
func (d *Devices) load(ctx context.Context) {
	var st *store
	var era int
	loaded := true
	_ = d.c.ask(ctx, func() { st, era, loaded = d.store, d.era, d.loaded })
	if loaded || st.storage == nil || !d.c.preferred().PersistDeviceSelection {
		return
	}
	found := map[media.DeviceKind]*media.Device{}
	for _, kind := range deviceKinds {
		text, err := st.read(ctx, keyDevice(kind))
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			st.fail("read", err, false)
		case len(text) > 0:
			found[kind] = decodeDevice(st, kind, text)
		}
	}
	_ = d.c.ask(ctx, func() {
		if era != d.era {
			return
		}
		d.loaded = true
		for kind, device := range found {
			d.slots[kind].choice.stored = device
		}
	})
}

func decodeDevice(st *store, kind media.DeviceKind, text []byte) *media.Device {
	var v storedDevice
	if json.Unmarshal(text, &v) != nil || v.Kind != kind || v.ID == "" && v.Label == "" {
		st.damaged(keyDevice(kind))
		return nil
	}
	return &media.Device{ID: v.ID, Label: v.Label, GroupID: v.GroupID, Kind: kind}
}
