// Package console is a page to use a local platform by: chats in the name of its
// users, the deliveries to the bot, and switches for what can go wrong.
//
// Pages are made here and kept up to date by server-sent events, whose data are
// pieces of HTML that htmx puts in their places. There is no inline script or style,
// and everything that users or bots wrote is text.
package console

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/solafon/solafon-go/bot/bottest"
	"github.com/solafon/solafon-go/gen/platform"
)

//go:embed static
var static embed.FS

//go:embed *.html
var pages embed.FS

// Console is the page and its actions.
type Console struct {
	// API is the base URL of the platform's API, as the page shows it.
	API string
	// Host is a name that the page can be reached by, beside localhost and addresses.
	Host string

	platform *bottest.Platform
	views    *template.Template
	events   *events

	mu      sync.Mutex
	changes []bottest.Change // that are not shown yet
	changed chan struct{}    // holds a token while there are some
	bot     Bot
	token   bool // the token was shown
}

// Bot is what is known of the bot.
type Bot struct {
	// State is a sentence of it, and Up whether it answers.
	State string
	Up    bool
	// Output is the newest of what a bot that is run here printed.
	Output []string
}

// New makes the console of a platform that Attach names.
func New() *Console {
	c := &Console{events: newEvents(), changed: make(chan struct{}, 1), bot: Bot{State: "no bot was named: set the webhook, or let it fetch updates"}}
	c.views = template.Must(template.New("").Funcs(template.FuncMap{
		"clock": func(t time.Time) string { return t.Local().Format("15:04:05") },
		"millis": func(d time.Duration) string {
			return strconv.FormatFloat(float64(d.Microseconds())/1000, 'f', 1, 64) + " ms"
		},
		"pretty": pretty, "curl": c.curl, "name": c.name, "vals": vals, "https": func(u string) bool { return strings.HasPrefix(u, "https://") },
	}).ParseFS(pages, "*.html"))
	return c
}

// Attach names the platform, which is told to call Changed.
func (c *Console) Attach(p *bottest.Platform) { c.platform = p }

// Changed takes notice of a change of the platform's, which Run shows.
func (c *Console) Changed(change bottest.Change) {
	c.mu.Lock()
	c.changes = append(c.changes, change)
	c.mu.Unlock()
	select {
	case c.changed <- struct{}{}:
	default:
	}
}

// Run shows changes to every page that is open until ctx ends.
func (c *Console) Run(ctx context.Context) {
	for {
		select {
		case <-c.changed:
		case <-ctx.Done():
			return
		}
		c.mu.Lock()
		changes := c.changes
		c.changes = nil
		c.mu.Unlock()
		for _, change := range changes {
			c.showChange(change)
		}
	}
}

// pretty is JSON with its members on lines of their own, and any other text as it
// is.
func pretty(text string) string {
	var b bytes.Buffer
	if json.Indent(&b, []byte(text), "", "  ") != nil {
		return text
	}
	return b.String()
}

// vals are the values of a form that sends a text.
func vals(text string) (string, error) {
	b, err := json.Marshal(map[string]string{"text": text})
	return string(b), err
}

// curl is a delivery as a command line.
func (c *Console) curl(d bottest.Delivery) string {
	quote := func(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
	return fmt.Sprintf("curl -X POST %s -H 'Content-Type: application/json' -H 'X-App-Id: %d' -H \"X-App-Token: $SOLAFON_TOKEN\" --data-raw %s", quote(d.URL), bottest.AppID, quote(d.Request))
}

// name is a user's.
func (c *Console) name(id int64) string {
	for _, p := range c.platform.Profiles() {
		if p.ID == id {
			return p.Name
		}
	}
	return ""
}

// Handler serves the page and its actions.
func (c *Console) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", c.page)
	mux.Handle("GET /static/", http.FileServerFS(static))
	mux.HandleFunc("GET /events", c.stream)
	mux.HandleFunc("GET /durations", c.durations)
	mux.HandleFunc("POST /users", c.addUser)
	mux.HandleFunc("POST /chats/{user}", c.write)
	mux.HandleFunc("POST /deliveries/{id}/replay", c.replay)
	mux.HandleFunc("POST /faults", c.setFaults)
	mux.HandleFunc("POST /webhook", c.setWebhook)
	mux.HandleFunc("POST /token", c.regenerate)
	return c.guarded(http.NewCrossOriginProtection().Handler(mux))
}

// policy is what the page may load: its own files, and the pictures that bots send.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' https:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// guarded refuses requests by names that are not the console's: a page elsewhere
// can have its name lead to this machine, and would be of the same origin then.
func (c *Console) guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
		host = strings.Trim(host, "[]")
		if _, err := netip.ParseAddr(host); err != nil && host != "localhost" && host != c.Host {
			http.Error(w, "the console is not reached by that name: use localhost or an address", http.StatusMisdirectedRequest)
			return
		}
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// chat is a user with what was said.
type chat struct {
	bottest.Profile
	Messages []bottest.Message
	Settings bottest.Settings
}

// view is everything that the page shows.
type view struct {
	API        string
	Last       string // the newest event that the page has in it
	Chats      []chat
	Deliveries []bottest.Delivery // newest first
	Settings   bottest.Settings
	Faults     faults
	Bot        Bot
	Token      string // only when it is shown
}

// faults are the faults as a form has them.
type faults struct {
	bottest.Faults
	Nested, Bare, Limited, Delayed bool
}

func formOf(f bottest.Faults) faults {
	return faults{f, f.Form == platform.WebhookNested, f.Form == platform.WebhookBare, f.Limit > 0, f.Slow > 0}
}

// maxRows is how many deliveries the page lists.
const maxRows = 100

func (c *Console) page(w http.ResponseWriter, _ *http.Request) {
	v := view{API: c.API, Last: c.events.last(), Settings: c.platform.Settings(), Faults: formOf(c.platform.Faults())}
	messages := c.platform.Messages()
	for _, p := range c.platform.Profiles() {
		one := chat{Profile: p, Settings: v.Settings}
		for _, m := range messages {
			if m.UserID == p.ID {
				one.Messages = append(one.Messages, m)
			}
		}
		v.Chats = append(v.Chats, one)
	}
	v.Deliveries = c.platform.Deliveries()
	slices.Reverse(v.Deliveries)
	v.Deliveries = v.Deliveries[:min(len(v.Deliveries), maxRows)]
	c.mu.Lock()
	v.Bot = c.bot
	if !c.token {
		v.Token, c.token = v.Settings.Token, true
	}
	c.mu.Unlock()
	c.answer(w, "page", v)
}

// answer renders a view whole, or fails.
func (c *Console) answer(w http.ResponseWriter, name string, data any) {
	text, err := c.render(name, data)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Write(text)
}

func (c *Console) render(name string, data any) ([]byte, error) {
	var b bytes.Buffer
	err := c.views.ExecuteTemplate(&b, name, data)
	return b.Bytes(), err
}

func (c *Console) showChange(change bottest.Change) {
	switch {
	case change.Profile != nil:
		c.show("new-chat", chat{Profile: *change.Profile, Settings: c.platform.Settings()})
	case change.Message != nil && (change.Message.FromBot || !change.Message.Done):
		c.show("new-message", *change.Message)
	case change.Message != nil:
		c.show("taken", *change.Message)
	case change.Delivery != nil:
		c.show("new-delivery", *change.Delivery)
	case change.Settings != nil:
		v := view{Settings: *change.Settings, Faults: formOf(c.platform.Faults())}
		for _, p := range c.platform.Profiles() {
			v.Chats = append(v.Chats, chat{Profile: p, Settings: v.Settings})
		}
		c.show("new-settings", v)
	}
}

// SetBot shows what is known of the bot.
func (c *Console) SetBot(state string, up bool) {
	c.mu.Lock()
	c.bot.State, c.bot.Up = state, up
	b := c.bot
	c.mu.Unlock()
	c.show("new-bot", b)
}

// maxOutput is how many lines of a bot's output the page shows.
const maxOutput = 200

// BotPrinted shows a line that the bot printed.
func (c *Console) BotPrinted(line string) {
	c.mu.Lock()
	c.bot.Output = append(c.bot.Output, line)
	if len(c.bot.Output) > maxOutput {
		c.bot.Output = c.bot.Output[len(c.bot.Output)-maxOutput:]
	}
	c.mu.Unlock()
	c.show("new-output", line)
}

func (c *Console) show(name string, data any) {
	text, err := c.render(name, data)
	if err != nil {
		panic(err) // a view that does not fit its data
	}
	c.events.send(text)
}

// stream sends what happens from where the page stands.
func (c *Console) stream(w http.ResponseWriter, r *http.Request) {
	since := r.Header.Get("Last-Event-ID")
	if since == "" {
		since = r.URL.Query().Get("since")
	}
	w.Header().Set("Content-Type", "text/event-stream")
	c.events.follow(r.Context(), w, since)
}

// durations are the deliveries as the plot has them: times, durations of those
// that were taken and of those that were not, in milliseconds.
func (c *Console) durations(w http.ResponseWriter, _ *http.Request) {
	times, taken, failed := []float64{}, []*float64{}, []*float64{}
	for _, d := range c.platform.Deliveries() {
		ms := float64(d.Duration.Microseconds()) / 1000
		times = append(times, float64(d.At.UnixMilli())/1000)
		if d.OK() {
			taken, failed = append(taken, &ms), append(failed, nil)
		} else {
			taken, failed = append(taken, nil), append(failed, &ms)
		}
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode([]any{times, taken, failed})
}

// done answers an action whose effects come as events.
func done(w http.ResponseWriter) { w.WriteHeader(http.StatusNoContent) }

// maxForm is how large a form may be, in bytes.
const maxForm = 1 << 20

// form reads a form, and answers where it cannot be read.
func form(w http.ResponseWriter, r *http.Request) (url.Values, bool) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "the form cannot be read: "+err.Error(), http.StatusBadRequest)
		return nil, false
	}
	return r.PostForm, true
}

func (c *Console) addUser(w http.ResponseWriter, r *http.Request) {
	f, ok := form(w, r)
	if !ok {
		return
	}
	name := strings.TrimSpace(f.Get("name"))
	if name == "" {
		http.Error(w, "a user has a name", http.StatusBadRequest)
		return
	}
	c.platform.AddUser(name, f.Get("language"))
	done(w)
}

func (c *Console) write(w http.ResponseWriter, r *http.Request) {
	f, ok := form(w, r)
	if !ok {
		return
	}
	text := f.Get("text")
	if strings.TrimSpace(text) == "" {
		http.Error(w, "a message is more than white space", http.StatusBadRequest)
		return
	}
	user, err := strconv.ParseInt(r.PathValue("user"), 10, 64)
	if err == nil {
		_, err = c.platform.Write(user, text)
	}
	if err != nil {
		http.Error(w, "there is no such chat", http.StatusNotFound)
		return
	}
	done(w)
}

func (c *Console) replay(w http.ResponseWriter, r *http.Request) {
	for _, d := range c.platform.Deliveries() {
		if strconv.FormatInt(d.ID, 10) != r.PathValue("id") {
			continue
		}
		if c.platform.Settings().WebhookURL == "" {
			http.Error(w, "no webhook is set", http.StatusConflict)
			return
		}
		go c.platform.Replay(context.WithoutCancel(r.Context()), d) // it can take 10 seconds, and is shown when it is over
		done(w)
		return
	}
	http.Error(w, "there is no such delivery", http.StatusNotFound)
}

// The values that the switches stand for.
const (
	slowBy    = 3 * time.Second
	limitedTo = 5
)

func (c *Console) setFaults(w http.ResponseWriter, r *http.Request) {
	v, ok := form(w, r)
	if !ok {
		return
	}
	var f bottest.Faults
	for name, set := range map[string]func(){
		"duplicate": func() { f.Duplicate = 3 }, "reorder": func() { f.Reorder = 2 }, "badjson": func() { f.BadJSON = true }, "paused": func() { f.Paused = true },
		"slow": func() { f.Slow = slowBy }, "drop": func() { f.DropAnswers = true }, "fail": func() { f.Status = http.StatusInternalServerError },
		"limit": func() { f.Limit = limitedTo },
	} {
		if v.Get(name) != "" {
			set()
		}
	}
	switch v.Get("form") {
	case "nested":
		f.Form = platform.WebhookNested
	case "bare":
		f.Form = platform.WebhookBare
	}
	c.platform.SetFaults(f)
	done(w)
}

func (c *Console) setWebhook(w http.ResponseWriter, r *http.Request) {
	f, ok := form(w, r)
	if !ok {
		return
	}
	text := strings.TrimSpace(f.Get("url"))
	if u, err := url.Parse(text); text != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		http.Error(w, "a webhook is written as http://host:port/path", http.StatusBadRequest)
		return
	}
	c.platform.SetWebhook(text)
	done(w)
}

func (c *Console) regenerate(w http.ResponseWriter, _ *http.Request) {
	c.answer(w, "token", view{Token: c.platform.RegenerateToken()})
}
