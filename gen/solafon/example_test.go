package solafon_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/solafon/solafon-go/gen/solafon"
)

func ExampleNewClient() {
	// A server in place of the platform's own.
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, `{"ok":true,"result":{"message_id":124,"chat":{"id":456,"type":"private"}}}`)
	}))
	defer server.Close()

	client, err := solafon.NewClient("app-token", solafon.WithBaseURL(server.URL))
	if err != nil {
		log.Fatal(err)
	}
	message, err := client.SendMessage(context.Background(), solafon.SendMessageRequest{
		ChatID:      456,
		Text:        "What would you like?",
		MessageType: solafon.MessageTypeButton,
		Metadata:    &solafon.MessageMetadata{Buttons: []solafon.Button{{Text: "Buy", Action: "buy"}}},
	})
	if errors.Is(err, solafon.ErrChatNotFound) {
		log.Print("the user has gone")
	}
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(message.MessageID, message.Chat.Type)
	// Output: 124 private
}

func ExampleDecodeUpdate() {
	update, err := solafon.DecodeUpdate([]byte(`{"update_id":123,"message":{"from":{"id":456},"chat":{"id":456},"text":"/start"}}`))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(update.UpdateID, update.From.ID, update.Text)

	_, err = solafon.DecodeUpdate([]byte(`{"update_id":123,"from":{"id":"456"}}`))
	fmt.Println(err)
	// Output:
	// 123 456 /start
	// /from/id, byte 30: must be a whole number, is a string
}

func ExampleNewWebhookHandler() {
	handler := solafon.NewWebhookHandler(func(ctx context.Context, u solafon.Update) error {
		fmt.Println(u.From.Name, "wrote", u.Text)
		return nil
	}, solafon.WithAppToken("app-token"))

	// What the platform sends.
	r := httptest.NewRequest("POST", "/webhook", strings.NewReader(
		`{"update_id":123,"from":{"id":456,"name":"John"},"chat":{"id":456,"type":"private"},"text":"/start"}`))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-App-Token", "app-token")
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	fmt.Println(w.Code)
	// Output:
	// John wrote /start
	// 200
}
