package paths

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	telegram "github.com/go-telegram/bot"
	"github.com/go-telegram/bot/models"
	"github.com/mymmrac/telego"

	"github.com/solafon/solafon-go/bench/measure"
	"github.com/solafon/solafon-go/bench/peers"
	"github.com/solafon/solafon-go/gen/solafon"
)

// update is a delivery as the platform's server writes it.
func update(n int64) string {
	return fmt.Sprintf(`{"chat":{"id":%[2]d,"type":"private"},"date":1704067200,"from":{"email":"user@example.com","id":%[2]d,"language":"en","name":"John"},"message_id":%[1]d,"text":"/start","update_id":%[1]d}`, n, n%1000+1)
}

// telegramUpdate is what Telegram sends in its place.
func telegramUpdate(n int64) string {
	return fmt.Sprintf(`{"update_id":%[1]d,"message":{"message_id":%[1]d,"from":{"id":%[2]d,"is_bot":false,"first_name":"John","language_code":"en"},"chat":{"id":%[2]d,"first_name":"John","type":"private"},"date":1704067200,"text":"/start"}}`, n, n%1000+1)
}

// telegramToken is no bot's; it has the form that libraries ask for.
const telegramToken = "123456789:aaaabbbbaaaabbbbaaaabbbbaaaabbbbccc"

// dropping reads the body, drops it and answers as everybody does.
func dropping(w http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	io.WriteString(w, "OK")
}

// standard is a handler as people write it with encoding/json.
func standard(w http.ResponseWriter, r *http.Request) {
	var u peers.Update
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&u); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if u.UpdateID == 0 || u.From.ID == 0 || u.Chat.ID == 0 {
		http.Error(w, "a member is missing", http.StatusBadRequest)
		return
	}
	io.WriteString(w, "OK")
}

// Handlers measures what a delivery takes, from sending it to its answer, with a
// handler that drops it first.
func Handlers(config measure.Config) (Result, error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var e environment
	defer e.close()
	client := e.client()

	goTelegram, err := telegram.New(telegramToken, telegram.WithSkipGetMe(),
		telegram.WithDefaultHandler(func(context.Context, *telegram.Bot, *models.Update) {}))
	if err != nil {
		return Result{}, err
	}
	go goTelegram.StartWebhook(ctx)
	telegoBot, err := telego.NewBot(telegramToken, telego.WithDiscardLogger())
	if err != nil {
		return Result{}, err
	}
	mux := http.NewServeMux()
	received, err := telegoBot.UpdatesViaWebhook(ctx, telego.WebhookHTTPServeMux(mux, "POST /"))
	if err != nil {
		return Result{}, err
	}
	go func() {
		for range received {
		}
	}()

	var contenders []measure.Contender
	for _, h := range []struct {
		name, note string
		handler    http.Handler
		body       func(int64) string
	}{
		{"dropping the body", "looks at nothing", http.HandlerFunc(dropping), update},
		{"NewWebhookHandler", "", solafon.NewWebhookHandler(func(context.Context, solafon.Update) error { return nil }), update},
		{"encoding/json", "no time limit", http.HandlerFunc(standard), update},
		{"go-telegram/bot", "no time limit, no limit of size, answers 200 to anything; its own update", goTelegram.WebhookHandler(), telegramUpdate},
		{"telego", "no limit of size; its own update", mux, telegramUpdate},
	} {
		url, err := e.listen(h.handler)
		if err != nil {
			return Result{}, err
		}
		contenders = append(contenders, measure.Contender{Name: h.name, Note: h.note, Run: delivering(client, url, h.body)})
	}
	costs, err := config.Compare(contenders)
	return Result{"a delivery, from sending it to its answer", costs}, err
}
