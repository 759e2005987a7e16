// Package media holds what a call sends and receives: peer connections,
// sources, sinks, codecs. It knows nothing of signaling, sessions or tokens.
//
// So far it describes the ICE servers that a session hands to its calls.
package media
