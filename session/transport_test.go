package session_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/internal/relay"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
	"nhooyr.io/websocket"
)

// nobody is an address on loopback where nothing listens.
func nobody(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestUnreachableServiceGivesATypedError(t *testing.T) {
	plain, secure := sessiontest.NewServer(t), sessiontest.NewServer(t, sessiontest.Options{TLS: true})
	sat := func(s *sessiontest.Server) session.CredentialProvider {
		return session.StaticCredentials(session.Credential{Token: s.IssueSAT(sessiontest.SATRequest{}).Token})
	}
	unknown := func(err error) bool { var c *tls.CertificateVerificationError; return errors.As(err, &c) }
	stage := func(want string) func(error) bool {
		return func(err error) bool {
			var e *errs.TransportError
			return errors.As(err, &e) && e.Stage == want && e.URL != ""
		}
	}
	rest := func(inner func(error) bool) func(error) bool {
		return func(err error) bool {
			var e *errs.UnexpectedError
			return errors.As(err, &e) && e.At == "subscriber info" && inner(err)
		}
	}
	op := func(err error) bool { var e *net.OpError; return errors.As(err, &e) }
	for name, c := range map[string]struct {
		provider session.CredentialProvider
		api      string
		relay    string
		typed    func(error) bool
	}{
		"API with an unknown certificate":   {sat(secure), "", "", rest(unknown)},
		"relay with an unknown certificate": {sat(plain), plain.APIURL(), secure.RelayURL(), func(err error) bool { return stage(errs.TransportTLS)(err) && unknown(err) }},
		"relay speaks no TLS":               {sat(plain), plain.APIURL(), strings.Replace(plain.RelayURL(), "ws://", "wss://", 1), stage(errs.TransportTLS)},
		"nobody listens for the API":        {sat(plain), "http://" + nobody(t), plain.RelayURL(), rest(op)},
		"nobody listens for the relay":      {sat(plain), plain.APIURL(), "ws://" + nobody(t), stage(errs.TransportDial)},
		"relay is no WebSocket":             {sat(plain), plain.APIURL(), plain.RelayURL() + "/api/fabric/addresses", hasStatus(http.StatusUnauthorized)},
	} {
		t.Run(name, func(t *testing.T) {
			client, err := session.New(c.provider, session.Options{APIURL: c.api, RelayURL: c.relay, DPoPKey: sharedKey()})
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			if err := client.Connect(ctx); !c.typed(err) {
				t.Errorf("Connect = %#v: %v", err, err)
			}
			if client.Status() != session.StatusOffline {
				t.Errorf("status %v", client.Status())
			}
		})
	}
}

// A rewriter changes what a client receives.
type rewriter struct {
	session.Socket
	change func(frame []byte) []byte
}

func (s rewriter) Read(ctx context.Context, buf []byte) ([]byte, error) {
	frame, err := s.Socket.Read(ctx, buf)
	return s.change(frame), err
}

func TestSenselessAnswerToConnectIsUnexpected(t *testing.T) {
	for name, replace := range map[string][2]string{
		"no identity":      {`"identity"`, `"idea"`},
		"no protocol":      {`"protocol"`, `"proto"`},
		"no subscriber":    {`"fabric_subscriber"`, `"subscriber"`},
		"no authorization": {`"authorization"`, `"author"`},
		"of another type":  {`"identity":"`, `"identity":{},"x":"`},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, sessiontest.Options{}, func(r *rig) {
				t := r.t
				broken := true
				r.opts.DialSocket = func(ctx context.Context, url string) (session.Socket, error) {
					s, _, err := relay.DialWebSocket(ctx, r.srv.Client(), url, 1<<20)
					if err != nil || !broken {
						return s, err
					}
					return rewriter{s, func(frame []byte) []byte {
						return bytes.ReplaceAll(frame, []byte(replace[0]), []byte(replace[1]))
					}}, nil
				}
				r.open(session.StaticCredentials(r.sat(12*time.Hour, "")))
				err := r.c.Connect(t.Context())
				var unexpected *errs.UnexpectedError
				if !errors.As(err, &unexpected) || unexpected.At != rpcConnect {
					t.Fatalf("Connect = %v", err)
				}
				time.Sleep(time.Second)
				broken = false
				r.mu.Lock()
				r.errors = nil
				r.mu.Unlock()
				r.mustConnect()
				r.wantOnline("once the service is itself again")
			})
		})
	}
}

// binaryRelay stands between client and gateway and sends everything as binary
// messages, with garbage in between.
func binaryRelay(t *testing.T, gw *sessiontest.Server) string {
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		client, err := websocket.Accept(w, q, nil)
		if err != nil {
			return
		}
		defer client.CloseNow()
		ctx, cancel := context.WithCancel(q.Context())
		defer cancel()
		server, _, err := websocket.Dial(ctx, gw.RelayURL(), &websocket.DialOptions{HTTPClient: gw.Client()})
		if err != nil {
			return
		}
		defer server.CloseNow()
		go func() {
			defer cancel()
			for {
				kind, frame, err := client.Read(ctx)
				if err != nil || server.Write(ctx, kind, frame) != nil {
					return
				}
			}
		}()
		for {
			_, frame, err := server.Read(ctx)
			if err != nil || client.Write(ctx, websocket.MessageBinary, []byte{0, 1, 0xff}) != nil ||
				client.Write(ctx, websocket.MessageBinary, frame) != nil {
				return
			}
		}
	}))
	t.Cleanup(proxy.Close)
	return "ws" + strings.TrimPrefix(proxy.URL, "http")
}

func TestBinaryFramesAreReadLikeText(t *testing.T) {
	gw := sessiontest.NewServer(t)
	client, err := session.New(session.StaticCredentials(session.Credential{Token: gw.IssueSAT(sessiontest.SATRequest{}).Token}),
		session.Options{APIURL: gw.APIURL(), RelayURL: binaryRelay(t, gw), DPoPKey: sharedKey()})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := client.Connect(ctx); err != nil {
		t.Fatal(err)
	}
	var refused *errs.JSONRPCError
	if err := client.Execute(ctx, "test.unknown", nil, nil); !errors.As(err, &refused) {
		t.Errorf("Execute = %v", err)
	}
	if got := client.Stats().Malformed; got < 2 {
		t.Errorf("%d malformed frames counted, want one before each good one", got)
	}
}
