package interop

import "path"

// decision says why callrx shows or sends something else than the official SDK, "" if nobody decided. About states, of is
// the scenario and the stream; about the order of requests, the scenario; about a field of a request, its path. The
// numbers with a letter are those of the lists of known defects of the official SDK in the specification of callrx.
func decision(about, of string) string {
	for _, d := range decisions() {
		if d.about == about || d.about == "" {
			if ok, err := path.Match(d.of, of); ok && err == nil {
				return d.why
			}
		}
	}
	return ""
}

type decided struct {
	about string // "states", "order", or a request; empty for any
	of    string // a pattern of path.Match
	why   string
}

func decisions() []decided {
	const (
		over = "a local hang-up is over with `disconnected`, as the guides of the official SDK promise and it does not do"
		once = "a state that did not change is not told again"
	)
	return []decided{
		{"", "params.agent", "each names itself"},
		{"states", "*/ready", once},
		{"states", "sign in and leave/registered", "who has left is not registered (D32)"},
		{"states", "disconnect in a call/registered", "who has left is not registered (D32)"},
		{"states", "a lost socket/registered", "who has no socket is not registered (D32)"},
		{"states", "a lost socket/errors", "the end of a socket and a failed attempt to open one are told apart"},
		{"states", "no such address/status", "the call is in the list of calls while it is dialled, so its end is seen"},
		{"states", "no such address/errors", "an error that Dial returns is told nowhere else (D51)"},
		{"states", "disconnect in a call/status", "the client ends its calls, not the program, so nothing is `disconnecting`"},
		{"states", "a refused token/errors", "callrx says what kind of failure it is: the credentials"},
		{"states", "an inbound call is rejected/status", "rejecting is the end of a call from this side, as hanging up is"},
		{"states", "a shared screen/status", "messages of a further leg do not move the call (W10, W14)"},
		{"states", "*/status", over},
		{"order", "disconnect in a call", "the calls are hung up before the socket is closed, not after (W32)"},
	}
}
