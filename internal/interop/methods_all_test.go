package interop

import (
	"context"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/callrx/callrx/session"
)

const unseen = "callrx's own tests: nobody else sees it"

// elsewhere are the methods and observables ("$") of participants that no deed is made of, with the test that proves them
// or the reason why none does.
func elsewhere() map[string]string {
	return map[string]string{
		"startScreenShare": "TestPartyShowsScreensAndPlaces", "stopScreenShare": "TestPartyShowsScreensAndPlaces",
		"addAdditionalDevice": "TestPartyShowsScreensAndPlaces", "removeAdditionalDevice": "TestPartyShowsScreensAndPlaces",
		"screenShareStatus$": "TestPartyShowsScreensAndPlaces", "type$": "TestPartyShowsScreensAndPlaces",
		"remove": "TestPartyRemovesMembers", "end": "TestPartyRemovesMembers",
		"setPosition":      "TestPartyMembersChange: the service refuses the form in which it is sent",
		"toggleLowbitrate": "TestPartyMembersChange: not implemented", "setMeta": "TestPartyMembersChange: not implemented",
		"updateMeta": "TestPartyMembersChange: not implemented", "position$": "TestPartyShowsScreensAndPlaces",
		"isTalking$": "TestRoomTellsBothSDKsWhoTalks", "addVideoInputDevice": "TestOfficialSDKAddsTheCamera",
		"addAudioInputDevice": "TestPartyMembersChange", "addInputDevices": "TestPartyMembersChange",
		"selectAudioInputDevice": "TestPartyMembersChange", "selectVideoInputDevice": "TestPartyMembersChange",
		"selectAudioOutputDevice": "TestPartyMembersChange", "setAudioInputDeviceConstraints": "TestPartyMembersChange",
		"setVideoInputDeviceConstraints": "TestPartyMembersChange", "setInputDevicesConstraints": "TestPartyMembersChange",
		"studioAudio$": "TestPartyMembersChange", "name$": "TestPartyMembersChange", "userId$": "TestPartyMembersChange",
		"addressId$": "TestPartyMembersChange", "nodeId$": "TestPartyMembersChange", "meta$": "TestPartyMembersChange",
		"denoise$": "TestPartyMembersChange", "lowbitrate$": "TestPartyMembersChange",
		"destroy": "the SDK's own", "upnext": "the SDK's own", "exitStudioModeIfActive": "the SDK's own",
		// In callrx alone.
		"SetPosition": "TestPartyShowsScreensAndPlaces", "requestedPosition$": "TestPartyShowsScreensAndPlaces",
		"parentID$": "TestPartyShowsScreensAndPlaces", "callID$": "TestPartyMembersChange", "talking$": "TestRoomTellsBothSDKsWhoTalks",
		"audience$": "the official SDK has no observable of it", "localAudioMuted$": "TestPartyMembersChange",
		"localVideoMuted$": "TestPartyMembersChange", "SetMeta": "not implemented, as in the official SDK",
		"UpdateMeta": "not implemented, as in the official SDK", "Remove": "TestPartyRemovesMembers", "End": "TestPartyRemovesMembers",
		"StartScreenShare": "TestPartyShowsScreensAndPlaces", "StopScreenShare": "TestPartyShowsScreensAndPlaces",
		"AddAdditionalDevice": "TestPartyShowsScreensAndPlaces", "RemoveAdditionalDevice": "TestPartyShowsScreensAndPlaces",
		"AddAudioInputDevice": unseen, "AddVideoInputDevice": unseen, "SelectAudioInput": unseen, "SelectVideoInput": unseen,
		"SelectAudioOutput":        unseen,
		"SetAudioInputConstraints": unseen, "SetVideoInputConstraints": unseen, "SetInputConstraints": unseen,
	}
}

// proven are the methods and observables that deeds or other scenarios speak of.
func proven() map[string]bool {
	all := map[string]bool{}
	for _, d := range deeds() {
		all[d.official], all[d.ours], all[d.shows+"$"] = true, true, true
	}
	for name := range elsewhere() {
		all[name] = true
	}
	return all
}

// TestPartyLeavesNoMethodOfParticipantsOut, of ours: of the official SDK's, a party looks itself.
func TestPartyLeavesNoMethodOfParticipantsOut(t *testing.T) {
	all, folded := proven(), map[string]bool{}
	for name := range all {
		folded[strings.ToLower(name)] = true
	}
	for _, kind := range []reflect.Type{reflect.TypeFor[*session.Participant](), reflect.TypeFor[*session.SelfParticipant]()} {
		for m := range kind.Methods() {
			fact, observes := strings.CutPrefix(m.Name, "Observe")
			asks := m.Type.NumIn() > 1 && m.Type.In(1) == reflect.TypeFor[context.Context]()
			if asks && !all[m.Name] || observes && !folded[strings.ToLower(fact)+"$"] {
				t.Errorf("no scenario has %v.%s", kind, m.Name)
			}
		}
	}
}

// TestScenariosThatAreNamedExist: those that prove a method, and those in the table of docs/interop.md.
func TestScenariosThatAreNamedExist(t *testing.T) {
	var code strings.Builder
	files, _ := filepath.Glob("*_test.go")
	for _, name := range files {
		code.WriteString(read(t, name))
	}
	named := read(t, "../../docs/interop.md")
	for _, why := range elsewhere() {
		named += " " + why
	}
	for _, test := range regexp.MustCompile(`\bTest\w+`).FindAllString(named, -1) {
		if !strings.Contains(code.String(), "func "+test) {
			t.Errorf("there is no %s", test)
		}
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// listed fails for methods and observables of a page's object that no scenario has.
func (p *Page) listed(object string) {
	p.t.Helper()
	var names []string
	p.do(&names, "proof.methods(%s)", object)
	if len(names) < 30 {
		p.t.Errorf("only %v were found", names)
	}
	for _, name := range names {
		if !proven()[name] {
			p.t.Errorf("no scenario has %s of the official SDK", name)
		}
	}
}
