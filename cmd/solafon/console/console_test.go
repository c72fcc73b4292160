package console_test

import (
	"context"
	_ "embed"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/solafon/solafon-go/bot"
	"github.com/solafon/solafon-go/bot/bottest"
	"github.com/solafon/solafon-go/cmd/solafon/console"
	"github.com/solafon/solafon-go/gen/solafon"
)

var update = flag.Bool("update", false, "write the screenshots in docs")

//go:embed testdata/axe/axe.min.js
var axe string

// local is a platform with its console and a bot.
type local struct {
	platform *bottest.Platform
	console  *console.Console
	url      string
}

func start(t *testing.T) *local {
	t.Helper()
	page := console.New()
	p := bottest.NewPlatform(bottest.WithWatch(page.Changed))
	page.Attach(p)
	ctx, cancel := context.WithCancel(t.Context())
	var work sync.WaitGroup
	work.Go(func() { page.Run(ctx) })
	mux := http.NewServeMux()
	mux.Handle("/api/v1/", p.Handler())
	mux.Handle("/", page.Handler())
	server := httptest.NewServer(mux)
	page.API = server.URL + "/api/v1"
	client, err := solafon.NewClient(p.Token(), solafon.WithBaseURL(page.API))
	if err != nil {
		t.Fatal(err)
	}
	b := newBot(client)
	work.Go(func() {
		if err := b.Work(ctx); err != nil {
			t.Error(err)
		}
	})
	webhook := httptest.NewServer(b.WebhookHandler())
	p.SetWebhook(webhook.URL + "/webhook")
	page.SetBot("the bot answers at "+webhook.URL+"/webhook", true)
	p.AddUser("Ann", "en")
	p.AddUser("Анна", "ru")
	if err := client.SetMyCommands(t.Context(), solafon.SetMyCommandsRequest{Commands: []solafon.BotCommand{{Command: "menu", Description: "What there is"}}}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Close()
		cancel()
		work.Wait()
		server.CloseClientConnections()
		server.Close()
		webhook.Close()
	})
	return &local{p, page, server.URL}
}

func newBot(client *solafon.Client) *bot.Bot {
	b := bot.New(client, bot.WithLogger(slog.New(slog.DiscardHandler)))
	b.Command("menu", func(ctx context.Context, m *bot.Message) error {
		return m.ReplyButtons(ctx, "Tea or coffee?", solafon.Button{Text: "Tea", Action: "/brew tea"}, solafon.Button{Text: "Coffee", Action: "/brew coffee"})
	})
	b.Command("brew", func(ctx context.Context, m *bot.Message) error { return m.Reply(ctx, "One "+m.Args+", please wait") })
	b.Text(func(ctx context.Context, m *bot.Message) error { return m.Reply(ctx, "You said: "+m.Text) })
	return b
}

// browser opens a page, and fails the test where the page complains in the end.
func browser(t *testing.T, url string) context.Context {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("no chromium: apt-get install chromium")
		}
		t.Skip("no chromium: apt-get install chromium")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.WindowSize(1280, 1000))
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	var mu sync.Mutex
	var complaints []string
	complain := func(text string) {
		mu.Lock()
		defer mu.Unlock()
		complaints = append(complaints, text)
	}
	if err := chromedp.Listen(ctx, func(event any) {
		switch e := event.(type) {
		case *log.EventEntryAdded:
			if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
				complain(e.Entry.Text + " " + e.Entry.URL)
			}
		case *runtime.EventExceptionThrown:
			text := e.ExceptionDetails.Text
			if e.ExceptionDetails.Exception != nil {
				text += ": " + e.ExceptionDetails.Exception.Description
			}
			complain(text)
		case *runtime.EventConsoleAPICalled:
			if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
				complain(fmt.Sprintf("%s %s", e.Type, e.Args[0].Value))
			}
		}
	}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		mu.Lock()
		defer mu.Unlock()
		if len(complaints) > 0 {
			t.Errorf("the page complains: %q", complaints)
		}
	})
	do(t, ctx, call(log.Enable, cdp.Empty{}), chromedp.Navigate(url), chromedp.WaitVisible("#chats .chat"))
	return ctx
}

// call is a command of the browser's protocol that returns nothing.
func call[P any](command cdp.Command[P, cdp.Empty], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, command, params)
		return err
	})
}

// do takes steps, each within a minute.
func do(t *testing.T, ctx context.Context, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	for i, step := range steps {
		within, cancel := context.WithTimeout(ctx, time.Minute)
		err := chromedp.Do(within, step)
		cancel()
		if err != nil {
			text, _ := chromedp.Run(ctx, chromedp.Text("body"))
			t.Fatalf("step %d: %v\n%s", i+1, err, text)
		}
	}
}

// await waits until an expression is true in the page.
func await(expression string) chromedp.Action[chromedp.Void] {
	return func(ctx context.Context, target *chromedp.Target) (none chromedp.Void, err error) {
		_, err = chromedp.Poll[bool](expression, chromedp.WithPollingTimeout(30*time.Second))(ctx, target)
		if err != nil {
			err = fmt.Errorf("%s: %w", expression, err)
		}
		return none, err
	}
}

// shows waits for a text in an element.
func shows(selector, text string) chromedp.Action[chromedp.Void] {
	return await(fmt.Sprintf("[...document.querySelectorAll(%q)].some(e => e.innerText.includes(%q))", selector, text))
}

// counts waits until there are so many elements.
func counts(selector string, n int) chromedp.Action[chromedp.Void] {
	return await(fmt.Sprintf("document.querySelectorAll(%q).length === %d", selector, n))
}

// TestConsole uses the page as a person would, by keyboard where that can be.
func TestConsole(t *testing.T) {
	l := start(t)
	ctx := browser(t, l.url)
	profiles := l.platform.Profiles()
	ann, anna := fmt.Sprintf("#chat-%d", profiles[0].ID), fmt.Sprintf("#chat-%d", profiles[1].ID)

	// Two users write, one presses a button and is answered.
	do(t, ctx,
		shows("#bot", "the bot answers at"),
		chromedp.SendKeys(ann+" input", "/menu"+kb.Enter), shows(ann+" .bot", "Tea or coffee?"),
		chromedp.Focus(ann+" .bot button:nth-of-type(2)"), chromedp.KeyEvent(kb.Enter), shows(ann+" .bot", "One coffee, please wait"),
		await(fmt.Sprintf("document.querySelector('%s input').value === ''", ann)),
		chromedp.SendKeys(anna+" input", "Съешь ещё этих мягких булок 🥐"+kb.Enter), shows(anna+" .bot", "You said: Съешь ещё этих мягких булок 🥐"),
		chromedp.Click(anna+" .menu button"), shows(anna+" .bot", "Tea or coffee?"),
		counts("#deliveries tr", 4), counts("#deliveries tr.ok", 4), counts(".user span[title='the bot has it']", 4),
	)

	// A name and a text that are markup are text.
	const markup = `<script>alert(1)</script><img src=x onerror=alert(2)>`
	do(t, ctx,
		chromedp.SendKeys("input[name=name]", markup+kb.Enter), counts(".chat", 3), shows(".chat:nth-of-type(3) h3", "<script>alert(1)</script>"),
		chromedp.SendKeys(".chat:nth-of-type(3) form input", markup+kb.Enter), shows(".chat:nth-of-type(3) .bot", "You said: "+markup),
		counts("#deliveries tr", 5), counts(".chat script, .chat img", 0),
	)

	// A fault is switched on, seen, and switched off.
	do(t, ctx,
		chromedp.Click("input[name=duplicate]"), await("document.querySelector('input[name=duplicate]').checked"),
	)
	waitFor(t, func() bool { return l.platform.Faults().Duplicate == 3 })
	do(t, ctx,
		chromedp.SendKeys(ann+" form input", "once"+kb.Enter), shows(ann+" .bot", "You said: once"), counts("#deliveries tr", 8),
		chromedp.Click("input[name=duplicate]"),
	)
	waitFor(t, func() bool { return l.platform.Faults().Duplicate == 0 })

	// A delivery is looked at and replayed; the plot shows them all.
	do(t, ctx,
		chromedp.Click("#deliveries tr:first-child summary"), shows("#deliveries tr:first-child pre", `"text": "once"`), shows("#deliveries tr:first-child pre", "curl -X POST"),
		chromedp.Click("#deliveries tr:first-child button[hx-post]"), counts("#deliveries tr", 9),
		chromedp.WaitVisible("#plot canvas"), await("document.querySelector('#plot .u-legend').innerText.includes('taken')"),
	)

	// A bot that fails and one that is gone.
	l.platform.SetWebhook(refusing(t))
	do(t, ctx, chromedp.SendKeys(ann+" form input", "to nobody"+kb.Enter), counts("#deliveries tr.failed", 1), shows("#deliveries tr.failed", "418"), counts(".user span[title='the bot refused it']", 1))
	l.console.SetBot("the bot ended", false)
	l.console.BotPrinted("panic: <b>oh</b>")
	do(t, ctx, shows("#bot", "the bot ended"), shows("#output", "panic: <b>oh</b>"))

	accessible(t, ctx, "light")
	shot(t, ctx, "console.png")
	do(t, ctx, call(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}}}))
	accessible(t, ctx, "dark")
	shot(t, ctx, "console-dark.png")
	do(t, ctx, chromedp.EmulateViewport(360, 740))
	accessible(t, ctx, "narrow")
	do(t, ctx, await("document.documentElement.scrollWidth <= 360"))
	shot(t, ctx, "console-narrow.png")

	// The page that is loaded again shows the same, and the token not again.
	do(t, ctx, chromedp.Reload(), counts("#deliveries tr", 10), shows("#token", "The token was shown already."), shows(ann+" .bot", "One coffee, please wait"))
}

// waitFor polls for what a page brings about.
func waitFor(t *testing.T, condition func() bool) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !condition() {
		if time.Now().After(deadline) {
			t.Fatal("it did not happen")
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// refusing is the URL of a bot that takes nothing.
func refusing(t *testing.T) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	t.Cleanup(server.Close)
	return server.URL
}

// accessible runs axe-core in the page: it may find nothing serious.
func accessible(t *testing.T, ctx context.Context, how string) {
	t.Helper()
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[int](axe+";0")); err != nil {
		t.Fatal(err)
	}
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`axe.run(document, {resultTypes: ["violations"]}).then(r => JSON.stringify(
		r.violations.map(v => ({id: v.id, impact: v.impact, help: v.help, nodes: v.nodes.map(n => n.html)}))))`, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatal(err)
	}
	var violations []struct {
		ID, Impact, Help string
		Nodes            []string
	}
	if err := json.Unmarshal([]byte(text), &violations); err != nil {
		t.Fatal(err)
	}
	for _, v := range violations {
		if v.Impact == "serious" || v.Impact == "critical" {
			t.Errorf("%s, %s: %s: %s\n%s", how, v.Impact, v.ID, v.Help, strings.Join(v.Nodes, "\n"))
		} else {
			t.Logf("%s, %s: %s: %s\n%s", how, v.Impact, v.ID, v.Help, strings.Join(v.Nodes, "\n"))
		}
	}
}

// shot keeps a picture of the page, in docs where that is asked for.
func shot(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	dir := t.ArtifactDir()
	if *update {
		dir = "../../../docs"
	}
	picture, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), picture, 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestConsoleRequests makes requests that the page would not.
func TestConsoleRequests(t *testing.T) {
	l := start(t)
	user := l.platform.Profiles()[0].ID
	for name, test := range map[string]struct {
		method, path, body string
		header             http.Header
		host               string
		status             int
		want               string
	}{
		"a name that leads here":  {method: "GET", path: "/", host: "evil.example", status: 421, want: "not reached by that name"},
		"localhost":               {method: "GET", path: "/", host: "localhost:8080", status: 200, want: "<!doctype html>"},
		"another origin":          {method: "POST", path: fmt.Sprintf("/chats/%d", user), body: "text=hi", header: http.Header{"Origin": {"http://evil.example"}}, status: 403},
		"another site":            {method: "POST", path: "/token", header: http.Header{"Sec-Fetch-Site": {"cross-site"}}, status: 403},
		"nobody":                  {method: "POST", path: "/chats/9", body: "text=hi", status: 404, want: "there is no such chat"},
		"no number":               {method: "POST", path: "/chats/x", body: "text=hi", status: 404, want: "there is no such chat"},
		"nothing said":            {method: "POST", path: fmt.Sprintf("/chats/%d", user), body: "text=+", status: 400, want: "more than white space"},
		"no name":                 {method: "POST", path: "/users", body: "name=", status: 400, want: "a user has a name"},
		"too much":                {method: "POST", path: "/users", body: "name=" + strings.Repeat("x", 2<<20), status: 400, want: "the form cannot be read"},
		"no such delivery":        {method: "POST", path: "/deliveries/9/replay", status: 404, want: "no such delivery"},
		"no webhook":              {method: "POST", path: "/webhook", body: "url=javascript:alert(1)", status: 400, want: "http://host:port/path"},
		"no page":                 {method: "GET", path: "/elsewhere", status: 404},
		"events of another run":   {method: "GET", path: "/events?since=x-1", status: 200, want: "event: anew"},
		"events that are no more": {method: "GET", path: "/events?since=", status: 200, want: "event: anew"},
	} {
		t.Run(name, func(t *testing.T) {
			req, err := http.NewRequest(test.method, l.url+test.path, strings.NewReader(test.body))
			if err != nil {
				t.Fatal(err)
			}
			req.Host = test.host
			for key, values := range test.header {
				req.Header[key] = values
			}
			if test.method == "POST" {
				req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			}
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			if err != nil || resp.StatusCode != test.status || !strings.Contains(string(body), test.want) {
				t.Errorf("%v, %s: %.200s", err, resp.Status, body)
			}
			if test.host != "evil.example" && !strings.Contains(resp.Header.Get("Content-Security-Policy"), "script-src 'self'") {
				t.Error("there is no policy")
			}
		})
	}
}

// TestConsoleImages shows a bot's picture, and no address that is not https.
func TestConsoleImages(t *testing.T) {
	l := start(t)
	user := l.platform.Profiles()[0].ID
	for _, image := range []string{"https://example.com/cake.png", "javascript:alert(1)"} {
		body := fmt.Sprintf(`{"chat_id":%d,"text":"a cake","message_type":"image","metadata":%q}`, user, fmt.Sprintf(`{"image_url":%q}`, image))
		req, err := http.NewRequest("POST", l.url+"/api/v1/bot/sendMessage", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+l.platform.Token())
		req.Header.Set("Content-Type", "application/json")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s", image, resp.Status)
		}
	}
	resp, err := http.Get(l.url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	page, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`<img src="https://example.com/cake.png" alt="Picture of the bot's"`, "A picture that is not at an https address: javascript:alert(1)"} {
		if !strings.Contains(string(page), want) {
			t.Errorf("%s is not in %s", want, page)
		}
	}
	if n := strings.Count(string(page), "<img"); n != 1 {
		t.Errorf("%d pictures are shown", n)
	}
}
