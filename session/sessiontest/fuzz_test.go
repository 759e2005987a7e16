package sessiontest_test

import (
	"testing"

	"github.com/callrx/callrx/session/sessiontest"
)

// No text may crash the proof parser, and none but a signed proof passes.
func FuzzParseProof(f *testing.F) {
	good := wrapKey(proofKeys()[0]).http(pathBind, "")
	f.Add(good)
	f.Add("..")
	f.Add("eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IlJTMjU2IiwiandrIjp7Imt0eSI6IlJTQSIsIm4iOiIiLCJlIjoiIn19.e30.")
	f.Fuzz(func(t *testing.T, text string) {
		if p, err := sessiontest.ParseProof(text); err == nil && p.Thumbprint == "" {
			t.Errorf("%q passed without a key", text)
		}
	})
}

// No text may crash the token decoder, and none but a minted token opens.
func FuzzOpenToken(f *testing.F) {
	gw, err := sessiontest.Start(sessiontest.Options{InMemory: true})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(gw.Close)
	minted := gw.IssueSAT(sessiontest.SATRequest{}).Token
	f.Add(minted)
	f.Add("....")
	f.Add("eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..AAAAAAAAAAAAAAAA.AA.AAAAAAAAAAAAAAAAAAAAAA")
	f.Fuzz(func(t *testing.T, text string) {
		if gw.OpensToken(text) && text != minted {
			t.Errorf("%q opens", text)
		}
	})
}
