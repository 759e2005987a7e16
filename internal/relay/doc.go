// Package relay keeps one WebSocket to the service alive: it dials, lets its
// owner authenticate, matches responses to requests, acknowledges events,
// answers and sends pings, and reconnects with back-off until it is closed.
// It does not know what the messages mean.
//
// Goroutines of a running [Relay], all gone when Close returns:
//
//	run     dials, authenticates, watches one Link after another
//	read    one per Link: decodes frames, answers, hands events on
//	write   one per Link: the only writer of the socket
//
// Each connection is a [Link] with its own table of pending requests, so a
// reply from a dead socket can never reach a request made on a new one.
package relay
