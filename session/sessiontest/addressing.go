package sessiontest

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"
)

// APIURL returns the base URL of the REST API, such as "https://fabric.callrx.localhost:43117",
// "http://127.0.0.1:43117" or, in memory, "http://fabric.callrx.localhost".
func (s *Server) APIURL() string { return s.url("http", "fabric") }

// RelayURL returns the WebSocket URL, such as "wss://puc.callrx.localhost:43117".
func (s *Server) RelayURL() string { return s.url("ws", "puc") }

// ClusterHost returns the "ch" that tokens of this server carry, such as "puc.callrx.localhost:43117".
func (s *Server) ClusterHost() string { return s.clusterHost }

func (s *Server) url(scheme, label string) string {
	switch {
	case s.opts.TLS:
		return scheme + "s://" + label + "." + s.domain()
	case s.opts.InMemory:
		return scheme + "://" + label + "." + s.domain()
	}
	return scheme + "://" + s.loopbackAddr()
}

// domain returns the domain with the port that reaches this server.
func (s *Server) domain() string {
	if s.opts.InMemory || strings.Contains(s.opts.Domain, ":") {
		return s.opts.Domain
	}
	_, port, _ := net.SplitHostPort(s.listener.Addr().String())
	return s.opts.Domain + ":" + port
}

func (s *Server) domainName() string {
	name, _, _ := strings.Cut(s.opts.Domain, ":")
	return name
}

func (s *Server) setClusterHost() {
	if !s.opts.OmitClusterHost {
		s.clusterHost = "puc." + s.domain()
	}
}

// loopbackAddr returns the listener's address with an unspecified host replaced by loopback.
func (s *Server) loopbackAddr() string {
	addr := s.listener.Addr().String()
	if ap, err := netip.ParseAddrPort(addr); err == nil && ap.Addr().IsUnspecified() {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), ap.Port()).String()
	}
	return addr
}

// Client returns an HTTP client that trusts the server's certificate and finds every *.localhost name
// on it. It suits REST calls and, as the HTTP client of a WebSocket dialer, the socket. It refuses to
// dial anything but loopback. [Server.Close] closes its idle connections.
func (s *Server) Client() *http.Client { return s.client }

// DialContext connects to the server as [Server.Client] does.
func (s *Server) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("dial gateway: %w", err)
	}
	if !isLoopback(host) && host != s.domainName() && !strings.HasSuffix(host, "."+s.domainName()) {
		return nil, fmt.Errorf("dial gateway: %s is not a loopback name", host)
	}
	if s.memory != nil {
		return s.memory.dial(ctx)
	}
	target := s.loopbackAddr()
	if ip, own, _ := net.SplitHostPort(target); port != own && port != "80" && port != "443" {
		target = net.JoinHostPort(ip, port)
	}
	var d net.Dialer
	return d.DialContext(ctx, network, target)
}

func isLoopback(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

func (s *Server) newClient() *http.Client {
	t := &http.Transport{
		DialContext:         s.DialContext,
		MaxIdleConnsPerHost: 64,
		IdleConnTimeout:     90 * time.Second,
	}
	if s.cert != nil {
		t.TLSClientConfig = &tls.Config{RootCAs: s.cert.pool, MinVersion: tls.VersionTLS12}
	}
	return &http.Client{Transport: t}
}
