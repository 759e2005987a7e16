package interop

import (
	"context"
	"fmt"
	"testing"

	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
)

// Shared screens and further devices are members of their own, with whose they are, and the call outlives them. (The
// official SDK lets the messages of a further leg move the status of the call, which it leaves at "connecting".) Every
// layout can be set by either SDK, and each of its places asked for.
func TestPartyShowsScreensAndPlaces(t *testing.T) {
	t.Parallel()
	y := throwParty(t)
	y.meet()
	y.screensOf(0, "member,member")
	y.screensOf(1, "member,member")
	y.alone()
	y.invite()
	y.screensOf(0, "member,member,member")
	y.screensOfBob()
	y.layouts()
	y.places()
	y.end()
}

// alone has two pages lock and lay out their room with nobody else in it.
func (y *party) alone() {
	y.t.Helper()
	for i, locked := range []bool{true, false} {
		y.asks(i, "%s.toggleLock()", y.calls[i].js())
		y.everyPage("%s.locked", locked)
	}
	for i, layout := range []string{"2x2", "highlight-1-responsive"} {
		y.asks(i, "%s.setLayout('%s', {})", y.calls[i].js(), layout)
		y.everyPage("%s.layout", layout)
		for _, place := range []session.VideoPosition{session.StandardPosition(1), session.PositionFullScreen, session.PositionAuto} {
			y.place(i, "bea", place)
			y.placed("bea", place)
		}
	}
}

// screensOf has a page share its screen and show a further camera, and stop both.
func (y *party) screensOf(page int, others string) {
	y.t.Helper()
	p, self := y.pages[page], y.self(page)
	p.gesture("%s.startScreenShare()", self)
	p.holds("proof.shows("+self+", 'screenShareStatus')", "started")
	y.types(others + ",screen")
	y.belongs("screen", []string{"ann", "bea"}[page])
	y.asks(page, "%s.stopScreenShare()", self)
	p.holds("proof.shows("+self+", 'screenShareStatus')", "none")
	y.types(others)

	y.asks(page, "%s.addAdditionalDevice({audio: false, video: true})", self)
	y.types("device," + others)
	y.belongs("device", []string{"ann", "bea"}[page])
	y.asks(page, "%s.removeAdditionalDevice(%s.participants.find((p) => p.type === 'device').value.call_id)", self, y.calls[page].js())
	y.types(others)
	p.sends(y.calls[page], "audio")
	p.sends(y.calls[page], "video")
}

// belongs waits until everybody knows whose the one participant of a type is.
func (y *party) belongs(kind, owner string) {
	y.t.Helper()
	for i, p := range y.pages {
		p.holds(fmt.Sprintf("%[1]s.participants.find((p) => p.type === '%[2]s')?.value.parent_id === %[3]s.id",
			y.calls[i].js(), kind, y.js(i, owner)), true)
		p.holds(fmt.Sprintf("proof.shows(%s.participants.find((p) => p.type === '%[2]s'), 'type')", y.calls[i].js(), kind), kind)
	}
	if y.call == nil {
		return
	}
	for _, p := range y.call.Participants() {
		if p.Type() == kind && p.ParentID() != y.of(owner).ID() {
			y.t.Errorf("bob takes %s for the parent of the %s, not %s's member", p.ParentID(), kind, owner)
		}
	}
}

// screensOfBob are the same of callrx.
func (y *party) screensOfBob() {
	y.t.Helper()
	ctx, cancel := y.within()
	defer cancel()
	self, o := y.call.Self(), session.MediaOptions{SettingEngine: onLoopback}
	_, err := self.StartScreenShare(ctx, media.NewTestPattern(), o)
	y.does("bob shares his screen", err)
	y.types("member,member,member,screen")
	y.belongs("screen", "bob")
	y.does("bob stops his screen", self.StopScreenShare(ctx))
	y.types("member,member,member")
	device, err := self.AddAdditionalDevice(ctx, media.NewTestPattern(), o)
	y.does("bob adds a camera", err)
	y.types("device,member,member,member")
	y.belongs("device", "bob")
	y.does("bob removes the camera", self.RemoveAdditionalDevice(ctx, device.ID()))
	y.types("member,member,member")
}

// layouts sets every layout there is, with one SDK and the other in turn.
func (y *party) layouts() {
	y.t.Helper()
	y.everyPage("JSON.stringify(%s.layouts)", quote(y.call.Layouts()))
	for i, name := range y.call.Layouts() {
		if i%2 == 0 {
			ctx, cancel := y.within()
			y.does("bob's layout", y.call.SetLayout(ctx, name, nil))
			cancel()
		} else {
			y.asks(0, "%s.setLayout(%s, {})", y.calls[0].js(), quote(name))
		}
		y.everyPage("%s.layout", name)
		y.eventually("bob sees "+name, func() bool { return y.call.Layout() == name })
	}
}

// places asks for every place of a layout with a highlight and of one without: ann for bea, and bob for himself.
func (y *party) places() {
	y.t.Helper()
	for layout, places := range map[string][]session.VideoPosition{
		"highlight-1-responsive": {session.ReservedPosition(1), session.StandardPosition(1), session.StandardPosition(2),
			session.PositionPlayback, session.PositionFullScreen, session.PositionOffCanvas},
		"2x2": {session.StandardPosition(1), session.StandardPosition(2), session.StandardPosition(3), session.StandardPosition(4),
			session.PositionFullScreen, session.PositionOffCanvas},
	} {
		y.asks(0, "%s.setLayout(%s, {})", y.calls[0].js(), quote(layout))
		y.everyPage("%s.layout", layout)
		for _, place := range append(places, session.PositionAuto) {
			y.place(0, "bea", place)
			y.placed("bea", place)
			y.place(0, "bea", session.PositionAuto)
			ctx, cancel := y.within()
			y.does("bob's place", y.call.Self().SetPosition(ctx, place))
			y.placed("bob", place)
			y.does("bob's place", y.call.Self().SetPosition(ctx, session.PositionAuto))
			cancel()
			y.placed("bob", session.PositionAuto)
		}
	}
}

// place has a page ask for the place of a member in the form that the service takes, which the official SDK's setPosition
// does not send.
func (y *party) place(page int, name string, place session.VideoPosition) {
	y.t.Helper()
	y.asks(page, `(({member_id, call_id, node_id}) => %s.executeMethod(
		{target: {member_id, call_id, node_id}, position: %s}, 'call.member.position.set', {}))(%s.value)`,
		y.calls[page].js(), quote(place), y.js(page, name))
}

// placed waits until everybody shows that a member is where it was asked to be.
func (y *party) placed(name string, place session.VideoPosition) {
	y.t.Helper()
	for i, p := range y.pages {
		m := y.js(i, name)
		p.holds(m+".value.requested_position", place)
		switch place {
		case session.PositionAuto, session.PositionPlayback: // anywhere
		case session.PositionOffCanvas: // the official SDK goes on showing the last place
			p.holds(fmt.Sprintf("%s.layoutLayers.some((l) => l.member_id === %s.id)", y.calls[i].js(), m), false)
		default:
			p.holds("proof.shows("+m+", 'position').position", place)
		}
	}
	if y.call == nil {
		return
	}
	ctx, cancel := y.within()
	defer cancel()
	_, err := y.of(name).ObserveRequestedPosition().Wait(ctx, func(v session.VideoPosition) bool { return v == place })
	y.does("bob sees what is asked for", err)
	_, err = y.of(name).ObservePosition().Wait(ctx, func(l *session.LayoutLayer) bool {
		switch place {
		case session.PositionAuto, session.PositionPlayback:
			return l != nil
		case session.PositionOffCanvas:
			return l == nil
		}
		return l != nil && l.Position == string(place)
	})
	y.does(fmt.Sprintf("bob sees %s at %s", name, place), err)
}

// TestPartyRemovesMembers, by either SDK from either, and ends their calls: whose call it was learns of it, and the others
// see it leave.
func TestPartyRemovesMembers(t *testing.T) {
	t.Parallel()
	y := throwParty(t)
	for _, method := range []string{"remove", "end"} {
		y.invite()
		y.asks(1, "%s.%s()", y.js(1, "bob"), method)
		y.bob.becomes(y.call, session.CallStatusDestroyed)
		y.everyPage("%s.participants.length", 2)
		y.call = nil
	}
	y.invite()
	for _, end := range []func(*session.Participant, context.Context) error{(*session.Participant).Remove, (*session.Participant).End} {
		ctx, cancel := y.within()
		y.does("bob ends bea's call", end(y.of("bea"), ctx))
		cancel()
		y.pages[1].wait(y.calls[1].on("status"), "destroyed")
		y.pages[0].holds(y.calls[0].js()+".participants.length", 2)
		y.calls[1] = y.pages[1].connect(y.room, "{}")
		y.eventually("bea is back", func() bool { return y.of("bea") != nil })
	}
	y.end()
}
