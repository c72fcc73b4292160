// Package bottest is a Solafon platform for the tests of a bot: its users write,
// its API takes what the bot answers, and what can go wrong between the two can be
// made to go wrong.
//
//	func TestStart(t *testing.T) {
//		p := bottest.New(t)
//		p.Run(newBot(p.Client()))
//		ann := p.User("Ann", "en")
//		ann.Say("/start")
//		ann.WantReply(t, "Welcome!")
//	}
//
// Everything waits for what happens and for no length of time, and a test that
// fails shows the whole conversation. Each platform stands alone, so that tests can
// run in parallel. Its updates, failures and limits are those that the platform's
// pages tell of; what it does after a delivery failed, when and how often it tries
// again, is not documented, and is this package's choice.
package bottest

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/solafon/solafon-go/gen/solafon"
)

// Test is a platform that ends with its test.
type Test struct {
	*Platform
	t   testing.TB
	url string
}

// New starts a platform that listens on loopback until the test ends.
func New(t testing.TB, opts ...Option) *Test {
	t.Helper()
	p := NewPlatform(opts...)
	api := httptest.NewServer(p.Handler())
	t.Cleanup(func() {
		p.Close()
		api.Close()
	})
	return &Test{Platform: p, t: t, url: api.URL + "/api/v1"}
}

// URL is the API's base URL, for a client that is made by other means than Client.
func (p *Test) URL() string { return p.url }

// Client makes a client of the API, with the app's token and its owner's JWT.
func (p *Test) Client(opts ...solafon.Option) *solafon.Client {
	p.t.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: 16}
	p.t.Cleanup(transport.CloseIdleConnections)
	client, err := solafon.NewClient(p.Token(), append([]solafon.Option{
		solafon.WithBaseURL(p.url), solafon.WithUserJWT(UserJWT), solafon.WithHTTPClient(&http.Client{Transport: transport}),
	}, opts...)...)
	if err != nil {
		p.t.Fatal(err)
	}
	return client
}

// Bot is a bot as this package sees it: a *bot.Bot is one.
type Bot interface {
	WebhookHandler() http.Handler
	Work(ctx context.Context) error
}

// Run runs a bot until the test ends, and sets the webhook to it.
func (p *Test) Run(b Bot) {
	p.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	worked := make(chan error, 1)
	go func() { worked <- b.Work(ctx) }()
	p.Serve(b.WebhookHandler())
	p.t.Cleanup(func() {
		cancel()
		if err := <-worked; err != nil {
			p.t.Errorf("the bot ended with: %v", err)
		}
	})
}

// Serve sets the webhook to a handler until the test ends: for bots that are made
// without package bot.
func (p *Test) Serve(webhook http.Handler) {
	p.t.Helper()
	server := httptest.NewServer(webhook)
	p.t.Cleanup(func() {
		p.SetWebhook("")
		server.Close()
	})
	p.SetWebhook(server.URL + "/webhook")
}

// Deliver delivers a body as it is, whether it is an update or not, and returns
// what came of it.
func (p *Test) Deliver(body string) Delivery {
	p.t.Helper()
	if p.Settings().WebhookURL == "" {
		p.t.Fatal("there is no webhook to deliver to: call Run or Serve before")
	}
	return p.Platform.Deliver(p.t.Context(), body)
}
