package media

import (
	"context"
	"crypto/tls"
	"crypto/x509"
)

// ProbeICEWithRoots is ProbeICE with roots of a test's own.
func ProbeICEWithRoots(ctx context.Context, servers []ICEServer, roots *x509.CertPool) []ICEProbe {
	return probeICE(ctx, servers, &tls.Config{RootCAs: roots})
}
