package wire

import "encoding/json"

// Verto is the dialect in which calls are made: JSON-RPC objects inside
// webrtc.verto requests one way and webrtc.message events the other.
const (
	MethodVerto      = "webrtc.verto"
	EventVerto       = "webrtc.message"
	VertoInvite      = "verto.invite"
	VertoAnswer      = "verto.answer"
	VertoMedia       = "verto.media"
	VertoModify      = "verto.modify"
	VertoInfo        = "verto.info"
	VertoBye         = "verto.bye"
	VertoAttach      = "verto.attach"
	VertoPing        = "verto.ping"
	VertoPong        = "verto.pong"
	VertoSubscribe   = "verto.subscribe"
	VertoMediaParams = "verto.mediaParams"
)

// Actions of verto.modify.
const (
	ModifyUpdateMedia = "updateMedia"
	ModifyHold        = "hold"
	ModifyUnhold      = "unhold"
	ModifyTransfer    = "transfer"
)

// VertoCreated is the message of a successful invite.
const VertoCreated = "CALL CREATED"

// VertoEnvelope are the parameters of a webrtc.verto request.
type VertoEnvelope struct {
	CallID    string       `json:"callID"`
	NodeID    string       `json:"node_id"`
	Message   VertoRequest `json:"message"`
	Subscribe []string     `json:"subscribe,omitempty"`
}

// VertoRequest is the request inside.
type VertoRequest struct {
	JSONRPC string      `json:"jsonrpc"`
	ID      string      `json:"id"`
	Method  string      `json:"method"`
	Params  VertoParams `json:"params"`
}

// VertoParams are the parameters of any Verto method; each uses some.
type VertoParams struct {
	CallID       string        `json:"callID,omitempty"` // pong
	SessID       string        `json:"sessid,omitempty"`
	Dialog       *DialogParams `json:"dialogParams,omitempty"`
	SDP          string        `json:"sdp,omitempty"`
	Action       string        `json:"action,omitempty"`
	Destination  string        `json:"destination,omitempty"`
	DTMF         string        `json:"dtmf,omitempty"`
	Cause        string        `json:"cause,omitempty"`
	CauseCode    string        `json:"causeCode,omitempty"`
	EventChannel []string      `json:"eventChannel,omitempty"`
}

// DialogParams identify a leg and its parties. The short form holds the call id
// alone: its other fields are nil or empty.
type DialogParams struct {
	CallID             string         `json:"callID"`
	DestinationNumber  string         `json:"destination_number,omitempty"`
	Attach             *bool          `json:"attach,omitempty"`
	Reattaching        *bool          `json:"reattaching,omitempty"`
	CallerIDName       string         `json:"caller_id_name,omitempty"`
	CallerIDNumber     string         `json:"caller_id_number,omitempty"`
	RemoteCallerName   string         `json:"remote_caller_id_name,omitempty"`
	RemoteCallerNumber string         `json:"remote_caller_id_number,omitempty"`
	UserVariables      map[string]any `json:"userVariables,omitempty"`
	ScreenShare        *bool          `json:"screenShare,omitempty"`
	AdditionalDevice   *bool          `json:"additionalDevice,omitempty"`
	PingSupported      *bool          `json:"pingSupported,omitempty"`
	Version            int            `json:"version,omitempty"`
}

// VertoReply is the result of a webrtc.verto request.
type VertoReply struct {
	NodeID string `json:"node_id"`
	Result struct {
		Result VertoResult `json:"result"`
	} `json:"result"`
}

// VertoResult is the body of a successful Verto reply.
type VertoResult struct {
	Message   string `json:"message"`
	CallID    string `json:"callID"`
	MemberID  string `json:"memberID"`
	Action    string `json:"action"`
	HoldState string `json:"holdState"`
	SDP       string `json:"sdp"`

	UnauthorizedChannels []string `json:"unauthorizedChannels"` // of those that were subscribed to
}

// A VertoMessage is what the service sends about a call.
type VertoMessage struct {
	Method        string
	CallID        string
	SDP           string
	Cause         string
	CauseCode     int
	CallerName    string
	CallerNumber  string
	CalleeName    string
	CalleeNumber  string
	Direction     string // "inbound" or "outbound"; an invite says what the caller would
	UserVariables Raw    // a JSON object, "" when absent
	MediaParams   Raw
}

// DecodeVerto reads the payload of a webrtc.message event.
func DecodeVerto(payload Raw) (VertoMessage, error) {
	p := scanner{s: string(payload)}
	var m VertoMessage
	err := p.object(func(p *scanner, key string) (err error) {
		switch key {
		case "method":
			m.Method, _, err = text(p)
		case "params":
			err = m.params(p)
		default:
			err = p.skip()
		}
		return err
	})
	return m, err
}

func (m *VertoMessage) params(p *scanner) error {
	fields := map[string]*string{
		"callID": &m.CallID, "sdp": &m.SDP, "cause": &m.Cause,
		"caller_id_name": &m.CallerName, "caller_id_number": &m.CallerNumber,
		"callee_id_name": &m.CalleeName, "callee_id_number": &m.CalleeNumber,
		"display_direction": &m.Direction,
	}
	inDialog := ""
	err := p.object(func(p *scanner, key string) (err error) {
		switch field := fields[key]; {
		case field != nil:
			*field, _, err = text(p)
		case key == "causeCode":
			var sent Error
			_, err = sent.code(p)
			m.CauseCode = sent.Code
		case key == "userVariables", key == "variables":
			m.UserVariables, err = p.raw()
		case key == "mediaParams":
			m.MediaParams, err = p.raw()
		case key == "dialogParams":
			err = p.object(func(p *scanner, key string) (err error) {
				if key == "callID" {
					inDialog, _, err = text(p)
					return err
				}
				return p.skip()
			})
		default:
			err = p.skip()
		}
		return err
	})
	if m.CallID == "" {
		m.CallID = inDialog
	}
	return err
}

// Variables decodes user variables; nil when there are none or they are not an
// object.
func (m *VertoMessage) Variables() map[string]any {
	var v map[string]any
	if m.UserVariables.IsNull() || json.Unmarshal([]byte(m.UserVariables), &v) != nil {
		return nil
	}
	return v
}
