package platform_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/solafon/solafon-go/gen/platform"
	"github.com/solafon/solafon-go/gen/solafon"
)

// fake answers a few operations; the embedded interface stands for the rest.
type fake struct {
	platform.Server
	failure error
	updates []solafon.Update
}

func (f *fake) AuthenticateBotToken(ctx context.Context, token string) (context.Context, error) {
	if token != "t" {
		return nil, &platform.Failure{Status: 401, Description: "Unauthorized: invalid API token"}
	}
	return ctx, nil
}

func (f *fake) AuthenticateUserJWT(ctx context.Context, jwt string) (context.Context, error) {
	if jwt != "j" {
		return nil, &platform.Failure{Status: 401, Description: "Missing authorization header"}
	}
	return ctx, nil
}

func (f *fake) SetWebhook(context.Context, solafon.SetWebhookRequest) error { return f.failure }
func (f *fake) GetUpdates(context.Context) ([]solafon.Update, error)        { return f.updates, f.failure }
func (f *fake) DeleteAppCommand(_ context.Context, appID, commandID int64) error {
	return &platform.Failure{Status: 404, Description: fmt.Sprintf("no command %d in %d", commandID, appID)}
}

func TestHandler(t *testing.T) {
	for name, c := range map[string]struct {
		failure                     error
		method, path, auth, body    string
		status                      int
		answer, retryAfter, allowed string
	}{
		"success":             {method: "POST", path: "/bot/setWebhook", auth: "Bearer t", body: `{"url":"https://x"}`, status: 200, answer: `{"description":"Webhook was set","ok":true,"result":true}`},
		"the bare token":      {method: "POST", path: "/bot/setWebhook", auth: "t", body: `{"url":"https://x"}`, status: 200, answer: `"ok":true`},
		"the bare JWT":        {method: "DELETE", path: "/apps/7/commands/8", auth: "j", status: 401, answer: `{"error":"Missing authorization header"}`},
		"a wrong token":       {method: "POST", path: "/bot/setWebhook", auth: "Bearer x", status: 401, answer: `{"description":"Unauthorized: invalid API token","error_code":401,"ok":false}`},
		"no updates":          {method: "GET", path: "/bot/getUpdates", auth: "Bearer t", status: 200, answer: `{"ok":true,"result":null}`},
		"not JSON":            {method: "POST", path: "/bot/setWebhook", auth: "Bearer t", body: `{`, status: 400, answer: `"ok":false`},
		"a failure":           {failure: &platform.Failure{Status: 429, RetryAfter: 1500 * time.Millisecond}, method: "GET", path: "/bot/getUpdates", auth: "Bearer t", status: 429, answer: `{"description":"Too Many Requests","error_code":429,"ok":false}`, retryAfter: "2"},
		"another error":       {failure: errors.New("disk on fire"), method: "GET", path: "/bot/getUpdates", auth: "Bearer t", status: 500, answer: `{"description":"Internal Server Error","error_code":500,"ok":false}`},
		"a failure of /apps":  {method: "DELETE", path: "/apps/7/commands/8", auth: "Bearer j", status: 404, answer: `{"error":"no command 8 in 7"}`},
		"no number in a path": {method: "DELETE", path: "/apps/x/commands/8", auth: "Bearer j", status: 400, answer: `app_id is not a whole number`},
		"an unknown path":     {method: "GET", path: "/nowhere", status: 404, answer: "404 page not found"},
		"another method":      {method: "GET", path: "/bot/setWebhook", status: 405, answer: "Method Not Allowed"},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(c.method, c.path, strings.NewReader(c.body))
			r.Header.Set("Authorization", c.auth)
			w := httptest.NewRecorder()
			platform.NewHandler(&fake{failure: c.failure}).ServeHTTP(w, r)
			if w.Code != c.status || !strings.Contains(w.Body.String(), c.answer) || w.Header().Get("Retry-After") != c.retryAfter {
				t.Errorf("%d %s %v", w.Code, w.Body, w.Header())
			}
			if strings.Contains(w.Body.String(), "disk") {
				t.Error("an inner error was sent")
			}
		})
	}
}

func TestClientAgainstServer(t *testing.T) {
	want := []solafon.Update{{UpdateID: 1, MessageID: 1, From: solafon.User{ID: 2, Name: "Анна"}, Chat: solafon.Chat{ID: 2}, Text: "<&>\u2028👋"}}
	server := httptest.NewServer(platform.NewHandler(&fake{updates: want}))
	defer server.Close()
	client, err := solafon.NewClient("t", solafon.WithBaseURL(server.URL))
	if err != nil {
		t.Fatal(err)
	}
	got, err := client.GetUpdates(context.Background())
	if err != nil || len(got) != 1 {
		t.Fatalf("%v, %v", got, err)
	}
	got[0].Raw = nil
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestSenderFormsAndHeaders(t *testing.T) {
	update := solafon.Update{UpdateID: 5, MessageID: 5, From: solafon.User{ID: 2}, Chat: solafon.Chat{ID: 2, Type: "private"}, Text: "x"}
	for form, want := range map[platform.WebhookForm]string{
		platform.WebhookFlat:   `{"update_id":5,"message_id":5,"from":{"id":2},"chat":{"id":2,"type":"private"},"text":"x"}`,
		platform.WebhookNested: `{"message":{"chat":{"id":2,"type":"private"},"from":{"id":2},"message_id":5,"text":"x"},"update_id":5}`,
		platform.WebhookBare:   `{"chat":{"id":2,"type":"private"},"from":{"id":2},"message_id":5,"text":"x"}`,
	} {
		times := 0
		bot := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			times++
			body, _ := io.ReadAll(r.Body)
			if string(body) != want || r.Header.Get("X-App-Id") != "7" || r.Header.Get("X-App-Token") != "t" || r.Header.Get("Content-Type") != "application/json" {
				t.Errorf("%s %v", body, r.Header)
			}
			if got, err := solafon.DecodeUpdate(body); err != nil || got.UpdateID != 5 || got.Text != "x" {
				t.Errorf("%s became %+v, %v", body, got, err)
			}
		}))
		sender := &platform.WebhookSender{URL: bot.URL, AppID: 7, AppToken: "t", Form: form}
		deliveries, err := sender.Send(context.Background(), update, 3)
		bot.Close()
		if err != nil || len(deliveries) != 3 || times != 3 || !deliveries[2].OK() {
			t.Errorf("%v, %v, %d times", deliveries, err, times)
		}
	}
}

func TestSenderTimesOut(t *testing.T) {
	release := make(chan struct{})
	bot := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer bot.Close()
	defer close(release)
	d := (&platform.WebhookSender{URL: bot.URL, Timeout: time.Millisecond}).SendRaw(context.Background(), []byte("{}"))
	if d.Status != 0 || d.OK() || !errors.Is(d.Err, context.DeadlineExceeded) {
		t.Errorf("%+v", d)
	}
}

func ExampleWebhookSender() {
	bot := httptest.NewServer(solafon.NewWebhookHandler(func(_ context.Context, u solafon.Update) error {
		fmt.Println("received", u.UpdateID)
		return nil
	}))
	defer bot.Close()
	sender := &platform.WebhookSender{URL: bot.URL, Form: platform.WebhookNested}
	deliveries, err := sender.Send(context.Background(), solafon.Update{UpdateID: 1, From: solafon.User{ID: 2}, Chat: solafon.Chat{ID: 2}}, 2)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(deliveries[1].Status)
	// Output:
	// received 1
	// received 1
	// 200
}
