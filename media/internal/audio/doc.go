// Package audio turns audio into other audio: G.711 and Opus into PCM and back,
// one sampling rate into another, WAV files into samples. It also makes tones
// and measures them.
//
// PCM is signed 16-bit, one int16 a sample, channels interleaved (left, right,
// left, right). A frame is one sample of each channel. Rates are in Hz.
//
// Levels are in dBFS as AES17 has it: 0 dBFS is a sine that just reaches full
// scale, so a full-scale square wave is at +3 dBFS. Nothing is below
// [SilenceLevel].
//
// A value of any type here belongs to one goroutine at a time. Where a method
// returns a slice that the next call reuses, its comment says so.
package audio
