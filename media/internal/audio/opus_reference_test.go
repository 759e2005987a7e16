package audio_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
)

// The decoder is compared, sample by sample, with libopus, where ffmpeg is there
// to run it.
func TestOpusDecoderAgreesWithLibopus(t *testing.T) {
	if testing.Short() {
		t.Skip("starts ffmpeg 36 times")
	}
	ffmpeg, err := exec.LookPath("ffmpeg")
	if err != nil {
		t.Skip("*** NOT COMPARED WITH LIBOPUS: ffmpeg is not installed ***")
	}
	for _, file := range append(opusFiles(t), "../../../testdata/media/speech.ogg") {
		t.Run(filepath.Base(file), func(t *testing.T) {
			packets := opusPackets(t, file)
			channels := 1 + int(packets[0][0]>>2&1)
			got := decodeAll(t, newOpusDecoder(t, 48000, channels), 48000, channels, packets)
			want := libopus(t, ffmpeg, file, channels)
			// ffmpeg leaves out what the encoder needed to start (RFC 7845, section 5.1).
			preSkip := int(binary.LittleEndian.Uint16(oggPackets(t, file)[0][10:]))
			got = got[preSkip*channels:]
			if len(want) > len(got) || len(want) < len(got)-48000/10*channels {
				t.Fatalf("%d samples, libopus has %d", len(got), len(want))
			}
			least := 35.0 // SILK rounds its filters in its own way
			if packets[0][0]>>3 >= 16 && packets[len(packets)/2][0]>>3 >= 16 {
				least = 85 // CELT does not
			}
			if snr := signalToNoise(want, got); snr < least {
				t.Errorf("it differs from libopus: %.1f dB", snr)
			}
		})
	}
}

func libopus(t *testing.T, ffmpeg, file string, channels int) []int16 {
	t.Helper()
	command := exec.CommandContext(t.Context(), ffmpeg, "-hide_banner", "-loglevel", "error", "-c:a", "libopus", "-i", file,
		"-f", "s16le", "-ar", "48000", "-ac", strconv.Itoa(channels), "-")
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Run(); err != nil {
		t.Skipf("*** NOT COMPARED WITH LIBOPUS: %v: %s ***", err, &stderr)
	}
	pcm := make([]int16, stdout.Len()/2)
	for i := range pcm {
		pcm[i] = int16(binary.LittleEndian.Uint16(stdout.Bytes()[2*i:]))
	}
	return pcm
}

// signalToNoise is how far below want the difference of got is, in dB.
func signalToNoise(want, got []int16) float64 {
	var signal, noise float64
	for i, w := range want {
		signal += float64(w) * float64(w)
		difference := float64(got[i]) - float64(w)
		noise += difference * difference
	}
	return 10 * math.Log10(signal/noise)
}
