package interop

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"github.com/callrx/callrx/session/sessiontest"
)

// patience is how long a scenario waits for what should come at once.
const patience = 25 * time.Second

// A Page is a tab with the official SDK, in a browser profile of its own.
type Page struct {
	t     *testing.T
	who   string            // reference of the subscriber that it signs in
	sat   sessiontest.Token // that subscriber's
	cable *cable            // its socket runs through, nil for straight to the gateway
	ctx   context.Context

	mu       sync.Mutex
	frames   []Frame
	requests []string // method and path of the REST requests, and "socket" for each WebSocket
}

// A Frame is a text frame of a page's WebSocket.
type Frame struct {
	Sent bool // by the page
	Text string
}

// open makes a tab for a subscriber, who is made with it. Scenarios run side by side on one gateway, so the subscriber's
// name is made unique with the test's.
func open(t *testing.T, name string) *Page {
	t.Helper()
	who := unique(t, name)
	p := &Page{t: t, who: who, sat: issue(who, sessiontest.SATRequest{})}
	p.newTab()
	chromedp.ListenTarget(p.ctx, p.listen)
	if err := chromedp.Run(p.ctx, network.Enable(), chromedp.Navigate(stage.pages.URL)); err != nil {
		t.Fatalf("open a tab: %v", err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			p.explain()
		}
	})
	return p
}

// newTab makes a profile with one window in it; both are gone when the test is done.
func (p *Page) newTab() {
	p.t.Helper()
	browser := cdp.WithExecutor(stage.browser, chromedp.FromContext(stage.browser).Browser)
	profile, err := target.CreateBrowserContext().WithDisposeOnDetach(true).Do(browser)
	if err != nil {
		p.t.Fatalf("make a profile: %v", err)
	}
	p.t.Cleanup(func() {
		if err := target.DisposeBrowserContext(profile).Do(browser); err != nil {
			p.t.Logf("dispose of a profile: %v", err)
		}
	})
	tab, err := target.CreateTarget("about:blank").WithBrowserContextID(profile).WithNewWindow(true).Do(browser)
	if err != nil {
		p.t.Fatalf("open a window: %v", err)
	}
	ctx, cancel := chromedp.NewContext(stage.browser, chromedp.WithTargetID(tab))
	p.ctx = ctx
	p.t.Cleanup(cancel)
}

// unique is a subscriber or room of this test alone.
func unique(t *testing.T, name string) string {
	return name + "-" + strings.ToLower(strings.NewReplacer("/", "-", "_", "-").Replace(t.Name()))
}

// issue mints a token for a subscriber who is called by the first part of the reference.
func issue(who string, r sessiontest.SATRequest) sessiontest.Token {
	r.Reference = who
	r.DisplayName, _, _ = strings.Cut(who, "-")
	return stage.gw.IssueSAT(r)
}

// Frames are the frames so far.
func (p *Page) Frames() []Frame {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]Frame(nil), p.frames...)
}

// try evaluates a JavaScript expression, awaits it if it is a promise, and stores its value in result.
func (p *Page) try(script string, result any) error {
	ctx, cancel := context.WithTimeout(p.ctx, 2*time.Minute)
	defer cancel()
	return p.evaluate(ctx, script, false, result)
}

// gesture evaluates what a browser allows only after a click.
func (p *Page) gesture(format string, args ...any) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, 2*time.Minute)
	defer cancel()
	script := fmt.Sprintf(format, args...)
	if err := p.evaluate(ctx, script, true, nil); err != nil {
		p.t.Fatalf("%s: %v", script, err)
	}
}

func (p *Page) evaluate(ctx context.Context, script string, gesture bool, result any) error {
	wrapped := "(async () => { try { return {ok: " + "await (" + script + ")} } catch (e) { return {failed: `${e.constructor.name}: ${e.message}` + (e.error ? ` (${e.error})` : '')} } })()"
	var reply struct {
		OK     json.RawMessage `json:"ok"`
		Failed string          `json:"failed"`
	}
	err := chromedp.Run(ctx, chromedp.Evaluate(wrapped, &reply, func(e *runtime.EvaluateParams) *runtime.EvaluateParams {
		return e.WithAwaitPromise(true).WithReturnByValue(true).WithUserGesture(gesture)
	}))
	switch {
	case err != nil:
		return err
	case reply.Failed != "":
		return fmt.Errorf("%s", reply.Failed)
	case result == nil || len(reply.OK) == 0:
		return nil
	}
	return json.Unmarshal(reply.OK, result)
}

// do evaluates what must not fail.
func (p *Page) do(result any, format string, args ...any) {
	p.t.Helper()
	script := fmt.Sprintf(format, args...)
	if err := p.try(script, result); err != nil {
		p.t.Fatalf("%s: %v", secrets.ReplaceAllString(script, "…"), err)
	}
}

// An Observation is one entry of the page's log.
type Observation struct {
	N     int             `json:"n"`
	At    int             `json:"at"` // ms since the page was loaded
	What  string          `json:"what"`
	Value json.RawMessage `json:"value"`
}

// wait returns the first observation of that name with that value, a nil value for any.
func (p *Page) wait(what string, value any) Observation {
	p.t.Helper()
	return p.waitFrom(0, what, value)
}

// waitFrom looks only at observations from number n on; see mark.
func (p *Page) waitFrom(n int, what string, value any) Observation {
	p.t.Helper()
	want := ""
	if value != nil {
		want = quote(value)
	}
	var seen Observation
	p.do(&seen, "proof.until(%s, %s, %d, %d)", quote(what), quote(want), patience.Milliseconds(), n)
	return seen
}

// mark is the number of the next observation.
func (p *Page) mark() (n int) {
	p.t.Helper()
	p.do(&n, "proof.log.length")
	return n
}

// settle lets time pass in which nothing must happen.
func (p *Page) settle(d time.Duration) {
	p.t.Helper()
	select {
	case <-time.After(d):
	case <-p.t.Context().Done():
	}
}

// eventually waits for what nothing can be observed of.
func (p *Page) eventually(what string, holds func() bool) {
	p.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); !holds(); <-tick.C {
		if time.Now().After(deadline) {
			p.t.Fatalf("in vain: %s", what)
		}
	}
}

// seen is the page's log, or with names only what is called one of them.
func (p *Page) seen(names ...string) (all []Observation) {
	p.t.Helper()
	p.do(&all, "proof.log.filter((e) => !%[1]s.length || %[1]s.includes(e.what))", quote(append([]string{}, names...)))
	return all
}

// values are the values observed under a name, as JSON.
func (p *Page) values(what string) (all []string) {
	p.t.Helper()
	for _, o := range p.seen(what) {
		all = append(all, string(o.Value))
	}
	return all
}

func quote(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}
