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

	"github.com/solafon/solafon-go/bot/bottest"
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
	return terminal(w) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

// demo is one run: it does what it says, and fails at the first thing that did
// not happen.
type demo struct {
	out   io.Writer
	color bool
}

func (d *demo) run(ctx context.Context) error {
	if err := d.bindings(); err != nil {
		return err
	}

	// The bot, on loopback, by https as the platform asks, and in a process of its
	// own that keeps what it accepts in a folder.
	bot, err := newBotProcess()
	if err != nil {
		return err
	}
	defer os.RemoveAll(bot.dir)

	// The platform, on loopback too.
	local := bottest.NewPlatform(bottest.WithHTTPClient(bot.client))
	defer local.Close()
	api := httptest.NewServer(local.Handler())
	defer api.Close()
	bot.api, bot.token = api.URL+"/api/v1", local.Token()
	client, err := solafon.NewClient(local.Token(), solafon.WithBaseURL(bot.api), solafon.WithUserJWT(bottest.UserJWT))
	if err != nil {
		return err
	}
	if err := bot.start(ctx); err != nil {
		return err
	}
	defer bot.kill()
	webhook := "https://" + bot.addr + "/webhook"
	if err := client.SetWebhook(ctx, solafon.SetWebhookRequest{URL: webhook}); err != nil {
		return err
	}
	me, err := client.GetMe(ctx)
	if err != nil {
		return err
	}
	d.say("%s is up, and its webhook is set to %s", me.Username, webhook)

	if err := d.conversations(ctx, local); err != nil {
		return err
	}
	if err := d.accident(ctx, local, bot); err != nil {
		return err
	}
	local.Deliver(ctx, `{"update_id":104,"from":{"id":"456"}`)
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
func (d *demo) accident(ctx context.Context, local *bottest.Platform, bot *botProcess) error {
	user := local.AddUser("Ольга", "ru")
	local.SetFaults(bottest.Faults{})
	if _, err := local.Write(user.ID, "/slow"); err != nil {
		return err
	}
	begun := func() bool { _, err := os.Stat(filepath.Join(bot.dir, "begun")); return err == nil }
	if err := await(ctx, "the bot to begin", begun); err != nil {
		return err
	}
	bot.kill()
	if answers := answers(local, user.ID); len(answers) > 0 {
		return fmt.Errorf("the bot answered Ольга before it was killed: %q", answers)
	}
	if err := bot.start(ctx); err != nil {
		return err
	}
	if err := await(ctx, "the answer to Ольга", func() bool { return len(answers(local, user.ID)) > 0 }); err != nil {
		return err
	}
	d.say("the bot was killed after it accepted Ольга's %q and before it answered; started again, it answered %q", "/slow", answers(local, user.ID)[0])
	return nil
}

// answers are what the bot sent to a user.
func answers(local *bottest.Platform, userID int64) []string {
	var list []string
	for _, m := range local.Messages() {
		if m.FromBot && m.UserID == userID {
			list = append(list, m.Text)
		}
	}
	return list
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
	name, language, text string
	form                 platform.WebhookForm
	times                int
	answer               string
}

func (d *demo) conversations(ctx context.Context, local *bottest.Platform) error {
	long := strings.Repeat("Съешь ещё этих мягких французских булок 🥐 ", 93)
	long = string([]rune(long)[:4000])
	list := []conversation{
		{"John", "en", "/start", platform.WebhookFlat, 2, "Welcome to my app!"},
		{"Анна", "ru", long, platform.WebhookFlat, 1, "You said: " + long},
		{"José", "es", `¿1 < 2 && "sí"?`, platform.WebhookNested, 1, `You said: ¿1 < 2 && "sí"?`},
		{"山田", "ja", "こんにちは", platform.WebhookFlat, 1, "You said: こんにちは"},
	}
	for _, c := range list {
		local.SetFaults(bottest.Faults{Duplicate: c.times, Form: c.form})
		user := local.AddUser(c.name, c.language)
		before := len(local.Deliveries())
		if _, err := local.Write(user.ID, c.text); err != nil {
			return err
		}
		answered := func() bool { return len(answers(local, user.ID)) > 0 && len(local.Deliveries()) == before+c.times }
		if err := await(ctx, "the answer to "+c.name, answered); err != nil {
			return err
		}
		if got := answers(local, user.ID); len(got) != 1 || got[0] != c.answer {
			return fmt.Errorf("%s was answered %d times, %s; once was wanted, with %s", c.name, len(got), short(strings.Join(got, " | ")), short(c.answer))
		}
		how := ""
		if c.times > 1 {
			how = fmt.Sprintf(", delivered %d times and answered once", c.times)
		}
		if c.form == platform.WebhookNested {
			how += ", delivered nested"
		}
		d.say("%s wrote %s and was answered %s%s", c.name, short(c.text), short(c.answer), how)
	}
	return nil
}

// newBotProcess settles where the bot keeps and hears things.
func newBotProcess() (*botProcess, error) {
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
	return &botProcess{dir: dir, addr: addr, client: client}, nil
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
	settings, err := client.GetAppSettings(ctx, bottest.AppID)
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
