package bottest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/solafon/solafon-go/gen/platform"
	"github.com/solafon/solafon-go/gen/solafon"
)

// Platform is a Solafon platform with one app, in this process. It answers the
// whole API and delivers what its users write, as the real one does: to the
// webhook, each chat's updates in order and again after an answer of 5xx or none,
// or to getUpdates while no webhook is set. All its methods are safe for many
// goroutines at once.
type Platform struct {
	config config
	api    http.Handler
	ctx    context.Context // ends with the platform
	stop   context.CancelFunc
	lines  sync.WaitGroup // of updates that are being delivered

	mu         sync.Mutex
	changed    chan struct{} // is closed and made anew when anything changes
	settings   Settings
	faults     Faults
	profiles   []Profile
	messages   []Message
	deliveries []Delivery
	calls      []Call
	managed    []solafon.AppCommand
	queues     map[int64][]solafon.Update // for the webhook, by chat; a chat that has one is being delivered
	held       []solafon.Update           // until there are enough to reorder
	waiting    []solafon.Update           // for getUpdates
	lastID     int64
	window     []time.Time // of the API's calls of the last minute, while they are limited
}

// Settings is what the app is set to.
type Settings struct {
	WebhookURL string
	Token      string
	Commands   []solafon.BotCommand // of the bot's menu
}

// Profile is who a user is.
type Profile struct {
	ID       int64
	Name     string
	Language string
	Email    string
}

// Message is something that was said in the chat of a user and the bot.
type Message struct {
	ID      int64
	UserID  int64
	FromBot bool
	Text    string
	// Type, Buttons and ImageURL are of messages that the bot sent.
	Type     solafon.MessageType
	Buttons  []solafon.Button
	ImageURL string
	At       time.Time
	// UpdateID is the update of a message that a user wrote. Done is that it is not
	// delivered any more: the webhook took it, or getUpdates fetched it, or, with
	// Refused, the webhook answered neither 2xx nor 5xx.
	UpdateID      int64
	Done, Refused bool
}

// Delivery is one attempt to deliver an update, or a body that Deliver was given.
type Delivery struct {
	ID int64
	// UpdateID and UserID are 0 for a body that Deliver was given.
	UpdateID, UserID int64
	Attempt          int
	URL              string
	// Status is the answer's; 0 when none came within 10 seconds.
	Status   int
	Duration time.Duration
	Request  string
	// Response is the start of the answer's body, or why there is none.
	Response string
	At       time.Time
}

// OK reports whether the bot took it.
func (d Delivery) OK() bool { return d.Status/100 == 2 }

// Call is a call of the API that a bot made.
type Call struct {
	Path   string
	Status int // 0 where the answer was dropped
	At     time.Time
}

// Change is what Watch is told of: one of its fields is set.
type Change struct {
	Profile  *Profile
	Message  *Message // new, or Done by now
	Delivery *Delivery
	Settings *Settings
}

// State is what a platform holds, to go on with it later.
type State struct {
	Settings   Settings
	Profiles   []Profile
	Messages   []Message
	Deliveries []Delivery
}

// The numbers of the platform's only app and the JWT of its owner.
const (
	AppID   = 7
	UserJWT = "bottest.user.jwt"
)

// maxKept is how many deliveries and calls a platform remembers.
const maxKept = 1000

// Option changes how a platform is made.
type Option func(*config)

type config struct {
	client *http.Client
	wait   time.Duration
	within time.Duration
	state  State
	watch  func(Change)
}

// WithHTTPClient delivers through a client of the caller's: one that trusts the
// bot's certificate, for instance.
func WithHTTPClient(c *http.Client) Option { return func(f *config) { f.client = c } }

// WithRedelivery waits so long at first before it delivers an update again that
// was not answered, or with 5xx, and twice as long each time, up to 16 times. It
// is 20 milliseconds without it.
func WithRedelivery(d time.Duration) Option { return func(f *config) { f.wait = d } }

// WithTimeout waits so long for a bot's answer instead of the platform's 10
// seconds.
func WithTimeout(d time.Duration) Option { return func(f *config) { f.within = d } }

// WithState goes on with what another platform held.
func WithState(s State) Option { return func(f *config) { f.state = s } }

// WithWatch tells watch of every change, in order. It must not call the platform.
func WithWatch(watch func(Change)) Option { return func(f *config) { f.watch = watch } }

// NewPlatform makes a platform that listens nowhere: serve its Handler. Close ends
// it. Tests use New.
func NewPlatform(opts ...Option) *Platform {
	c := config{wait: 20 * time.Millisecond, within: platform.WebhookTimeout, watch: func(Change) {}}
	for _, opt := range opts {
		opt(&c)
	}
	if c.client == nil {
		c.client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16, IdleConnTimeout: time.Minute}}
	}
	p := &Platform{config: c, changed: make(chan struct{}), queues: make(map[int64][]solafon.Update), lastID: 100}
	p.ctx, p.stop = context.WithCancel(context.Background())
	p.api = http.StripPrefix("/api/v1", p.faulty(platform.NewHandler((*server)(p))))
	p.restore(c.state)
	return p
}

// restore takes a state over: what no bot has yet is delivered.
func (p *Platform) restore(s State) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.settings, p.profiles, p.messages, p.deliveries = s.Settings, slices.Clone(s.Profiles), slices.Clone(s.Messages), slices.Clone(s.Deliveries)
	if p.settings.Token == "" {
		p.settings.Token = newToken()
		p.tell(Change{Settings: p.copySettings()})
	}
	for _, profile := range p.profiles {
		p.lastID = max(p.lastID, profile.ID)
	}
	for _, d := range p.deliveries {
		p.lastID = max(p.lastID, d.ID)
	}
	for _, m := range p.messages {
		p.lastID = max(p.lastID, m.ID, m.UpdateID)
	}
	for _, m := range p.messages {
		if profile, ok := p.profile(m.UserID); ok && !m.FromBot && !m.Done {
			p.dispatch(newUpdate(profile, m))
		}
	}
}

// newToken is a token in the platform's form.
func newToken() string {
	var random [32]byte
	rand.Read(random[:])
	return hex.EncodeToString(random[:])
}

// Handler serves the API below /api/v1, as the platform does.
func (p *Platform) Handler() http.Handler { return p.api }

// Close ends what is being delivered.
func (p *Platform) Close() {
	p.mu.Lock()
	p.stop()
	p.mu.Unlock()
	p.lines.Wait()
	p.config.client.CloseIdleConnections()
}

// Settings is what the app is set to now.
func (p *Platform) Settings() Settings {
	p.mu.Lock()
	defer p.mu.Unlock()
	return *p.copySettings()
}

func (p *Platform) copySettings() *Settings {
	s := p.settings
	s.Commands = slices.Clone(s.Commands)
	return &s
}

// Token is the app's API token.
func (p *Platform) Token() string { return p.Settings().Token }

// RegenerateToken gives the app a new token; the old one is refused at once.
func (p *Platform) RegenerateToken() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.settings.Token = newToken()
	p.tell(Change{Settings: p.copySettings()})
	return p.settings.Token
}

// SetWebhook delivers to a URL from now on, and what waits first. An empty URL
// leaves updates to getUpdates.
func (p *Platform) SetWebhook(url string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.settings.WebhookURL = url
	p.tell(Change{Settings: p.copySettings()})
	p.release()
}

// release dispatches what waits, where it can go on now. The lock is held.
func (p *Platform) release() {
	if !p.delivers() {
		return
	}
	waiting := p.waiting
	p.waiting = nil
	for _, u := range waiting {
		p.dispatch(u)
	}
}

// delivers tells whether updates go to the webhook. The lock is held.
func (p *Platform) delivers() bool {
	return p.settings.WebhookURL != "" && !p.faults.Paused && p.ctx.Err() == nil
}

// Profiles lists the users, oldest first.
func (p *Platform) Profiles() []Profile { return list(p, &p.profiles) }

// Messages lists what was said, oldest first.
func (p *Platform) Messages() []Message { return list(p, &p.messages) }

// Deliveries lists the newest thousand attempts, oldest first.
func (p *Platform) Deliveries() []Delivery { return list(p, &p.deliveries) }

// Calls lists the newest thousand calls that bots made, oldest first.
func (p *Platform) Calls() []Call { return list(p, &p.calls) }

func list[T any](p *Platform, of *[]T) []T {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(*of)
}

// AddUser makes a user, in whose name Write can be called.
func (p *Platform) AddUser(name, language string) Profile {
	p.mu.Lock()
	defer p.mu.Unlock()
	id := p.nextID()
	profile := Profile{ID: id, Name: name, Language: language, Email: fmt.Sprintf("user%d@example.com", id)}
	p.profiles = append(p.profiles, profile)
	p.tell(Change{Profile: &profile})
	return profile
}

// profile finds a user. The lock is held.
func (p *Platform) profile(id int64) (Profile, bool) {
	i := slices.IndexFunc(p.profiles, func(profile Profile) bool { return profile.ID == id })
	if i < 0 {
		return Profile{}, false
	}
	return p.profiles[i], true
}

// Write has a user write to the bot, and returns the message.
func (p *Platform) Write(userID int64, text string) (Message, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	profile, ok := p.profile(userID)
	if !ok {
		return Message{}, fmt.Errorf("there is no user %d", userID)
	}
	m := Message{ID: p.nextID(), UserID: userID, Text: text, At: time.Now()}
	m.UpdateID = m.ID // as the platform has it
	p.messages = append(p.messages, m)
	p.tell(Change{Message: &m})
	p.dispatch(newUpdate(profile, m))
	return m, nil
}

func newUpdate(profile Profile, m Message) solafon.Update {
	return solafon.Update{
		UpdateID: m.UpdateID, MessageID: m.ID, Date: m.At.Unix(), Text: m.Text,
		From: solafon.User{ID: profile.ID, Name: profile.Name, Language: profile.Language, Email: profile.Email},
		Chat: solafon.Chat{ID: profile.ID, Type: solafon.ChatTypePrivate},
	}
}

func (p *Platform) nextID() int64 {
	p.lastID++
	return p.lastID
}

// tell says that something changed. The lock is held.
func (p *Platform) tell(c Change) {
	p.config.watch(c)
	close(p.changed)
	p.changed = make(chan struct{})
}

// await waits until there returns true, which is called with the lock held.
func (p *Platform) await(ctx context.Context, there func() bool) error {
	for {
		p.mu.Lock()
		ok, changed := there(), p.changed
		p.mu.Unlock()
		if ok {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// kept appends to a list that keeps no more than the newest.
func kept[T any](list []T, one T) []T {
	list = append(list, one)
	if len(list) > maxKept {
		list = slices.Clone(list[len(list)-maxKept:])
	}
	return list
}
