package solafon_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/solafon/solafon-go/gen/solafon"
)

const (
	testToken = "token-0123456789"
	testJWT   = "jwt-0123456789"
)

// once is for tests that look at one attempt.
var once = solafon.WithRetry(solafon.RetryPolicy{MaxAttempts: 1})

// answering is a client whose every call is answered so.
func answering(t *testing.T, status int, contentType, body string) *solafon.Client {
	t.Helper()
	return served(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		io.WriteString(w, body)
	})
}

func served(t *testing.T, handler http.HandlerFunc) *solafon.Client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	c, err := solafon.NewClient(testToken, solafon.WithBaseURL(server.URL), solafon.WithUserJWT(testJWT), solafon.WithHTTPClient(server.Client()), once)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestFailures(t *testing.T) {
	me := func(c *solafon.Client) error { _, err := c.GetMe(context.Background()); return err }
	send := func(c *solafon.Client) error {
		_, err := c.SendMessage(context.Background(), solafon.SendMessageRequest{ChatID: 1, Text: "x"})
		return err
	}
	settings := func(c *solafon.Client) error { _, err := c.GetAppSettings(context.Background(), 7); return err }
	for name, c := range map[string]struct {
		call        func(*solafon.Client) error
		status      int
		body        string
		is          error
		code        int
		description string
	}{
		"wrong token":          {me, 401, `{"ok":false,"error_code":401,"description":"Unauthorized: invalid API token"}`, solafon.ErrUnauthorized, 401, "Unauthorized: invalid API token"},
		"no chat, as 400":      {send, 400, `{"ok":false,"error_code":400,"description":"Bad Request: chat not found"}`, solafon.ErrChatNotFound, 400, "Bad Request: chat not found"},
		"no chat, as 404":      {send, 404, `{"ok":false,"error_code":404,"description":"Chat not found"}`, solafon.ErrChatNotFound, 404, "Chat not found"},
		"too many":             {send, 429, `{"ok":false,"error_code":429,"description":"slow down"}`, solafon.ErrTooManyRequests, 429, "slow down"},
		"refused with 200":     {me, 200, `{"ok":false,"error_code":403,"description":"no"}`, solafon.ErrForbidden, 403, "no"},
		"not the user's app":   {settings, 403, `{"error":"not your app"}`, solafon.ErrForbidden, 403, "not your app"},
		"no app":               {settings, 404, `{"error":"App not found"}`, solafon.ErrNotFound, 404, "App not found"},
		"plain text":           {me, 404, "404 page not found\n", solafon.ErrNotFound, 404, "404 page not found"},
		"HTML":                 {me, 502, "<html>\n<b>bad</b>", nil, 502, "Bad Gateway <html> <b>bad</b>"},
		"nothing":              {me, 500, "", solafon.ErrInternal, 500, "Internal Server Error"},
		"half a refusal":       {me, 400, `{"ok":false,"descr`, solafon.ErrBadRequest, 400, `{"ok":false,"descr`},
		"success without JSON": {me, 200, "<html>", nil, 200, `the answer is HTML or XML, and JSON is wanted: it starts with "<html>"`},
		"half a success":       {me, 200, `{"ok":true,"result":{"id":1`, nil, 200, "the answer is not JSON, or half of it: /result, byte 27"},
		"no result":            {me, 200, `{"ok":true}`, nil, 200, "/result"},
		"result null":          {me, 200, `{"ok":true,"result":null}`, nil, 200, "/result"},
		"no ok":                {me, 200, `{"result":{"id":1,"is_bot":true}}`, nil, 200, "/ok"},
		"empty success":        {me, 200, ``, nil, 200, "the answer is empty"},
	} {
		t.Run(name, func(t *testing.T) {
			err := c.call(answering(t, c.status, "application/json", c.body))
			var e *solafon.Error
			if !errors.As(err, &e) {
				t.Fatalf("%v is no *Error", err)
			}
			if e.Status != c.status || e.Code != c.code || !strings.Contains(e.Description, c.description) || !bytes.Equal(e.Body, []byte(c.body)) {
				t.Errorf("%#v", e)
			}
			if c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("%v is not %v", err, c.is)
			}
			if strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), testToken) {
				t.Errorf("%q", err)
			}
		})
	}
}

func TestSentinelsAreApart(t *testing.T) {
	_, err := answering(t, 400, "application/json", `{"ok":false,"error_code":400,"description":"text is required"}`).GetMe(context.Background())
	for _, other := range []error{solafon.ErrChatNotFound, solafon.ErrUnauthorized, solafon.ErrForbidden, solafon.ErrNotFound, solafon.ErrTooManyRequests} {
		if errors.Is(err, other) {
			t.Errorf("%v is %v", err, other)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	c := served(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	_, err := c.GetMe(context.Background())
	var e *solafon.Error
	if !errors.As(err, &e) || e.RetryAfter != 7*time.Second {
		t.Errorf("%#v", err)
	}
}

func TestEmptyListsAreNotNil(t *testing.T) {
	for _, body := range []string{`{"ok":true,"result":null}`, `{"ok":true,"result":[]}`} {
		c := answering(t, 200, "application/json", body)
		updates, err := c.GetUpdates(context.Background())
		if err != nil || updates == nil || len(updates) != 0 {
			t.Errorf("GetUpdates of %s = %#v, %v", body, updates, err)
		}
		commands, err := c.GetMyCommands(context.Background())
		if err != nil || commands == nil || len(commands) != 0 {
			t.Errorf("GetMyCommands of %s = %#v, %v", body, commands, err)
		}
	}
}

// TestNothingIsSent makes calls that must fail before a request is made.
func TestNothingIsSent(t *testing.T) {
	var requests atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { requests.Add(1) }))
	defer server.Close()
	bare, err := solafon.NewClient("", solafon.WithBaseURL(server.URL))
	if err != nil {
		t.Fatal(err)
	}
	full, err := solafon.NewClient(testToken, solafon.WithBaseURL(server.URL))
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	ended, cancel := context.WithCancel(ctx)
	cancel()
	for want, call := range map[string]func() error{
		"pass it to NewClient":         func() error { return bare.DeleteWebhook(ctx) },
		"pass WithUserJWT":             func() error { _, err := full.GetAppSettings(ctx, 7); return err },
		"url must start with https://": func() error { return full.SetWebhook(ctx, solafon.SetWebhookRequest{URL: "http://example.com"}) },
		"url must be an absolute URL":  func() error { return full.SetWebhook(ctx, solafon.SetWebhookRequest{}) },
		"chat_id must be at least 1":   func() error { _, err := full.SendMessage(ctx, solafon.SendMessageRequest{Text: "x"}); return err },
		"text must not be empty":       func() error { _, err := full.SendMessage(ctx, solafon.SendMessageRequest{ChatID: 1}); return err },
		"text must hold more than white": func() error {
			_, err := full.SendMessage(ctx, solafon.SendMessageRequest{ChatID: 1, Text: " \n"})
			return err
		},
		"text: is not UTF-8": func() error {
			_, err := full.SendMessage(ctx, solafon.SendMessageRequest{ChatID: 1, Text: "\xff"})
			return err
		},
		"metadata.buttons[1].action must no": func() error {
			_, err := full.SendMessage(ctx, solafon.SendMessageRequest{ChatID: 1, Text: "x", Metadata: &solafon.MessageMetadata{Buttons: []solafon.Button{{Text: "a", Action: "b"}, {Text: "c"}}}})
			return err
		},
		"context canceled": func() error { return full.DeleteWebhook(ended) },
	} {
		err := call()
		var e *solafon.Error
		if !errors.As(err, &e) || e.Status != 0 || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want …%s…", err, want)
		}
	}
	if n := requests.Load(); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
}

func TestNewClientRefuses(t *testing.T) {
	for want, opt := range map[string]solafon.Option{
		"in the clear":          solafon.WithBaseURL("http://example.com"),
		"not an absolute":       solafon.WithBaseURL("example.com/api"),
		"more than scheme":      solafon.WithBaseURL("https://user:pass@example.com"),
		"no base URL":           solafon.WithBaseURL(""),
		"a header cannot carry": solafon.WithUserJWT("a\nb"),
		"the client is nil":     solafon.WithHTTPClient(nil),
		"leave the option out":  solafon.WithHTTPClient((*http.Client)(nil)),
		"option is nil":         nil,
		"function is nil":       solafon.WithMiddleware(nil),
		"returned nil":          solafon.WithMiddleware(func(solafon.Doer) solafon.Doer { return nil }),
		"is negative":           solafon.WithRetry(solafon.RetryPolicy{MaxAttempts: -1}),
		"at least 1":            solafon.WithRateLimit(0, 1),
		"WithUserAgent: ":       solafon.WithUserAgent("a\nb"),
	} {
		if c, err := solafon.NewClient(testToken, opt); err == nil || c != nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "pass@") {
			t.Errorf("NewClient = %v, %v, want …%s…", c, err, want)
		}
	}
	for _, base := range []string{"http://localhost:8080/api/v1", "http://127.0.0.1", "http://[::1]:80", "https://example.com/"} {
		if _, err := solafon.NewClient(testToken, solafon.WithBaseURL(base)); err != nil {
			t.Errorf("NewClient(%s) = %v", base, err)
		}
	}
	if _, err := solafon.NewClient(testToken, solafon.WithBaseURL("http://example.com"), solafon.WithInsecureHTTP()); err != nil {
		t.Error(err)
	}
	c, err := solafon.NewClient(testToken)
	if err != nil {
		t.Fatal(err)
	}
	if text := fmt.Sprintf("%v %+v %#v %s", c, c, c, c); strings.Contains(text, testToken) {
		t.Errorf("a client prints as %s", text)
	}
}

// TestCredentials looks at which credential goes where.
func TestCredentials(t *testing.T) {
	var header, path atomic.Value
	c := served(t, func(w http.ResponseWriter, r *http.Request) {
		header.Store(r.Header.Get("Authorization"))
		path.Store(r.Method + " " + r.URL.Path)
		io.WriteString(w, `{"app":{"id":7},"ok":true,"result":{"id":1,"is_bot":true}}`)
	})
	if _, err := c.GetMe(context.Background()); err != nil || header.Load() != "Bearer "+testToken || path.Load() != "GET /bot/getMe" {
		t.Errorf("%v: %v with %v", err, path.Load(), header.Load())
	}
	if _, err := c.GetAppSettings(context.Background(), 7); err != nil || header.Load() != "Bearer "+testJWT || path.Load() != "GET /apps/7/settings" {
		t.Errorf("%v: %v with %v", err, path.Load(), header.Load())
	}
}

func TestAnswerBeyondTheLimit(t *testing.T) {
	c := served(t, func(w http.ResponseWriter, _ *http.Request) {
		chunk := bytes.Repeat([]byte(" "), 1<<20)
		for range 64 {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	})
	if _, err := c.GetMe(context.Background()); err == nil || !strings.Contains(err.Error(), "larger than 10485760 bytes") {
		t.Errorf("%v", err)
	}
}

// TestConnectionsAreReused makes calls that succeed, that are refused and that
// answer nonsense: all over one connection.
func TestConnectionsAreReused(t *testing.T) {
	var opened, calls atomic.Int32
	answers := []string{`{"ok":true,"result":{"id":1,"is_bot":true}}`, `{"ok":false,"error_code":400,"description":"x"}`, `nonsense`, ``}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		i := int(calls.Add(1)) % len(answers)
		if i == 1 {
			w.WriteHeader(http.StatusBadRequest)
		}
		io.WriteString(w, answers[i])
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	c, err := solafon.NewClient(testToken, solafon.WithBaseURL(server.URL), solafon.WithHTTPClient(server.Client()))
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		c.GetMe(context.Background())
	}
	if calls.Load() != 100 || opened.Load() != 1 {
		t.Errorf("%d calls opened %d connections", calls.Load(), opened.Load())
	}
}

func TestNetworkErrorsStayReachable(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	c, err := solafon.NewClient(testToken, solafon.WithBaseURL(server.URL), once)
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.GetMe(context.Background())
	var e *solafon.Error
	if !errors.As(err, &e) || e.Status != 0 || !strings.Contains(err.Error(), "getMe: no answer") {
		t.Errorf("%v", err)
	}
}

func TestMetadataIsAStringOfJSON(t *testing.T) {
	req := solafon.SendMessageRequest{ChatID: 1, Text: "x", Metadata: &solafon.MessageMetadata{ImageURL: "https://example.com/a.png"}}
	data, err := json.Marshal(req)
	if err != nil || string(data) != `{"chat_id":1,"text":"x","metadata":"{\"image_url\":\"https://example.com/a.png\"}"}` {
		t.Errorf("%s, %v", data, err)
	}
	var again solafon.SendMessageRequest
	if err := json.Unmarshal(data, &again); err != nil || again.Metadata.ImageURL != req.Metadata.ImageURL {
		t.Errorf("%+v, %v", again, err)
	}
}

// TestConnectionsAreKept makes 10,000 calls from 64 callers through the default
// HTTP client, and lets the server count the connections.
func TestConnectionsAreKept(t *testing.T) {
	var opened, calls atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		calls.Add(1)
		io.WriteString(w, `{"ok":true,"result":{"id":1,"is_bot":true}}`)
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	c, err := solafon.NewClient(testToken, solafon.WithBaseURL(server.URL))
	if err != nil {
		t.Fatal(err)
	}
	var callers sync.WaitGroup
	var next atomic.Int32
	for range 64 {
		callers.Go(func() {
			for next.Add(1) <= 10_000 {
				if _, err := c.GetMe(context.Background()); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	callers.Wait()
	if calls.Load() != 10_000 || opened.Load() > 64 {
		t.Errorf("%d calls opened %d connections", calls.Load(), opened.Load())
	}
	t.Logf("10,000 calls opened %d connections", opened.Load())
}

// TestBuilders checks what builders make, and what they refuse.
func TestBuilders(t *testing.T) {
	base := solafon.SendMessageRequest{ChatID: 1, Text: "x"}
	buttons := []solafon.Button{{Text: "Buy", Action: "buy"}}
	for name, c := range map[string]struct {
		req  solafon.SendMessageRequest
		want string
	}{
		"buttons": {base.WithButtons(buttons...), `{"chat_id":1,"text":"x","message_type":"button","metadata":"{\"buttons\":[{\"text\":\"Buy\",\"action\":\"buy\"}]}"}`},
		"image":   {base.WithImage("https://example.com/a.png"), `{"chat_id":1,"text":"x","message_type":"image","metadata":"{\"image_url\":\"https://example.com/a.png\"}"}`},
	} {
		data, err := c.req.MarshalJSON()
		if invalid := c.req.Validate(); err != nil || invalid != nil || string(data) != c.want {
			t.Errorf("%s: %s, %v, %v", name, data, err, invalid)
		}
		var again solafon.SendMessageRequest
		if err := json.Unmarshal(data, &again); err != nil || !reflect.DeepEqual(again, c.req) {
			t.Errorf("%s reads back as %+v, %v", name, again, err)
		}
	}
	made := base.WithButtons(buttons...)
	buttons[0].Text = "changed"
	if other := made.WithImage("https://example.com/a.png"); base.Metadata != nil || made.Metadata.ImageURL != "" || made.Metadata.Buttons[0].Text != "Buy" || other.MessageType != solafon.MessageTypeImage {
		t.Errorf("a builder changes what it was called on: %+v %+v", base, made)
	}
	for want, req := range map[string]solafon.SendMessageRequest{
		"metadata.buttons must not be empty where message_type is button: use WithButtons": base.WithButtons(),
		"metadata.buttons[0].text must not be empty":                                       base.WithButtons(solafon.Button{Action: "a"}),
		"metadata.buttons[1].action must not be empty":                                     base.WithButtons(solafon.Button{Text: "a", Action: "a"}, solafon.Button{Text: "b"}),
		"metadata.image_url must not be empty where message_type is image: use WithImage":  base.WithImage(""),
		"metadata.image_url must start with https://":                                      base.WithImage("http://example.com/a.png"),
		"metadata.image_url must be an absolute URL":                                       base.WithImage("a.png"),
	} {
		if err := req.Validate(); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// TestAnswersAreReadLeniently: what a server repeats of a message is read, and
// none of it can make a message that was sent look like one that was not.
func TestAnswersAreReadLeniently(t *testing.T) {
	for metadata, want := range map[string]*solafon.MessageMetadata{
		`"{\"buttons\":[{\"text\":\"Buy\",\"action\":\"buy\"}]}"`: {Buttons: []solafon.Button{{Text: "Buy", Action: "buy"}}},
		`""`: nil, `null`: nil, `"not JSON"`: nil, `{"buttons":[]}`: nil, `7`: nil, `"{\"buttons\":7}"`: nil,
	} {
		c := answering(t, 200, "application/json", `{"ok":true,"result":{"metadata":`+metadata+`,"message_id":5,"chat":{"id":1},"message_type":["?"],"text":"x"}}`)
		m, err := c.SendMessage(context.Background(), solafon.SendMessageRequest{ChatID: 1, Text: "x"})
		if err != nil || m.MessageID != 5 || m.Text != "x" || m.MessageType != "" || !reflect.DeepEqual(m.Metadata, want) {
			t.Errorf("%s: %+v, %v", metadata, m, err)
		}
	}
	c := answering(t, 200, "application/json", `{"ok":true,"result":{"metadata":{"a":[}},"message_id":5,"chat":{"id":1}}}`)
	if _, err := c.SendMessage(context.Background(), solafon.SendMessageRequest{ChatID: 1, Text: "x"}); err == nil {
		t.Error("an answer that is not JSON is accepted")
	}
}
