package relay_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/internal/relay"
)

func TestDialThatHangsTimesOut(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		s.hang = true
		o := start(t, s, nil)
		time.Sleep(10 * time.Second)
		var timeout *errs.WebSocketTimeoutError
		reports := o.reported()
		if len(reports) != 1 || !errors.As(reports[0], &timeout) || timeout.After != 10*time.Second || timeout.URL != where {
			t.Fatalf("reported %v", reports)
		}
		if !errors.Is(reports[0], context.DeadlineExceeded) {
			t.Error("the time-out is no context.DeadlineExceeded")
		}
		time.Sleep(100 * time.Millisecond)
		if got := len(s.dialed()); got != 2 {
			t.Errorf("%d dials", got)
		}
	})
}

func TestFatalDialErrorEndsTheRelay(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		s.refuse = func(int) (time.Duration, error) { return 0, relay.Fatal(errRefused) }
		o := start(t, s, nil)
		synctest.Wait()
		if err := o.lastCause(); err != error(errRefused) {
			t.Errorf("cause %v", err)
		}
		<-o.Done()
	})
}

// firstReport runs a relay against address until it has failed once.
func firstReport(t *testing.T, client *http.Client, address string) error {
	t.Helper()
	reports := make(chan error, 1)
	cfg := config(newFakeService(t))
	cfg.URL = func() string { return address }
	cfg.Dial = func(ctx context.Context, url string) (relay.Socket, time.Duration, error) {
		s, _, err := relay.DialWebSocket(ctx, client, url, 1<<20)
		return s, 0, err
	}
	cfg.Retry = func() relay.Retry { return relay.Retry{Min: time.Hour, Max: time.Hour} }
	cfg.Report = func(err error) { reports <- err }
	r := relay.New(cfg)
	r.Start()
	defer r.Close("", errTestOver)
	defer client.CloseIdleConnections()
	return <-reports
}

func TestDialErrorsNameTheirStage(t *testing.T) {
	quiet := log.New(io.Discard, "", 0)
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = quiet
	secure.StartTLS()
	defer secure.Close()
	strict := httptest.NewUnstartedServer(http.NotFoundHandler())
	strict.Config.ErrorLog = quiet
	strict.TLS = &tls.Config{MinVersion: tls.VersionTLS13}
	strict.StartTLS()
	defer strict.Close()

	unresolved := &net.DNSError{Err: "no such host", Name: "service.test", IsNotFound: true}
	for _, tc := range []struct {
		name, scheme, host string
		transport          *http.Transport
		stage              string
	}{
		{"name unknown", "wss", "service.test", failing(&net.OpError{Op: "dial", Net: "tcp", Err: unresolved}), "dns"},
		{"nobody listens", "ws", "service.test", failing(&net.OpError{Op: "dial", Net: "tcp", Err: errRefused}), errs.TransportDial},
		{"certificate unknown", "wss", secure.Listener.Addr().String(), &http.Transport{}, errs.TransportTLS},
		{"no TLS spoken", "wss", plain.Listener.Addr().String(), &http.Transport{}, errs.TransportTLS},
		{"TLS refused by the server", "wss", strict.Listener.Addr().String(),
			&http.Transport{TLSClientConfig: &tls.Config{MaxVersion: tls.VersionTLS12}}, errs.TransportTLS},
		{"no WebSocket there", "ws", plain.Listener.Addr().String(), &http.Transport{}, errs.TransportHandshake},
	} {
		t.Run(tc.name, func(t *testing.T) {
			address := tc.scheme + "://" + tc.host
			err := firstReport(t, &http.Client{Transport: tc.transport}, address+"/path?key=dummy-secret")
			var failed *errs.TransportError
			if !errors.As(err, &failed) || failed.Stage != tc.stage || failed.URL != address || failed.OriginalError == nil {
				t.Errorf("error %v, want stage %s of %s", err, tc.stage, address)
			}
			if strings.Contains(err.Error(), "dummy-secret") {
				t.Errorf("error %v tells the secret", err)
			}
		})
	}
}

// failing is a network on which every dial fails.
func failing(err error) *http.Transport {
	return &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return nil, err }}
}

func TestCauseOfADialErrorIsReachable(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		s.refuse = refuseAll
		o := start(t, s, nil)
		var failed *errs.TransportError
		reports := o.reported()
		if len(reports) != 1 || !errors.As(reports[0], &failed) || failed.Stage != errs.TransportHandshake || !errors.Is(reports[0], errRefused) {
			t.Errorf("reported %v", reports)
		}
	})
}
