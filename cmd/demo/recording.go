package main

import (
	"encoding/binary"
	"fmt"
	"os"
)

// readRecording reads a WAV file as the story has it made: 16-bit PCM, one
// channel at soundRate, with the header that any player relies on.
func readRecording(path string) (sound, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	const header = 44
	le := binary.LittleEndian
	switch {
	case len(b) < header || string(b[:4]) != "RIFF" || string(b[8:16]) != "WAVEfmt " || string(b[36:40]) != "data":
		return nil, fmt.Errorf("%s is no WAV file", path)
	case le.Uint16(b[20:]) != 1 || le.Uint16(b[22:]) != 1 || le.Uint32(b[24:]) != soundRate || le.Uint16(b[34:]) != 16:
		return nil, fmt.Errorf("%s is not 16-bit PCM, mono, at %d Hz", path, soundRate)
	case int(le.Uint32(b[4:])) != len(b)-8 || int(le.Uint32(b[40:])) != len(b)-header:
		return nil, fmt.Errorf("%s is not whole: its header and its length do not agree", path)
	}
	s := make(sound, (len(b)-header)/2)
	for i := range s {
		s[i] = int16(le.Uint16(b[header+2*i:]))
	}
	return s, nil
}
