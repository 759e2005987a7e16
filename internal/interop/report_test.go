package interop

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

func (p *Page) listen(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := event.(type) {
	case *network.EventWebSocketFrameSent:
		p.frames = append(p.frames, Frame{true, e.Response.PayloadData})
	case *network.EventWebSocketFrameReceived:
		p.frames = append(p.frames, Frame{false, e.Response.PayloadData})
	case *network.EventWebSocketFrameError:
		p.frames = append(p.frames, Frame{false, "the socket failed: " + e.ErrorMessage})
	case *network.EventWebSocketClosed:
		p.frames = append(p.frames, Frame{false, "the socket is closed"})
	case *runtime.EventConsoleAPICalled:
		p.frames = append(p.frames, Frame{false, "the console says: " + consoleText(e.Args)})
	case *network.EventWebSocketCreated:
		p.requests = append(p.requests, "socket")
	case *network.EventRequestWillBeSent:
		if u, err := url.Parse(e.Request.URL); err == nil && u.Scheme == "https" {
			p.requests = append(p.requests, e.Request.Method+" "+u.Path)
		}
	}
}

func consoleText(args []*runtime.RemoteObject) string {
	var b strings.Builder
	for _, a := range args {
		fmt.Fprintf(&b, "%s%s ", a.Value, a.Description)
	}
	return b.String()
}

// asked is how often the page made a request; see Page.requests for how one is written.
func (p *Page) asked(request string) (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range p.requests {
		if r == request {
			n++
		}
	}
	return n
}

// secrets are what a report about a failure leaves out, though they are of a gateway that is no more.
var secrets = regexp.MustCompile(`eyJ[\w.-]{20,}|("authorization_state":"|"credential":")[^"]*`)

// explain prints what there is to know about a failed scenario.
func (p *Page) explain() {
	p.t.Logf("%s observed:", p.who)
	for _, o := range p.seen() {
		p.t.Logf("  %5d %6d ms %s %s", o.N, o.At, o.What, cut(string(o.Value)))
	}
	p.t.Logf("%s's frames:", p.who)
	var whole strings.Builder
	for _, f := range p.Frames() {
		line := map[bool]string{true: "-> ", false: "<- "}[f.Sent] + secrets.ReplaceAllString(f.Text, "${1}…")
		p.t.Logf("  %s", cut(line))
		whole.WriteString(line + "\n")
	}
	p.keep(".frames", []byte(whole.String()))
	p.t.Logf("the gateway's journal of %s:", p.who)
	for _, e := range stage.gw.Journal() {
		if e.Subscriber == p.sat.SubscriberID {
			p.t.Logf("  %s %s %s%s %s%s status %d code %d %s", e.Time.Format("05.000"), e.Direction, e.Method, e.Path, e.Verto, e.Event, e.Status, e.Code, e.Reason)
		}
	}
	var picture []byte
	if chromedp.Run(p.ctx, chromedp.CaptureScreenshot(&picture)) == nil {
		p.keep(".png", picture)
	}
}

// keep leaves a file about a failed scenario for people.
func (p *Page) keep(kind string, data []byte) {
	path := filepath.Join(artifacts(), p.who+kind)
	if os.MkdirAll(artifacts(), 0o755) == nil && os.WriteFile(path, data, 0o644) == nil {
		p.t.Logf("see %s", path)
	}
}

func cut(s string) string {
	if len(s) > 600 {
		return s[:600] + "…"
	}
	return s
}
