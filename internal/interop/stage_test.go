package interop

import (
	"cmp"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// MicrophoneHz is the tone that the browser's microphone hears.
const MicrophoneHz = 660

// theStage is what all scenarios share: one gateway, one server of pages, one Chromium.
type theStage struct {
	gw      *sessiontest.Server
	key     *session.DPoPKey // of every client of callrx
	pages   *httptest.Server
	browser context.Context
	stop    func()
}

// stage is made once, before the first scenario.
var stage *theStage

// boundLife is the life of client-bound tokens: the SDK refreshes them 30 seconds before they expire.
const boundLife = 42 * time.Second

const pageFiles = "../../testdata/browser"

// sdkFile is the build of the official SDK that is put to the proof: the locked one, or another that OFFICIAL_SDK names.
func sdkFile() string {
	return cmp.Or(os.Getenv("OFFICIAL_SDK"), pageFiles+"/node_modules/@signalwire/js/dist/browser.umd.js")
}

func startStage(dir string) (*theStage, error) {
	chromium, err := findChromium()
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(sdkFile()); err != nil {
		return nil, fmt.Errorf("the official SDK is not installed: run npm ci in %s (make browser does it): %w", pageFiles, err)
	}
	gw, err := sessiontest.Start(sessiontest.Options{TLS: true, MaxBoundLifetime: boundLife, RingTimeout: 20 * time.Second,
		ReauthWindow: 5 * time.Second})
	if err != nil {
		return nil, err
	}
	key, err := session.GenerateDPoPKey()
	if err != nil {
		return nil, err
	}
	s := &theStage{gw: gw, key: key, pages: httptest.NewServer(pageHandler(gw))}
	microphone := filepath.Join(dir, "microphone.wav")
	if err := os.WriteFile(microphone, tone(MicrophoneHz), 0o600); err != nil {
		return nil, err
	}
	allocator, stopAllocator := chromedp.NewExecAllocator(context.Background(), append(flags(gw, microphone),
		chromedp.ExecPath(chromium), chromedp.UserDataDir(filepath.Join(dir, "profile")))...)
	browser, stopBrowser := chromedp.NewContext(allocator, chromedp.WithLogf(log.New(io.Discard, "", 0).Printf),
		chromedp.WithErrorf(log.New(io.Discard, "", 0).Printf))
	s.browser = browser
	s.stop = func() { stopBrowser(); stopAllocator() }
	if err := chromedp.Run(browser); err != nil {
		s.close()
		return nil, fmt.Errorf("start %s: %w", chromium, err)
	}
	return s, nil
}

func (s *theStage) close() {
	s.stop()
	s.pages.Close()
	s.gw.Close()
}

func findChromium() (string, error) {
	for _, name := range []string{os.Getenv("CHROMIUM"), "chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); name != "" && err == nil {
			return path, nil
		}
	}
	return "", errors.New("there is no Chromium: install it (Debian: chromium), or name it in the variable CHROMIUM")
}

// flags start a quiet Chromium with false devices that trusts the gateway, finds it under the name to which the SDK sends
// requests for client-bound tokens whatever the token says, and reaches nothing else.
func flags(gw *sessiontest.Server, microphone string) []chromedp.ExecAllocatorOption {
	_, port, _ := strings.Cut(gw.ClusterHost(), ":")
	rules := "MAP fabric.signalwire.com:443 127.0.0.1:" + port + ", MAP *.localhost 127.0.0.1, EXCLUDE localhost, EXCLUDE 127.0.0.1, MAP * ~NOTFOUND"
	return append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.NoSandbox, // root has none
		chromedp.Flag("headless", "new"),
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("ignore-certificate-errors", true),
		chromedp.Flag("host-resolver-rules", rules),
		chromedp.Flag("use-fake-device-for-media-stream", "fps=10"), // encoding is dear on two cores
		chromedp.Flag("use-fake-ui-for-media-stream", true),
		chromedp.Flag("use-file-for-fake-audio-capture", microphone),
		chromedp.Flag("autoplay-policy", "no-user-gesture-required"),
		chromedp.Flag("auto-accept-this-tab-capture", true),
		chromedp.Flag("auto-select-desktop-capture-source", "Entire screen"),
		chromedp.Flag("disable-features", "WebRtcHideLocalIpsWithMdns,Translate,MediaRouter,OptimizationHints"),
	)
}

// pageHandler serves the page, the official SDK out of node_modules, and tokens.
func pageHandler(gw *sessiontest.Server) http.Handler {
	mux := http.NewServeMux()
	file := func(name string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, name) }
	}
	mux.HandleFunc("GET /{$}", file(pageFiles+"/page.html"))
	mux.HandleFunc("GET /proof.js", file(pageFiles+"/proof.js"))
	mux.HandleFunc("GET /sdk.js", file(sdkFile()))
	mux.HandleFunc("GET /token/{who}", func(w http.ResponseWriter, r *http.Request) {
		ttl, _ := time.ParseDuration(r.FormValue("ttl"))
		sat := gw.IssueSAT(sessiontest.SATRequest{
			Reference: r.PathValue("who"), TTL: ttl, Scope: r.FormValue("scope"), Fingerprint: r.FormValue("fingerprint"),
		})
		w.Header().Set("Content-Type", "application/json")
		answer := map[string]any{"token": sat.Token}
		if r.FormValue("scope") == "" {
			answer["expiry_at"] = sat.ExpiresAt.UnixMilli()
		}
		_ = json.NewEncoder(w).Encode(answer)
	})
	return mux
}

// tone is a WAV file of one second at half of full scale, which Chromium plays in a loop.
func tone(hz int) []byte {
	const rate = 48000
	b := []byte("RIFF")
	b = binary.LittleEndian.AppendUint32(b, 36+2*rate)
	b = append(b, "WAVEfmt "...)
	for _, v := range []uint32{16, 1 | 1<<16, rate, 2 * rate, 2 | 16<<16} { // mono, 16 bit
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	b = append(b, "data"...)
	b = binary.LittleEndian.AppendUint32(b, 2*rate)
	for i := range rate {
		v := math.Sin(2*math.Pi*float64(hz*i)/rate) * math.MaxInt16 / 2
		b = binary.LittleEndian.AppendUint16(b, uint16(int16(v)))
	}
	return b
}
