package session_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
	"github.com/google/go-cmp/cmp"
)

// Everybody who is in the room is listed, in the order of joining, and the list
// speaks up when somebody comes or goes: not when a member talks or is muted.
func TestTheListOfParticipantsTellsComingAndGoingOnly(t *testing.T) {
	inTestRoom(t, func(r *roomRig) {
		list := keep(r.k.ObserveParticipants(), idsOf)
		r.tell("member.joined", inSession("rs-1", map[string]any{"member": member("m-cat", "c-cat")}))
		for i := range 20 {
			r.update("m-cat", map[string]any{"talking": i%2 == 0, "audio_muted": i%3 == 0})
			r.tell("member.talking", inSession("rs-1", map[string]any{"member": map[string]any{"member_id": "m-bob", "talking": i%2 == 0}}))
			r.tell("layout.changed", layoutOf("grid", "m-ann", "m-bob"))
			r.tell("call.updated", inSession("rs-1", map[string]any{"room_session": map[string]any{"locked": i%2 == 0}}))
		}
		r.tell("member.left", about("m-bob"))
		want := []string{"m-ann m-bob", "m-ann m-bob m-cat", "m-ann m-cat"}
		if diff := cmp.Diff(want, list.so()); diff != "" {
			t.Errorf("lists (-want +got):\n%s", diff)
		}
	})
}

func layoutOf(name string, members ...string) map[string]any {
	layers := []map[string]any{}
	for i, id := range members {
		layers = append(layers, map[string]any{
			"layer_index": i, "z_index": 0, "member_id": id, "playing_file": false, "position": fmt.Sprintf("standard-%d", i+1),
			"reservation": "", "visible": true, "x": 50 * i, "y": 0, "width": 50, "height": 100,
		})
	}
	return inSession("rs-1", map[string]any{"layout": map[string]any{"id": name, "name": name, "layers": layers}})
}

// D20: snapshots of the Browser SDK only add members.
func TestPeopleWhoLeftDuringAnOutageAreNotListedAfterIt(t *testing.T) {
	inTestRoom(t, func(r *roomRig) {
		ann, bob := r.k.Participant("m-ann"), r.k.Participant("m-bob")
		r.tell("call.joined", joinedRoom("rs-1", member("m-ann", "c-ann"), member("m-cat", "c-cat")))
		if got := idsOf(r.k.Participants()); got != "m-ann m-cat" {
			t.Errorf("listed: %s", got)
		}
		if r.k.Participant("m-ann") != ann {
			t.Error("who stayed is another participant")
		}
		wantDone(t, bob, true)
		wantDone(t, ann, false)
	})
}

func wantDone(t *testing.T, p *session.Participant, want bool) {
	t.Helper()
	select {
	case <-p.Done():
		if !want {
			t.Errorf("%s has ended", p.ID())
		}
	default:
		if want {
			t.Errorf("%s goes on", p.ID())
		}
	}
}

// D20, W27: a late event of somebody who has left lists a nameless member in the
// Browser SDK.
func TestALateTalkingEventBringsNobodyBack(t *testing.T) {
	inTestRoom(t, func(r *roomRig) {
		r.tell("member.left", about("m-bob"))
		r.tell("member.talking", inSession("rs-1", map[string]any{"member": map[string]any{"member_id": "m-bob", "talking": true}}))
		r.tell("member.left", about("m-bob")) // and again: nothing
		if got := idsOf(r.k.Participants()); got != "m-ann" {
			t.Errorf("listed: %s", got)
		}
		r.update("m-late", map[string]any{"name": "Late"}) // an update does list
		if got := idsOf(r.k.Participants()); got != "m-ann m-late" {
			t.Errorf("listed: %s", got)
		}
	})
}

// D20: in the Browser SDK one who was first seen as a member never becomes self.
func TestTheCallFindsItselfWhoeverWasAnnouncedFirst(t *testing.T) {
	inBubbleOffline(t, func(c *session.Client, k *session.Call) {
		self := keep(k.ObserveSelf(), func(s *session.SelfParticipant) string { return fmt.Sprint(s != nil) })
		session.FeedEvent(c, "member.joined", inSession("rs-1", map[string]any{"member": member("m-ann", "c-ann")}))
		session.FeedEvent(c, "call.joined", joinedRoom("rs-1", member("m-bob", "c-bob")))
		session.FeedEvent(c, "call.joined", joinedRoom("rs-1", member("m-bob", "c-bob"), member("m-ann", "c-ann")))
		if k.Self() == nil || k.Self().ID() != "m-ann" || k.Participants()[1].Self() != k.Self() || k.Participants()[0].Self() != nil {
			t.Fatalf("self is %v", k.Self())
		}
		if !k.Self().Capabilities().Lock().On {
			t.Error("self came without its capabilities")
		}
		session.FeedEvent(c, "member.left", about("m-ann"))
		if diff := cmp.Diff([]string{"false", "true", "false"}, self.so()); diff != "" || k.Self() != nil {
			t.Errorf("self (-want +got):\n%s", diff)
		}
	})
}

// inBubbleOffline runs test with a call that hears only what it is fed.
func inBubbleOffline(t *testing.T, test func(*session.Client, *session.Call)) {
	t.Helper()
	sharedKey()
	synctest.Test(t, func(t *testing.T) {
		c := offlineClient(t)
		test(c, session.Offline(c, "c-ann"))
	})
}

// D54: whoever has left goes on in the Browser SDK.
func TestWhoHasLeftEndsAndComesBackAsSomebodyElse(t *testing.T) {
	inTestRoom(t, func(r *roomRig) {
		bob := r.k.Participant("m-bob")
		names, muted := keep(bob.ObserveName(), printed), keep(bob.ObserveAudioMuted(), printed)
		r.update("m-bob", map[string]any{"audio_muted": true})
		r.tell("member.left", about("m-bob"))
		wantDone(t, bob, true)
		if !names.over() || !muted.over() {
			t.Error("observables go on")
		}
		r.tell("member.joined", inSession("rs-1", map[string]any{"member": member("m-bob", "c-bob")}))
		if bob.Name() != "bob" || !bob.AudioMuted() {
			t.Error("the last values are gone")
		}
		if again := r.k.Participant("m-bob"); again == bob || again.AudioMuted() {
			t.Error("bob came back as he was")
		}
		if diff := cmp.Diff([]string{"bob"}, keep(bob.ObserveName(), printed).so()); diff != "" {
			t.Errorf("a late observer (-want +got):\n%s", diff)
		}
	})
}

func TestEveryObservableOfARoomEndsWithTheCall(t *testing.T) {
	inTestRoom(t, func(r *roomRig) {
		k, self := r.k, r.k.Self()
		var all []*record
		for _, p := range k.Participants() {
			all = append(all, keep(p.ObserveTalking(), printed), keep(p.ObservePosition(), printed), keep(p.ObserveMeta(), printed))
		}
		all = append(all,
			keep(k.ObserveParticipants(), idsOf), keep(k.ObserveSelf(), printed), keep(k.ObserveLayout(), printed),
			keep(k.ObserveLayouts(), printed), keep(k.ObserveLayoutLayers(), printed), keep(k.ObserveLocked(), printed),
			keep(k.ObserveRecording(), printed), keep(k.ObserveStreaming(), printed), keep(k.ObserveRaiseHandPriority(), printed),
			keep(k.ObserveMeta(), printed), keep(k.ObserveCapabilities(), printed), keep(k.ObserveMemberJoined(), printed),
			keep(k.ObserveMemberUpdated(), printed), keep(k.ObserveMemberTalking(), printed), keep(k.ObserveMemberLeft(), printed),
			keep(k.ObserveLayoutUpdates(), printed), keep(k.ObserveCallStates(), printed), keep(k.ObserveCallPlays(), printed),
			keep(k.ObserveCallConnects(), printed), keep(self.ObserveStudioAudio(), printed), keep(self.ObserveLocalAudioMuted(), printed),
			keep(self.ObserveLocalVideoMuted(), printed), keep(self.ObserveScreenShareStatus(), printed),
			keep(self.Capabilities().ObserveState(), printed), keep(self.Capabilities().ObserveMember(), printed))
		for i, o := range all {
			if o.over() {
				t.Errorf("observable %d ends too soon", i)
			}
		}
		session.End(k)
		for i, o := range all {
			if !o.over() {
				t.Errorf("observable %d goes on after the call", i)
			}
		}
		for _, p := range k.Participants() {
			wantDone(t, p, true)
		}
		if k.Self() != self || self.Name() != "ann" || len(k.Participants()) != 2 {
			t.Error("the last values are gone")
		}
	})
}

// D65: layout positions for new members are lost in the Browser SDK when a join
// and a layout come together. And what a layout no longer shows, the Browser SDK
// still says is where it was.
func TestALayoutSaysWhereEverybodyIsAndWhoIsNowhere(t *testing.T) {
	inTestRoom(t, func(r *roomRig) {
		ann, bob := r.k.Participant("m-ann"), r.k.Participant("m-bob")
		where := keep(bob.ObservePosition(), func(l *session.LayoutLayer) string {
			if l == nil {
				return "nowhere"
			}
			return fmt.Sprint(l.Position, " ", l.X)
		})
		r.tell("layout.changed", layoutOf("grid", "m-ann", "m-bob", "m-unknown"))
		r.tell("layout.changed", layoutOf("grid", "m-ann", "m-bob")) // the same for bob
		r.tell("layout.changed", layoutOf("6x6", "m-bob"))
		if ann.Position() != nil || bob.Position().Width != 50 || r.k.Layout() != "6x6" || len(r.k.LayoutLayers()) != 1 {
			t.Errorf("ann at %v, bob at %v, layout %s of %v", ann.Position(), bob.Position(), r.k.Layout(), r.k.LayoutLayers())
		}
		r.tell("layout.changed", layoutOf("6x6", ""))
		if diff := cmp.Diff([]string{"nowhere", "standard-2 50", "standard-1 0", "nowhere"}, where.so()); diff != "" {
			t.Errorf("bob's positions (-want +got):\n%s", diff)
		}
	})
}

// W24: what an update leaves out becomes false in the Browser SDK. W21: which
// ignores room.updated.
func TestAnUpdateOfTheRoomChangesWhatItTellsOnly(t *testing.T) {
	inTestRoom(t, func(r *roomRig) {
		told := func(event string, facts map[string]any) string {
			r.tell(event, inSession("rs-1", map[string]any{"room_session": facts}))
			k := r.k
			return fmt.Sprint(k.Locked(), k.Recording(), k.Streaming(), k.RaiseHandPriority(), k.Meta())
		}
		for _, step := range [][2]string{
			{told("call.updated", map[string]any{"locked": true, "meta": map[string]any{"a": 1}}), "true false false false map[a:1]"},
			{told("room.updated", map[string]any{"recording": true}), "true true false false map[a:1]"},
			{told("call.updated", map[string]any{"streaming": true, "prioritize_handraise": true}), "true true true true map[a:1]"},
			{told("room.updated", map[string]any{"locked": false, "meta": map[string]any{}}), "false true true true map[]"},
			{told("call.updated", map[string]any{"locked": "yes", "members": []any{}}), "false true true true map[]"},
		} {
			if step[0] != step[1] {
				t.Errorf("got %s, want %s", step[0], step[1])
			}
		}
		if idsOf(r.k.Participants()) != "m-ann m-bob" {
			t.Error("an update of the room changed its members")
		}
	})
}

// Events of a room may overtake the call.joined that makes sense of them.
func TestEventsThatComeTooEarlyAreAppliedAfterTheJoin(t *testing.T) {
	inBubbleOffline(t, func(c *session.Client, k *session.Call) {
		events := keep(k.ObserveEvents(), func(e *session.Event) string { return fmt.Sprint(e.Sequence, " ", e.Type) })
		session.FeedEvent(c, "member.joined", inSession("rs-1", map[string]any{"member": member("m-cat", "c-cat")}))
		session.FeedEvent(c, "member.joined", inSession("rs-9", map[string]any{"member": member("m-zoe", "c-zoe")}))
		session.FeedEvent(c, "layout.changed", layoutOf("6x6", "m-cat"))
		session.FeedEvent(c, "member.left", about("m-bob"))
		if len(k.Participants()) > 0 {
			t.Fatalf("listed before the join: %s", idsOf(k.Participants()))
		}
		session.FeedEvent(c, "call.joined", joinedRoom("rs-1", member("m-ann", "c-ann"), member("m-bob", "c-bob"), member("m-cat", "c-cat")))
		if got := idsOf(k.Participants()); got != "m-ann m-cat" {
			t.Errorf("listed: %s", got)
		}
		if k.Layout() != "6x6" || k.Participant("m-cat").Position() == nil {
			t.Errorf("the layout is %s", k.Layout())
		}
		session.FeedEvent(c, "member.joined", inSession("rs-8", map[string]any{"member": member("m-zoe", "c-zoe")}))
		want := []string{"5 call.joined", "1 member.joined", "3 layout.changed", "4 member.left"}
		if diff := cmp.Diff(want, events.so()); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
}

// Of very many early events the last ones count.
func TestEarlyEventsAreHeldInBounds(t *testing.T) {
	inBubbleOffline(t, func(c *session.Client, k *session.Call) {
		for i := range 1000 {
			session.FeedEvent(c, "member.updated", inSession("rs-1", map[string]any{"member": map[string]any{"member_id": "m-ann", "name": fmt.Sprint(i)}}))
		}
		events := keep(k.ObserveEvents(), func(e *session.Event) string { return e.Type })
		session.FeedEvent(c, "call.joined", joinedRoom("rs-1", member("m-ann", "c-ann")))
		if n := len(events.so()); n != 257 || k.Self().Name() != "999" {
			t.Errorf("%d events, the last name is %s", n, k.Self().Name())
		}
	})
}

// What happens in a room before another call of the client joins it is of the
// call that is in it already.
func TestASecondCallInARoomBeginsWithItsOwnSnapshot(t *testing.T) {
	inBubbleOffline(t, func(c *session.Client, first *session.Call) {
		second := session.Offline(c, "c-two")
		session.FeedEvent(c, "call.joined", joinedRoom("rs-1", member("m-ann", "c-ann"), member("m-bob", "c-bob")))
		session.FeedEvent(c, "member.left", about("m-bob"))
		again := joinedRoom("rs-1", member("m-ann", "c-ann"), member("m-two", "c-two"), member("m-bob", "c-bob"))
		again["call_id"], again["origin_call_id"], again["member_id"] = "c-two", "c-two", "m-two"
		session.FeedEvent(c, "call.joined", again)
		session.FeedEvent(c, "member.updated", inSession("rs-1", map[string]any{"member": map[string]any{"member_id": "m-ann", "deaf": true}}))
		if got := idsOf(second.Participants()); got != "m-ann m-two m-bob" || second.Self().ID() != "m-two" || first.Self().ID() != "m-ann" ||
			len(first.Participants()) != 1 {
			t.Errorf("the second call sees %s, itself as %s", got, second.Self().ID())
		}
		for _, k := range []*session.Call{first, second} {
			if !k.Participant("m-ann").Deaf() {
				t.Errorf("call %s does not see the update", k.ID())
			}
		}
	})
}

// A call that joins a room from within another is still itself, and shows the
// members of both until it leaves one.
func TestARoomInsideARoomAddsItsMembersAndTakesThemAway(t *testing.T) {
	inTestRoom(t, func(r *roomRig) {
		inner := joinedRoom("rs-2", member("m-ann", "c-ann"), member("m-eve", "c-eve"))
		inner["member_id"], inner["capabilities"] = "m-ann2", []string{"self.mute"}
		r.tell("call.state", inSession("rs-2", map[string]any{"call_id": "c-ann", "call_state": "answered", "direction": "inbound"}))
		r.tell("member.talking", inSession("rs-2", map[string]any{"member": map[string]any{"member_id": "m-eve", "talking": true}}))
		r.tell("call.joined", inner)
		if r.k.SelfID() != "m-ann" || r.k.Self().ID() != "m-ann" {
			t.Errorf("self became %s", r.k.SelfID())
		}
		if got := idsOf(r.k.Participants()); got != "m-ann m-bob m-eve" || !r.k.Participant("m-eve").Talking() {
			t.Errorf("listed: %s", got)
		}
		if c := r.k.Self().Capabilities(); c.Lock().On || !c.Self().MuteAudio.On {
			t.Errorf("capabilities %+v", c.State())
		}
		r.tell("call.updated", inSession("rs-1", map[string]any{"room_session": map[string]any{"locked": true}}))
		if r.k.Locked() {
			t.Error("the lock of the outer room is shown as that of the inner one")
		}
		r.tell("call.left", inSession("rs-2", map[string]any{"call_id": "c-ann", "member_id": "m-ann", "reason": "hangup"}))
		if got := idsOf(r.k.Participants()); got != "m-ann m-bob" || !r.k.Locked() {
			t.Errorf("after leaving: %s, locked %t", got, r.k.Locked())
		}
		r.tell("member.joined", inSession("rs-2", map[string]any{"member": member("m-fay", "c-fay")}))
		r.tell("call.left", inSession("rs-1", map[string]any{"call_id": "c-other", "member_id": "m-other"})) // not us
		if got := idsOf(r.k.Participants()); got != "m-ann m-bob" {
			t.Errorf("listed: %s", got)
		}
		r.tell("call.left", inSession("rs-1", map[string]any{"call_id": "c-ann", "member_id": "m-ann"}))
		if got := r.k.Participants(); len(got) != 0 || r.k.Self() != nil {
			t.Errorf("in no room: %s", idsOf(got))
		}
	})
}

// W20: a segment with a call id of its own names the call in origin_call_id.
func TestASegmentWithAnotherIDBelongsToTheCall(t *testing.T) {
	inTestRoom(t, func(r *roomRig) {
		inner := joinedRoom("rs-2", member("m-eve", "c-eve"))
		inner["call_id"] = "c-ann-2"
		r.tell("call.joined", inner)
		if got := idsOf(r.k.Participants()); got != "m-ann m-bob m-eve" {
			t.Errorf("listed: %s", got)
		}
		r.tell("call.left", inSession("rs-2", map[string]any{"call_id": "c-ann-2", "member_id": "m-else"}))
		if got := idsOf(r.k.Participants()); got != "m-ann m-bob" {
			t.Errorf("listed: %s", got)
		}
	})
}

// A getter is never older than what an observer of the same fact has been given.
func TestGettersAreNeverBehindObservers(t *testing.T) {
	inTestRoom(t, func(r *roomRig) {
		bob := r.k.Participant("m-bob")
		names := keep(bob.ObserveName(), func(name string) string { return fmt.Sprint(name <= bob.Name(), " ", name) })
		events := keep(r.k.ObserveMemberUpdated(), func(e *session.MemberEvent) string {
			return fmt.Sprint(e.Member.Name <= bob.Name(), " ", e.Member.Name)
		})
		want := []string{"true bob"}
		for i := range 9 {
			name := fmt.Sprint("bob", i)
			r.update("m-bob", map[string]any{"name": name})
			want = append(want, "true "+name)
		}
		if diff := cmp.Diff(want, names.so()); diff != "" {
			t.Errorf("names (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(want[1:], events.so()); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
}

func TestEventsOfACallAreReadForThoseWhoWatch(t *testing.T) {
	inTestRoom(t, func(r *roomRig) {
		k := r.k
		var all []*record
		note := func(r *record) { all = append(all, r) }
		note(keep(k.ObserveMemberJoined(), func(e *session.MemberEvent) string { return e.Type + " " + e.Member.Name }))
		note(keep(k.ObserveMemberUpdated(), func(e *session.MemberEvent) string {
			return fmt.Sprint(e.Type, " ", e.Member.ID, " ", e.Updated, " ", e.Member.InputVolume, e.Member.Meta, e.RoomSessionID, e.RoomID)
		}))
		note(keep(k.ObserveMemberTalking(), func(e *session.MemberEvent) string { return fmt.Sprint(e.Type, " ", e.Member.Talking) }))
		note(keep(k.ObserveMemberLeft(), func(e *session.MemberEvent) string { return e.Type + " " + e.Reason }))
		note(keep(k.ObserveLayoutUpdates(), func(e *session.LayoutEvent) string {
			return fmt.Sprint(e.Type, " ", e.Layout, " ", len(e.Layers), e.RoomSessionID)
		}))
		note(keep(k.ObserveCallStates(), func(e *session.CallStateEvent) string {
			return fmt.Sprint(e.Type, " ", e.State, e.Direction, e.Device.Type, e.Device.Params.To, e.StartTime, e.Peer.CallID, e.SegmentID)
		}))
		note(keep(k.ObserveCallPlays(), func(e *session.CallPlayEvent) string { return e.Type + " " + e.State + e.ControlID }))
		note(keep(k.ObserveCallConnects(), func(e *session.CallConnectEvent) string { return e.Type + " " + e.State + e.Peer.CallID }))
		r.tell("member.joined", inSession("rs-1", map[string]any{"member": member("m-cat", "c-cat")}))
		r.update("m-cat", map[string]any{"input_volume": 7, "meta": map[string]any{"a": 1}, "updated": []string{"input_volume"}})
		r.tell("member.talking", inSession("rs-1", map[string]any{"member": map[string]any{"member_id": "m-cat", "talking": true}}))
		r.tell("member.left", inSession("rs-1", map[string]any{"reason": "hangup", "member": map[string]any{"member_id": "m-cat"}}))
		r.tell("layout.changed", layoutOf("grid", "m-ann"))
		r.tell("call.state", map[string]any{"call_id": "c-ann", "call_state": "answered", "direction": "inbound", "segment_id": "s", "start_time": 5,
			"node_id": 7, "device": map[string]any{"type": "webrtc", "params": map[string]any{"to": "/public/lobby"}}, "peer": map[string]any{"call_id": "c-p"}})
		r.tell("call.play", map[string]any{"call_id": "c-ann", "state": "playing", "control_id": "ctl"})
		r.tell("call.connect", map[string]any{"call_id": "c-ann", "connect_state": "connected", "peer": map[string]any{"call_id": "c-bob"}})
		r.tell("call.unheard-of", map[string]any{"call_id": "c-ann"})
		var got []string
		for _, o := range all {
			got = append(got, strings.Join(o.so(), "; "))
		}
		want := []string{
			"member.joined cat", "member.updated m-cat [input_volume] {7 true} map[a:1]rs-1room-1", "member.talking true",
			"member.left hangup", "layout.changed grid 1rs-1", "call.state answeredinboundwebrtc/public/lobby5c-ps",
			"call.play playingctl", "call.connect connectedc-bob",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// W23: a call knows its layout before the first layout.changed.
func TestTheLayoutAndTheLayoutsAreKnownAfterJoining(t *testing.T) {
	inTestRoom(t, func(r *roomRig) {
		if r.k.Layout() != "grid-responsive" || !slices.Equal(r.k.Layouts(), []string{"grid-responsive", "highlight-1-responsive"}) {
			t.Errorf("layout %q of %q", r.k.Layout(), r.k.Layouts())
		}
		if diff := cmp.Diff([]string{`call.layout.list {` + ofAnn + `}`}, r.requests()); diff != "" {
			t.Errorf("requests (-want +got):\n%s", diff)
		}
		inner := joinedRoom("rs-2", member("m-ann", "c-ann"))
		inner["capabilities"] = []string{"self", "layouts"} // which is not a layout
		r.tell("call.joined", inner)
		if sent := r.requests(); len(sent) != 0 {
			t.Errorf("asked for layouts without the right to: %v", sent)
		}
	})
}

func TestARefusedListOfLayoutsHurtsNobody(t *testing.T) {
	inTestRoom(t, func(r *roomRig) {
		r.answering(func(string, map[string]any) string { return refusals[0] })
		r.tell("call.joined", joinedRoom("rs-1", member("m-ann", "c-ann")))
		r.requests()
		if errors := allErrors[error](r.rig); len(errors) > 0 || r.k.Status() != session.CallStatusNew {
			t.Errorf("%v, call %v", errors, r.k.Status())
		}
	})
}

// What nobody observes costs nothing: an event of a member makes a snapshot of
// that one, whoever else is in the room, and nothing more.
func TestAMemberEventAllocatesASnapshotAndNothingElse(t *testing.T) {
	for kind, frames := range map[string][]string{"updated": updates(300), "talking": talks(300)} {
		c, k := roomOf(t, 300)
		const events = 6000
		each := testing.AllocsPerRun(1, func() { session.Apply(c, frames, events) }) / events
		t.Logf("%s: %.2f allocations", kind, each)
		if each > 2.5 { // the snapshot, and the reader of the frame
			t.Errorf("%s: %.2f allocations for an event", kind, each)
		}
		session.End(k)
	}
}

// A session that could not be resumed is another one for the service: what it
// then tells of the call's rooms is all that there is.
func TestACallThatIsAttachedAnewHasOnlyTheRoomsItIsToldOf(t *testing.T) {
	inTestRoom(t, func(r *roomRig) {
		r.tell("call.joined", joinedRoom("rs-2", member("m-eve", "c-eve")))
		ann := r.k.Self()
		session.Reattach(r.k)
		again := joinedRoom("rs-1", member("m-ann", "c-ann"), member("m-cat", "c-cat"))
		r.tell("call.joined", again)
		if got := idsOf(r.k.Participants()); got != "m-ann m-cat" || r.k.Self() != ann {
			t.Errorf("listed: %s", got)
		}
		session.Reattach(r.k)
		other := joinedRoom("rs-7", member("m-new", "c-ann"))
		other["member_id"] = "m-new"
		r.tell("call.joined", other)
		if got := idsOf(r.k.Participants()); got != "m-new" || r.k.SelfID() != "m-new" || r.k.Self().ID() != "m-new" {
			t.Errorf("listed: %s, self %s", got, r.k.SelfID())
		}
		wantDone(t, ann.Participant, true)
		r.tell("member.joined", inSession("rs-1", map[string]any{"member": member("m-old", "c-old")})) // of a room that is no more
		if got := idsOf(r.k.Participants()); got != "m-new" {
			t.Errorf("listed: %s", got)
		}
	})
}

// Two calls of one client in one room: what is told of one's leaving, after it has
// hung up and is forgotten, is nothing that the other's observers get.
func TestACallDoesNotTakeTheLeavingOfAnotherForItsOwn(t *testing.T) {
	inTestRoom(t, func(r *roomRig) {
		order := sessiontest.CallOrder{Late: true}
		var left int
		r.k.ObserveEvents().Subscribe(r.t.Context(), func(e *session.Event) {
			order.Saw(e.Sequence, e.Type, e.Payload)
			if e.Type == "call.left" {
				left++
			}
		})
		second := session.Offline(r.c, "c-ann-too")
		joined := joinedRoom("rs-1", member("m-ann-too", "c-ann-too"))
		joined["call_id"], joined["member_id"] = "c-ann-too", "m-ann-too"
		r.tell("call.joined", joined)
		session.End(second)
		r.tell("call.left", inSession("rs-1", map[string]any{"call_id": "c-ann-too", "member_id": "m-ann-too", "reason": "hangup"}))
		r.tell("member.left", inSession("rs-1", map[string]any{"member": map[string]any{"member_id": "m-ann-too"}}))
		if err := order.Err(); err != nil || left != 0 {
			t.Errorf("%d leavings seen, order: %v", left, err)
		}
		if got := idsOf(r.k.Participants()); got != "m-ann m-bob" {
			t.Errorf("listed: %s", got)
		}
	})
}
