// Package soundcard captures from the microphones and plays on the loudspeakers of
// this machine, on Linux, macOS and Windows.
package soundcard
