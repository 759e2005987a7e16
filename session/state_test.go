package session

import "testing"

func TestStatusMachineIsItsTable(t *testing.T) {
	type pair struct {
		s Status
		e clientEvent
	}
	legal := map[pair]Status{
		// the program connects: from the start, and again after any end
		{StatusNew, connectBegun}:     StatusConnecting,
		{StatusOffline, connectBegun}: StatusConnecting,
		// a connection was authenticated: the first one or a replacement
		{StatusConnecting, sessionUp}:   StatusOnline,
		{StatusReconnecting, sessionUp}: StatusOnline,
		// only a session that was up can lose its connection
		{StatusOnline, sessionLost}: StatusReconnecting,
		// whatever there is of a session can end
		{StatusConnecting, sessionEnded}:   StatusOffline,
		{StatusOnline, sessionEnded}:       StatusOffline,
		{StatusReconnecting, sessionEnded}: StatusOffline,
		// closing is possible at any time, once
		{StatusNew, clientIsClosed}:          StatusClosed,
		{StatusConnecting, clientIsClosed}:   StatusClosed,
		{StatusOnline, clientIsClosed}:       StatusClosed,
		{StatusReconnecting, clientIsClosed}: StatusClosed,
		{StatusOffline, clientIsClosed}:      StatusClosed,
	}
	for s := StatusNew; s <= StatusClosed; s++ {
		for e := connectBegun; e < clientEventsNumber; e++ {
			want, isLegal := legal[pair{s, e}]
			if !isLegal {
				want = s
			}
			if got, ok := nextStatus(s, e); got != want || ok != isLegal {
				t.Errorf("%v on event %d: %v, %v; want %v, %v", s, e, got, ok, want, isLegal)
			}
			delete(legal, pair{s, e})
		}
	}
	if len(legal) != 0 {
		t.Errorf("rows never reached: %v", legal)
	}
}

func TestStatusIsConnectedOnlyWithASession(t *testing.T) {
	want := map[Status]bool{StatusOnline: true, StatusReconnecting: true}
	for s := StatusNew; s <= StatusClosed; s++ {
		if s.connected() != want[s] {
			t.Errorf("%v: connected %v", s, s.connected())
		}
		if s.String() == "" {
			t.Errorf("status %d has no name", s)
		}
	}
}

func TestStatesWithoutANameAreTold(t *testing.T) {
	for want, got := range map[string]string{
		"Status(9)": Status(9).String(), "CallStatus(-1)": CallStatus(-1).String(), "RecoveryState(4)": RecoveryState(4).String(),
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
