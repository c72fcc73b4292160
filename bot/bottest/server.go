package bottest

import (
	"context"
	"crypto/subtle"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/solafon/solafon-go/gen/platform"
	"github.com/solafon/solafon-go/gen/solafon"
)

// server is a Platform as the API sees it.
type server Platform

var _ platform.Server = (*server)(nil)

func (s *server) AuthenticateBotToken(ctx context.Context, token string) (context.Context, error) {
	if subtle.ConstantTimeCompare([]byte(token), []byte((*Platform)(s).Token())) != 1 {
		return nil, &platform.Failure{Status: http.StatusUnauthorized, Description: "Unauthorized: invalid API token"}
	}
	return ctx, nil
}

func (s *server) AuthenticateUserJWT(ctx context.Context, jwt string) (context.Context, error) {
	switch jwt {
	case UserJWT:
		return ctx, nil
	case "":
		return nil, &platform.Failure{Status: http.StatusUnauthorized, Description: "Missing authorization header"}
	}
	return nil, &platform.Failure{Status: http.StatusUnauthorized, Description: "Invalid or expired token"}
}

func (s *server) SetWebhook(_ context.Context, req solafon.SetWebhookRequest) error {
	(*Platform)(s).SetWebhook(req.URL)
	return nil
}

func (s *server) DeleteWebhook(context.Context) error {
	(*Platform)(s).SetWebhook("")
	return nil
}

func (s *server) GetWebhookInfo(context.Context) (*solafon.WebhookInfo, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	pending := len(s.waiting) + len(s.held)
	for _, queue := range s.queues {
		pending += len(queue)
	}
	return &solafon.WebhookInfo{URL: s.settings.WebhookURL, PendingUpdateCount: int64(pending)}, nil
}

func (s *server) SendMessage(_ context.Context, req solafon.SendMessageRequest) (*solafon.Message, error) {
	p := (*Platform)(s)
	s.mu.Lock()
	defer s.mu.Unlock()
	_, known := p.profile(req.ChatID)
	switch {
	case req.ChatID == 0:
		return nil, badRequest("chat_id is required")
	case strings.TrimSpace(req.Text) == "":
		return nil, badRequest("text is required")
	case !known:
		return nil, badRequest("chat not found")
	}
	m := Message{ID: p.nextID(), UserID: req.ChatID, FromBot: true, Text: req.Text, Type: req.MessageType, At: time.Now(), Done: true}
	if req.Metadata != nil {
		m.Buttons, m.ImageURL = req.Metadata.Buttons, req.Metadata.ImageURL
	}
	s.messages = append(s.messages, m)
	p.tell(Change{Message: &m})
	return &solafon.Message{MessageID: m.ID, Chat: solafon.Chat{ID: req.ChatID, Type: solafon.ChatTypePrivate}, Date: m.At.Unix(), Text: req.Text}, nil
}

func badRequest(why string) error {
	return &platform.Failure{Status: http.StatusBadRequest, Description: "Bad Request: " + why}
}

func (s *server) GetMe(context.Context) (*solafon.BotInfo, error) {
	return &solafon.BotInfo{ID: AppID, IsBot: true, Title: "Local bot", Username: "local_bot"}, nil
}

func (s *server) GetUpdates(context.Context) ([]solafon.Update, error) {
	p := (*Platform)(s)
	s.mu.Lock()
	defer s.mu.Unlock()
	n := min(len(s.waiting), 100)
	batch := s.waiting[:n]
	s.waiting = slices.Clone(s.waiting[n:])
	for _, u := range batch {
		p.done(u.UpdateID, false)
	}
	return batch, nil
}

func (s *server) SetMyCommands(_ context.Context, req solafon.SetMyCommandsRequest) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settings.Commands = slices.Clone(req.Commands)
	for i := range s.settings.Commands {
		s.settings.Commands[i].Command = strings.TrimPrefix(s.settings.Commands[i].Command, "/")
	}
	(*Platform)(s).tell(Change{Settings: (*Platform)(s).copySettings()})
	return nil
}

func (s *server) GetMyCommands(context.Context) ([]solafon.BotCommand, error) {
	return (*Platform)(s).Settings().Commands, nil
}

// app refuses an app that is not the platform's only one.
func app(id int64) error {
	if id != AppID {
		return &platform.Failure{Status: http.StatusNotFound, Description: "App not found"}
	}
	return nil
}

// maxLogs is how many deliveries the platform's settings show.
const maxLogs = 10

func (s *server) GetAppSettings(_ context.Context, appID int64) (*solafon.AppSettings, error) {
	if err := app(appID); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	settings := &solafon.AppSettings{
		App: solafon.App{
			ID: appID, Title: "Local bot", BotUsername: "local_bot", WebhookURL: s.settings.WebhookURL,
			APIToken: solafon.NewSecret(s.settings.Token), ModerationStatus: solafon.ModerationStatusApproved,
		},
		Commands: slices.Clone(s.managed),
	}
	for _, d := range slices.Backward(s.deliveries[max(0, len(s.deliveries)-maxLogs):]) {
		settings.WebhookLogs = append(settings.WebhookLogs, solafon.WebhookLog{
			ID: d.ID, AppID: appID, URL: d.URL, Method: http.MethodPost, StatusCode: int32(d.Status),
			Request: d.Request, Response: d.Response, Duration: d.Duration.Milliseconds(), CreatedAt: d.At,
		})
	}
	return settings, nil
}

func (s *server) RegenerateToken(_ context.Context, appID int64) (*solafon.RegeneratedToken, error) {
	if err := app(appID); err != nil {
		return nil, err
	}
	token := (*Platform)(s).RegenerateToken()
	return &solafon.RegeneratedToken{Message: "Token regenerated", APIToken: solafon.NewSecret(token)}, nil
}

func (s *server) ListAppCommands(_ context.Context, appID int64) ([]solafon.AppCommand, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.managed), app(appID)
}

func (s *server) CreateAppCommand(_ context.Context, appID int64, req solafon.AppCommandRequest) (*solafon.AppCommand, error) {
	if err := app(appID); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	command := solafon.AppCommand{ID: (*Platform)(s).nextID(), AppID: appID, CreatedAt: time.Now()}
	change(&command, req)
	s.managed = append(s.managed, command)
	return &command, nil
}

func change(c *solafon.AppCommand, req solafon.AppCommandRequest) {
	c.Command, c.Description, c.Response, c.UpdatedAt = req.Command, req.Description, req.Response, time.Now()
	c.IsEnabled = req.IsEnabled == nil || *req.IsEnabled
}

func (s *server) UpdateAppCommand(_ context.Context, appID, commandID int64, req solafon.AppCommandRequest) (*solafon.AppCommand, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, err := s.managedCommand(appID, commandID)
	if err != nil {
		return nil, err
	}
	change(&s.managed[i], req)
	command := s.managed[i]
	return &command, nil
}

func (s *server) DeleteAppCommand(_ context.Context, appID, commandID int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, err := s.managedCommand(appID, commandID)
	if err == nil {
		s.managed = slices.Delete(s.managed, i, i+1)
	}
	return err
}

// managedCommand finds a command of the app. The lock is held.
func (s *server) managedCommand(appID, commandID int64) (int, error) {
	if err := app(appID); err != nil {
		return 0, err
	}
	i := slices.IndexFunc(s.managed, func(c solafon.AppCommand) bool { return c.ID == commandID })
	if i < 0 {
		return 0, &platform.Failure{Status: http.StatusNotFound, Description: "Command not found"}
	}
	return i, nil
}
