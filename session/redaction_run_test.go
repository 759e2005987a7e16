package session_test

import (
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// mishaps leads a client through everything that can go well or wrong with its
// credentials, and shows what it says about it.
func (r *rig) mishaps(seen *shown) {
	r.refusedSignIns(seen)
	seen.error(r.c.Connect(r.t.Context()))
	synctest.Wait()
	r.wantOnline("in the end")
	seen.error(r.c.Register(r.t.Context()))
	r.spoiltRefreshes()
	r.badFrames(seen)
	r.updates(seen)
	r.srv.Drop("ann")
	time.Sleep(10 * time.Second)
	r.wantOnline("after all that")
	r.deniedRefreshes(seen)
	synctest.Wait()
}

func (r *rig) refusedSignIns(seen *shown) {
	for _, status := range []int{401, 403, 500} {
		fault := r.fault(pathInfo, -1, sessiontest.Action{Kind: sessiontest.FaultStatus, Status: status, Body: `{"error":"` + seen.plant(r.sat(time.Hour, "").Token) + `"}`})
		seen.error(r.c.Connect(r.t.Context()))
		fault.Remove()
	}
	for _, action := range []sessiontest.Action{
		{Kind: sessiontest.FaultRPCError, Code: -32002, Message: "no: " + seen.plant(r.sat(time.Hour, "").Token)},
		{Kind: sessiontest.FaultRPCError, Code: -32000}, {Kind: sessiontest.FaultRPCSilent}, {Kind: sessiontest.FaultWSClose, Code: 1011},
	} {
		fault := r.rpcFault(rpcConnect, -1, action)
		seen.error(r.c.Connect(r.t.Context()))
		fault.Remove()
	}
	r.fault(pathDeviceToken, 1, sessiontest.Action{Kind: sessiontest.FaultTruncated})
	seen.error(r.c.Connect(r.t.Context()))
	time.Sleep(time.Second)
	seen.error(r.c.Disconnect(r.t.Context()))
}

// spoiltRefreshes lets each way to fail happen at a refresh of its own.
func (r *rig) spoiltRefreshes() {
	for _, kind := range []sessiontest.FaultKind{
		sessiontest.FaultStatus, sessiontest.FaultHTML, sessiontest.FaultTruncated, sessiontest.FaultShortBody, sessiontest.FaultNoToken,
		sessiontest.FaultWrongType, sessiontest.FaultEmpty, sessiontest.FaultReset, sessiontest.FaultBadExpiry, sessiontest.FaultCommitThenFail,
	} {
		fault := r.fault(pathDeviceRefresh, 1, sessiontest.Action{Kind: kind})
		time.Sleep(2 * time.Minute)
		if fault.Hits() == 0 {
			r.t.Errorf("no refresh met the fault %s", kind)
		}
	}
	for _, action := range []sessiontest.Action{
		{Kind: sessiontest.FaultRPCError, Code: -32002}, {Kind: sessiontest.FaultRPCError, Code: -32000}, {Kind: sessiontest.FaultRPCSilent},
	} {
		r.rpcFault(rpcReauthenticate, 1, action)
		time.Sleep(2 * time.Minute)
	}
	r.wantOnline("after spoilt refreshes")
}

// badFrames sends secrets where no secret is expected.
func (r *rig) badFrames(seen *shown) {
	token := seen.plant(r.sat(time.Hour, "").Token)
	for _, frame := range []string{
		token, `{"jsonrpc":"2.0","token":"` + token, `{"jsonrpc":"2.0","id":"x","method":"` + token + `"}`,
		`{"jsonrpc":"2.0","id":"nobody","error":{"code":-32002,"message":"` + token + `"}}`,
		`{"jsonrpc":"2.0","id":"e1","method":"signalwire.event","params":{"event_type":"signalwire.authorization.state","params":{"authorization_state":"` + seen.plant("st4te-of-affairs") + `"}}}`,
		`{"jsonrpc":"2.0","id":"e2","method":"signalwire.event","params":{"event_type":"signalwire.authorization.state","params":{"authorization_state":["` + seen.plant("st4te-in-a-list") + `"]}}}`,
	} {
		r.srv.SendRaw("ann", []byte(frame))
	}
	synctest.Wait()
}

func (r *rig) updates(seen *shown) {
	good, other := r.sat(time.Hour, ""), r.srv.IssueSAT(sessiontest.SATRequest{Reference: "bob", TTL: time.Hour})
	for _, c := range []session.Credential{
		{}, {Token: "%%%" + good.Token}, {Token: good.Token, AuthorizationState: "state-hunter2-state"},
		{Token: other.Token}, r.sat(-time.Hour, ""), good,
	} {
		seen.error(r.c.UpdateCredential(r.t.Context(), c))
		seen.add(c)
	}
}

// deniedRefreshes ends the session: nobody may refresh any more.
func (r *rig) deniedRefreshes(seen *shown) {
	for _, path := range []string{pathDeviceToken, pathDeviceRefresh, pathMint, pathMintAgain} {
		r.fault(path, -1, sessiontest.Action{Kind: sessiontest.FaultStatus, Status: 401, Body: `{"error":"token ` + seen.plant(r.sat(time.Hour, "").Token) + ` is no good"}`})
	}
	time.Sleep(3 * time.Hour)
	synctest.Wait()
	if s := r.c.Status(); s != session.StatusOffline {
		r.t.Errorf("without any refresh the client is %v", s)
	}
}
