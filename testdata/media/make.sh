#!/bin/sh
# Makes every file of this folder anew. See README.md.
set -eu
cd "$(dirname "$0")"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

ff() { ffmpeg -hide_banner -loglevel error -y "$@"; }

# Speech.
espeak-ng -v en-us -s 165 -w "$scratch/speech.wav" \
  "This is a test call. If you can hear this, audio goes through."
ff -i "$scratch/speech.wav" -af 'volume=-1dB,apad=pad_dur=0.1' -ar 16000 -ac 1 -c:a pcm_s16le \
  -map_metadata -1 -fflags +bitexact -flags:a +bitexact speech.wav
opusenc --quiet --bitrate 24 --framesize 20 --speech --serial 1 --discard-comments speech.wav speech.ogg

# A tone: 440 Hz, one second at -6 dBFS.
ff -f lavfi -i "aevalsrc=0.5011872*sin(2*PI*440*t):s=16000:d=1" -c:a pcm_s16le \
  -map_metadata -1 -fflags +bitexact -flags:a +bitexact tone440.wav

# A moving pattern with a counter: 20 pictures, of which the first is a keyframe.
pattern='testsrc2=size=160x120:rate=10:duration=2'
ff -f lavfi -i "$pattern" -pix_fmt yuv420p -c:v libvpx -threads 1 -b:v 120k -g 20 -keyint_min 20 \
  -lag-in-frames 0 -auto-alt-ref 0 -error-resilient 1 -deadline good -cpu-used 0 \
  -fflags +bitexact -flags:v +bitexact pattern.ivf
ff -f lavfi -i "$pattern" -pix_fmt yuv420p -c:v libvpx-vp9 -threads 1 -b:v 120k -g 20 -keyint_min 20 \
  -lag-in-frames 0 -auto-alt-ref 0 -error-resilient 1 -deadline good -cpu-used 0 \
  -fflags +bitexact -flags:v +bitexact pattern_vp9.ivf
ff -f lavfi -i "$pattern" -pix_fmt yuv420p -c:v libx264 -threads 1 -profile:v baseline -level:v 3.1 \
  -b:v 120k -g 20 -keyint_min 20 -sc_threshold 0 -bf 0 -x264-params slices=1:repeat-headers=1 \
  -bsf:v filter_units=remove_types=6 -f h264 pattern.h264

cp pattern.ivf ../../media/internal/pattern/pattern.ivf
