package session_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/callrx/callrx/observable"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

var roomMethods = []string{
	"call.mute", "call.unmute", "call.deaf", "call.undeaf", "call.raisehand", "call.lowerhand", "call.audioflags.set",
	"call.lowbitrate.set", "call.microphone.volume.set", "call.speaker.volume.set", "call.microphone.sensitivity.set",
	"call.member.position.set", "call.member.remove", "call.end", "call.lock", "call.unlock", "call.layout.list",
	"call.layout.set", "call.custom", "webrtc.verto",
}

// A roomRig is a call in a room of which the test plays the service: it tells
// events and answers requests, over a real socket.
type roomRig struct {
	*rig
	k *session.Call

	mu     sync.Mutex
	sent   []string // the requests so far: method and parameters, keys sorted
	answer func(method string, params map[string]any) string
}

const ok = `"result":{"code":"200","message":"OK"}`

// inTestRoom runs test in a bubble, with ann in a room with bob.
func inTestRoom(t *testing.T, test func(r *roomRig)) {
	t.Helper()
	inBubble(t, sessiontest.Options{}, func(base *rig) {
		r := &roomRig{rig: base}
		requests := make(chan string, 64)
		r.opts.WireTap = func(f session.WireFrame) {
			if f.Outgoing && (strings.Contains(f.Text, `"method":"call.`) || strings.Contains(f.Text, `"method":"webrtc.verto"`)) {
				requests <- f.Text
			}
		}
		for _, method := range roomMethods {
			r.rpcFault(method, -1, sessiontest.Action{Kind: sessiontest.FaultRPCSilent})
		}
		r.connect(session.StaticCredentials(r.sat(3600e9, "")))
		go r.serve(requests)
		defer close(requests)
		r.k = session.Offline(r.c, "c-ann")
		r.tell("call.joined", joinedRoom("rs-1", member("m-ann", "c-ann"), member("m-bob", "c-bob")))
		synctest.Wait() // the layouts have been asked for
		test(r)
		session.End(r.k)
	})
}

// serve answers requests, until there are no more.
func (r *roomRig) serve(requests <-chan string) {
	for text := range requests {
		var f struct {
			ID     string         `json:"id"`
			Method string         `json:"method"`
			Params map[string]any `json:"params"`
		}
		if err := json.Unmarshal([]byte(text), &f); err != nil {
			r.t.Error(err)
		}
		params, _ := json.Marshal(f.Params)
		r.mu.Lock()
		r.sent = append(r.sent, f.Method+" "+string(params))
		answer := r.answer
		r.mu.Unlock()
		body := ok
		if f.Method == "call.layout.list" {
			body = `"result":{"code":"200","message":"OK","layouts":["grid-responsive","highlight-1-responsive"]}`
		}
		if answer != nil {
			if special := answer(f.Method, f.Params); special != "" {
				body = special
			}
		}
		if body != "silence" {
			r.srv.SendRaw("ann", fmt.Appendf(nil, `{"jsonrpc":"2.0","id":%q,%s}`, f.ID, body))
		}
	}
}

// answering sets how requests are answered: with a result or error member,
// "silence", or "" for the usual.
func (r *roomRig) answering(answer func(method string, params map[string]any) string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = answer
}

// requests are what was sent since the last time.
func (r *roomRig) requests() []string {
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	sent := slices.Clone(r.sent)
	r.sent = nil
	return sent
}

// tell sends an event through the gateway, and waits until it was taken in.
func (r *roomRig) tell(eventType string, params any) {
	r.t.Helper()
	if n, err := r.srv.SendEvent("ann", eventType, nil, params); n != 1 || err != nil {
		r.t.Fatalf("sent to %d sessions: %v", n, err)
	}
	synctest.Wait()
}

// update tells that a member's fields have changed.
func (r *roomRig) update(id string, fields map[string]any) {
	fields["member_id"] = id
	r.tell("member.updated", inSession("rs-1", map[string]any{"member": fields}))
}

// member is a member as the service describes one.
func member(id, call string) map[string]any {
	return map[string]any{
		"member_id": id, "call_id": call, "node_id": "n-1@puc", "room_id": "room-1", "room_session_id": "rs-1",
		"name": strings.TrimPrefix(id, "m-"), "type": "member", "subscriber_id": "sub-" + id, "address_id": "addr-" + id,
		"audio_muted": false, "video_muted": false, "deaf": false, "visible": true, "handraised": false, "talking": false,
		"echo_cancellation": true, "auto_gain": true, "noise_suppression": true, "lowbitrate": false, "denoise": false,
		"input_volume": 0, "output_volume": 0, "input_sensitivity": 44, "requested_position": "auto", "meta": map[string]any{},
	}
}

// joinedRoom is the payload of a call.joined of ann's.
func joinedRoom(id string, members ...map[string]any) map[string]any {
	return inSession(id, map[string]any{
		"call_id": "c-ann", "member_id": "m-ann", "origin_call_id": "c-ann", "node_id": "n-1@puc",
		"capabilities": []string{"self", "member", "device", "screenshare", "lock", "end", "vmuted", "layout", "digit"},
		"room_session": map[string]any{
			"room_session_id": id, "room_id": "room-1", "name": "lobby", "display_name": "Lobby",
			"layout_name": "grid-responsive", "recording": false, "streaming": false, "prioritize_handraise": false,
			"hide_video_muted": false, "locked": false, "meta": map[string]any{}, "members": members,
		},
	})
}

// inSession adds the ids of a room session to a payload.
func inSession(id string, params map[string]any) map[string]any {
	params["room_id"], params["room_session_id"] = "room-1", id
	return params
}

// about is a payload about one member.
func about(id string) map[string]any {
	return inSession("rs-1", map[string]any{"member": map[string]any{"member_id": id}})
}

// A record keeps what a stream delivers, as text.
type record struct {
	mu   sync.Mutex
	seen []string
	done <-chan struct{}
}

// keep subscribes to a stream.
func keep[T any](o observable.Of[T], text func(T) string) *record {
	r := &record{}
	r.done = o.Subscribe(context.Background(), func(v T) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.seen = append(r.seen, text(v))
	}).Done()
	return r
}

// so is what has come so far, in a bubble.
func (r *record) so() []string {
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.seen)
}

// over reports whether the stream has completed, in a bubble.
func (r *record) over() bool {
	synctest.Wait()
	select {
	case <-r.done:
		return true
	default:
		return false
	}
}

func idsOf(list []*session.Participant) string {
	var ids []string
	for _, p := range list {
		ids = append(ids, p.ID())
	}
	return strings.Join(ids, " ")
}

func printed[T any](v T) string { return fmt.Sprint(v) }

// readMember is what the getters tell of a member, for sessiontest.StateOrder.
func readMember(k *session.Call, id string) map[string]any {
	p := k.Participant(id)
	if p == nil {
		return nil
	}
	return map[string]any{"audio_muted": p.AudioMuted(), "talking": p.Talking(), "handraised": p.HandRaised(), "name": p.Name()}
}

// listedMembers is what the getters tell of the participants in a list, for
// sessiontest.ListOrder.
func listedMembers(k *session.Call, list []*session.Participant) (all []sessiontest.ListedMember) {
	for _, p := range list {
		m := sessiontest.ListedMember{ID: p.ID(), Known: p.Member().ID == p.ID()}
		select {
		case <-p.Done():
			m.Ended = true
		default:
		}
		m.Listed = slices.Contains(k.Participants(), p) && k.Status() != session.CallStatusDestroyed
		all = append(all, m)
	}
	return all
}
