package session

import (
	"maps"
	"runtime"
	"slices"
	"time"
)

// DiagnosticsSchema numbers the form of SessionDiagnostics. Fields may be added
// to a form; when one changes its meaning or goes, the number grows.
const DiagnosticsSchema = 1

// SessionDiagnostics is what a client knows of its own past: a bundle to attach
// to a ticket. Written with encoding/json it has the field names of the Browser
// SDK's export, where that has the field; times are RFC 3339, lists never null.
//
// It holds the last 1,000 events, calls and changes of devices; what was dropped
// before them is counted. It never holds tokens, proofs, keys, SDP, ICE
// passwords, addresses of candidates, user variables, digits, display names or
// the contents of events. Destinations are in it, without what may be secret in
// them, and so are words of the service, with what looks like a token replaced
// by its fingerprint.
type SessionDiagnostics struct {
	Schema        int                      `json:"schema"` // DiagnosticsSchema
	ExportedAt    time.Time                `json:"exportedAt"`
	SDKVersion    string                   `json:"sdkVersion"`
	UserAgent     string                   `json:"userAgent"`
	Platform      string                   `json:"platform"` // as in "linux/amd64 go1.26.1"
	Client        string                   `json:"client"`   // which of a process; also in its log
	Session       string                   `json:"session"`  // fingerprint of the session's name
	Status        string                   `json:"status"`
	Registered    bool                     `json:"registered"`
	Credential    DiagnosticCredential     `json:"credential"`
	Frames        DiagnosticFrames         `json:"frames"`
	Events        []DiagnosticEvent        `json:"events"`        // oldest first
	Calls         []CallDiagnosticSummary  `json:"calls"`         // those that are over, oldest first; then the live ones
	DeviceChanges []DiagnosticDeviceChange `json:"deviceChanges"` // oldest first
	Devices       DiagnosticDevices        `json:"devices"`       // that there are
	Dropped       DiagnosticDropped        `json:"dropped"`
}

// A DiagnosticCredential says how the credential in use stood.
type DiagnosticCredential struct {
	Fingerprint string    `json:"fingerprint"`
	ExpiresAt   time.Time `json:"expiresAt,omitzero"`
	ClientBound bool      `json:"clientBound"`
	Mechanism   string    `json:"mechanism,omitempty"` // what refreshes it
	RefreshAt   time.Time `json:"refreshAt,omitzero"`
	Refresh     string    `json:"refresh"` // the state of the refresher
}

// DiagnosticFrames is Stats, of the current session or the last one.
type DiagnosticFrames struct {
	Malformed  uint64 `json:"malformed"`
	Ignored    uint64 `json:"ignored"`
	Stale      uint64 `json:"stale"`
	Duplicates uint64 `json:"duplicates"`
}

// DiagnosticDropped counts what was too old to be kept.
type DiagnosticDropped struct {
	Events        uint64 `json:"events"`
	Calls         uint64 `json:"calls"`
	DeviceChanges uint64 `json:"deviceChanges"`
}

// A DiagnosticCategory says what a DiagnosticEvent is about.
type DiagnosticCategory string

// The categories of events.
const (
	DiagnosticConnection DiagnosticCategory = "connection" // the session, its connections, registration and token
	DiagnosticCall       DiagnosticCategory = "call"
	DiagnosticDevice     DiagnosticCategory = "device" // what is captured, sent or shared
	DiagnosticRecovery   DiagnosticCategory = "recovery"
	DiagnosticFailure    DiagnosticCategory = "error" // errors and warnings
)

// A DiagnosticEvent is one thing that happened. The events are, by category:
//
//	connection  status, connection_lost, registered, unregistered, refresh, network, suspended, resumed
//	call        status, media, held, unheld, path, call_summary
//	device      opened, replaced, ended, stopped; selected, recovered
//	recovery    attach_started, attached, attach_failed; state, and each RecoveryAction
//	error       error, call_error, warning
//
// Details are those of: callId; from, to and on (of a step of a state machine:
// what led to it); kind (the type of an error, or what a device is for), message,
// fatal, code, closeCode, closeReason, httpStatus, mechanism, stage, attempt,
// final; legId, source, path; device, reason, means.
type DiagnosticEvent struct {
	Sequence uint64             `json:"sequence"` // counts events from 1
	Time     time.Time          `json:"timestamp"`
	Category DiagnosticCategory `json:"category"`
	Event    string             `json:"event"`
	Details  map[string]any     `json:"details,omitempty"`
}

// A DiagnosticDeviceChange tells what a call began or ceased to send from, or which
// device was selected, which is no call's.
type DiagnosticDeviceChange struct {
	Sequence uint64    `json:"sequence"` // of its event
	Time     time.Time `json:"timestamp"`
	CallID   string    `json:"callId"`
	LegID    string    `json:"legId"`            // that of the call, or of a leg beside it
	Kind     string    `json:"kind"`             // "audioinput", "audiooutput", "videoinput" or "screen"
	Change   string    `json:"change"`           // "opened", "replaced", "ended" (it had no more to send) or "stopped"; "selected" or "recovered"
	Source   string    `json:"source,omitempty"` // the type of what is opened, or takes the place; empty: silence
	Device   string    `json:"device,omitempty"` // the label or ID of what is selected, or captured from; empty: none
	Reason   string    `json:"reason,omitempty"` // a DeviceRecoveryReason
}

// DiagnosticDevices are the devices that there are, as Devices lists them.
type DiagnosticDevices struct {
	AudioInput  []DiagnosticListedDevice `json:"audioInput"`
	AudioOutput []DiagnosticListedDevice `json:"audioOutput"`
	VideoInput  []DiagnosticListedDevice `json:"videoInput"`
}

// A DiagnosticListedDevice is a device by the names that the platform gives it.
type DiagnosticListedDevice struct {
	ID    string `json:"deviceId"`
	Label string `json:"label"`
}

// ExportDiagnostics returns what the client has recorded. It may be called at
// any time, also after Close, and costs what a copy costs; recording costs next
// to nothing.
func (c *Client) ExportDiagnostics() SessionDiagnostics {
	cred, frames := c.Credential(), c.Stats()
	d := SessionDiagnostics{
		Schema: DiagnosticsSchema, ExportedAt: time.Now().Round(0),
		SDKVersion: Version, UserAgent: c.clean(c.agent()),
		Platform: runtime.GOOS + "/" + runtime.GOARCH + " " + runtime.Version(),
		Client:   c.id, Session: c.sessionID(),
		Status: c.Status().String(), Registered: c.Registered(),
		Credential: DiagnosticCredential{
			Fingerprint: cred.Fingerprint, ExpiresAt: cred.ExpiresAt, ClientBound: cred.ClientBound,
			Mechanism: string(cred.Mechanism), RefreshAt: cred.RefreshAt, Refresh: cred.Refresh,
		},
		Frames:  DiagnosticFrames(frames),
		Devices: c.devices.diagnostics(),
	}
	var live []CallDiagnosticSummary
	for _, k := range slices.Backward(c.Calls()) { // oldest first
		live = append(live, k.summary())
	}
	c.past.export(&d)
	for _, s := range live {
		over := func(o CallDiagnosticSummary) bool { return o.CallID == s.CallID } // by now
		if !slices.ContainsFunc(d.Calls, over) {
			d.Calls = append(d.Calls, s)
		}
	}
	return d
}

// sessionID stands for the session's name in logs and diagnostics; empty before
// there is one.
func (c *Client) sessionID() string {
	if id := c.sessionName.Load(); id != nil {
		return *id
	}
	return ""
}

// event is what n says, for people.
func (n note) event() DiagnosticEvent {
	e := DiagnosticEvent{Sequence: n.seq, Time: n.at, Category: n.category, Event: n.what}
	details := maps.Clone(n.more)
	for _, d := range [...]struct{ key, value string }{
		{"callId", n.callID}, {"from", n.from}, {"to", n.to}, {"on", n.on},
	} {
		if d.value == "" {
			continue
		}
		if details == nil {
			details = map[string]any{}
		}
		details[d.key] = d.value
	}
	e.Details = details
	return e
}
