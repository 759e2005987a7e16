package media

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/pion/dtls/v3"
	"github.com/pion/stun/v4"
	"github.com/pion/turn/v5"
)

// An ICEProbe is what the test of one address of an ICE server came to.
type ICEProbe struct {
	URL       string        // as in "turn:turn.example.com:443?transport=tcp"
	Relay     bool          // a TURN server
	Protocol  string        // to the server: "udp", "tcp", "tls" or "dtls"
	RoundTrip time.Duration // of a binding request (RFC 8489); 0: a relay that answers none
	Took      time.Duration // until there was an answer, and for a relay an allocation
	Err       error         // nil: it works; else an [*errs.ICEServerError]
}

// ProbeICE tests every address of the servers at once: a STUN server has to answer
// a binding request (RFC 8489), a TURN server to allocate a relay (RFC 8656), which
// is given back. It returns when all have answered or ctx is done, with a probe for
// each address, in their order, and nothing left behind. It goes by the system's
// network and roots, whatever a [LegConfig] would change about pion.
func ProbeICE(ctx context.Context, servers []ICEServer) []ICEProbe {
	return probeICE(ctx, servers, nil)
}

func probeICE(ctx context.Context, servers []ICEServer, secure *tls.Config) []ICEProbe {
	count := 0
	for _, s := range servers {
		count += len(s.URLs)
	}
	probes := make([]ICEProbe, count)
	var all sync.WaitGroup
	next := probes
	for _, s := range servers {
		for i, address := range s.URLs {
			mine := &next[i]
			all.Go(func() { *mine = probeAddress(ctx, s, address, secure) })
		}
		next = next[len(s.URLs):]
	}
	all.Wait()
	return probes
}

func probeAddress(ctx context.Context, s ICEServer, address string, secure *tls.Config) ICEProbe {
	uri, err := stun.ParseURI(address)
	if err != nil {
		return ICEProbe{URL: address, Err: &errs.ICEServerError{Stage: errs.ICEServerURL, OriginalError: err}}
	}
	p := ICEProbe{
		URL: uri.String(), Protocol: protocolOf(uri),
		Relay: uri.Scheme == stun.SchemeTypeTURN || uri.Scheme == stun.SchemeTypeTURNS,
	}
	began := time.Now()
	stage, err := p.run(ctx, s, uri, secure)
	p.Took = time.Since(began)
	if err == nil {
		return p
	}
	failed := &errs.ICEServerError{URL: p.URL, Stage: stage, OriginalError: err}
	if ctx.Err() != nil {
		failed.OriginalError = context.Cause(ctx)
	}
	if refused, ok := errors.AsType[*stun.TurnError](err); ok {
		failed.Code = int(refused.ErrorCodeAttr.Code)
	}
	p.Err = failed
	return p
}

func protocolOf(uri *stun.URI) string {
	switch secure := uri.IsSecure(); {
	case secure && uri.Proto == stun.ProtoTypeUDP:
		return "dtls"
	case secure:
		return "tls"
	case uri.Proto == stun.ProtoTypeTCP:
		return "tcp"
	}
	return "udp"
}

// run goes through the stages of a test, and says in which one it failed.
func (p *ICEProbe) run(ctx context.Context, s ICEServer, uri *stun.URI, secure *tls.Config) (errs.ICEServerStage, error) {
	to, err := resolve(ctx, uri)
	if err != nil {
		return errs.ICEServerResolve, err
	}
	conn, stage, err := p.connect(ctx, uri, to, secure)
	if err != nil {
		return stage, err
	}
	client, err := turn.NewClient(&turn.ClientConfig{
		STUNServerAddr: to.String(), TURNServerAddr: to.String(),
		Username: s.Username, Password: s.Credential, Conn: conn,
		LoggerFactory: pionLoggers{slog.New(slog.DiscardHandler)},
	})
	if err != nil {
		return errs.ICEServerConnect, errors.Join(err, conn.Close())
	}
	ctx, lost := context.WithCancelCause(ctx)
	var reading sync.WaitGroup
	reading.Go(func() { lost(receive(conn, client)) })
	defer reading.Wait()
	defer conn.Close()
	defer client.Close()
	if p.Relay {
		relay, err := client.AllocateWithContext(ctx)
		if err != nil {
			return errs.ICEServerAllocate, orCause(ctx, err)
		}
		defer relay.Close()
	}
	if p.RoundTrip, err = bind(ctx, client); err != nil && !p.Relay {
		return errs.ICEServerBinding, orCause(ctx, err)
	}
	return "", nil
}

// receive brings what arrives to the client, until the connection ends.
func receive(conn net.PacketConn, client *turn.Client) error {
	buf := make([]byte, 2048)
	for {
		n, from, err := conn.ReadFrom(buf)
		if err != nil {
			return err
		}
		_, _ = client.HandleInbound(buf[:n], from) // what means nothing is not for us
	}
}

// orCause prefers the reason that the connection was lost for.
func orCause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// bindingPatience is how long a binding request may take on a connection that
// stands.
const bindingPatience = 3 * time.Second

// bind measures a binding request.
func bind(ctx context.Context, client *turn.Client) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, bindingPatience)
	defer cancel()
	request, err := stun.Build(stun.TransactionID, stun.BindingRequest)
	if err != nil {
		return 0, err
	}
	began := time.Now()
	result, err := client.PerformTransactionWithContext(request, client.STUNServerAddr(), false, ctx)
	if err != nil {
		return 0, err
	}
	var mapped stun.XORMappedAddress
	return time.Since(began), mapped.GetFrom(result.Msg)
}

func resolve(ctx context.Context, uri *stun.URI) (netip.AddrPort, error) {
	addresses, err := net.DefaultResolver.LookupNetIP(ctx, "ip", uri.Host)
	if err != nil {
		return netip.AddrPort{}, err
	}
	port, err := strconv.ParseUint(strconv.Itoa(uri.Port), 10, 16)
	return netip.AddrPortFrom(addresses[0].Unmap(), uint16(port)), err
}

// connect opens what the protocol needs to the server.
func (p *ICEProbe) connect(ctx context.Context, uri *stun.URI, to netip.AddrPort, secure *tls.Config) (net.PacketConn, errs.ICEServerStage, error) {
	var dialer net.Dialer
	network := map[bool]string{true: "udp", false: "tcp"}[uri.Proto == stun.ProtoTypeUDP]
	conn, err := dialer.DialContext(ctx, network, to.String())
	if err != nil {
		return nil, errs.ICEServerConnect, err
	}
	if !uri.IsSecure() {
		return packets(conn, p.Protocol), "", nil
	}
	if secure == nil {
		secure = &tls.Config{}
	}
	secure = secure.Clone()
	secure.ServerName = uri.Host
	protected, err := protect(ctx, conn, p.Protocol, secure)
	if err != nil {
		return nil, errs.ICEServerTLS, errors.Join(err, conn.Close())
	}
	return packets(protected, p.Protocol), "", nil
}

// protect does the handshake of TLS, or DTLS.
func protect(ctx context.Context, conn net.Conn, protocol string, secure *tls.Config) (net.Conn, error) {
	if protocol == "tls" {
		c := tls.Client(conn, secure)
		return c, c.HandshakeContext(ctx)
	}
	c, err := dtls.ClientWithOptions(datagrams{conn}, conn.RemoteAddr(),
		dtls.WithServerName(secure.ServerName), dtls.WithRootCAs(secure.RootCAs))
	if err == nil {
		err = c.HandshakeContext(ctx)
	}
	return c, err
}

// packets makes messages of a connection.
func packets(conn net.Conn, protocol string) net.PacketConn {
	if protocol == "tcp" || protocol == "tls" {
		return turn.NewSTUNConn(conn)
	}
	return datagrams{conn}
}

// datagrams is a socket that is connected to the one address there is: so a
// closed port tells at once.
type datagrams struct{ net.Conn }

func (d datagrams) ReadFrom(b []byte) (int, net.Addr, error) {
	n, err := d.Read(b)
	return n, d.RemoteAddr(), err
}

func (d datagrams) WriteTo(b []byte, _ net.Addr) (int, error) { return d.Write(b) }
