// Package bot runs a bot: it accepts updates, writes them down, answers the
// platform at once and handles them afterwards, each chat's in their order and
// the chats side by side.
//
// # What is promised
//
//   - An update that was answered 200 is handled at least once, as far as the
//     inbox keeps what it holds: see the table.
//   - The same update_id is taken in once within the inbox's window, 24 hours
//     unless said otherwise, however often it is delivered.
//   - Updates of one chat are handled one at a time, in the order in which they
//     came. One that fails is tried again before the next of its chat; other
//     chats do not wait for it.
//   - A handler that returns an error is tried again: 8 times, after 1 second at
//     first and 5 minutes at most, unless WithRetry says otherwise. Then the
//     update is put aside with its reason. Permanent puts it aside at once.
//   - A handler has 30 seconds, unless WithHandlerTimeout says otherwise: then
//     its context ends. One that does not return within 5 seconds more is left
//     behind and its update put aside, since it may still be at work.
//   - When its context ends the bot accepts nothing more, gives handlers the
//     drain's 10 seconds, and hands back what did not end: it is handled by the
//     next process.
//
// What becomes of an update that was answered 200, by what happens and by the
// inbox: in memory, embedded (a folder, package jetstream), embedded with
// WithSync, and in a cluster of three.
//
//	what happens                memory  embedded  synced   cluster
//	the process is killed       lost    kept      kept     kept
//	it dies while handling      lost    again     again    again, by another
//	the machine loses power     lost    the last  kept     kept by the others
//	the disk is lost            lost    lost      lost     kept by the others
//	the disk is full            kept    kept      kept     kept
//	one server of three dies    -       -         -        kept
//	the handler fails           again   again     again    again
//	it fails too often          aside   aside     aside    aside
//
// "The last" are the writes that the operating system had not yet put on the
// disk, seconds of them. "Again" is that the handler runs again from its start;
// "aside" that the update is kept and can be replayed. While the disk or the
// inbox is full, deliveries are answered 503 and the platform brings them again.
//
// Connections that send nothing, half a delivery, or one without end are cut off
// within 10 seconds. Ten thousand of them at once, with bodies of 100 MB among
// them, take less than 768 MiB, and deliveries are still answered in time.
//
// # What happens once and what twice
//
// A handler's effects happen once for each update_id only if the handler's own
// effect is idempotent: a handler that replied and then failed, or whose process
// died before it was noted that it returned, replies again. Message.Reply itself
// never repeats a call that may have arrived; a handler that runs again does. So
// reply last, or keep what was done under Message.UpdateID. After its context
// ended, Reply returns the context's error and sends nothing.
//
// Times are by the machine's clock. One that is set back holds up what waits for
// its next attempt by as much at most, and one that is set forward lets IDs be
// forgotten early by as much; nothing is lost by either.
package bot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/solafon/solafon-go/bot/inbox"
	"github.com/solafon/solafon-go/gen/solafon"
)

// Bot handles the updates of one app. Handlers are added before it starts.
type Bot struct {
	client     *solafon.Client
	inbox      inbox.Inbox
	workers    int
	retry      Retry
	timeout    time.Duration
	drain      time.Duration
	path       string
	guard      []solafon.WebhookOption
	logger     *slog.Logger
	observer   Observer
	commands   map[string]Handler
	text       Handler
	unknown    Handler
	middleware []func(Handler) Handler
}

// Handler handles a message. An error has it called again later, with the same
// message.
type Handler func(ctx context.Context, m *Message) error

// Option changes how New makes a Bot.
type Option func(*Bot)

// New makes a bot that answers through client.
func New(client *solafon.Client, opts ...Option) *Bot {
	b := &Bot{
		client: client, workers: 64, retry: defaultRetry, timeout: 30 * time.Second, drain: 10 * time.Second,
		path: "/webhook", logger: slog.Default(), observer: unobserved{}, commands: make(map[string]Handler),
	}
	for _, opt := range opts {
		opt(b)
	}
	if b.inbox == nil {
		b.inbox = inbox.NewMemory()
	}
	return b
}

// WithInbox keeps updates in an engine of the caller's choice. Without it they
// are kept in memory, and lost with the process. The bot closes it when it ends.
func WithInbox(engine inbox.Inbox) Option { return func(b *Bot) { b.inbox = engine } }

// WithWorkers handles so many chats at once at most; 64 without it.
func WithWorkers(n int) Option { return func(b *Bot) { b.workers = max(n, 1) } }

// WithAppToken refuses deliveries that do not carry the app's token, which the
// platform sends as X-App-Token. An empty token refuses every delivery.
func WithAppToken(token string) Option {
	return func(b *Bot) { b.guard = append(b.guard, solafon.WithAppToken(token)) }
}

// WithLogger logs to logger instead of slog.Default(). What users write is never
// logged.
func WithLogger(logger *slog.Logger) Option { return func(b *Bot) { b.logger = logger } }

// WithHandlerTimeout gives a handler so long; 30 seconds without it.
func WithHandlerTimeout(d time.Duration) Option { return func(b *Bot) { b.timeout = d } }

// WithDrain gives handlers so long to end when the bot does; 10 seconds without
// it.
func WithDrain(d time.Duration) Option { return func(b *Bot) { b.drain = d } }

// WithPath serves the webhook at another path than /webhook.
func WithPath(path string) Option { return func(b *Bot) { b.path = path } }

// Retry says how often and how soon a handler that failed is called again. A
// field that is zero stands for its default.
type Retry struct {
	// Tries is how often a handler is called for one update at most. Default 8.
	Tries int
	// Min and Max bound the waits, which double each time. Default 1 second and
	// 5 minutes.
	Min, Max time.Duration
}

var defaultRetry = Retry{Tries: 8, Min: time.Second, Max: 5 * time.Minute}

// WithRetry sets how handlers that failed are called again.
func WithRetry(r Retry) Option {
	return func(b *Bot) {
		b.retry = defaultRetry
		if r.Tries > 0 {
			b.retry.Tries = r.Tries
		}
		if r.Min > 0 {
			b.retry.Min = r.Min
		}
		if r.Max > 0 {
			b.retry.Max = r.Max
		}
	}
}

// wait is how long to wait after the given try.
func (r Retry) wait(try int) time.Duration {
	wait := r.Min
	for range try - 1 {
		if wait *= 2; wait >= r.Max {
			break
		}
	}
	return min(wait, r.Max)
}

// Permanent marks an error that another try cannot mend: the update is put aside
// at once.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return &permanentError{err}
}

type permanentError struct{ err error }

func (e *permanentError) Error() string { return e.err.Error() }
func (e *permanentError) Unwrap() error { return e.err }

// Command handles a command: Command("start", h) takes "/start" and "/start now",
// whose Args is "now". Letters are as the platform's list of commands has them:
// "/Start" is another command.
func (b *Bot) Command(name string, h Handler) { b.commands[strings.TrimPrefix(name, "/")] = h }

// Text handles everything that no command took.
func (b *Bot) Text(h Handler) { b.text = h }

// Unknown handles commands that no Command took. Without it they go to Text.
func (b *Bot) Unknown(h Handler) { b.unknown = h }

// Use puts a function around every handler. The first that is given is the
// outermost. What logs and what turns a panic into an error is around them all.
func (b *Bot) Use(middleware func(Handler) Handler) { b.middleware = append(b.middleware, middleware) }

// handler is all handlers as one.
func (b *Bot) handler() Handler {
	h := b.dispatch
	for i := len(b.middleware) - 1; i >= 0; i-- {
		h = b.middleware[i](h)
	}
	return recovered(h)
}

// dispatch calls the handler of a message. One that nobody takes is handled.
func (b *Bot) dispatch(ctx context.Context, m *Message) error {
	h := b.text
	if m.Command != "" {
		if command := b.commands[m.Command]; command != nil {
			h = command
		} else if b.unknown != nil {
			h = b.unknown
		}
	}
	if h == nil {
		return nil
	}
	return h(ctx, m)
}

// recovered turns a panic into an error.
func recovered(h Handler) Handler {
	return func(ctx context.Context, m *Message) (err error) {
		defer func() {
			if reason := recover(); reason != nil {
				err = newPanic(reason)
			}
		}()
		return h(ctx, m)
	}
}

// errLeftBehind is a handler that did not return when its time was over.
var errLeftBehind = errors.New("the handler did not return in time and was left behind")

// handleWithin calls a handler with the time that it has.
func (b *Bot) handleWithin(ctx context.Context, h Handler, m *Message) error {
	ctx, cancel := context.WithTimeout(ctx, b.timeout)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- h(ctx, m) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	timer := time.NewTimer(leaveBehind)
	defer timer.Stop()
	select {
	case err := <-done:
		return err
	case <-timer.C:
		return Permanent(fmt.Errorf("%w: it had %v", errLeftBehind, b.timeout))
	}
}

// leaveBehind is how long a handler has to return once its context has ended.
const leaveBehind = 5 * time.Second
