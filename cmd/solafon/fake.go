package main

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/solafon/solafon-go/gen/platform"
	"github.com/solafon/solafon-go/gen/solafon"
)

// fakePlatform is a platform with one app, in memory: enough for the demo, and
// an example of what platform.Server is for.
type fakePlatform struct {
	appID      int64
	token, jwt string
	bots       *http.Client // reaches the bot's URL

	mu         sync.Mutex
	webhookURL string
	commands   []solafon.BotCommand
	managed    []solafon.AppCommand
	updates    []solafon.Update // that wait for GetUpdates
	sent       []sentMessage
	logs       []solafon.WebhookLog
	lastID     int64
}

// sentMessage is what a bot sent.
type sentMessage struct {
	ChatID int64
	Text   string
}

var _ platform.Server = (*fakePlatform)(nil)

// deliver sends an update to the bot, so many times, and logs each delivery.
// Without a webhook it waits for GetUpdates.
func (p *fakePlatform) deliver(ctx context.Context, u solafon.Update, form platform.WebhookForm, times int) error {
	p.mu.Lock()
	url := p.webhookURL
	if url == "" {
		p.updates = append(p.updates, u)
	}
	p.mu.Unlock()
	if url == "" {
		return nil
	}
	deliveries, err := p.sender(url, form).Send(ctx, u, times)
	for _, d := range deliveries {
		p.log(d)
	}
	return err
}

// deliverRaw sends a body as it is.
func (p *fakePlatform) deliverRaw(ctx context.Context, body string) {
	p.mu.Lock()
	url := p.webhookURL
	p.mu.Unlock()
	p.log(p.sender(url, platform.WebhookFlat).SendRaw(ctx, []byte(body)))
}

func (p *fakePlatform) sender(url string, form platform.WebhookForm) *platform.WebhookSender {
	return &platform.WebhookSender{URL: url, AppID: p.appID, AppToken: p.token, Form: form, HTTPClient: p.bots}
}

// log keeps the newest ten deliveries, as the platform does.
func (p *fakePlatform) log(d *platform.Delivery) {
	response := strings.TrimSpace(string(d.Response))
	if d.Err != nil {
		response = d.Err.Error()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lastID++
	entry := solafon.WebhookLog{
		ID: p.lastID, AppID: p.appID, URL: d.URL, Method: http.MethodPost, StatusCode: int32(d.Status),
		Request: string(d.Request), Response: response, Duration: d.Duration.Milliseconds(), CreatedAt: d.Start,
	}
	p.logs = slices.Insert(p.logs, 0, entry)
	p.logs = p.logs[:min(len(p.logs), 10)]
}

// answers are what the bot sent to a chat.
func (p *fakePlatform) answers(chatID int64) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var list []string
	for _, m := range p.sent {
		if m.ChatID == chatID {
			list = append(list, m.Text)
		}
	}
	return list
}

func (p *fakePlatform) AuthenticateBotToken(ctx context.Context, token string) (context.Context, error) {
	if token != p.token {
		return nil, &platform.Failure{Status: http.StatusUnauthorized, Description: "Unauthorized: invalid API token"}
	}
	return ctx, nil
}

func (p *fakePlatform) AuthenticateUserJWT(ctx context.Context, jwt string) (context.Context, error) {
	if jwt != p.jwt {
		return nil, &platform.Failure{Status: http.StatusUnauthorized, Description: "Invalid or expired token"}
	}
	return ctx, nil
}

func (p *fakePlatform) SetWebhook(_ context.Context, req solafon.SetWebhookRequest) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.webhookURL = req.URL
	return nil
}

func (p *fakePlatform) DeleteWebhook(context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.webhookURL = ""
	return nil
}

func (p *fakePlatform) GetWebhookInfo(context.Context) (*solafon.WebhookInfo, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return &solafon.WebhookInfo{URL: p.webhookURL, PendingUpdateCount: int64(len(p.updates))}, nil
}

func (p *fakePlatform) SendMessage(_ context.Context, req solafon.SendMessageRequest) (*solafon.Message, error) {
	if strings.TrimSpace(req.Text) == "" {
		return nil, &platform.Failure{Status: http.StatusBadRequest, Description: "Bad Request: text is required"}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lastID++
	p.sent = append(p.sent, sentMessage{ChatID: req.ChatID, Text: req.Text})
	chat := solafon.Chat{ID: req.ChatID, Type: solafon.ChatTypePrivate}
	return &solafon.Message{MessageID: p.lastID, Chat: chat, Date: time.Now().Unix(), Text: req.Text}, nil
}

func (p *fakePlatform) GetMe(context.Context) (*solafon.BotInfo, error) {
	return &solafon.BotInfo{ID: p.appID, IsBot: true, Title: "Demo", Username: "demo_bot"}, nil
}

func (p *fakePlatform) GetUpdates(context.Context) ([]solafon.Update, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := min(len(p.updates), 100)
	batch := p.updates[:n]
	p.updates = slices.Clone(p.updates[n:])
	return batch, nil
}

func (p *fakePlatform) SetMyCommands(_ context.Context, req solafon.SetMyCommandsRequest) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.commands = slices.Clone(req.Commands)
	for i := range p.commands {
		p.commands[i].Command = strings.TrimPrefix(p.commands[i].Command, "/")
	}
	return nil
}

func (p *fakePlatform) GetMyCommands(context.Context) ([]solafon.BotCommand, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.commands), nil
}

// app refuses an app that is not the platform's only one. The lock is held.
func (p *fakePlatform) app(id int64) error {
	if id != p.appID {
		return &platform.Failure{Status: http.StatusNotFound, Description: "App not found"}
	}
	return nil
}

func (p *fakePlatform) GetAppSettings(_ context.Context, appID int64) (*solafon.AppSettings, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.app(appID); err != nil {
		return nil, err
	}
	return &solafon.AppSettings{
		App:         solafon.App{ID: appID, Title: "Demo", WebhookURL: p.webhookURL, APIToken: solafon.NewSecret(p.token), ModerationStatus: solafon.ModerationStatusApproved},
		Commands:    slices.Clone(p.managed),
		WebhookLogs: slices.Clone(p.logs),
	}, nil
}

func (p *fakePlatform) RegenerateToken(_ context.Context, appID int64) (*solafon.RegeneratedToken, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.app(appID); err != nil {
		return nil, err
	}
	return nil, &platform.Failure{Status: http.StatusForbidden, Description: "The demo keeps its token"}
}

func (p *fakePlatform) ListAppCommands(_ context.Context, appID int64) ([]solafon.AppCommand, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.managed), p.app(appID)
}

func (p *fakePlatform) CreateAppCommand(_ context.Context, appID int64, req solafon.AppCommandRequest) (*solafon.AppCommand, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.app(appID); err != nil {
		return nil, err
	}
	p.lastID++
	command := solafon.AppCommand{ID: p.lastID, AppID: appID, CreatedAt: time.Now()}
	change(&command, req)
	p.managed = append(p.managed, command)
	return &command, nil
}

func change(c *solafon.AppCommand, req solafon.AppCommandRequest) {
	c.Command, c.Description, c.Response, c.UpdatedAt = req.Command, req.Description, req.Response, time.Now()
	c.IsEnabled = req.IsEnabled == nil || *req.IsEnabled
}

func (p *fakePlatform) UpdateAppCommand(_ context.Context, appID, commandID int64, req solafon.AppCommandRequest) (*solafon.AppCommand, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	i, err := p.managedCommand(appID, commandID)
	if err != nil {
		return nil, err
	}
	change(&p.managed[i], req)
	command := p.managed[i]
	return &command, nil
}

func (p *fakePlatform) DeleteAppCommand(_ context.Context, appID, commandID int64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	i, err := p.managedCommand(appID, commandID)
	if err == nil {
		p.managed = slices.Delete(p.managed, i, i+1)
	}
	return err
}

// managedCommand finds a command of the app. The lock is held.
func (p *fakePlatform) managedCommand(appID, commandID int64) (int, error) {
	if err := p.app(appID); err != nil {
		return 0, err
	}
	i := slices.IndexFunc(p.managed, func(c solafon.AppCommand) bool { return c.ID == commandID })
	if i < 0 {
		return 0, &platform.Failure{Status: http.StatusNotFound, Description: "Command not found"}
	}
	return i, nil
}
