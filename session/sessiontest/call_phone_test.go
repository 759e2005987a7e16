package sessiontest_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/pion/webrtc/v4"

	"github.com/callrx/callrx/session/sessiontest"
)

// phone is a client with a socket that remembers the frames nobody asked for yet.
type phone struct {
	*wsClient
	gw      *sessiontest.Server
	sat     sessiontest.Token
	backlog []obj
	relays  []webrtc.ICEServer
	engine  func(*webrtc.SettingEngine)
}

// newPhone signs a subscriber in and registers it.
func newPhone(t *testing.T, gw *sessiontest.Server, reference string) *phone {
	t.Helper()
	p := &phone{wsClient: dialWS(t, gw), gw: gw, sat: gw.IssueSAT(sessiontest.SATRequest{Reference: reference})}
	result, _ := p.connect(p.sat.Token)["result"].(obj)
	servers, _ := result["ice_servers"].([]any)
	for _, s := range servers {
		var urls []string
		for _, u := range dig(s, "urls").([]any) {
			urls = append(urls, u.(string))
		}
		p.relays = append(p.relays, webrtc.ICEServer{
			URLs: urls, Username: dig(s, "username").(string), Credential: dig(s, "credential"),
		})
	}
	if a := p.rpc("subscriber.online", obj{}); code(a) != 0 {
		t.Fatalf("online: %v", a)
	}
	return p
}

// next returns the oldest frame that match holds for and that was not returned before.
func (p *phone) next(what string, match func(obj) bool) obj {
	p.t.Helper()
	for i, f := range p.backlog {
		if match(f) {
			p.backlog = slices.Delete(p.backlog, i, i+1)
			return f
		}
	}
	timeout := time.NewTimer(time.Minute)
	defer timeout.Stop()
	for {
		select {
		case f := <-p.frames:
			if match(f) {
				return f
			}
			p.backlog = append(p.backlog, f)
		case err := <-p.ended:
			p.ended <- err
			p.t.Fatalf("socket ended while waiting for %s: %v", what, err)
		case <-timeout.C:
			p.t.Fatalf("%s did not come; the backlog is %v", what, p.backlog)
		}
	}
}

func (p *phone) ask(method string, params any) obj {
	p.t.Helper()
	id := p.send(method, params)
	return p.next("answer to "+method, func(f obj) bool { return f["id"] == id && f["method"] == nil })
}

// verto sends a Verto request and returns the inner answer.
func (p *phone) verto(callID, method string, params obj) obj {
	p.t.Helper()
	a := p.ask("webrtc.verto", obj{
		"callID": callID, "node_id": "", "message": obj{"jsonrpc": "2.0", "id": uuid.NewString(), "method": method, "params": params},
	})
	inner, _ := dig(a, "result", "result").(obj)
	if inner == nil || dig(a, "result", "code") != "200" || dig(a, "result", "node_id") == "" {
		p.t.Fatalf("%s: answer is not nested as it should be: %v", method, a)
	}
	return inner
}

// on returns the payload of the next event of a type about a call or any.
func (p *phone) on(event string) obj {
	p.t.Helper()
	f := p.next(event, func(f obj) bool { return dig(f, "params", "event_type") == event })
	return dig(f, "params", "params").(obj)
}

// onVerto returns the parameters of the next Verto message of a method.
func (p *phone) onVerto(method string) obj {
	p.t.Helper()
	f := p.next(method, func(f obj) bool { return dig(f, "params", "params", "method") == method })
	return dig(f, "params", "params", "params").(obj)
}

func (p *phone) dialog(callID, to string, extra ...obj) obj {
	d := obj{
		"callID": callID, "destination_number": to, "remote_caller_id_number": to, "screenShare": false,
		"additionalDevice": false, "pingSupported": true, "version": 1000, "userVariables": obj{"memberCallId": callID},
	}
	for _, e := range extra {
		for k, v := range e {
			d[k] = v
		}
	}
	return d
}

// talk is a call that was answered.
type talk struct {
	*phone
	id, member string
	media      *media
}

// invite dials and returns the answer to the invite.
func (p *phone) invite(id, to string, m *media, extra ...obj) obj {
	p.t.Helper()
	return p.verto(id, "verto.invite", obj{"dialogParams": p.dialog(id, to, extra...), "sdp": m.offer()})
}

// dial calls an address that answers and connects the media.
func (p *phone) dial(to string, sections ...string) *talk {
	p.t.Helper()
	c := p.place(to, sections...)
	c.accept("verto.answer")
	c.next("call.joined", func(f obj) bool {
		return dig(f, "params", "event_type") == "call.joined" && dig(f, "params", "params", "call_id") == c.id
	})
	return c
}

// place sends the invite.
func (p *phone) place(to string, sections ...string) *talk {
	p.t.Helper()
	c := &talk{phone: p, id: uuid.NewString(), media: p.newMedia(sections...)}
	a := p.invite(c.id, to, c.media)
	c.member, _ = dig(a, "result", "memberID").(string)
	if dig(a, "result", "message") != "CALL CREATED" || dig(a, "result", "callID") != c.id || c.member == "" {
		p.t.Fatalf("invite of %s: %v", to, a)
	}
	return c
}

// accept applies the gateway's answer.
func (c *talk) accept(method string) {
	c.t.Helper()
	f := c.next(method, func(f obj) bool {
		return dig(f, "params", "params", "method") == method && dig(f, "params", "params", "params", "callID") == c.id
	})
	c.media.accept(dig(f, "params", "params", "params", "sdp").(string))
}

func (c *talk) bye() obj {
	c.t.Helper()
	return c.verto(c.id, "verto.bye", obj{"dialogParams": c.dialog(c.id, "")})
}

// control sends a call.* request about a member and returns the answer.
func (c *talk) control(method, member string, extra obj) obj {
	c.t.Helper()
	self := obj{"node_id": "n-1@puc", "call_id": c.id, "member_id": c.member}
	p := obj{"self": self, "target": obj{"node_id": "n-1@puc", "call_id": c.id, "member_id": member}}
	for k, v := range extra {
		p[k] = v
	}
	return c.ask(method, p)
}
