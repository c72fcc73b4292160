package bottest_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http/httptest"

	"github.com/solafon/solafon-go/bot"
	"github.com/solafon/solafon-go/bot/bottest"
	"github.com/solafon/solafon-go/gen/solafon"
)

// A platform outside tests: it is served where the program wants it, and the bot
// fetches what its users write.
func ExamplePlatform() {
	p := bottest.NewPlatform()
	defer p.Close()
	api := httptest.NewServer(p.Handler())
	defer api.Close()
	client, err := solafon.NewClient(p.Token(), solafon.WithBaseURL(api.URL+"/api/v1"))
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	b := bot.New(client, bot.WithLogger(slog.New(slog.DiscardHandler)))
	b.Command("start", func(ctx context.Context, m *bot.Message) error {
		defer cancel() // one is enough here
		return m.Reply(ctx, "Welcome, "+m.From.Name+"!")
	})
	if _, err := p.Write(p.AddUser("Ann", "en").ID, "/start"); err != nil {
		fmt.Println(err)
	}
	if err := b.Poll(ctx); err != nil {
		fmt.Println(err)
	}
	for _, m := range p.Messages() {
		fmt.Println(m.FromBot, m.Text)
	}
	// Output:
	// false /start
	// true Welcome, Ann!
}
