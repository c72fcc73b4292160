package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/solafon/solafon-go/gen/platform"
	"github.com/solafon/solafon-go/gen/solafon"
	"github.com/solafon/solafon-go/generator"
	"github.com/solafon/solafon-go/spec"
)

func demoCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "demo",
		Short: "Watch a bot receive webhooks and answer them, all on this machine",
		Args:  usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := context.WithTimeout(cmd.Context(), 30*time.Second)
			defer cancel()
			out := cmd.OutOrStdout()
			return (&demo{out: out, color: colored(out)}).run(ctx)
		},
	}
}

// colored tells whether what is written to w is read by a person at a terminal
// who did not ask for plain text.
func colored(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// demo is one run: it does what it says, and fails at the first thing that did
// not happen.
type demo struct {
	out   io.Writer
	color bool
}

const (
	demoApp   = 7
	demoToken = "5d3c1f0e9b8a77665544332211009f8e7d6c5b4a39281706f5e4d3c2b1a09f8e"
	demoJWT   = "demo.user.jwt"
)

func (d *demo) run(ctx context.Context) error {
	if err := d.bindings(); err != nil {
		return err
	}

	// The platform, on loopback.
	fake := &fakePlatform{appID: demoApp, token: demoToken, jwt: demoJWT}
	api := httptest.NewServer(http.StripPrefix("/api/v1", platform.NewHandler(fake)))
	defer api.Close()
	client, err := solafon.NewClient(demoToken, solafon.WithBaseURL(api.URL+"/api/v1"), solafon.WithUserJWT(demoJWT))
	if err != nil {
		return err
	}

	// The bot, on loopback too, by https as the platform asks, and in a process of
	// its own that keeps what it accepts in a folder.
	bot, err := newBotProcess(api.URL + "/api/v1")
	if err != nil {
		return err
	}
	defer os.RemoveAll(bot.dir)
	if err := bot.start(ctx); err != nil {
		return err
	}
	defer bot.kill()
	fake.bots = bot.client
	webhook := "https://" + bot.addr + "/webhook"
	if err := client.SetWebhook(ctx, solafon.SetWebhookRequest{URL: webhook}); err != nil {
		return err
	}
	me, err := client.GetMe(ctx)
	if err != nil {
		return err
	}
	d.say("%s is up, and its webhook is set to %s", me.Username, webhook)

	if err := d.conversations(ctx, fake); err != nil {
		return err
	}
	if err := d.accident(ctx, fake, bot); err != nil {
		return err
	}
	fake.deliverRaw(ctx, `{"update_id":104,"from":{"id":"456"}`)
	d.say("a malformed delivery was sent as well")
	if err := d.report(ctx, client); err != nil {
		return err
	}
	if err := bot.stop(); err != nil {
		return fmt.Errorf("the bot did not end as it should: %w", err)
	}
	return nil
}

// accident kills the bot between its 200 and its answer.
func (d *demo) accident(ctx context.Context, fake *fakePlatform, bot *botProcess) error {
	const number, user = 110, 1415
	update := solafon.Update{UpdateID: number, MessageID: number, From: solafon.User{ID: user, Name: "Ольга"}, Chat: solafon.Chat{ID: user}, Date: time.Now().Unix(), Text: "/slow"}
	if err := fake.deliver(ctx, update, platform.WebhookFlat, 1); err != nil {
		return err
	}
	begun := func() bool { _, err := os.Stat(filepath.Join(bot.dir, "begun")); return err == nil }
	if err := await(ctx, "the bot to begin", begun); err != nil {
		return err
	}
	bot.kill()
	if answers := fake.answers(user); len(answers) > 0 {
		return fmt.Errorf("the bot answered Ольга before it was killed: %q", answers)
	}
	if err := bot.start(ctx); err != nil {
		return err
	}
	if err := await(ctx, "the answer to Ольга", func() bool { return len(fake.answers(user)) > 0 }); err != nil {
		return err
	}
	d.say("the bot was killed after it accepted Ольга's %q and before it answered; started again, it answered %q", update.Text, fake.answers(user)[0])
	return nil
}

// say prints something that was seen to happen.
func (d *demo) say(format string, args ...any) {
	mark := "✓"
	if d.color {
		mark = "\x1b[32m✓\x1b[0m"
	}
	fmt.Fprintf(d.out, "%s %s\n", mark, fmt.Sprintf(format, args...))
}

// bindings generates the bindings in memory and compares them with those that
// the demo is built on, where their repository is at hand.
func (d *demo) bindings() error {
	start := time.Now()
	output, err := generator.Generate(generator.Config{Spec: spec.Document, Files: spec.Files, Tool: tool, ImportPrefix: ownModule + "/gen", Reference: "../docs/api.md"})
	if err != nil {
		return err
	}
	took := time.Since(start).Round(time.Millisecond)
	root, module, err := findModule(".")
	if err != nil || module != ownModule {
		d.say("made %d files of bindings from %s in %v", len(output.Names()), spec.Document, took)
		return nil
	}
	if err := showCheck(output, filepath.Join(root, "gen")); err != nil {
		return err
	}
	d.say("made %d files of bindings from %s in %v; they are the ones in gen/", len(output.Names()), spec.Document, took)
	return nil
}

// conversation is what one user writes and what the bot has to answer.
type conversation struct {
	user   solafon.User
	text   string
	form   platform.WebhookForm
	times  int
	answer string
}

func (d *demo) conversations(ctx context.Context, fake *fakePlatform) error {
	long := strings.Repeat("Съешь ещё этих мягких французских булок 🥐 ", 93)
	long = string([]rune(long)[:4000])
	list := []conversation{
		{solafon.User{ID: 456, Name: "John", Email: "user@example.com", Language: "en"}, "/start", platform.WebhookFlat, 2, "Welcome to my app!"},
		{solafon.User{ID: 789, Name: "Анна", Language: "ru"}, long, platform.WebhookFlat, 1, "You said: " + long},
		{solafon.User{ID: 1011, Name: "José", Language: "es"}, `¿1 < 2 && "sí"?`, platform.WebhookNested, 1, `You said: ¿1 < 2 && "sí"?`},
		{solafon.User{ID: 1213, Name: "山田", Language: "ja"}, "こんにちは", platform.WebhookFlat, 1, "You said: こんにちは"},
	}
	for i, c := range list {
		number := int64(100 + i)
		chat := solafon.Chat{ID: c.user.ID, Type: solafon.ChatTypePrivate}
		update := solafon.Update{UpdateID: number, MessageID: number, From: c.user, Chat: chat, Date: time.Now().Unix(), Text: c.text}
		if err := fake.deliver(ctx, update, c.form, c.times); err != nil {
			return err
		}
		if err := await(ctx, "the answer to "+c.user.Name, func() bool { return len(fake.answers(c.user.ID)) > 0 }); err != nil {
			return err
		}
		if got := fake.answers(c.user.ID); len(got) != 1 || got[0] != c.answer {
			return fmt.Errorf("%s was answered %d times, %s; once was wanted, with %s", c.user.Name, len(got), short(strings.Join(got, " | ")), short(c.answer))
		}
		how := ""
		if c.times > 1 {
			how = fmt.Sprintf(", delivered %d times and answered once", c.times)
		}
		if c.form == platform.WebhookNested {
			how += ", delivered nested"
		}
		d.say("%s wrote %s and was answered %s%s", c.user.Name, short(c.text), short(c.answer), how)
	}
	return nil
}

// newBotProcess settles where the bot keeps and hears things.
func newBotProcess(api string) (*botProcess, error) {
	dir, err := os.MkdirTemp("", "solafon-demo-*")
	if err != nil {
		return nil, err
	}
	addr, err := freeAddress()
	if err != nil {
		return nil, err
	}
	trusting := httptest.NewTLSServer(nil)
	defer trusting.Close()
	client := trusting.Client()
	client.Transport.(*http.Transport).DisableKeepAlives = true // the one it talks to will be killed
	return &botProcess{dir: dir, addr: addr, api: api, client: client}, nil
}

// short quotes a text, with its length instead of its end where it is long.
func short(text string) string {
	runes := []rune(text)
	if len(runes) <= 32 {
		return strconv.Quote(text)
	}
	return fmt.Sprintf("%q… (%d characters)", string(runes[:24]), len(runes))
}

// report asks the platform what it knows and checks it against what was done.
func (d *demo) report(ctx context.Context, client *solafon.Client) error {
	info, err := client.GetWebhookInfo(ctx)
	if err != nil {
		return err
	}
	settings, err := client.GetAppSettings(ctx, demoApp)
	if err != nil {
		return err
	}
	fmt.Fprintf(d.out, "\ngetWebhookInfo: url %s, %d pending\n\n", info.URL, info.PendingUpdateCount)
	if info.PendingUpdateCount != 0 {
		return fmt.Errorf("%d updates are pending, and none should be", info.PendingUpdateCount)
	}
	table := tabwriter.NewWriter(d.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "TIME\tSTATUS\tDURATION\tUPDATE\tANSWER")
	statuses := make(map[int32]int)
	for _, entry := range settings.WebhookLogs {
		statuses[entry.StatusCode]++
		id := "malformed"
		if u, err := solafon.DecodeUpdate([]byte(entry.Request)); err == nil {
			id = strconv.FormatInt(u.UpdateID, 10)
		}
		fmt.Fprintf(table, "%s\t%d\t%d ms\t%s\t%s\n", entry.CreatedAt.Format("15:04:05.000"), entry.StatusCode, entry.Duration, id, entry.Response)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if statuses[http.StatusOK] != 6 || statuses[http.StatusBadRequest] != 1 || len(settings.WebhookLogs) != 7 {
		return fmt.Errorf("the log has %v, and six answers of 200 and one of 400 were wanted", statuses)
	}
	fmt.Fprintln(d.out)
	d.say("six deliveries were answered 200, the malformed one 400")
	return nil
}
