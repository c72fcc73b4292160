package bot

import (
	"fmt"
	"runtime/debug"
)

// panicError is a handler that panicked.
type panicError struct {
	reason any
	stack  []byte
}

func newPanic(reason any) error { return &panicError{reason, debug.Stack()} }

func (e *panicError) Error() string { return fmt.Sprintf("panic: %v", e.reason) }
