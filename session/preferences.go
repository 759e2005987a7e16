package session

import (
	"context"
	"reflect"
	"slices"
	"sync"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/observable"
)

// Preferences hold the preferences of one client: nothing of them is shared with
// another. All methods may be called from any goroutine, also from observers.
type Preferences struct {
	c     *Client
	state *observable.State[*PreferenceValues] // what it points to never changes

	mu      sync.Mutex      // guards the rest, and who sets the state
	changed map[string]bool // the fields that the program has changed
	saving  bool            // changes are written
	unsaved bool            // a write is on its way
	closed  bool
}

func newPreferences(c *Client, start *PreferenceValues) *Preferences {
	v := DefaultPreferences()
	if start != nil {
		v = start.clone()
	}
	return &Preferences{c: c, state: observable.NewState(&v), changed: map[string]bool{}}
}

// Preferences are the client's preferences: Options.Preferences, changed by what
// was stored, changed by the program.
func (c *Client) Preferences() *Preferences { return c.preferences }

// Get is a copy of the preferences as they are now.
func (p *Preferences) Get() PreferenceValues { return p.state.Get().clone() }

// Observe is the state stream of Get. It completes with Client.Close.
func (p *Preferences) Observe() observable.Of[PreferenceValues] {
	return observable.Map(p.state.Observe(), func(v *PreferenceValues) PreferenceValues { return v.clone() })
}

// Update changes the preferences all at once or, with an error, not at all.
// change gets a copy of them, and runs again when somebody else has changed them
// meanwhile: it should do nothing else. Observers have the change when Update
// returns. Values that cannot be are a *errs.ConfigError that names the first
// field; after Client.Close it is errs.ErrClosed.
func (p *Preferences) Update(change func(*PreferenceValues)) error {
	for {
		before := p.state.Get()
		after := before.clone()
		change(&after)
		if err := after.validate(); err != nil {
			return err
		}
		after = after.clone() // nothing stays shared with the program
		if done, err := p.replace(before, &after); done || err != nil {
			return err
		}
	}
}

// ResetToDefaults sets every preference to DefaultPreferences, all at once, whatever
// Options.Preferences said. What Persist keeps is written too;
// [Client.ResetToDefaults] also forgets what is stored. After Client.Close it is
// errs.ErrClosed.
func (p *Preferences) ResetToDefaults() error {
	return p.Update(func(v *PreferenceValues) { *v = DefaultPreferences() })
}

// replace puts after in the place of before, unless that has gone.
func (p *Preferences) replace(before, after *PreferenceValues) (bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.closed:
		return false, errs.ErrClosed
	case p.state.Get() != before:
		return false, nil
	}
	fields := differing(before, after)
	if len(fields) == 0 {
		return true, nil
	}
	for _, field := range fields {
		p.changed[field] = true
	}
	p.setLocked(after)
	return true, nil
}

func (p *Preferences) setLocked(v *PreferenceValues) {
	p.state.Set(v)
	if p.saving {
		p.saveLocked()
	}
}

// Persist loads what an earlier client stored under "sw:preferences" in the
// persistent scope of Options.Storage, and from now on writes them all after
// every change, except those that are not stored. What the program has changed
// already stays as it is. A stored value that cannot be is left out and a
// *PreferenceWarning on ObserveWarnings; unknown ones are ignored.
//
// Without a Storage it returns *errs.ConfigError. A *errs.StorageError says that
// nothing could be loaded: if its Op is "read" nothing is written either, call
// Persist again; if it is "decode" the next change replaces what is stored.
func (p *Preferences) Persist(ctx context.Context) error {
	if p.c.store.storage == nil {
		return &errs.ConfigError{Field: "Storage", Problem: "is needed to persist preferences"}
	}
	text, err := p.c.store.read(ctx, keyPreferences)
	if err != nil {
		return err
	}
	stored, err := decodePreferences(text)
	warnings, closed := p.take(stored)
	if closed {
		return errs.ErrClosed
	}
	for _, w := range warnings {
		p.c.warn(w)
	}
	return err
}

// take takes over what was stored of the fields that the program has not changed.
func (p *Preferences) take(stored storedPreferences) (warnings []*PreferenceWarning, closed bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, true
	}
	p.saving = true
	before := p.state.Get()
	after := before.clone()
	warnings = stored.apply(&after, p.changed)
	switch {
	case len(differing(before, &after)) > 0:
		p.setLocked(&after)
	case len(p.changed) > 0:
		p.saveLocked()
	}
	return warnings, false
}

// saveLocked has the preferences written, as they are by then.
func (p *Preferences) saveLocked() {
	if p.unsaved {
		return
	}
	p.unsaved = true
	p.c.store.later(func(ctx context.Context) error {
		p.mu.Lock()
		p.unsaved = false
		now := p.state.Get()
		p.mu.Unlock()
		return p.c.store.storage.Set(ctx, ScopePersistent, keyPreferences, encodePreferences(now))
	})
}

// complete ends the stream and everything else.
func (p *Preferences) complete() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.state.Complete()
}

// clone shares nothing that can change.
func (v *PreferenceValues) clone() PreferenceValues {
	c := *v
	c.VideoCodecs, c.AudioCodecs = slices.Clone(v.VideoCodecs), slices.Clone(v.AudioCodecs)
	c.UserVariables = cloneVariables(v.UserVariables)
	c.ICEServers = slices.Clone(v.ICEServers)
	for i := range c.ICEServers {
		c.ICEServers[i].URLs = slices.Clone(c.ICEServers[i].URLs)
	}
	for _, kind := range deviceKinds {
		device := c.preferredDevice(kind)
		*device = copyOf(*device)
	}
	for _, constraints := range []**media.Constraints{
		&c.AudioConstraints, &c.VideoConstraints, &c.DefaultAudioConstraints, &c.DefaultVideoConstraints,
	} {
		*constraints = (*constraints).Clone()
		if *constraints != nil {
			(*constraints).Extra = cloneVariables((*constraints).Extra)
		}
	}
	return c
}

// cloneVariables copies the maps and lists of what can be JSON.
func cloneVariables(v map[string]any) map[string]any {
	return cloneVariable(reflect.ValueOf(v)).Interface().(map[string]any)
}

func cloneVariable(v reflect.Value) reflect.Value {
	own := v
	switch {
	case v.Kind() == reflect.Map && !v.IsNil():
		own = reflect.MakeMapWithSize(v.Type(), v.Len())
		for name, value := range v.Seq2() {
			own.SetMapIndex(name, cloneVariable(value))
		}
	case v.Kind() == reflect.Slice && !v.IsNil():
		own = reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		for i := range v.Len() {
			own.Index(i).Set(cloneVariable(v.Index(i)))
		}
	case v.Kind() == reflect.Interface && !v.IsNil():
		own = cloneVariable(v.Elem())
	}
	return own
}

// differing are the fields in which a and b are not the same.
func differing(a, b *PreferenceValues) (fields []string) {
	of, other := reflect.ValueOf(a).Elem(), reflect.ValueOf(b).Elem()
	for i := range of.NumField() {
		if !reflect.DeepEqual(of.Field(i).Interface(), other.Field(i).Interface()) {
			fields = append(fields, of.Type().Field(i).Name)
		}
	}
	return fields
}
