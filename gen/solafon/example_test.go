package solafon_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"

	"github.com/solafon/solafon-go/gen/solafon"
)

// platform answers every call as the platform would, in place of it.
func platform() *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		switch {
		case strings.Contains(string(body), `"chat_id":404`):
			w.WriteHeader(http.StatusNotFound)
			io.WriteString(w, `{"ok":false,"error_code":404,"description":"Not Found: chat not found"}`)
		case strings.HasSuffix(r.URL.Path, "/getUpdates"):
			io.WriteString(w, `{"ok":true,"result":[{"update_id":1,"from":{"id":456},"chat":{"id":456},"text":"hello"},{"update_id":2,"from":{"id":456},"chat":{"id":456},"text":"bye"}]}`)
		case strings.Contains(r.URL.Path, "/apps/"):
			io.WriteString(w, `{"message":"Token regenerated","apiToken":"5d3c1f0e9b8a7766"}`)
		default:
			io.WriteString(w, `{"ok":true,"result":{"message_id":124,"chat":{"id":456,"type":"private"},"id":7,"is_bot":true,"username":"my_app_bot"}}`)
		}
	}))
}

func ExampleNewClient() {
	server := platform()
	defer server.Close()
	os.Setenv("SOLAFON_TOKEN", "app-token") // where a program is started

	client, err := solafon.NewClient(os.Getenv("SOLAFON_TOKEN"), solafon.WithBaseURL(server.URL))
	if err != nil {
		log.Fatal(err)
	}
	me, err := client.GetMe(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(me.Username)
	// Output: my_app_bot
}

func ExampleWithRetry() {
	server := platform()
	server.Close() // nobody answers

	// One attempt, whatever comes of it.
	client, err := solafon.NewClient("app-token", solafon.WithBaseURL(server.URL), solafon.WithRetry(solafon.RetryPolicy{MaxAttempts: 1}))
	if err != nil {
		log.Fatal(err)
	}
	_, err = client.GetMe(context.Background())
	if e := (*solafon.Error)(nil); errors.As(err, &e) {
		fmt.Println(e.Operation, e.Attempts)
	}
	// Output: getMe 1
}

func ExampleWithRateLimit() {
	server := platform()
	defer server.Close()

	// Ten at once, and then one each 0.6 seconds.
	client, err := solafon.NewClient("app-token", solafon.WithBaseURL(server.URL), solafon.WithRateLimit(100, 10))
	if err != nil {
		log.Fatal(err)
	}
	for range 10 {
		if _, err := client.GetMe(context.Background()); err != nil {
			log.Fatal(err)
		}
	}
	// Output:
}

func ExampleError() {
	server := platform()
	defer server.Close()
	client, err := solafon.NewClient("app-token", solafon.WithBaseURL(server.URL))
	if err != nil {
		log.Fatal(err)
	}
	_, err = client.SendMessage(context.Background(), solafon.SendMessageRequest{ChatID: 404, Text: "Hello"})
	switch e := (*solafon.Error)(nil); {
	case errors.Is(err, solafon.ErrChatNotFound):
		fmt.Println("the user has gone:", err)
	case errors.Is(err, solafon.ErrTooManyRequests) && errors.As(err, &e):
		fmt.Println("again in", e.RetryAfter)
	case errors.Is(err, context.DeadlineExceeded):
		fmt.Println("it took too long")
	case err != nil:
		log.Fatal(err)
	}
	// Output: the user has gone: sendMessage: 404 Not Found: chat not found; send to the From.ID of an update that this bot received
}

func ExampleSendMessageRequest_WithButtons() {
	server := platform()
	defer server.Close()
	client, err := solafon.NewClient("app-token", solafon.WithBaseURL(server.URL))
	if err != nil {
		log.Fatal(err)
	}
	question := solafon.SendMessageRequest{ChatID: 456, Text: "What would you like?"}
	message, err := client.SendMessage(context.Background(), question.WithButtons(
		solafon.Button{Text: "Buy", Action: "buy"},
		solafon.Button{Text: "Sell", Action: "sell"},
	))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(message.MessageID)

	_, err = client.SendMessage(context.Background(), question.WithButtons())
	fmt.Println(err)
	// Output:
	// 124
	// sendMessage: nothing was sent: metadata.buttons must not be empty where message_type is button: use WithButtons
}

func ExampleClient_Updates() {
	server := platform()
	defer server.Close()
	client, err := solafon.NewClient("app-token", solafon.WithBaseURL(server.URL))
	if err != nil {
		log.Fatal(err)
	}
	for update, err := range client.Updates(context.Background()) {
		if err != nil {
			log.Print(err) // the next turn tries again
			continue
		}
		fmt.Println(update.UpdateID, update.Text)
		if update.Text == "bye" {
			break
		}
	}
	// Output:
	// 1 hello
	// 2 bye
}

func ExampleSecret() {
	server := platform()
	defer server.Close()
	client, err := solafon.NewClient("", solafon.WithUserJWT("jwt"), solafon.WithBaseURL(server.URL))
	if err != nil {
		log.Fatal(err)
	}
	token, err := client.RegenerateToken(context.Background(), 7)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%+v\n", *token)
	fmt.Println(len(token.APIToken.Reveal()))
	// Output:
	// {Message:Token regenerated APIToken:[redacted]}
	// 16
}

// do makes a Doer of a function, as http.HandlerFunc makes a handler.
type do func(*http.Request) (*http.Response, error)

func (f do) Do(r *http.Request) (*http.Response, error) { return f(r) }

// Each attempt of each call as one line of a trace.
func ExampleWithMiddleware() {
	server := platform()
	defer server.Close()
	trace := solafon.WithMiddleware(func(next solafon.Doer) solafon.Doer {
		return do(func(r *http.Request) (*http.Response, error) {
			ctx := r.Context()
			resp, err := next.Do(r)
			status := "no answer"
			if err == nil {
				status = resp.Status
			}
			fmt.Println(solafon.OperationFromContext(ctx), solafon.AttemptFromContext(ctx), status)
			return resp, err
		})
	})
	client, err := solafon.NewClient("app-token", solafon.WithBaseURL(server.URL), trace)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := client.GetMe(context.Background()); err != nil {
		log.Fatal(err)
	}
	// Output: getMe 1 200 OK
}

// A recorder that keeps what was sent, for a test to look at.
func ExampleWithMiddleware_recorder() {
	server := platform()
	defer server.Close()
	var sent []string
	record := solafon.WithMiddleware(func(next solafon.Doer) solafon.Doer {
		return do(func(r *http.Request) (*http.Response, error) {
			if r.GetBody != nil {
				body, err := r.GetBody()
				if err != nil {
					return nil, err
				}
				data, err := io.ReadAll(body)
				if err != nil {
					return nil, err
				}
				sent = append(sent, r.Method+" "+r.URL.Path+" "+string(data))
			}
			return next.Do(r)
		})
	})
	client, err := solafon.NewClient("app-token", solafon.WithBaseURL(server.URL), record)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := client.SendMessage(context.Background(), solafon.SendMessageRequest{ChatID: 456, Text: "Hello"}); err != nil {
		log.Fatal(err)
	}
	fmt.Println(sent[0])
	// Output: POST /bot/sendMessage {"chat_id":456,"text":"Hello"}
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
