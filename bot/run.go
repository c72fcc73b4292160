package bot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/solafon/solafon-go/bot/inbox"
	"github.com/solafon/solafon-go/gen/solafon"
)

// fullWait is how long a delivery is asked to wait while the inbox is full.
const fullWait = 5 * time.Second

// WebhookHandler accepts deliveries: each is written down in the inbox and then
// answered 200. While the inbox is full it answers 503. The updates are handled
// while Work runs, or ListenAndServe, which calls both.
func (b *Bot) WebhookHandler() http.Handler {
	return b.observer.Webhook(solafon.NewWebhookHandler(b.accept, append([]solafon.WebhookOption{solafon.WithLogger(b.logger)}, b.guard...)...))
}

// accept writes an update down.
func (b *Bot) accept(ctx context.Context, u solafon.Update) error {
	ctx, trace, end := b.observer.Delivery(ctx, &u)
	added, err := b.put(ctx, &u, trace)
	switch {
	case err != nil:
		end(result(Refused, &Message{Update: u}, err))
	case !added:
		b.logger.DebugContext(ctx, "update delivered again", "update_id", u.UpdateID)
		end(Result{Outcome: Duplicate})
	default:
		end(Result{Outcome: Accepted})
	}
	if errors.Is(err, inbox.ErrFull) || errors.Is(err, inbox.ErrClosed) {
		return &solafon.Unavailable{RetryAfter: fullWait, Err: err}
	}
	return err
}

// put gives an update to the inbox.
func (b *Bot) put(ctx context.Context, u *solafon.Update, trace string) (added bool, err error) {
	data := []byte(u.Raw) // as it came, with what no field has
	if data == nil {
		if data, err = u.AppendJSON(nil); err != nil {
			return false, err
		}
	}
	return b.inbox.Put(ctx, inbox.Item{
		ID: strconv.FormatInt(u.UpdateID, 10), Key: strconv.FormatInt(u.Chat.ID, 10), Data: data, Trace: trace,
	})
}

// Work handles what the inbox holds until ctx ends. Handlers that run then have
// the drain's time to end; what does not is cancelled, and handled again by the
// next Work.
func (b *Bot) Work(ctx context.Context) error {
	handle := b.handler()
	running, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cancel(nil)
	stop := context.AfterFunc(ctx, func() {
		time.AfterFunc(b.drain, func() { cancel(errDrained) })
	})
	defer stop()
	defer b.observer.Work(b.inbox)()
	return b.inbox.Work(ctx, b.workers, func(_ context.Context, d inbox.Delivery) inbox.Verdict {
		return b.handle(running, handle, d)
	})
}

// errDrained is why a handler's context ends when the bot does.
var errDrained = errors.New("the bot is ending")

// handle calls the handler of an item and decides what becomes of it.
func (b *Bot) handle(ctx context.Context, h Handler, d inbox.Delivery) inbox.Verdict {
	u, err := solafon.DecodeUpdate(d.Data)
	if err != nil {
		return inbox.Aside(err.Error())
	}
	m := newMessage(b.client, u, d.Attempt)
	start := time.Now()
	observed, end := b.observer.Update(ctx, d.Trace, b.known(m), m)
	err = b.handleWithin(observed, h, m)
	verdict := b.verdict(ctx, d, err)
	end(result(outcome(verdict), m, err))
	b.log(observed, m, time.Since(start), verdict, err)
	return verdict
}

// known is the command of a message, where the bot has it: any other is text that
// a user wrote.
func (b *Bot) known(m *Message) string {
	if b.commands[m.Command] == nil {
		return ""
	}
	return m.Command
}

// outcome names a verdict.
func outcome(v inbox.Verdict) Outcome {
	switch {
	case v.Aside:
		return Aside
	case v.Again:
		return Failed
	}
	return Handled
}

// verdict is what becomes of an item whose handler returned.
func (b *Bot) verdict(ctx context.Context, d inbox.Delivery, err error) inbox.Verdict {
	if err == nil {
		return inbox.Done
	}
	if context.Cause(ctx) == errDrained {
		return inbox.Again(0, "the bot ended")
	}
	var permanent *permanentError
	if errors.As(err, &permanent) {
		return inbox.Aside(err.Error())
	}
	if d.Attempt >= b.retry.Tries {
		return inbox.Aside(fmt.Sprintf("it failed %d times: %v", d.Attempt, err))
	}
	wait := b.retry.wait(d.Attempt)
	if e := (*solafon.Error)(nil); errors.As(err, &e) {
		wait = max(wait, e.RetryAfter)
	}
	return inbox.Again(wait, err.Error())
}

// log says what became of an update, and nothing of what its user wrote.
func (b *Bot) log(ctx context.Context, m *Message, took time.Duration, v inbox.Verdict, err error) {
	level, text := slog.LevelInfo, "update handled"
	switch {
	case v.Aside:
		level, text = slog.LevelError, "update put aside"
	case v.Again:
		level, text = slog.LevelWarn, "update failed"
	}
	if !b.logger.Enabled(ctx, level) {
		return
	}
	attrs := []slog.Attr{
		slog.Int64("update_id", m.UpdateID), slog.Int64("chat", m.Chat.ID), slog.Int("attempt", m.Attempt), slog.Duration("duration", took),
	}
	if command := b.known(m); command != "" {
		attrs = append(attrs, slog.String("command", command))
	}
	if v.Again {
		attrs = append(attrs, slog.Duration("again_in", v.Wait))
	}
	if err != nil {
		attrs = append(attrs, slog.String("error", withheld(m, err)))
		if panicked := (*panicError)(nil); errors.As(err, &panicked) {
			attrs = append(attrs, slog.String("stack", string(panicked.stack)))
		}
	}
	b.logger.LogAttrs(ctx, level, text, attrs...)
}

// ListenAndServe serves the webhook at /webhook, /healthz, which answers 200
// while the process lives, and /readyz, which answers 200 while it accepts
// updates; and handles what comes. When ctx ends it stops accepting, gives
// handlers the drain's time to end, closes the inbox and returns nil.
func (b *Bot) ListenAndServe(ctx context.Context, addr string) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return errors.Join(fmt.Errorf("the bot cannot listen at %q: %w; name another address, such as :8000", addr, err), b.inbox.Close())
	}
	return b.Serve(ctx, listener)
}

// Serve is ListenAndServe at a listener, which it closes.
func (b *Bot) Serve(ctx context.Context, listener net.Listener) error {
	var ending atomic.Bool
	mux := http.NewServeMux()
	mux.Handle(b.path, b.WebhookHandler())
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "alive") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if ending.Load() {
			http.Error(w, "ending", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ready")
	})
	server := &http.Server{
		Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 15 * time.Second,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(b.logger.Handler(), slog.LevelDebug),
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	served := make(chan error, 1)
	go func() {
		err := server.Serve(listener)
		cancel() // nothing more comes
		served <- err
	}()
	stopped := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		ending.Store(true)
		within, cancel := context.WithTimeout(context.WithoutCancel(ctx), b.drain)
		defer cancel()
		stopped <- errors.Join(server.Shutdown(within), server.Close())
	})
	defer stop()
	err := b.Work(ctx)
	cancel()
	err = errors.Join(err, <-stopped)
	if serveErr := <-served; !errors.Is(serveErr, http.ErrServerClosed) {
		err = errors.Join(err, serveErr)
	}
	return errors.Join(err, b.inbox.Close())
}

// Poll fetches updates instead of receiving them, with the same promises: what
// was fetched is written down before more is. The platform marks updates as
// read as they are fetched, so a process that dies between the two loses what
// was on its way. No webhook may be set. When ctx ends it gives handlers the
// drain's time to end, closes the inbox and returns nil.
func (b *Bot) Poll(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	// Work goes on until the last update that was fetched is written down.
	working, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	worked := make(chan error, 1)
	go func() {
		worked <- b.Work(working)
		stop()
	}()
	for u, err := range b.client.Updates(ctx) {
		if err != nil {
			b.logger.WarnContext(ctx, "updates could not be fetched", "error", err)
			continue
		}
		b.keep(ctx, u)
	}
	end()
	return errors.Join(<-worked, b.inbox.Close())
}

// keep writes a fetched update down, and waits for room where there is none: it
// will not come again. Once the bot is ending it waits for as long as the drain
// lasts.
func (b *Bot) keep(ctx context.Context, u solafon.Update) {
	patience, giveUp := context.WithCancel(context.WithoutCancel(ctx))
	defer giveUp()
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(b.drain, giveUp) })
	defer stop()
	for wait := 10 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		err := b.accept(patience, u)
		if err == nil {
			return
		}
		if errors.Is(err, inbox.ErrClosed) || patience.Err() != nil {
			b.logger.ErrorContext(ctx, "update lost: it was fetched and cannot be kept", "update_id", u.UpdateID, "error", err)
			return
		}
		b.logger.WarnContext(ctx, "update waits for room in the inbox", "update_id", u.UpdateID, "error", err)
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-patience.Done():
			timer.Stop()
		}
	}
}
