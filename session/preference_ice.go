package session

import (
	"encoding/json"

	"github.com/callrx/callrx/media"
)

// A storedServer is an ICE server as it is stored, and as browsers write it: urls
// may be one text.
type storedServer struct {
	URLs       oneOrMany `json:"urls"`
	Username   string    `json:"username,omitempty"`
	Credential string    `json:"credential,omitempty"`
}

type oneOrMany []string

// UnmarshalJSON reads a text or a list of them.
func (o *oneOrMany) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*o = oneOrMany{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(o))
}

func storedServers(servers []media.ICEServer) []storedServer {
	if servers == nil {
		return nil
	}
	stored := make([]storedServer, len(servers))
	for i, s := range servers {
		stored[i] = storedServer{URLs: s.URLs, Username: s.Username, Credential: s.Credential}
	}
	return stored
}

func loadedServers(stored []storedServer) []media.ICEServer {
	if stored == nil {
		return nil
	}
	servers := make([]media.ICEServer, len(stored))
	for i, s := range stored {
		servers[i] = media.ICEServer{URLs: s.URLs, Username: s.Username, Credential: s.Credential}
	}
	return servers
}
