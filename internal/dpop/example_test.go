package dpop_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/callrx/callrx/internal/dpop"
)

// A key is made once, named by its thumbprint, and signs a proof per request.
func Example() {
	key, err := dpop.Generate()
	if err != nil {
		fmt.Println(err)
		return
	}
	proof, err := key.HTTPProof("POST", "/api/fabric/subscriber/devices/token", "", time.Now())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(key.Thumbprint()), "characters of thumbprint")
	fmt.Println(strings.Count(proof, "."), "dots in the proof")
	// Output:
	// 43 characters of thumbprint
	// 2 dots in the proof
}

// A stored key is the same key.
func ExampleParse() {
	key, err := dpop.Generate()
	if err != nil {
		fmt.Println(err)
		return
	}
	stored, err := key.MarshalPKCS8()
	if err != nil {
		fmt.Println(err)
		return
	}
	back, err := dpop.Parse(stored)
	fmt.Println(err, back.Thumbprint() == key.Thumbprint())

	_, err = dpop.Parse([]byte("something else"))
	fmt.Println(err)
	// Output:
	// <nil> true
	// parse DPoP key: not a PKCS #8 private key
}

// A request over the WebSocket gets a proof of its own.
func ExampleKey_RPCProof() {
	key, err := dpop.Generate()
	if err != nil {
		fmt.Println(err)
		return
	}
	first, _ := key.RPCProof("signalwire.connect", time.Now())
	second, _ := key.RPCProof("signalwire.connect", time.Now())
	fmt.Println(first != second)
	// Output: true
}
