package sessiontest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/pion/webrtc/v4"
	"nhooyr.io/websocket"

	"github.com/callrx/callrx/session/sessiontest"
)

// dialled is a client in the middle of a call.
type dialled struct {
	socket *websocket.Conn
	peer   *webrtc.PeerConnection
}

// dial signs in and calls an address with one audio section, as c-1. It returns when the call is answered.
func dial(gw *sessiontest.Server, to string) (*dialled, error) {
	socket := online(gw)
	peer, err := webrtc.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		return nil, err
	}
	d := &dialled{socket, peer}
	if _, err := peer.AddTransceiverFromKind(webrtc.RTPCodecTypeAudio); err != nil {
		return nil, err
	}
	offer, err := peer.CreateOffer(nil)
	if err != nil {
		return nil, err
	}
	gathered := webrtc.GatheringCompletePromise(peer)
	if err := peer.SetLocalDescription(offer); err != nil {
		return nil, err
	}
	<-gathered
	invite, err := json.Marshal(obj{"jsonrpc": "2.0", "id": "r-1", "method": "webrtc.verto", "params": obj{
		"callID": "c-1", "message": obj{"jsonrpc": "2.0", "id": "v-1", "method": "verto.invite", "params": obj{
			"dialogParams": obj{"callID": "c-1", "destination_number": to}, "sdp": peer.LocalDescription().SDP,
		}},
	}})
	if err != nil {
		return nil, err
	}
	if err := socket.Write(context.Background(), websocket.MessageText, invite); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	go func() { // what is sent has to be read
		for {
			if _, _, err := socket.Read(context.Background()); err != nil {
				return
			}
		}
	}()
	_, err = gw.WaitFor(ctx, func(e sessiontest.Entry) bool { return e.Event == "call.joined" && e.Call == "c-1" })
	return d, err
}

func (d *dialled) close() {
	_ = d.peer.Close()
	_ = d.socket.CloseNow()
}

func ExampleServer_Calls() {
	gw, _ := sessiontest.Start(sessiontest.Options{InMemory: true})
	defer gw.Close()
	d, err := dial(gw, "/public/echo")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer d.close()

	for _, c := range gw.Calls() {
		fmt.Println(c.CallID, c.Destination, c.State, c.Section("audio").Codec)
	}
	// Output: c-1 /public/echo answered opus/48000
}

func ExampleServer_HangupCall() {
	gw, _ := sessiontest.Start(sessiontest.Options{InMemory: true})
	defer gw.Close()
	d, err := dial(gw, "/public/echo")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer d.close()

	fmt.Println(gw.HangupCall("c-1", "MEDIA_TIMEOUT", 0), gw.HangupCall("c-1", "", 0))
	c, _ := gw.Call("c-1")
	fmt.Println(c.State, c.EndedBy, c.Cause, c.CauseCode)
	fmt.Println(len(gw.Journal().Call("c-1").Verto("verto.bye")))
	// Output:
	// true false
	// ended server MEDIA_TIMEOUT 804
	// 1
}

func ExampleServer_SendVerto() {
	gw, _ := sessiontest.Start(sessiontest.Options{InMemory: true})
	defer gw.Close()
	d, err := dial(gw, "/public/lobby")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer d.close()

	fmt.Println(gw.SendVerto("c-1", "verto.display", obj{"callID": "c-1", "display_name": "Lobby"}))
	fmt.Println(gw.SendDTMF("c-1", "5"), gw.DropMedia("c-1", true), gw.DropMedia("c-2", true))
	// Output:
	// true
	// true true false
}

func ExampleServer_ScriptCalls() {
	gw, _ := sessiontest.Start(sessiontest.Options{InMemory: true})
	defer gw.Close()
	remove := gw.ScriptCalls(sessiontest.CallScript{Destination: "/public/echo", AnswerDelay: 50 * time.Millisecond})
	defer remove()

	began := time.Now()
	d, err := dial(gw, "/public/echo")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer d.close()
	fmt.Println(time.Since(began) >= 50*time.Millisecond)
	// Output: true
}
