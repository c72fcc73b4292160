package bottest_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/solafon/solafon-go/bot"
	"github.com/solafon/solafon-go/bot/bottest"
	"github.com/solafon/solafon-go/gen/platform"
	"github.com/solafon/solafon-go/gen/solafon"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newBot is a bot that greets, offers two buttons and repeats what it is told.
func newBot(client *solafon.Client) *bot.Bot {
	b := bot.New(client, bot.WithLogger(slog.New(slog.DiscardHandler)), bot.WithRetry(bot.Retry{Min: time.Millisecond}))
	b.Command("start", func(ctx context.Context, m *bot.Message) error { return m.Reply(ctx, "Welcome, "+m.From.Name+"!") })
	b.Command("menu", func(ctx context.Context, m *bot.Message) error {
		return m.ReplyButtons(ctx, "Tea or coffee?", solafon.Button{Text: "Tea", Action: "/brew tea"}, solafon.Button{Text: "Coffee", Action: "/brew coffee"})
	})
	b.Command("brew", func(ctx context.Context, m *bot.Message) error { return m.Reply(ctx, "One "+m.Args+", please wait") })
	b.Text(func(ctx context.Context, m *bot.Message) error { return m.Reply(ctx, "You said: "+m.Text) })
	return b
}

func TestConversation(t *testing.T) {
	t.Parallel()
	p := bottest.New(t)
	p.Run(newBot(p.Client()))
	ann, igor := p.User("Ann", "en"), p.User("Игорь", "ru")
	ann.Say("/start")
	igor.Say("привет 🥐")
	ann.WantReply(t, "Welcome, Ann!")
	igor.WantReply(t, "You said: привет 🥐")
	ann.Say("/menu")
	ann.WantReply(t, "Tea or coffee?")
	ann.Press("Coffee")
	ann.WantReply(t, "One coffee, please wait")
	if d := p.Deliver(`{"update_id":"x"}`); d.Status != http.StatusBadRequest || d.OK() {
		t.Errorf("%+v", d)
	}
}

// TestFaults lets one thing go wrong at a time: every user is answered, once.
func TestFaults(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]bottest.Fault{
		"duplicates": bottest.Duplicate(3), "reordered": bottest.Reorder(2), "nested": bottest.Form(platform.WebhookNested), "bare": bottest.Form(platform.WebhookBare),
		"bad JSON": bottest.BadJSON(), "slow": bottest.Slow(time.Millisecond), "the API fails twice": bottest.Status(500, 2), "a limit that is not met": bottest.Limit(100),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := bottest.New(t)
			p.Run(newBot(p.Client(solafon.WithRetry(solafon.RetryPolicy{MaxAttempts: 1}))))
			p.Fault(fault)
			users := []*bottest.User{p.User("Ann", "en"), p.User("Bob", "en"), p.User("Cid", "en"), p.User("Dan", "en")}
			for _, u := range users {
				u.Say("hello")
			}
			for _, u := range users {
				u.WantReply(t, "You said: hello")
			}
			users[0].Say("and goodbye")
			p.SetFaults(bottest.Faults{}) // lets go of what was held back
			users[0].WantReply(t, "You said: and goodbye")
		})
	}
}

// TestOrder delivers two updates in the order that the fault asks for.
func TestOrder(t *testing.T) {
	t.Parallel()
	p := bottest.New(t)
	got := make(chan string, 2)
	p.Serve(solafon.NewWebhookHandler(func(_ context.Context, u solafon.Update) error {
		got <- u.Text
		return nil
	}))
	p.Fault(bottest.Reorder(2))
	u := p.User("Ann", "en")
	u.Say("first")
	u.Say("second")
	if a, b := <-got, <-got; a != "second" || b != "first" {
		t.Errorf("%s, then %s", a, b)
	}
}

// TestDroppedAnswers loses the answer to a message that was sent.
func TestDroppedAnswers(t *testing.T) {
	t.Parallel()
	p := bottest.New(t)
	client := p.Client()
	u := p.User("Ann", "en")
	p.Fault(bottest.DropAnswers(1))
	_, err := client.SendMessage(t.Context(), solafon.SendMessageRequest{ChatID: u.ID, Text: "hello"})
	if err == nil || !strings.Contains(err.Error(), "it may have been done all the same") {
		t.Errorf("%v", err)
	}
	u.WantReply(t, "hello")
	if _, err := client.GetMe(t.Context()); err != nil {
		t.Errorf("the second call: %v", err)
	}
	if calls := p.Calls(); len(calls) != 2 || calls[0].Status != 0 || calls[1].Status != 200 {
		t.Errorf("%+v", calls)
	}
}

// TestLimit calls more often than it may.
func TestLimit(t *testing.T) {
	t.Parallel()
	p := bottest.New(t)
	client := p.Client(solafon.WithRetry(solafon.RetryPolicy{MaxAttempts: 1}))
	p.Fault(bottest.Limit(1))
	if _, err := client.GetMe(t.Context()); err != nil {
		t.Error(err)
	}
	resp, err := http.Get(p.URL() + "/bot/getMe")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusTooManyRequests || resp.Header.Get("Retry-After") == "" || resp.Header.Get("X-RateLimit-Remaining") != "0" {
		t.Errorf("%s %v", resp.Status, resp.Header)
	}
}

// TestRedelivery fails a webhook, and takes the update when it comes again.
func TestRedelivery(t *testing.T) {
	t.Parallel()
	p := bottest.New(t, bottest.WithRedelivery(time.Millisecond), bottest.WithTimeout(30*time.Second))
	var tries atomic.Int32
	taken := make(chan solafon.Update, 1)
	p.Serve(solafon.NewWebhookHandler(func(_ context.Context, u solafon.Update) error {
		if tries.Add(1) < 3 {
			return errors.New("not now")
		}
		taken <- u
		return nil
	}, solafon.WithLogger(slog.New(slog.DiscardHandler))))
	id := p.User("Ann", "en").Say("hello")
	if u := <-taken; u.UpdateID != id {
		t.Errorf("%+v", u)
	}
	for i, d := range p.Deliveries() {
		if d.Attempt != i+1 || d.UpdateID != id || d.Status == 200 && i < 2 {
			t.Errorf("%d: %+v", i, d)
		}
	}
}

// TestPoll leaves updates to getUpdates, and delivers what it did not fetch once a
// webhook is set.
func TestPoll(t *testing.T) {
	t.Parallel()
	p := bottest.New(t)
	client := p.Client()
	u := p.User("Ann", "en")
	for i := range 101 {
		u.Say(fmt.Sprint(i))
	}
	info, err := client.GetWebhookInfo(t.Context())
	if err != nil || info.PendingUpdateCount != 101 {
		t.Errorf("%+v, %v", info, err)
	}
	batch, err := client.GetUpdates(t.Context())
	if err != nil || len(batch) != 100 || batch[99].Text != "99" || batch[0].From.Name != "Ann" {
		t.Errorf("%d updates, %v", len(batch), err)
	}
	p.Run(newBot(client))
	u.WantReply(t, "You said: 100")
}

// TestAPI asks for everything that the API has beside messages.
func TestAPI(t *testing.T) {
	t.Parallel()
	p := bottest.New(t)
	client := p.Client()
	ctx := t.Context()
	if err := client.SetMyCommands(ctx, solafon.SetMyCommandsRequest{Commands: []solafon.BotCommand{{Command: "/start", Description: "Say hello"}}}); err != nil {
		t.Fatal(err)
	}
	if list, err := client.GetMyCommands(ctx); err != nil || len(list) != 1 || list[0].Command != "start" {
		t.Errorf("%+v, %v", list, err)
	}
	c, err := client.CreateAppCommand(ctx, bottest.AppID, solafon.AppCommandRequest{Command: "/help"})
	if err != nil || c.Command != "/help" || !c.IsEnabled {
		t.Fatalf("%+v, %v", c, err)
	}
	off := false
	if c, err = client.UpdateAppCommand(ctx, bottest.AppID, c.ID, solafon.AppCommandRequest{Command: "/help", IsEnabled: &off}); err != nil || c.IsEnabled {
		t.Errorf("%+v, %v", c, err)
	}
	settings, err := client.GetAppSettings(ctx, bottest.AppID)
	if err != nil || len(settings.Commands) != 1 || settings.App.APIToken.Reveal() != p.Token() {
		t.Errorf("%+v, %v", settings, err)
	}
	if err := client.DeleteAppCommand(ctx, bottest.AppID, c.ID); err != nil {
		t.Error(err)
	}
	if err := client.DeleteAppCommand(ctx, bottest.AppID, c.ID); !errors.Is(err, solafon.ErrNotFound) {
		t.Error(err)
	}
	if _, err := client.GetAppSettings(ctx, 99); !errors.Is(err, solafon.ErrNotFound) {
		t.Error(err)
	}
	for _, req := range []solafon.SendMessageRequest{{ChatID: 1, Text: "nobody"}, {ChatID: 0, Text: "x"}} {
		if _, err := client.SendMessage(ctx, req); err == nil {
			t.Errorf("%+v was sent", req)
		}
	}
	old := p.Token()
	if fresh, err := client.RegenerateToken(ctx, bottest.AppID); err != nil || fresh.APIToken.Reveal() != p.Token() || p.Token() == old {
		t.Errorf("%v", err)
	}
	if _, err := client.GetMe(ctx); !errors.Is(err, solafon.ErrUnauthorized) {
		t.Errorf("with the old token: %v", err)
	}
}

// TestState ends a platform while an update waits, and goes on with it.
func TestState(t *testing.T) {
	t.Parallel()
	var state bottest.State
	first := bottest.NewPlatform(bottest.WithWatch(func(c bottest.Change) {
		switch {
		case c.Profile != nil:
			state.Profiles = append(state.Profiles, *c.Profile)
		case c.Message != nil && !c.Message.Done:
			state.Messages = append(state.Messages, *c.Message)
		case c.Settings != nil:
			state.Settings = *c.Settings
		}
	}))
	profile := first.AddUser("Ann", "en")
	m, err := first.Write(profile.ID, "hello")
	if err != nil {
		t.Fatal(err)
	}
	token := first.Token()
	first.Close()

	second := bottest.New(t, bottest.WithState(state))
	if second.Token() != token {
		t.Error("the token is another one")
	}
	batch, err := second.Client().GetUpdates(t.Context())
	if err != nil || len(batch) != 1 || batch[0].UpdateID != m.UpdateID || batch[0].From.Name != "Ann" {
		t.Errorf("%+v, %v", batch, err)
	}
	if next := second.User("Bob", "en"); next.ID <= m.ID {
		t.Errorf("the number %d is given again", next.ID)
	}
}

// failing is a test that notes how it failed.
type failing struct {
	testing.TB
	text string
}

func (f *failing) Fatalf(format string, args ...any) { f.text = fmt.Sprintf(format, args...) }
func (f *failing) Helper()                           {}

// TestTranscript shows a conversation when it is not as wanted.
func TestTranscript(t *testing.T) {
	t.Parallel()
	p := bottest.New(t)
	p.Run(newBot(p.Client()))
	u := p.User("Ann", "en")
	p.Deliver("?")
	u.Say("/menu")
	f := &failing{TB: t}
	u.WantReply(f, "Milk?")
	for _, want := range []string{`the bot wrote "Tea or coffee?" to Ann, and "Milk?" was wanted`, "\n  Ann: /menu\n", "  delivered ?: 400 ", "\n  bot to Ann: Tea or coffee? [Tea] [Coffee]\n"} {
		if !strings.Contains(f.text, want) {
			t.Errorf("%q is not in %s", want, f.text)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := u.Reply(ctx); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "the bot did not write to Ann") {
		t.Error(err)
	}
}
