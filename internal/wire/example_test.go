package wire_test

import (
	"fmt"

	"github.com/callrx/callrx/internal/wire"
)

func ExampleDecode() {
	f, err := wire.Decode(`{"jsonrpc":"2.0","id":"e-1","method":"signalwire.event","params":{
		"event_type":"member.talking","event_channel":["signalwire_j1_u1_p1"],
		"params":{"member":{"member_id":"m-bob","talking":true}}}}`)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(f.IsEvent(), f.Event.OnChannel("signalwire_j1_u1_p1"))
	fmt.Println(f.Event.Type, f.Event.Params)
	fmt.Printf("%s\n", wire.EncodeAck(f.ID))
	// Output:
	// true true
	// member.talking {"member":{"member_id":"m-bob","talking":true}}
	// {"jsonrpc":"2.0","id":"e-1","result":{}}
}

func ExampleDecode_syntaxError() {
	_, err := wire.Decode(`{"jsonrpc":"2.0","id":}`)
	fmt.Println(err)
	// Output: invalid JSON at byte 22: want a value
}

func ExampleEncodeRequest() {
	text, err := wire.EncodeRequest("r-1", wire.MethodReauthenticate, wire.ReauthenticateParams{
		Authentication: wire.Authentication{Project: "p1", JWTToken: "<token>"},
	})
	fmt.Printf("%s %v\n", text, err)
	// Output: {"jsonrpc":"2.0","id":"r-1","method":"signalwire.reauthenticate","params":{"authentication":{"project":"p1","jwt_token":"\u003ctoken\u003e"}}} <nil>
}

func ExampleEncodeError() {
	fmt.Printf("%s\n", wire.EncodeError("r-1", wire.Error{Code: wire.CodeMethodNotFound, Message: "method not found"}))
	// Output: {"jsonrpc":"2.0","id":"r-1","error":{"code":-32601,"message":"method not found"}}
}

func ExampleResultError() {
	for _, result := range []wire.Raw{
		`{"code":"200","message":"OK"}`,
		`{"code":"-32001","message":"Permission Denied."}`,
		`{"code":"200","result":{"error":{"code":-32002,"message":"CALL DOES NOT EXIST"}}}`,
	} {
		if e := wire.ResultError(result); e != nil {
			fmt.Println(e.Code, e.Message)
		} else {
			fmt.Println("success")
		}
	}
	// Output:
	// success
	// -32001 Permission Denied.
	// -32002 CALL DOES NOT EXIST
}

func ExampleDecodeAuthorizationState() {
	state, err := wire.DecodeAuthorizationState(`{"authorization_state":"opaque"}`)
	fmt.Println(state, err)
	// Output: opaque <nil>
}
