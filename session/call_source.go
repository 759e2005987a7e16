package session

import (
	"io"

	"github.com/callrx/callrx/media"
)

// An askedSource is one of the program whose codecs are known, so that the client's
// loop need not ask the program.
type askedSource struct {
	media.Source
	codecs []string
}

// asked makes a source of the program an askedSource. Not on the loop.
func asked(source media.Source) media.Source {
	switch source.(type) {
	case nil, *capture, *askedSource:
		return source
	}
	return &askedSource{source, source.Codecs()}
}

// Codecs are those of the source when it was asked.
func (s *askedSource) Codecs() []string { return s.codecs }

// Original is what to name if it does not close.
func (s *askedSource) Original() any { return s.Source }

// Close closes the source if it can be closed.
func (s *askedSource) Close() error {
	if c, ok := s.Source.(io.Closer); ok {
		return c.Close()
	}
	return nil
}
