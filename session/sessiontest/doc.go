// Package sessiontest is an embedded gateway: the server side of the subscriber protocol over real HTTP
// and real WebSockets, as net/http/httptest is for HTTP. It shares nothing with the client but the message
// types, so it can judge the client.
//
// # In a test
//
//	gw := sessiontest.NewServer(t)
//	sat := gw.IssueSAT(sessiontest.SATRequest{Reference: "mara@example.org"})
//
// Point the client at [Server.APIURL] and [Server.RelayURL] and give it [Server.Client] as its HTTP client.
// With Options.TLS the token's cluster host is enough: every name below the domain reaches the server, and
// [Server.Client] trusts its certificate. With Options.InMemory the server opens no socket and everything,
// timers included, works inside a testing/synctest bubble.
//
// # Making things go wrong
//
// Faults spoil single requests, verbs spoil connections:
//
//	gw.Inject(sessiontest.Fault{
//		Match:  sessiontest.Match{Path: "/api/fabric/subscriber/devices/refresh"},
//		Times:  2,
//		Action: sessiontest.Action{Kind: sessiontest.FaultStatus, Status: 429, Headers: map[string]string{"Retry-After": "7"}},
//	})
//	gw.Drop("mara@example.org")          // cut the socket
//	gw.Stall("", sessiontest.StallDeaf)  // half-open: the server hears nothing
//	gw.RefuseConnections(503, time.Second)
//
// A [Network] spoils media: what calls send and receive over it is lost, late, overtaken or cut off.
//
// [Server.SendEvent] and [Server.SendRaw] push what a server may send, and what it should not.
//
// # Looking at what happened
//
// [Server.Journal] lists every request and event with its answer, [Server.WaitFor] waits for one,
// [Server.Sessions] tells who is connected and registered, and until when. No secret is in any of them.
//
// # What it does
//
// Tokens are encrypted (RFC 7516, direct A256GCM) and carry the cluster host in their readable header. A
// session ends at the expiry of the token it brought last: the socket is closed with 4401 "token_expired".
// A session whose socket is lost can be resumed within Options.ResumeWindow with its authorization state and
// protocol, even when the token expired meanwhile; the new socket has to register again. Proofs of
// possession are checked as RFC 9449 section 4.3 asks, with the claims this protocol uses; a journal entry's
// Reason names the rule that failed. Refresh tokens are single use, with a short grace for lost answers.
//
// Requests before signalwire.connect are answered -32002 and the socket stays open. Methods that nobody
// handles are answered -32601.
//
// # Calls
//
// A client that dials (webrtc.verto with verto.invite) is answered with real WebRTC: every media section on
// a transport of its own, never bundled, all candidates in the description. What is dialled decides what
// happens; a query such as ?channel=video changes nothing:
//
//	/public/echo        hears and sees itself
//	/public/tone        a 440 Hz tone at half of full scale, in PCMU or else Opus
//	/public/ring        rings and is never answered
//	/public/busy        ended with USER_BUSY 17
//	/public/gone        ended with UNALLOCATED_NUMBER 1
//	/public/fail        the invite is refused with an error
//	/public/early       early media (verto.media), answered after Options.EarlyMedia
//	/public/<name>      a room
//	/private/<name>     rings a subscriber wherever it is online; also "subscriber://<id>" or the bare name
//	+4930…, sip:…       Options.DefaultDestination
//
// Anything else is refused at once with UNALLOCATED_NUMBER.
//
// # Rooms
//
// A room is a conference. The first who comes decides how it sounds: in G.711 if that is offered, else in
// Opus; who offers neither that nor, for G.711, its other law is sent away with INCOMPATIBLE_DESTINATION 88.
// In G.711 everybody hears the mix of all others, at the volumes that are set: 50 doubles, -50 silences. Opus
// the gateway can decode but not encode: there everybody hears one, whoever speaks (first come, first served,
// for as long as the speaker goes on). Pictures are passed on: a shared screen, the speaker or the newcomer.
//
// A member talks when two packets in a row are louder than its input sensitivity says (44, the default,
// stands for -44 dB of full scale), and stops 500 ms after the last that was not 6 dB below.
//
// Every call.* request is answered, checked against the caller's capabilities, and followed by its events in
// the order of the protocol. [Server.SetRole] and [Server.SetCapabilities] say who may do what;
// [Server.UpdateRoom] changes what a room tells about itself. The responsive layouts have as many places as
// there are members, the others as many as their name says; who asks for a place gets it if it is free.
// [Server.ConnectCall] takes a call on into a further room. [Server.Join] brings in bots, which speak, listen
// and raise hands without a client.
//
// The connect result offers a TURN relay on loopback, so that a client that is to use nothing but relays can
// be reached. [Server.Calls] counts packets and digits of every leg, the journal has the Verto method of
// every message, and [Server.HangupCall], [Server.SendVerto], [Server.SendDTMF], [Server.DropMedia] and
// [Server.ScriptCalls] make calls go wrong. A fault with [Match].Verto refuses a single Verto method.
//
// Calls work inside a testing/synctest bubble when Options.InMemory is set and Options.SettingEngine puts
// the media on a virtual network.
//
// # As a standing server
//
// [Start] needs no test. Options.AdminAddr adds an HTTP API for faults, journal, clock and sessions on a
// loopback address of its own:
//
//	POST   /faults                  {"match":{"path":"…"},"times":2,"action":{"kind":"status","status":500}}
//	GET    /faults                  faults in force, with hits
//	DELETE /faults, /faults/{id}
//	GET    /journal, /sessions, /calls
//	POST   /calls/{id}/hangup?cause=…
//	POST   /calls/{id}/capabilities  ["self","lock.on"]
//	POST   /calls/{id}/connect?to=…, /calls/{id}/return
//	PATCH  /rooms?address=…         {"locked":true,"layout":"3x3"}
//	POST   /roles                   {"address":"/public/lobby","who":"mara@example.org","role":"audience"}
//	POST   /bots                    {"address":"/public/lobby","name":"Noor","hertz":440,"ms":3000}
//	POST   /sessions/{who}/expire, /sessions/{who}/drop
//	POST   /tokens/{jti}/revoke
//	POST   /clock                   {"skew_ms":90000}
//
// # Extending it
//
// From the most common change to the rarest:
//
//   - a new RPC method: a handler in the map of its part (see sessionMethods), or a new part in rpcMethods;
//     a handler returns a result or an error, and appends to the call's then what must follow the answer;
//   - a new REST endpoint: a line in routes; an endpoint turns a request into a response, and faults, CORS,
//     journal and authorization are done around it;
//   - a new fault: a kind in faults.go, its effect in faults_http.go or faults_rpc.go;
//   - a new destination: a name in builtIn, and what happens there in arriveLocked;
//   - a new Verto method: a handler in vertoHandlers; a new call.* request: a line in controls; a new layout:
//     a name in layouts, its places in slotsOf;
//   - a new event: [Server.SendEvent], or deliver where the server sends it by itself.
//
// Keys of the log are component, method, path, status, reason and error.
package sessiontest
