package rest

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/callrx/callrx/errs"
)

// DefaultHTTPClient returns a new client for the API and for WebSocket upgrades:
// proxies as the environment says, TLS 1.2 or later, and every name below
// localhost on this machine. It has no time limit of its own, since that would
// end WebSockets; requests are bounded by their contexts. Whoever makes it closes
// its idle connections.
func DefaultHTTPClient() *http.Client {
	dialer := &net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Client{Transport: &http.Transport{
		Proxy:                 proxy,
		DialContext:           LoopbackDialer(dialer.DialContext),
		TLSClientConfig:       &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:   10 * time.Second,
		ForceAttemptHTTP2:     true,
		MaxIdleConns:          16,
		IdleConnTimeout:       90 * time.Second,
		ExpectContinueTimeout: time.Second,
		// Without pings, requests keep going to a connection that died while
		// the machine slept, and time out one after the other.
		HTTP2: &http.HTTP2Config{SendPingTimeout: 10 * time.Second, PingTimeout: 5 * time.Second},
	}}
}

// proxy asks the environment, except for this machine, which no proxy can reach.
func proxy(r *http.Request) (*url.URL, error) {
	if IsLoopback(r.URL.Hostname()) {
		return nil, nil
	}
	return http.ProxyFromEnvironment(r)
}

// A DialFunc opens a connection, as net.Dialer's DialContext does.
type DialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// LoopbackDialer returns a dialer that goes to this machine for localhost and
// every name below it (RFC 6761 section 6.3) without asking any resolver, first
// by IPv4 and then by IPv6, and leaves every other address to base.
func LoopbackDialer(base DialFunc) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		host, port, err := net.SplitHostPort(address)
		if err != nil || !isLocalhost(host) {
			return base(ctx, network, address)
		}
		conn, err := base(ctx, network, net.JoinHostPort("127.0.0.1", port))
		if err == nil || ctx.Err() != nil {
			return conn, err
		}
		if conn, err6 := base(ctx, network, net.JoinHostPort("::1", port)); err6 == nil {
			return conn, nil
		}
		return nil, err
	}
}

// IsLoopback reports whether a host name or address is this machine: localhost,
// a name below it, 127.0.0.0/8 or ::1. Brackets and port must be off.
func IsLoopback(host string) bool {
	if isLocalhost(host) {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

func isLocalhost(host string) bool {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// baseURL reads a base address that may lack its scheme, which is then https. It
// fails with *errs.ConfigError unless the address is https, or http to this
// machine. User names, queries and fragments are refused.
func baseURL(field, address string) (*url.URL, error) {
	if address == "" {
		return nil, &errs.ConfigError{Field: field, Problem: "is empty"}
	}
	if !strings.Contains(address, "://") {
		address = "https://" + address
	}
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Hostname() == "":
		return nil, &errs.ConfigError{Field: field, Problem: "is not an address"}
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, &errs.ConfigError{Field: field, Problem: "has more than scheme, host and path"}
	case u.Scheme == "https", u.Scheme == "http" && IsLoopback(u.Hostname()):
		return u, nil
	}
	return nil, &errs.ConfigError{Field: field, Problem: "must be https, or http to this machine"}
}
