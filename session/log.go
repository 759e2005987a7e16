package session

import (
	"context"
	"log/slog"
	"sync/atomic"

	"github.com/callrx/callrx/internal/redact"
)

// redacting wraps a logger so that no token gets into it, not even one that a
// server or the program's own provider put into an error, and every line says
// which session it is about, once there is one.
func redacting(l *slog.Logger, session *atomic.Pointer[string]) *slog.Logger {
	return slog.New(redactor{l.Handler(), session})
}

type redactor struct {
	slog.Handler
	session *atomic.Pointer[string]
}

func (h redactor) Handle(ctx context.Context, r slog.Record) error {
	clean := slog.NewRecord(r.Time, r.Level, redact.Text(r.Message), r.PC)
	r.Attrs(func(a slog.Attr) bool {
		clean.AddAttrs(redacted(a))
		return true
	})
	if id := h.session.Load(); id != nil {
		clean.AddAttrs(slog.String("session", *id))
	}
	return h.Handler.Handle(ctx, clean)
}

func (h redactor) WithAttrs(attrs []slog.Attr) slog.Handler {
	clean := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		clean[i] = redacted(a)
	}
	return redactor{h.Handler.WithAttrs(clean), h.session}
}

func (h redactor) WithGroup(name string) slog.Handler {
	return redactor{h.Handler.WithGroup(name), h.session}
}

// redacted covers what this SDK logs: text, errors, and numbers, which pass.
func redacted(a slog.Attr) slog.Attr {
	v := a.Value.Resolve()
	if err, ok := v.Any().(error); ok {
		v = slog.StringValue(err.Error())
	}
	if v.Kind() == slog.KindString {
		v = slog.StringValue(redact.Text(v.String()))
	}
	return slog.Attr{Key: a.Key, Value: v}
}
