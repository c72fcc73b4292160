package bot_test

import (
	"context"
	"log"
	"os"
	"os/signal"

	"github.com/solafon/solafon-go/bot"
	"github.com/solafon/solafon-go/gen/solafon"
)

func Example() {
	client, err := solafon.NewClient(os.Getenv("SOLAFON_TOKEN"))
	if err != nil {
		log.Fatal(err)
	}
	b := bot.New(client)
	b.Command("start", func(ctx context.Context, m *bot.Message) error {
		return m.Reply(ctx, "Welcome to my app!")
	})
	b.Text(func(ctx context.Context, m *bot.Message) error {
		return m.Reply(ctx, "You said: "+m.Text)
	})
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	context.AfterFunc(ctx, stop) // a second signal ends it at once
	if err := b.ListenAndServe(ctx, ":8000"); err != nil {
		log.Print(err)
	}
}
