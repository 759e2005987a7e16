package media

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/pion/logging"
)

// pionLoggers gives each part of pion the program's logger.
type pionLoggers struct{ to *slog.Logger }

func (l pionLoggers) NewLogger(scope string) logging.LeveledLogger {
	return pionLogger{l.to.With("component", "pion "+scope)}
}

// pionLogger maps pion's levels. What pion calls an error is not one of ours: it
// is reported where it has consequences, so it warns.
type pionLogger struct{ to *slog.Logger }

const levelTrace = slog.LevelDebug - 4

func (l pionLogger) log(level slog.Level, message string) {
	l.to.Log(context.Background(), level, message)
}

// logf formats only what someone will read.
func (l pionLogger) logf(level slog.Level, format string, args []any) {
	if l.to.Enabled(context.Background(), level) {
		l.log(level, fmt.Sprintf(format, args...))
	}
}

func (l pionLogger) Trace(message string)              { l.log(levelTrace, message) }
func (l pionLogger) Tracef(format string, args ...any) { l.logf(levelTrace, format, args) }
func (l pionLogger) Debug(message string)              { l.log(levelTrace, message) }
func (l pionLogger) Debugf(format string, args ...any) { l.logf(levelTrace, format, args) }
func (l pionLogger) Info(message string)               { l.log(slog.LevelDebug, message) }
func (l pionLogger) Infof(format string, args ...any)  { l.logf(slog.LevelDebug, format, args) }
func (l pionLogger) Warn(message string)               { l.log(slog.LevelDebug, message) }
func (l pionLogger) Warnf(format string, args ...any)  { l.logf(slog.LevelDebug, format, args) }
func (l pionLogger) Error(message string)              { l.log(slog.LevelWarn, message) }
func (l pionLogger) Errorf(format string, args ...any) { l.logf(slog.LevelWarn, format, args) }
