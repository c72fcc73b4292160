package jetstream

import (
	"context"
	"fmt"
	"log/slog"
)

// serverLog passes on what the server in the process has to say: its errors and
// warnings, among them what it had to drop of files that a crash left torn.
type serverLog struct {
	to     *slog.Logger
	failed func(text string) // is told of errors
}

func (l serverLog) log(level slog.Level, format string, args []any) {
	if ctx := context.Background(); l.to.Enabled(ctx, level) {
		l.to.Log(ctx, level, "inbox: "+fmt.Sprintf(format, args...))
	}
}

func (l serverLog) Noticef(format string, args ...any) { l.log(slog.LevelDebug, format, args) }
func (l serverLog) Debugf(format string, args ...any)  { l.log(slog.LevelDebug, format, args) }
func (l serverLog) Tracef(format string, args ...any)  { l.log(slog.LevelDebug, format, args) }
func (l serverLog) Warnf(format string, args ...any)   { l.log(slog.LevelWarn, format, args) }
func (l serverLog) Fatalf(format string, args ...any)  { l.log(slog.LevelError, format, args) }

func (l serverLog) Errorf(format string, args ...any) {
	l.failed(fmt.Sprintf(format, args...))
	l.log(slog.LevelError, format, args)
}
