package bot

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/solafon/solafon-go/bot/inbox"
	"github.com/solafon/solafon-go/gen/solafon"
)

// Observer sees what a bot does with its updates: package bototel has one for
// OpenTelemetry. Its methods are called from many goroutines at once.
type Observer interface {
	// Webhook is put around the handler of deliveries, once for each handler made.
	Webhook(next http.Handler) http.Handler
	// Delivery begins the writing down of an update. The trace is kept with it;
	// end is called with Accepted, Duplicate or Refused.
	Delivery(ctx context.Context, u *solafon.Update) (_ context.Context, trace string, end func(Result))
	// Update begins the handling of an update, with the trace that Delivery gave and
	// the name of the command that handles it: empty for one that the bot does not
	// have, and for text. The handler sees the context; end is called with Handled,
	// Failed or Aside.
	Update(ctx context.Context, trace, command string, m *Message) (_ context.Context, end func(Result))
	// Work begins the bot's work on what an inbox holds; end is called after it.
	Work(in inbox.Inbox) (end func())
}

// Outcome is what became of a delivery or of an update.
type Outcome string

// The outcomes of a delivery are Accepted, Duplicate and Refused, those of
// handling Handled, Failed and Aside.
const (
	Accepted  Outcome = "accepted"  // written down
	Duplicate Outcome = "duplicate" // written down before
	Refused   Outcome = "refused"   // the inbox is full, or failed
	Handled   Outcome = "handled"   // for good
	Failed    Outcome = "failed"    // handled again later
	Aside     Outcome = "aside"     // put aside
)

// Result is an outcome and, where there was an error, why.
type Result struct {
	Outcome Outcome
	// Type is the error's Go type, such as "*solafon.Error".
	Type string
	// Reason is the error's text, without what users write.
	Reason string
}

// WithObserver has an observer see what the bot does.
func WithObserver(o Observer) Option { return func(b *Bot) { b.observer = o } }

// unobserved is the observer of a bot that has none.
type unobserved struct{}

func (unobserved) Webhook(next http.Handler) http.Handler { return next }

func (unobserved) Delivery(ctx context.Context, _ *solafon.Update) (context.Context, string, func(Result)) {
	return ctx, "", func(Result) {}
}

func (unobserved) Update(ctx context.Context, _, _ string, _ *Message) (context.Context, func(Result)) {
	return ctx, func(Result) {}
}

func (unobserved) Work(inbox.Inbox) func() { return func() {} }

// result is an outcome with its error, as others may see it.
func result(outcome Outcome, m *Message, err error) Result {
	if err == nil {
		return Result{Outcome: outcome}
	}
	return Result{Outcome: outcome, Type: errorType(err), Reason: withheld(m, err)}
}

// errorType is the type of an error that Permanent may have marked.
func errorType(err error) string {
	var permanent *permanentError
	if errors.As(err, &permanent) {
		err = permanent.err
	}
	return fmt.Sprintf("%T", err)
}

// withheld is an error's text, unless it repeats what the user wrote or is.
func withheld(m *Message, err error) string {
	text := err.Error()
	for _, private := range []string{m.Text, m.Args, m.From.Email, m.From.Name} {
		if private != "" && strings.Contains(text, private) {
			return errorType(err) + " (its text repeats the message and is withheld)"
		}
	}
	return text
}
