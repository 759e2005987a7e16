package session

import (
	"testing"

	"github.com/callrx/callrx/media"
	"github.com/google/go-cmp/cmp"
)

func mic(id, label, group string) media.Device {
	return media.Device{ID: id, Label: label, GroupID: group, Kind: media.DeviceAudioInput}
}

// Behaviour 5.2, row by row. D41 is among them: an empty list, and a name that
// several have, change nothing.
func TestDevicesAreChosenByTheRules(t *testing.T) {
	a, b, c := mic("a", "Desk", "g1"), mic("b", "Headset", "g2"), mic("c", "Camera", "g3")
	headset := mic("b2", "Headset", "g4")
	twin := mic("b3", "Headset", "g5")
	moved := mic("b4", "Headset", "g2")
	nameless, other := mic("n", "", ""), mic("m", "", "")
	list := func(d ...media.Device) []media.Device { return d }
	at := func(d media.Device) deviceChoice { return deviceChoice{selected: &d} }
	type row struct {
		name      string
		before    deviceChoice
		list      []media.Device
		preferred *media.Device
		fixed     bool // SyncDevicesToActiveCalls is off
		want      *media.Device
		reason    DeviceRecoveryReason
		missing   bool
	}
	for _, r := range []row{
		{name: "1: there is nothing", before: at(b), want: &b, missing: true},
		{name: "1: there is nothing, and nothing was selected"},
		{name: "2: it is there", before: at(b), list: list(a, b), want: &b},
		{name: "2: it has another label by now", before: at(mic("b", "", "")), list: list(a, b), want: &b},
		{name: "3: one has its label", before: at(b), list: list(a, headset), want: &headset},
		{name: "4: one of several with its label has its group", before: at(b), list: list(headset, moved, twin), want: &moved},
		{name: "5: several have its label", before: at(b), list: list(a, headset, twin), want: &b, reason: DeviceRecoveryAmbiguous, missing: true},
		{name: "5: and that was told", before: deviceChoice{selected: &b, missing: true, ambiguous: true}, list: list(headset, twin), want: &b, missing: true},
		{name: "6: one that was selected before", before: deviceChoice{selected: &b, history: list(c, a)}, list: list(a, c), want: &c, reason: DeviceRecoveryDisconnected},
		{name: "6: an older one", before: deviceChoice{selected: &b, history: list(c, a)}, list: list(a), want: &a, reason: DeviceRecoveryDisconnected},
		{name: "6: by group and label", before: deviceChoice{selected: &a, history: list(b)}, list: list(c, moved), want: &moved, reason: DeviceRecoveryDisconnected},
		{name: "7: the preferred one", before: at(b), list: list(a, c), preferred: &c, want: &c, reason: DeviceRecoveryFallback},
		{name: "7: known by its label", before: at(b), list: list(a, c), preferred: &media.Device{Label: "Camera"}, want: &c, reason: DeviceRecoveryFallback},
		{name: "8: the first", before: at(b), list: list(a, c), want: &a, reason: DeviceRecoveryFallback},
		{name: "9: of an earlier process", before: deviceChoice{stored: &b}, list: list(a, b), preferred: &a, want: &b, reason: DeviceRecoveryRestored},
		{name: "9: by group and label", before: deviceChoice{stored: &b}, list: list(a, headset, moved), want: &moved, reason: DeviceRecoveryRestored},
		{name: "9: by its label", before: deviceChoice{stored: &b}, list: list(a, headset), want: &headset, reason: DeviceRecoveryRestored},
		{name: "9: its label is not its own", before: deviceChoice{stored: &b}, list: list(a, headset, twin), want: &a},
		{name: "10: the preferred one", list: list(a, b), preferred: &b, want: &b},
		{name: "11: the first", list: list(a, b), preferred: &c, want: &a},

		{name: "none is wanted", before: deviceChoice{none: true}, list: list(a, b)},
		{name: "empty labels do not match", before: at(nameless), list: list(a, other), want: &a, reason: DeviceRecoveryFallback},
		{name: "nor those of the store", before: deviceChoice{stored: &nameless}, list: list(a, other), want: &a},
		{name: "nor those of the preference", list: list(a, other), preferred: &media.Device{ID: "x"}, want: &a},
		{name: "it comes back", before: deviceChoice{selected: &a, displaced: &b}, list: list(a, b), want: &b, reason: DeviceRecoveryReconnected},
		{name: "it comes back with another id", before: deviceChoice{selected: &a, displaced: &b}, list: list(a, headset), want: &headset, reason: DeviceRecoveryReconnected},
		{name: "what stood in goes, too", before: deviceChoice{selected: &a, displaced: &b}, list: list(c), want: &c, reason: DeviceRecoveryFallback},
		{name: "fixed: it has gone", before: at(b), list: list(a, c), fixed: true, want: &b, missing: true},
		{name: "fixed: another has its label", before: at(b), list: list(a, headset), fixed: true, want: &b, missing: true},
		{name: "fixed: it is there", before: at(b), list: list(a, b), fixed: true, want: &b},
		{name: "fixed: several have its label", before: at(b), list: list(headset, twin), fixed: true, want: &b, missing: true},
		{name: "fixed: nothing was selected", list: list(a, b), fixed: true, want: &a},
	} {
		after, reason := r.before.resolve(r.list, r.preferred, !r.fixed)
		if diff := cmp.Diff(r.want, after.selected); diff != "" || reason != r.reason || after.missing != r.missing {
			t.Errorf("%s: reason %q, missing %t (-want +got):\n%s", r.name, reason, after.missing, diff)
		}
	}
}

// A device that an automatic choice took the place of is known until it is back, or
// the program chooses.
func TestTheFirstOfSeveralThatHaveGoneComesBack(t *testing.T) {
	a, b, c := mic("a", "Desk", ""), mic("b", "Headset", ""), mic("c", "Camera", "")
	d := deviceChoice{selected: &b}
	for _, list := range [][]media.Device{{a, c}, {c}} {
		d, _ = d.resolve(list, nil, true)
	}
	if d.selected.ID != "c" || d.displaced.ID != "b" {
		t.Fatalf("selected %v in place of %v", d.selected, d.displaced)
	}
	chosen := d.choose(&a)
	if chosen, reason := chosen.resolve([]media.Device{a, b, c}, nil, true); chosen.selected.ID != "a" || reason != "" {
		t.Errorf("after the program's choice: %v, %q", chosen.selected, reason)
	}
	if d, reason := d.resolve([]media.Device{a, b, c}, nil, true); d.selected.ID != "b" || reason != DeviceRecoveryReconnected {
		t.Errorf("back: %v, %q", d.selected, reason)
	}
}

func TestFiveDevicesAreRemembered(t *testing.T) {
	var d deviceChoice
	for _, id := range []string{"a", "b", "c", "b", "d", "e", "f", "g"} {
		device := mic(id, id, "")
		d = d.choose(&device)
	}
	d = d.choose(d.selected) // the same again is no change
	var got []string
	for _, h := range d.history {
		got = append(got, h.ID)
	}
	if diff := cmp.Diff([]string{"f", "e", "d", "b", "c"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if d = d.choose(nil); d.selected != nil || !d.none || d.history[0].ID != "g" {
		t.Errorf("none: %+v", d)
	}
}
