package interop

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/chromedp/chromedp"
)

// The page of "demo gateway -page" works: who enters the room sees and hears the bot.
func TestDemoPageMeetsTheBot(t *testing.T) {
	t.Parallel()
	p := open(t, "visitor")
	if err := chromedp.Run(p.ctx, chromedp.Navigate(startDemo(t)), chromedp.Click("#enter")); err != nil {
		t.Fatal(err)
	}
	p.holds("document.getElementById('status').textContent", "connected")
	p.holds("document.getElementById('people').textContent.split(', ').sort().join()", "Bot,Visitor 1")
	p.holds("document.getElementById('far').videoWidth", 160)
	p.holds(`call.rtcPeerConnection.getStats().then((all) => [...all.values()].some((s) => s.type === 'inbound-rtp' && s.kind === 'audio' && s.audioLevel > 0.01))`, true)
	if err := chromedp.Run(p.ctx, chromedp.Click("#leave")); err != nil {
		t.Fatal(err)
	}
	p.holds("document.getElementById('status').textContent", "destroyed")
}

// startDemo runs the demo until the test ends and returns the address of its page.
func startDemo(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "demo")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, "../../cmd/demo").CombinedOutput(); err != nil {
		t.Fatalf("build the demo: %v\n%s", err, out)
	}
	demo := exec.Command(program, "gateway", "-page", "127.0.0.1:0", "-sdk", sdkFile())
	out, err := demo.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	demo.Stderr = os.Stderr
	if err := demo.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = demo.Process.Signal(os.Interrupt)
		if err := demo.Wait(); err != nil {
			t.Errorf("the demo: %v", err)
		}
	})
	page := regexp.MustCompile(`^http://\S+/$`)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if page.MatchString(lines.Text()) {
			return lines.Text()
		}
	}
	t.Fatal("the demo printed no page")
	return ""
}
