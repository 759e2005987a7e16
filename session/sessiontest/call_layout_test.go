package sessiontest_test

import (
	"math"
	"slices"
	"testing"

	"github.com/callrx/callrx/session/sessiontest"
)

// layers waits for the next layout of a name and returns its layers.
func (p *phone) layers(name string) []obj {
	p.t.Helper()
	f := p.next("layout "+name, func(f obj) bool {
		return dig(f, "params", "event_type") == "layout.changed" && dig(f, "params", "params", "layout", "id") == name
	})
	var layers []obj
	for _, l := range dig(f, "params", "params", "layout", "layers").([]any) {
		layers = append(layers, l.(obj))
	}
	return layers
}

// at returns the layer of a member, nil if it has none.
func at(layers []obj, member string) obj {
	for _, l := range layers {
		if l["member_id"] == member {
			return l
		}
	}
	return nil
}

// crowd is a client with video and bots, in the order in which they came.
func crowd(t *testing.T, gw *sessiontest.Server, n int) (*talk, []string) {
	t.Helper()
	c := newPhone(t, gw, "mara@example.org").dial("/public/lobby", "pcmu", "vp8")
	members := []string{c.member}
	for len(members) < n {
		b, err := gw.Join("/public/lobby", sessiontest.BotOptions{})
		if err != nil {
			t.Fatal(err)
		}
		members = append(members, b.MemberID())
	}
	c.control("call.layout.set", c.member, obj{"layout": "10x10"})
	c.layers("10x10")
	c.backlog = nil
	return c, members
}

// Every layout that is listed has its places on the canvas without overlap, and shows whom it can.
func TestLayoutsPlaceEverybodyOnceWithoutOverlap(t *testing.T) {
	gw := sessiontest.NewServer(t)
	for _, n := range []int{1, 2, 3, 5, 8} {
		c, members := crowd(t, gw, n)
		names := dig(c.control("call.layout.list", c.member, nil), "result", "layouts").([]any)
		for _, want := range []string{"grid-responsive", "highlight-1-responsive", "1x1", "3x3", "6x6", "8x8", "5up"} {
			if !slices.Contains(names, any(want)) {
				t.Errorf("%s is not listed", want)
			}
		}
		for _, name := range names {
			c.control("call.layout.set", c.member, obj{"layout": name})
			layers := c.layers(name.(string))
			checkLayers(t, name.(string), layers)
			placed := 0
			for _, m := range members {
				if at(layers, m) != nil {
					placed++
				}
			}
			if placed != min(n, len(layers)) {
				t.Errorf("%s shows %d of %d in %d places", name, placed, n, len(layers))
			}
			if want, ok := map[string]int{"grid-responsive": n, "highlight-1-responsive": min(n, 6), "1x1": 1, "2x1": 2, "3x3": 9, "6x6": 36, "5up": 5}[name.(string)]; ok && len(layers) != want {
				t.Errorf("%s of %d has %d places, want %d", name, n, len(layers), want)
			}
		}
		c.bye()
		for _, info := range gw.Calls() {
			gw.HangupCall(info.CallID, "", 0)
		}
	}
}

func checkLayers(t *testing.T, name string, layers []obj) {
	t.Helper()
	num := func(l obj, key string) float64 { return l[key].(float64) }
	for i, a := range layers {
		if num(a, "layer_index") != float64(i) || num(a, "width") <= 0 || num(a, "height") <= 0 ||
			num(a, "x")+num(a, "width") > 100.001 || num(a, "y")+num(a, "height") > 100.001 {
			t.Errorf("%s: layer %d is %v", name, i, a)
		}
		for _, b := range layers[:i] {
			wide := math.Min(num(a, "x")+num(a, "width"), num(b, "x")+num(b, "width")) - math.Max(num(a, "x"), num(b, "x"))
			high := math.Min(num(a, "y")+num(a, "height"), num(b, "y")+num(b, "height")) - math.Max(num(a, "y"), num(b, "y"))
			if wide > 0.001 && high > 0.001 || a["position"] == b["position"] {
				t.Errorf("%s: %v and %v are in the same place", name, a, b)
			}
		}
	}
}

func TestPositionsAreReservedGivenUpAndLeft(t *testing.T) {
	gw := sessiontest.NewServer(t)
	c, members := crowd(t, gw, 3)
	c.control("call.layout.set", c.member, obj{"layout": "3x3"})
	c.layers("3x3")
	ask := func(member, position string) []obj {
		t.Helper()
		c.control("call.member.position.set", "", obj{"targets": []obj{{"target": obj{"member_id": member}, "position": position}}})
		return c.layers("3x3")
	}
	layers := ask(members[1], "standard-7")
	if l := at(layers, members[1]); l["position"] != "standard-7" || l["reservation"] != "standard-7" {
		t.Errorf("layer is %v", l)
	}
	if l := at(layers, members[2]); l["position"] != "standard-2" || l["reservation"] != "" {
		t.Errorf("who moves up is at %v", l)
	}
	if l := at(ask(members[2], "standard-7"), members[2]); l["position"] != "standard-2" { // who was there first stays
		t.Errorf("a taken place was given to %v", l)
	}
	if l := at(ask(members[1], "off-canvas"), members[1]); l != nil {
		t.Errorf("off canvas is %v", l)
	}
	if l := at(ask(members[0], "full-screen"), members[0]); l["width"] != 100.0 || l["height"] != 100.0 || l["z_index"] != 1.0 {
		t.Errorf("full screen is %v", l)
	}
	if l := at(ask(members[1], "auto"), members[1]); l["reservation"] != "" {
		t.Errorf("auto is %v", l)
	}
}

func TestHighlightShowsTheScreenAndElseTheSpeaker(t *testing.T) {
	gw := sessiontest.NewServer(t)
	in := guests(t, gw, []string{"mara", "noor"}, "pcmu", "vp8")
	in[0].control("call.layout.set", in[0].member, obj{"layout": "highlight-1-responsive"})
	in[1].layers("highlight-1-responsive")
	in[1].media.sing(0, 500)
	l := in[0].highlighted(in[1].member)
	if l["position"] != "reserved-1" || l["width"] != 75.0 || l["height"] != 100.0 {
		t.Errorf("highlight is %v", l)
	}
	screen := &talk{phone: in[0].phone, id: in[0].id + "-screen", media: in[0].newMedia("vp8:sendonly")}
	a := in[0].invite(screen.id, "/public/lobby", screen.media, obj{
		"screenShare": true, "userVariables": obj{"memberCallId": in[0].id, "memberId": in[0].member},
	})
	in[1].highlighted(dig(a, "result", "memberID").(string))
	gw.HangupCall(screen.id, "", 0)
	in[1].highlighted(in[1].member)
	if n := len(gw.Journal().Verto("verto.bye")); n != 0 {
		t.Errorf("%d byes for a screen", n)
	}
}

// highlighted waits until a member has the first layer of the layout.
func (p *phone) highlighted(member string) obj {
	p.t.Helper()
	for {
		if layers := p.layers("highlight-1-responsive"); len(layers) > 0 && layers[0]["member_id"] == member {
			return layers[0]
		}
	}
}

func TestRaisedHandsComeFirstWherePrioritized(t *testing.T) {
	gw := sessiontest.NewServer(t)
	c, members := crowd(t, gw, 3)
	c.control("call.layout.set", c.member, obj{"layout": "grid-responsive"})
	c.layers("grid-responsive")
	if err := gw.UpdateRoom("/public/lobby", func(r *sessiontest.RoomState) { r.PrioritizeHandRaise = true }); err != nil {
		t.Fatal(err)
	}
	c.layers("grid-responsive")
	c.control("call.raisehand", members[2], nil)
	if layers := c.layers("grid-responsive"); layers[0]["member_id"] != members[2] {
		t.Errorf("layers are %v", layers)
	}
	c.control("call.lowerhand", members[2], nil)
	if layers := c.layers("grid-responsive"); layers[0]["member_id"] != members[0] {
		t.Errorf("layers are %v", layers)
	}
}

// A room in which nobody looks at the others is laid out as well: its members have their places.
func TestRoomOfMembersWhoOnlyShowIsLaidOut(t *testing.T) {
	gw := sessiontest.NewServer(t)
	in := guests(t, gw, []string{"mara", "noor"}, "pcmu", "vp8:sendonly")
	layers := in[1].layers("grid-responsive") // the first that noor gets
	for _, who := range in {
		if at(layers, who.member) == nil {
			t.Errorf("%s has no place in %v", who.member, layers)
		}
	}
}
