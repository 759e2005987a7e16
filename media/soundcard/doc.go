// Package soundcard captures from the microphones and plays on the loudspeakers of
// this machine, on Linux, macOS and Windows. A [Provider] is what package session
// asks for devices, and gives the sources and sinks of a call:
//
//	sound, err := soundcard.Open(soundcard.Options{})
//	if err != nil {
//		return err
//	}
//	defer sound.Close()
//	microphone, err := sound.OpenInput(ctx, media.DeviceAudioInput, media.Constraints{})
//	if err != nil {
//		return err
//	}
//	loudspeaker, err := sound.OpenOutput(ctx, "")
//	if err != nil {
//		return err
//	}
//	call, err := client.Dial(ctx, to, session.DialOptions{MediaOptions: session.MediaOptions{
//		AudioSource: microphone, AudioSink: loudspeaker,
//	}})
//
// The call closes both when it ends, and so does closing the provider.
//
// # What it needs
//
// It is a module of its own, so that only programs that import it need cgo and a C
// compiler; the core of callrx needs neither. To build for another system, or with
// CGO_ENABLED=1 where it is not the default, CC has to be a C compiler for that
// system. No headers and no libraries are needed: [miniaudio], a C file that comes
// with the module [github.com/gen2brain/malgo], is compiled in, which takes a minute
// the first time, and what it calls is loaded when the program runs:
//
//   - Linux: libpulse.so.0 for PulseAudio and PipeWire (Debian: libpulse0), else
//     libasound.so.2 for ALSA (Debian: libasound2). glibc, since it is loaded by dlopen.
//   - macOS: CoreAudio. A program has to state NSMicrophoneUsageDescription, and the
//     user to consent: macOS tells a program that may not listen no error, it gives it
//     silence.
//   - Windows: WASAPI. The C compiler is GCC, of MinGW-w64.
//
// What is said here of Linux is tested, against a real PulseAudio. On macOS and
// Windows it rests on the library.
//
// # What it does
//
// Sound is captured and played at 48,000 samples per second, in frames of 20 ms, and
// the device says how fast time goes. What a leg does not take within 200 ms is
// dropped, the oldest first; see [Input.Dropped]. What a loudspeaker lacks is
// silence; see [Output.Underruns]. Beyond the 60 ms of any [media.PCMSink] it plays
// about 100 ms late.
//
// Sound is captured as it is: there is no echo cancellation. Use a headset, or a
// sound system that cancels it and shows that as a device: module-echo-cancel of
// PulseAudio and PipeWire.
//
// A device that has been opened stays the one, whichever becomes the default
// meanwhile. That it has vanished is noticed within half a second, as a rule, and so
// are changes of the list. If the sound system itself goes, so do all devices; it is
// looked for again. Ids are those of the sound system, and stay the same over
// restarts as far as it does that.
//
// [miniaudio]: https://miniaud.io
package soundcard
