// Package interop runs the official browser SDK, unmodified and in a real Chromium, against the embedded gateway, and
// callrx beside it.
//
// The gateway (session/sessiontest) and the client (session) share message types, so they could share a mistake. The
// official SDK shares nothing with either: what works for it in every scenario here is the protocol.
//
// A scenario is a test. It makes [Page] values, each a tab with a browser profile of its own that has the SDK loaded and
// watched (testdata/browser/proof.js), and clients of callrx, and compares what they show and hear:
//
//	p := open(t, "ann")                          // a tab, and a token for subscriber ann
//	p.signIn()                                   // proof.make(token), and wait for ready
//	k := p.dial("/public/echo", `{audio: true}`) // a call; k is its number in the page
//	p.wait(k.status(), "connected")
//	sound := p.hear(k)                           // frequency and level of what the tab receives
//
// The microphone of every tab is a tone of [MicrophoneHz], the camera Chromium's own moving pattern.
//
// It is a module of its own, so that nobody who uses callrx pays for a browser. "make browser" installs what it needs
// and runs it. A failing scenario prints what the page observed, its frames and the gateway's journal, and keeps a
// screenshot.
package interop
