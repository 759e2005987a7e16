package session

import (
	"slices"
	"sync"

	"github.com/callrx/callrx/internal/redact"
	"github.com/callrx/callrx/media"
)

// secretsKept is how many passwords of ICE servers are known at the same time.
const secretsKept = 64

// icePasswords are the passwords of ICE servers that were of use lately, those of calls
// that began before the service offered others included.
type icePasswords struct {
	mu  sync.Mutex
	all []string // the newest last
}

func (p *icePasswords) add(servers []media.ICEServer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range servers {
		if s.Credential != "" && !slices.Contains(p.all, s.Credential) {
			p.all = append(p.all, s.Credential)
		}
	}
	p.all = p.all[max(0, len(p.all)-secretsKept):]
}

// offers takes in the ICE servers that the service offers from now on.
func (c *Client) offers(servers []media.ICEServer) {
	c.passwords.add(servers)
	c.ice.Store(&servers)
}

// iceSecrets are the passwords of ICE servers that the client knows: the service's, and
// the program's own.
func (c *Client) iceSecrets() []string {
	c.passwords.mu.Lock()
	known := slices.Clone(c.passwords.all)
	c.passwords.mu.Unlock()
	for _, s := range c.preferred().ICEServers {
		known = append(known, s.Credential)
	}
	return known
}

// hidden is text from the service without the secrets that the client knows and those
// that look like one.
func (c *Client) hidden(text string) string { return redact.Text(text, c.iceSecrets()...) }
