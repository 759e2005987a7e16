package sessiontest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net"
	"time"
)

// certificate is a server certificate and the throw-away authority that signed it.
type certificate struct {
	server tls.Certificate
	pool   *x509.CertPool
}

// newCertificate signs a certificate for domain, every name one label below it, and loopback.
func newCertificate(domain string) (*certificate, error) {
	root := template("sessiontest throw-away authority")
	root.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature
	root.BasicConstraintsValid, root.IsCA = true, true
	ca, caKey, err := issue(root, nil, nil)
	if err != nil {
		return nil, fmt.Errorf("make authority: %w", err)
	}
	leaf := template(domain)
	leaf.KeyUsage = x509.KeyUsageDigitalSignature
	leaf.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	leaf.DNSNames = []string{"localhost", domain, "*." + domain}
	leaf.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
	cert, key, err := issue(leaf, ca, caKey)
	if err != nil {
		return nil, fmt.Errorf("make server certificate: %w", err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(ca)
	return &certificate{
		server: tls.Certificate{Certificate: [][]byte{cert.Raw, ca.Raw}, PrivateKey: key}, pool: pool,
	}, nil
}

func template(name string) *x509.Certificate {
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.AddDate(1, 0, 0),
	}
}

// issue makes a key and a certificate for it, signed by parent or, without one, by itself.
func issue(c, parent *x509.Certificate, parentKey *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	if parent == nil {
		parent, parentKey = c, key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, parentKey)
	if err != nil {
		return nil, nil, err
	}
	signed, err := x509.ParseCertificate(der)
	return signed, key, err
}
