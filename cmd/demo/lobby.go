package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// lobbyAddress is the room that the page and the bot meet in.
const lobbyAddress = "/public/lobby?channel=video"

// officialSDK is where npm installs the official browser SDK in this repository.
const officialSDK = "testdata/browser/node_modules/@signalwire/js/dist/browser.umd.js"

//go:embed lobby.html
var lobbyPage []byte

// A lobby is a room with a bot of callrx in it, and a page on which people enter it with the official browser SDK.
type lobby struct {
	gw       *sessiontest.Server
	sdk      string
	visitors atomic.Int64

	server  *http.Server
	address string
	serving sync.WaitGroup
	bot     *session.Client
}

// openLobby has the bot enter the room and serves the page on addr, with the SDK out of a file.
func openLobby(ctx context.Context, gw *sessiontest.Server, addr, sdk string) (*lobby, error) {
	if _, err := os.Stat(sdk); err != nil {
		return nil, fmt.Errorf("the official SDK is not there, make browser-install fetches it: %w", err)
	}
	l := &lobby{gw: gw, sdk: sdk}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	l.address = "http://" + listener.Addr().String() + "/"
	l.server = &http.Server{Handler: l.pages(), ReadHeaderTimeout: 10 * time.Second}
	l.serving.Go(func() { _ = l.server.Serve(listener) })
	if err := l.enter(ctx); err != nil {
		l.close()
		return nil, fmt.Errorf("the bot: %w", err)
	}
	return l, nil
}

func (l *lobby) close() {
	_ = l.server.Close()
	l.serving.Wait()
	if l.bot != nil {
		_ = l.bot.Close()
	}
}

// enter signs the bot in and has it say the same again and again, and show the test pattern.
func (l *lobby) enter(ctx context.Context) (err error) {
	sat := l.gw.IssueSAT(sessiontest.SATRequest{Reference: "bot@example.org", DisplayName: "Bot"})
	l.bot, err = session.Open(ctx, session.StaticCredentials(session.Credential{Token: sat.Token}), session.Options{
		APIURL: l.gw.APIURL(), RelayURL: l.gw.RelayURL(), HTTPClient: l.gw.Client(),
	})
	if err != nil {
		return err
	}
	voice, err := media.NewOggSource(bytes.NewReader(speech), &media.FileOptions{Loop: true})
	if err != nil {
		return err
	}
	_, err = l.bot.Dial(ctx, lobbyAddress, session.DialOptions{MediaOptions: session.MediaOptions{
		AudioSource: voice, VideoSource: media.NewTestPattern(), SettingEngine: onLoopback,
	}})
	return err
}

// pages are the page, the SDK, and tokens for whoever asks: this is a demo on loopback.
func (l *lobby) pages() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(lobbyPage)
	})
	mux.HandleFunc("GET /sdk.js", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, l.sdk) })
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		name := fmt.Sprintf("Visitor %d", l.visitors.Add(1))
		sat := l.gw.IssueSAT(sessiontest.SATRequest{Reference: name, DisplayName: name})
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]string{"token": sat.Token, "name": name, "room": lobbyAddress})
	})
	return mux
}

// runLobby serves a gateway with a lobby until ctx ends.
func runLobby(ctx context.Context, gw *sessiontest.Server, addr, sdk string, out io.Writer) error {
	l, err := openLobby(ctx, gw, addr, sdk)
	if errors.Is(err, context.Canceled) {
		return nil
	}
	if err != nil {
		return err
	}
	defer l.close()
	_, _ = fmt.Fprintf(out, lobbyIntroduction, lobbyAddress, l.address, l.address)
	<-ctx.Done()
	return nil
}

const lobbyIntroduction = `A bot of callrx speaks in %s. Meet it there with the official browser SDK:

%s

The gateway's certificate is its own, so start a browser that accepts it, such as

chromium --user-data-dir="$(mktemp -d)" --ignore-certificate-errors %s

Interrupt to stop.
`
