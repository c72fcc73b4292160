package paths

import (
	"context"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/solafon/solafon-go/bench/measure"
	"github.com/solafon/solafon-go/bot"
	"github.com/solafon/solafon-go/bot/inbox"
	"github.com/solafon/solafon-go/bot/inbox/jetstream"
	"github.com/solafon/solafon-go/gen/solafon"
)

// Accept measures what a delivery takes that a bot accepts into an inbox, with
// a handler that drops it first. Each run ends when what it accepted is handled
// too.
func Accept(config measure.Config) (Result, error) {
	ctx, cancel := context.WithCancel(context.Background())
	var e environment
	defer e.close()
	defer cancel()
	client := e.client()
	url, err := e.listen(http.HandlerFunc(dropping))
	if err != nil {
		return Result{}, err
	}
	contenders := []measure.Contender{{Name: "dropping the body", Note: "looks at nothing", Run: delivering(client, url, update)}}
	for _, engine := range []struct {
		name, note string
		open       func(dir string) (inbox.Inbox, error)
	}{
		{"inbox.Memory", "is gone with the process", func(string) (inbox.Inbox, error) { return &inbox.Memory{Limit: 1 << 20}, nil }},
		{"jetstream.Embedded", "survives the process", func(dir string) (inbox.Inbox, error) { return jetstream.Embedded(ctx, dir) }},
		{"jetstream.Embedded, WithSync", "survives the machine", func(dir string) (inbox.Inbox, error) {
			return jetstream.Embedded(ctx, dir, jetstream.WithSync())
		}},
	} {
		dir, err := os.MkdirTemp("", "accept")
		if err != nil {
			return Result{}, err
		}
		e.later(func() { os.RemoveAll(dir) })
		in, err := engine.open(dir)
		if err != nil {
			return Result{}, err
		}
		api, err := solafon.NewClient("token")
		if err != nil {
			return Result{}, err
		}
		accepting := bot.New(api, bot.WithInbox(in), bot.WithLogger(slog.New(slog.DiscardHandler)))
		working, stop := context.WithCancel(ctx)
		done := make(chan error, 1)
		go func() { done <- accepting.Work(working) }()
		e.later(func() { stop(); <-done; in.Close() })
		url, err := e.listen(accepting.WebhookHandler())
		if err != nil {
			return Result{}, err
		}
		deliver := delivering(client, url, update)
		contenders = append(contenders, measure.Contender{Name: engine.name, Note: engine.note, Run: func(n int) error {
			if err := deliver(n); err != nil {
				return err
			}
			return handled(ctx, in)
		}})
	}
	costs, err := config.Compare(contenders)
	return Result{"a delivery, accepted and handled", costs}, err
}

// handled waits until an inbox has nothing left to handle.
func handled(ctx context.Context, in inbox.Inbox) error {
	for {
		status, err := in.Status(ctx)
		if err != nil || status.Waiting == 0 {
			return err
		}
		time.Sleep(time.Millisecond)
	}
}
