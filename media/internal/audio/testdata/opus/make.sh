#!/bin/sh
# Makes the Opus files of this folder anew. See README.md.
set -eu
cd "$(dirname "$0")"
left='0.5011872*sin(2*PI*440*t)'
right='0.5011872*sin(2*PI*1000*t)'

# make <file> <signal> <application> <bandwidth, Hz> <frame, ms> <bitrate, kbit/s>
# voip chooses SILK and hybrid, lowdelay chooses CELT.
make() {
  ffmpeg -hide_banner -loglevel error -y -f lavfi -i "aevalsrc=$2:s=48000:d=0.4" -c:a libopus \
    -application "$3" -cutoff "$4" -frame_duration "$5" -b:a "$6k" -vbr off -map_metadata -1 \
    -fflags +bitexact -flags:a +bitexact "$1.ogg"
}
for frame in 10 20 40 60; do
  make "silk-nb-$frame" "$left" voip 4000 $frame 14
  make "silk-mb-$frame" "$left" voip 6000 $frame 16
  make "silk-wb-$frame" "$left" voip 8000 $frame 20
done
for frame in 10 20; do
  make "hybrid-swb-$frame" "$left" voip 12000 $frame 28
  make "hybrid-fb-$frame" "$left" voip 20000 $frame 32
done
for frame in 2.5 5 10 20; do
  rate=40
  if [ $frame = 2.5 ]; then rate=96; fi
  make "celt-nb-$frame" "$left" lowdelay 4000 $frame $rate
  make "celt-wb-$frame" "$left" lowdelay 8000 $frame $rate
  make "celt-swb-$frame" "$left" lowdelay 12000 $frame $rate
  make "celt-fb-$frame" "$left" lowdelay 20000 $frame $rate
done
make stereo-silk-wb-20 "$left|$right" voip 8000 20 28
make stereo-hybrid-fb-20 "$left|$right" voip 20000 20 48
make stereo-celt-fb-20 "$left|$right" lowdelay 20000 20 64
