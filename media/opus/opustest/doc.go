// Package opustest tests calls that send PCM as Opus. It has no code of its own,
// and is a module of its own so that media/opus needs nothing but libopus, and
// callrx no cgo.
package opustest
