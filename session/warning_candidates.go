package session

import (
	"fmt"
	"strings"
)

// WarningHostCandidates comes with *HostCandidatesWarning.
const WarningHostCandidates WarningCode = "host_candidates_only"

// A HostCandidatesWarning says that a call offers for its media the addresses of
// this machine only: no ICE server told another one in time, or there is none. It
// works where the far end can send to one of them, as one on the internet cannot to
// a machine behind a NAT. A call whose options or preferences name an empty list of
// servers wants it so, and is not warned of. Client.Preflight tells what each server
// answers.
type HostCandidatesWarning struct {
	CallID  string
	Servers int // how many ICE servers the call has
}

// Code is WarningHostCandidates.
func (*HostCandidatesWarning) Code() WarningCode { return WarningHostCandidates }

func (w *HostCandidatesWarning) String() string {
	why := "there are no ICE servers"
	if w.Servers > 0 {
		why = fmt.Sprintf("none of its %d ICE servers told another in time", w.Servers)
	}
	return fmt.Sprintf("call %s can be reached at this machine's own addresses only: %s", w.CallID, why)
}

// warnOfCandidates looks at the first description of a call.
func (k *Call) warnOfCandidates(sdp string) {
	k.mu.Lock()
	ice := k.ice
	k.mu.Unlock()
	servers := ice.now(k.c)
	wanted := ice.servers != nil && len(servers) == 0
	if wanted || !strings.Contains(sdp, " typ host") || strings.Contains(sdp, " typ srflx") || strings.Contains(sdp, " typ relay") {
		return
	}
	k.c.warn(&HostCandidatesWarning{CallID: k.id, Servers: len(servers)})
}
