package session_test

import (
	"bytes"
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/internal/relay"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// A transcript collects text from several goroutines.
type transcript struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *transcript) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *transcript) add(v ...any) { _, _ = fmt.Fprintln(s, v...) }

func (s *transcript) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// An eavesdropper sees everything on the wire as it is, secrets and all.
type eavesdropper struct {
	transcript
	http *http.Client
}

func (e *eavesdropper) client() *http.Client { return &http.Client{Transport: e} }

func (e *eavesdropper) RoundTrip(q *http.Request) (*http.Response, error) {
	e.add(`"authorization": "` + q.Header.Get("Authorization") + `"`)
	if q.GetBody != nil {
		body, _ := q.GetBody()
		_, _ = io.Copy(e, body)
	}
	resp, err := e.http.Transport.RoundTrip(q)
	if err == nil {
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.TeeReader(resp.Body, e), resp.Body}
	}
	return resp, err
}

func (e *eavesdropper) dial(ctx context.Context, url string) (session.Socket, error) {
	s, _, err := relay.DialWebSocket(ctx, e.http, url, 1<<20)
	if err != nil {
		return nil, err
	}
	return &heard{s, e}, nil
}

type heard struct {
	session.Socket
	by *eavesdropper
}

func (h *heard) Read(ctx context.Context, buf []byte) ([]byte, error) {
	text, err := h.Socket.Read(ctx, buf)
	h.by.add(string(text))
	return text, err
}

func (h *heard) Write(ctx context.Context, message []byte) error {
	h.by.add(string(message))
	return h.Socket.Write(ctx, message)
}

var secretFields = regexp.MustCompile(`"(token|jwt_token|refresh_token|dpop_token|authorization_state|credential|password|authorization)"\s*:\s*"([^"]{8,})"`)

// secrets finds what must not be seen elsewhere: by kind, every value and its
// telling parts.
func (e *eavesdropper) secrets() map[string][]string {
	found := map[string][]string{}
	for _, m := range secretFields.FindAllStringSubmatch(e.String(), -1) {
		kind, value := m[1], m[2]
		for _, scheme := range []string{"Bearer ", "Basic "} {
			value = strings.TrimPrefix(value, scheme)
		}
		found[kind] = append(found[kind], value)
		if parts := strings.Split(value, "."); len(parts) >= 3 { // the first one is the same for all
			for _, part := range parts[1:] {
				if len(part) >= 16 {
					found[kind] = append(found[kind], part)
				}
			}
		}
	}
	return found
}

// chain lists err and everything inside it.
func chain(err error) []error {
	all := []error{err}
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		if inner := e.Unwrap(); inner != nil {
			all = append(all, chain(inner)...)
		}
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			all = append(all, chain(inner)...)
		}
	}
	return all
}

// shown collects everything that a program, its log or its developer can see.
type shown struct {
	transcript
	planted []string // secrets that were put where none belong
}

func (s *shown) plant(secret string) string {
	s.planted = append(s.planted, secret)
	return secret
}

func (s *shown) error(err error) {
	if err == nil {
		return
	}
	for _, e := range chain(err) {
		for _, verb := range verbs {
			s.add(fmt.Sprintf(verb, e))
		}
		text, _ := json.Marshal(e)
		s.add(string(text))
	}
}

func (s *shown) watch(c *session.Client) {
	ctx := context.Background()
	c.ObserveErrors().Subscribe(ctx, s.error)
	c.ObserveWarnings().Subscribe(ctx, func(w session.Warning) { s.add(fmt.Sprintf("%v %+v %#v", w, w, w)) })
	c.ObserveCredential().Subscribe(ctx, func(i session.CredentialInfo) { s.add(fmt.Sprintf("%v %+v %#v", i, i, i)) })
	c.ObserveSignalingEvents().Subscribe(ctx, func(e *session.Event) { s.add(fmt.Sprintf("%+v %s", e, e.Payload)) })
	c.ObserveUser().Subscribe(ctx, func(u *session.User) { s.add(fmt.Sprintf("%+v", u)) })
}

func TestNoSecretIsEverShown(t *testing.T) {
	inBubble(t, sessiontest.Options{MaxBoundLifetime: 2 * time.Minute}, func(r *rig) {
		t := r.t
		seen := &shown{}
		wire := &eavesdropper{http: r.srv.Client()}
		level := &slog.HandlerOptions{Level: session.LevelTrace}
		r.opts.HTTPClient, r.opts.DialSocket = wire.client(), wire.dial
		r.opts.Logger = slog.New(slog.NewMultiHandler(slog.NewTextHandler(seen, level), slog.NewJSONHandler(seen, level)))
		r.opts.WireTap = func(f session.WireFrame) { seen.add(fmt.Sprintf("%+v", f)) }
		r.opts.DPoPKey, r.opts.PersistSession, r.opts.Storage = nil, true, session.NewMemoryStorage()
		provider := r.project(func(p *session.Project) { p.ClientBound, p.HTTPClient = true, wire.client() })
		r.open(provider)
		seen.watch(r.c)

		r.mishaps(seen)

		seen.error(r.c.Close())
		seen.error(r.c.Err())
		seen.add(fmt.Sprintf("%+v", r.c), r.c.Credential(), provider)
		diagnostics, _ := json.Marshal(r.c.ExportDiagnostics())
		if len(diagnostics) < 10_000 {
			t.Errorf("diagnostics of %d bytes after all that", len(diagnostics))
		}
		seen.add(string(diagnostics))
		journal, _ := json.Marshal(r.srv.Journal())
		sessions, _ := json.Marshal(r.srv.Sessions())
		seen.add(string(journal), string(sessions))
		wantHidden(t, seen.String(), wire.secrets(), "token", "jwt_token", "refresh_token", "dpop_token", "authorization_state", "authorization")
		id, token := r.srv.Project()
		der, _, _ := r.opts.Storage.Get(t.Context(), lasting, "sw:dpop_key")
		wantHidden(t, seen.String(), map[string][]string{
			"project": {token, base64.StdEncoding.EncodeToString([]byte(id + ":" + token))}, "key": keyForms(t, der),
			"planted secret": seen.planted,
		}, "project", "key", "planted secret")
	})
}

// wantHidden checks that there are secrets of the kinds and that none is in text.
func wantHidden(t *testing.T, text string, secrets map[string][]string, kinds ...string) {
	t.Helper()
	for _, kind := range kinds {
		if len(secrets[kind]) == 0 {
			t.Errorf("no %s was in play: the test proves nothing", kind)
		}
	}
	for kind, values := range secrets {
		for _, v := range values {
			if at := strings.Index(text, v); at >= 0 {
				t.Errorf("a %s is shown: …%s…", kind, text[max(0, at-200):min(len(text), at+60)])
				return
			}
		}
	}
}

func keyForms(t *testing.T, der []byte) []string {
	t.Helper()
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	key, ok := parsed.(*rsa.PrivateKey)
	if err != nil || !ok {
		t.Fatalf("the stored key: %T, %v", parsed, err)
	}
	forms := []string{base64.StdEncoding.EncodeToString(der)}
	for _, n := range append(key.Primes, key.D) {
		forms = append(forms, n.Text(10), n.Text(16), base64.RawURLEncoding.EncodeToString(n.Bytes()))
	}
	return forms
}

func TestLogHidesWhatAProviderSays(t *testing.T) {
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		t := r.t
		log := &transcript{}
		r.opts.Logger = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: session.LevelTrace}))
		first := r.sat(time.Minute, "")
		p := &scripted{first: first}
		p.next = func(context.Context, int) (session.Credential, error) {
			return session.Credential{}, errors.New("the backend does not know " + first.Token)
		}
		r.connect(p)
		r.to(59 * time.Second)
		if f := r.refreshErrors(); len(f) == 0 || !strings.Contains(log.String(), "the backend does not know") {
			t.Fatalf("failures %v, log %s", f, log)
		}
		wantHidden(t, log.String(), map[string][]string{"token": {first.Token}}, "token")
		var ended *errs.SessionEndedError
		<-r.c.Done()
		if !errors.As(r.c.Err(), &ended) {
			t.Error(r.c.Err())
		}
	})
}

// TestPasswordOfAnICEServerIsNotShown: nothing tells by its form that it is one.
func TestPasswordOfAnICEServerIsNotShown(t *testing.T) {
	srv, seen := sessiontest.NewServer(t), &shown{}
	c, err := session.Open(t.Context(), session.StaticCredentials(session.Credential{Token: srv.IssueSAT(sessiontest.SATRequest{Reference: "ann"}).Token}),
		session.Options{
			APIURL: srv.APIURL(), RelayURL: srv.RelayURL(), HTTPClient: srv.Client(), DPoPKey: sharedKey(),
			Logger:  slog.New(slog.NewTextHandler(seen, &slog.HandlerOptions{Level: session.LevelTrace})),
			WireTap: func(f session.WireFrame) { seen.add(f.Text) },
		})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if len(c.ICEServers()) == 0 || c.ICEServers()[0].Credential == "" {
		t.Fatal("no password is in play: the test proves nothing")
	}
	password := c.ICEServers()[0].Credential
	srv.Inject(sessiontest.Fault{Match: sessiontest.Match{RPC: "test.echo"},
		Action: sessiontest.Action{Kind: sessiontest.FaultRPCError, Code: -32000, Message: "cannot use " + password}})
	err = c.Execute(t.Context(), "test.echo", nil, nil)
	if !strings.Contains(fmt.Sprint(err), "cannot use") {
		t.Fatalf("the error is %v", err)
	}
	seen.error(err)
	wantHidden(t, seen.String(), map[string][]string{"password": {password}}, "password")
}
