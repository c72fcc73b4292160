// Package peers has the document's types as people write them by hand for the
// libraries that are measured beside this project, and what easyjson generates
// for the same types. ogenapi, below it, is what ogen makes of the document.
package peers

import (
	"encoding/json"
	"time"
)

// The option nocopy is easyjson's and segmentio's; the others pass over it.

//easyjson:json
type Update struct {
	UpdateID  int64  `json:"update_id"`
	MessageID int64  `json:"message_id,omitempty"`
	From      User   `json:"from"`
	Chat      Chat   `json:"chat"`
	Date      int64  `json:"date,omitempty"`
	Text      string `json:"text,nocopy,omitempty"`
}

//easyjson:json
type NestedUpdate struct {
	UpdateID int64   `json:"update_id"`
	Message  Message `json:"message"`
}

//easyjson:json
type Message struct {
	MessageID int64  `json:"message_id"`
	From      User   `json:"from"`
	Chat      Chat   `json:"chat"`
	Date      int64  `json:"date,omitempty"`
	Text      string `json:"text,nocopy,omitempty"`
}

//easyjson:json
type User struct {
	ID       int64  `json:"id"`
	Email    string `json:"email,nocopy,omitempty"`
	Name     string `json:"name,nocopy,omitempty"`
	Language string `json:"language,nocopy,omitempty"`
}

//easyjson:json
type Chat struct {
	ID   int64  `json:"id"`
	Type string `json:"type,nocopy,omitempty"`
}

//easyjson:json
type UpdatesAnswer struct {
	OK     bool     `json:"ok"`
	Result []Update `json:"result"`
}

//easyjson:json
type MessageAnswer struct {
	OK     bool        `json:"ok"`
	Result SentMessage `json:"result"`
}

//easyjson:json
type SentMessage struct {
	MessageID int64  `json:"message_id"`
	Chat      Chat   `json:"chat"`
	Date      int64  `json:"date,omitempty"`
	Text      string `json:"text,nocopy,omitempty"`
}

//easyjson:json
type MeAnswer struct {
	OK     bool    `json:"ok"`
	Result BotInfo `json:"result"`
}

//easyjson:json
type BotInfo struct {
	ID                      int64  `json:"id"`
	IsBot                   bool   `json:"is_bot"`
	Title                   string `json:"title,nocopy,omitempty"`
	Username                string `json:"username,nocopy,omitempty"`
	CanJoinGroups           bool   `json:"can_join_groups,omitempty"`
	CanReadAllGroupMessages bool   `json:"can_read_all_group_messages,omitempty"`
	SupportsInlineQueries   bool   `json:"supports_inline_queries,omitempty"`
}

//easyjson:json
type WebhookInfoAnswer struct {
	OK     bool        `json:"ok"`
	Result WebhookInfo `json:"result"`
}

//easyjson:json
type WebhookInfo struct {
	URL                  string `json:"url,nocopy"`
	HasCustomCertificate bool   `json:"has_custom_certificate"`
	PendingUpdateCount   int64  `json:"pending_update_count"`
}

//easyjson:json
type CommandsAnswer struct {
	OK     bool         `json:"ok"`
	Result []BotCommand `json:"result"`
}

//easyjson:json
type BotCommand struct {
	Command     string `json:"command,nocopy"`
	Description string `json:"description,nocopy"`
}

//easyjson:json
type AppSettings struct {
	App         App          `json:"app"`
	Commands    []AppCommand `json:"commands,omitempty"`
	WebhookLogs []WebhookLog `json:"webhookLogs,omitempty"`
}

//easyjson:json
type App struct {
	ID               int64                      `json:"id"`
	Title            string                     `json:"title,nocopy,omitempty"`
	Description      string                     `json:"description,nocopy,omitempty"`
	Icon             string                     `json:"icon,nocopy,omitempty"`
	CategoryID       *int64                     `json:"categoryId,omitempty"`
	Category         map[string]json.RawMessage `json:"category,omitempty"`
	URL              string                     `json:"url,nocopy,omitempty"`
	BotUsername      string                     `json:"botUsername,nocopy,omitempty"`
	WelcomeMessage   string                     `json:"welcomeMessage,nocopy,omitempty"`
	WebhookURL       string                     `json:"webhookUrl,nocopy,omitempty"`
	APIToken         string                     `json:"apiToken,nocopy,omitempty"`
	ModerationStatus string                     `json:"moderationStatus,nocopy,omitempty"`
	UsersCount       int64                      `json:"usersCount,omitempty"`
	CreatedAt        time.Time                  `json:"createdAt"`
}

//easyjson:json
type AppCommand struct {
	ID          int64     `json:"id"`
	AppID       int64     `json:"appId,omitempty"`
	Command     string    `json:"command,nocopy"`
	Description string    `json:"description,nocopy,omitempty"`
	Response    string    `json:"response,nocopy,omitempty"`
	IsEnabled   bool      `json:"isEnabled,omitempty"`
	CreatedAt   time.Time `json:"createdAt"`
	UpdatedAt   time.Time `json:"updatedAt"`
}

//easyjson:json
type WebhookLog struct {
	ID         int64     `json:"id"`
	AppID      int64     `json:"appId,omitempty"`
	URL        string    `json:"url,nocopy,omitempty"`
	Method     string    `json:"method,nocopy,omitempty"`
	StatusCode int32     `json:"statusCode"`
	Request    string    `json:"request,nocopy,omitempty"`
	Response   string    `json:"response,nocopy,omitempty"`
	Duration   int64     `json:"duration,omitempty"`
	CreatedAt  time.Time `json:"createdAt"`
}

//easyjson:json
type SendMessageRequest struct {
	ChatID      int64  `json:"chat_id"`
	Text        string `json:"text"`
	MessageType string `json:"message_type,omitempty"`
	Metadata    string `json:"metadata,omitempty"`
}

//easyjson:json
type MessageMetadata struct {
	Buttons []Button `json:"buttons,omitempty"`
}

//easyjson:json
type Button struct {
	Text   string `json:"text"`
	Action string `json:"action"`
}
