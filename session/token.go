package session

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/callrx/callrx/errs"
)

// Hosts of the service when a token names none.
const (
	defaultLabel  = "puc"
	defaultDomain = "signalwire.com"
)

// A hosts is where a token's cluster is reached.
type hosts struct {
	relay string // WebSocket URL
	api   string // base of the REST API
}

// cluster is the host that h was derived from.
func (h hosts) cluster() string { return strings.TrimPrefix(h.relay, "wss://") }

// clusterHost matches host names of letters, digits and hyphens (RFC 1123) with
// an optional port.
var clusterHost = regexp.MustCompile(`^([a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?\.)*[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?(:[0-9]{1,5})?$`)

// tokenHosts reads the cluster host from the header of a SAT, the only part a
// client can read, and derives the addresses from it. allowed, when not empty,
// lists the domains (and their subdomains) a token may name: the header is not
// authenticated, so a token from a stranger could point anywhere.
func tokenHosts(token string, allowed []string) (hosts, error) {
	head, _, _ := strings.Cut(token, ".")
	ch, err := headerHost(head)
	if err == nil && strings.ContainsFunc(token, unfit) {
		err = errors.New("it holds a blank, a line end or another character that no token has")
	}
	if err != nil {
		return hosts{}, &errs.InvalidCredentialsError{Reason: errs.CredentialMalformedToken, OriginalError: err}
	}
	return clusterHosts(ch, allowed)
}

// clusterHosts derives the addresses from a cluster host, if it is one.
func clusterHosts(ch string, allowed []string) (hosts, error) {
	label, domain := defaultLabel, defaultDomain
	if l, d, ok := strings.Cut(ch, "."); ok {
		if !clusterHost.MatchString(ch) {
			err := fmt.Errorf("the cluster host %q is not a host name", ch)
			return hosts{}, &errs.InvalidCredentialsError{Reason: errs.CredentialMalformedToken, OriginalError: err}
		}
		label, domain = l, d
	}
	if !domainAllowed(domain, allowed) {
		err := fmt.Errorf("the domain %q is not in AllowedDomains", domain)
		return hosts{}, &errs.InvalidCredentialsError{Reason: errs.CredentialForbiddenHost, OriginalError: err}
	}
	return hosts{relay: "wss://" + label + "." + domain, api: "https://fabric." + domain}, nil
}

// unfit reports whether r cannot stand in a token, and so not in a header: most
// often it is the line end of the file that a token was read from.
func unfit(r rune) bool { return r <= ' ' || r >= 0x7f }

// headerHost decodes the first segment of a compact JOSE token (RFC 7515, 7516).
func headerHost(segment string) (string, error) {
	text, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(segment, "="))
	if err != nil {
		return "", fmt.Errorf("the header is not base64url: %w", err)
	}
	var header struct {
		CH any `json:"ch"`
	}
	if err := json.Unmarshal(text, &header); err != nil {
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			return "", fmt.Errorf("the header is not JSON: %w", err)
		}
		return "", errors.New("the header is not a JSON object")
	}
	ch, _ := header.CH.(string)
	return ch, nil
}

func domainAllowed(domain string, allowed []string) bool {
	host, _, _ := strings.Cut(strings.ToLower(domain), ":")
	for _, a := range allowed {
		a = strings.ToLower(strings.TrimPrefix(a, "."))
		if host == a || strings.HasSuffix(host, "."+a) {
			return true
		}
	}
	return len(allowed) == 0
}
