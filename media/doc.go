// Package media holds what a call sends and receives: legs, sources, sinks,
// codecs. It knows nothing of signaling, sessions or tokens.
//
// # Legs
//
// A [Leg] is one media session with a far end: at most one audio and one video
// section, described by SDP that the program carries to the other side and back.
// [Leg.Offer] and [Leg.Accept] begin one, [Leg.Answer] takes one up, and the same
// methods renegotiate it later. Candidates are gathered before the SDP is handed
// out, because the platform does not trickle (RFC 8838).
//
// The platform answers without BUNDLE (RFC 8843): each section has a transport
// of its own. A peer connection of pion has one transport, so a leg owns a peer
// connection for each section and shows one SDP for both. Nothing above this
// package notices.
//
// # Sources and sinks
//
// A [Source] feeds a section, a [Sink] takes what arrives. Sources are files
// ([NewOggSource], [NewIVFSource], [NewH264Source], [NewWAVSource]), generators
// ([NewTone], [NewSilence], [NewTestPattern]), PCM ([NewPCMReader], [NewPCMFunc]
// and the [Speaker] for voice agents), packets ([NewRTPSource]) or any track of
// pion ([FromTrack]). Sinks are files ([NewOggSink], [NewIVFSink], [NewWAVSink]),
// PCM ([NewPCMSink], [NewPCMWriter] and the [Listener] for voice agents), packets
// ([NewRTPSink]) or nothing ([Discard]). Microphones and loudspeakers of the machine
// are in the module media/soundcard.
//
// PCM is 16 bits signed, channels interleaved. It is encoded to and decoded from
// the codec that was negotiated: G.711 (RFC 3551) both ways, Opus (RFC 6716) in,
// and Opus out if [LegConfig.OpusEncoder] is set.
//
// # Logging
//
// Log records have the keys kind, state, section, error, codec and component.
// SDP, which holds credentials, is never logged.
package media
