package session_test

import (
	"encoding/json"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// A tap keeps the Verto requests that a client sent.
type tap struct {
	mu   sync.Mutex
	sent []vertoSent
}

type vertoSent struct {
	CallID    string   `json:"callID"`
	NodeID    string   `json:"node_id"`
	Subscribe []string `json:"subscribe"`
	Message   struct {
		Method string `json:"method"`
		Params struct {
			SessID string         `json:"sessid"`
			SDP    string         `json:"sdp"`
			Dialog map[string]any `json:"dialogParams"`
			Cause  string         `json:"cause"`
			Code   any            `json:"causeCode"`
		} `json:"params"`
	} `json:"message"`
}

func (p *tap) take(f session.WireFrame) {
	var frame struct {
		Method string
		Params json.RawMessage
	}
	var sent vertoSent
	if !f.Outgoing || json.Unmarshal([]byte(f.Text), &frame) != nil || frame.Method != "webrtc.verto" || json.Unmarshal(frame.Params, &sent) != nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent = append(p.sent, sent)
}

// last is the last request of a method.
func (p *tap) last(t *testing.T, method string) vertoSent {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := len(p.sent) - 1; i >= 0; i-- {
		if p.sent[i].Message.Method == method {
			return p.sent[i]
		}
	}
	t.Fatalf("no %s was sent", method)
	return vertoSent{}
}

// tapped opens a client whose requests are kept.
func (b *callBubble) tapped(t *testing.T, name string) (lineOf, *tap) {
	t.Helper()
	p := &tap{}
	return b.open(t, name, session.Options{WireTap: p.take}), p
}

func TestDigitsGoBothWays(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		ann := b.client(t, "ann")
		k := connected(t, ann.Client, "/public/echo", ann.dialing(session.MediaOptions{}))
		if err := k.SendDigits(t.Context(), "12w3#*D"); err != nil {
			t.Fatal(err)
		}
		if e := journal(t, b.srv, received("verto.info")); e.DTMF != "12w3#*D" || e.Call != k.ID() {
			t.Errorf("the journal has %+v", e)
		}
		if info, _ := b.srv.Call(k.ID()); info.DTMF != "12w3#*D" {
			t.Errorf("the gateway heard %q", info.DTMF)
		}
		sent := len(b.srv.Journal().Verto("verto.info"))
		for _, bad := range []string{"", "E", "1 2", "+49", "1,2", "ä"} {
			var wrong *errs.InvalidParamsError
			if err := k.SendDigits(t.Context(), bad); !errors.As(err, &wrong) || wrong.Param != "digits" {
				t.Errorf("digits %q: %v", bad, err)
			}
		}
		if now := len(b.srv.Journal().Verto("verto.info")); now != sent {
			t.Errorf("bad digits were sent")
		}

		digits := k.ObserveDigits()
		if !b.srv.SendDTMF(k.ID(), "5#") {
			t.Fatal("the gateway cannot send digits")
		}
		var heard []byte
		for d := range digits.Seq(t.Context()) {
			if heard = append(heard, d.Value); d.Duration < 100*time.Millisecond || d.Duration > 300*time.Millisecond {
				t.Errorf("digit %c lasts %v", d.Value, d.Duration)
			}
			if len(heard) == 2 {
				break
			}
		}
		if string(heard) != "5#" {
			t.Errorf("digits heard: %q", heard)
		}
		b.over(t, ann, k)
	})
}

func TestUserVariablesTravelAndMerge(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		ann, sent := b.tapped(t, "ann")
		bob := b.client(t, "bob")
		incoming := bob.ObserveIncoming()
		o := ann.dialing(session.MediaOptions{})
		o.UserVariables = map[string]any{"ticket": "42", "from": "options", "memberCallId": "mine", "memberId": "mine"}
		out := mustDial(t, ann.Client, "/private/bob?channel=audio&from=query&lang=de", o)
		in := next(t, incoming)
		if diff := cmp.Diff(map[string]any{"ticket": "42", "from": "options", "lang": "de", "channel": "audio"}, in.UserVariables()); diff != "" {
			t.Errorf("bob was told (-want +got):\n%s", diff)
		}
		invite := sent.last(t, "verto.invite").Message.Params.Dialog
		want := map[string]any{"ticket": "42", "from": "options", "lang": "de", "channel": "audio", "memberCallId": out.ID()}
		if diff := cmp.Diff(any(want), invite["userVariables"]); diff != "" {
			t.Errorf("the invite's variables (-want +got):\n%s", diff)
		}
		if invite["destination_number"] != "/private/bob?channel=audio&from=query&lang=de" || invite["attach"] != nil || invite["reattaching"] != nil {
			t.Errorf("the invite's dialog: %v", invite)
		}

		b.srv.SendVerto(out.ID(), "verto.ping", map[string]any{
			"callID": out.ID(), "userVariables": map[string]any{"ticket": "43", "agent": "bob"},
		})
		pass(0)
		own := out.UserVariables()
		if own["ticket"] != "43" || own["agent"] != "bob" || own["lang"] != "de" {
			t.Errorf("merged: %v", own)
		}
		own["ticket"] = "a copy"
		out.MergeUserVariables(map[string]any{"mood": "good", "lang": "en"})
		info, _ := b.srv.Call(out.ID())
		b.over(t, ann, out)
		bye := sent.last(t, "verto.bye").Message.Params
		want = map[string]any{
			"ticket": "43", "agent": "bob", "mood": "good", "lang": "en", "from": "options", "channel": "audio",
			"memberCallId": out.ID(), "memberId": info.MemberID,
		}
		if diff := cmp.Diff(any(want), bye.Dialog["userVariables"]); diff != "" {
			t.Errorf("the bye's variables (-want +got):\n%s", diff)
		}
		if bye.Cause != "" || bye.Code != nil {
			t.Errorf("the bye has a cause: %+v", bye)
		}
	})
}

// TestDialogSaysHowFarTheCallIs: before the first exchange it says nothing of
// attaching, afterwards that it is none; short requests name the leg alone.
func TestDialogSaysHowFarTheCallIs(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		ann, sent := b.tapped(t, "ann")
		ringing := mustDial(t, ann.Client, "/public/ring", ann.dialing(session.MediaOptions{}))
		b.over(t, ann, ringing)
		if d := sent.last(t, "verto.bye").Message.Params.Dialog; d["attach"] != nil || d["reattaching"] != nil {
			t.Errorf("a bye before the exchange: %v", d)
		}
		k := connected(t, ann.Client, "/public/echo", ann.dialing(session.MediaOptions{}))
		if err := k.Hold(t.Context()); err != nil {
			t.Error(err)
		}
		hold := sent.last(t, "verto.modify")
		if diff := cmp.Diff(map[string]any{"callID": k.ID()}, hold.Message.Params.Dialog); diff != "" || hold.Message.Params.SessID != k.ID() {
			t.Errorf("hold %+v (-want +got):\n%s", hold, diff)
		}
		if hold.NodeID == "" || hold.CallID != k.ID() || hold.Subscribe != nil {
			t.Errorf("the envelope of hold: %+v", hold)
		}
		b.over(t, ann, k)
		bye := sent.last(t, "verto.bye").Message.Params.Dialog
		want := map[string]any{
			"callID": k.ID(), "destination_number": "/public/echo", "remote_caller_id_number": "/public/echo",
			"attach": false, "reattaching": false, "screenShare": false, "additionalDevice": false,
			"pingSupported": true, "version": 1000.0,
		}
		noVariables := cmpopts.IgnoreMapEntries(func(key string, _ any) bool { return key == "userVariables" })
		if diff := cmp.Diff(want, bye, noVariables); diff != "" {
			t.Errorf("a bye after the exchange (-want +got):\n%s", diff)
		}
	})
}

func TestInboundDialogIsNotTurnedRound(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		ann := b.client(t, "ann")
		bob, sent := b.tapped(t, "bob")
		incoming := bob.ObserveIncoming()
		mustDial(t, ann.Client, "/private/bob", ann.dialing(session.MediaOptions{}))
		in := next(t, incoming)
		if in.Direction() != errs.DirectionInbound || in.To().URI != "/private/bob" || in.From().URI == "" || in.Status() != session.CallStatusRinging {
			t.Errorf("%s call from %+v to %+v, %v", in.Direction(), in.From(), in.To(), in.Status())
		}
		if err := in.Reject(t.Context()); err != nil {
			t.Fatal(err)
		}
		bye := sent.last(t, "verto.bye").Message.Params
		if bye.Cause != "USER_BUSY" || bye.Code != "17" {
			t.Errorf("reject says %+v", bye)
		}
		d := bye.Dialog
		if d["caller_id_number"] != in.From().URI || d["destination_number"] != in.To().URI || d["remote_caller_id_number"] != in.To().URI {
			t.Errorf("the dialog: %v", d)
		}
		wantOver(t, b.srv, bob.Client, in)
	})
}
