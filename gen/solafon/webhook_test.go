package solafon_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/solafon/solafon-go/gen/solafon"
)

const validUpdate = `{"update_id":123,"message_id":123,"from":{"id":456,"name":"John"},"chat":{"id":456,"type":"private"},"date":1704067200,"text":"a secret word"}`

func TestWebhookHandler(t *testing.T) {
	ok := func(context.Context, solafon.Update) error { return nil }
	for name, c := range map[string]struct {
		method, contentType, body string
		header                    http.Header
		receive                   func(context.Context, solafon.Update) error
		opts                      []solafon.WebhookOption
		status                    int
		answer                    string
	}{
		"accepted":                {body: validUpdate, status: 200, answer: "OK"},
		"with a charset":          {body: validUpdate, contentType: "application/json; charset=utf-8", status: 200},
		"without a content type":  {body: validUpdate, contentType: "-", status: 200},
		"a GET":                   {method: "GET", status: 405, answer: "POST"},
		"a form":                  {body: "a=b", contentType: "application/x-www-form-urlencoded", status: 415, answer: "application/json"},
		"malformed":               {body: `{"update_id":"x"}`, status: 400, answer: "/update_id, byte 13: must be a whole number, is a string"},
		"too large":               {body: validUpdate, opts: []solafon.WebhookOption{solafon.WithMaxBody(10)}, status: 413, answer: "10 bytes"},
		"just large enough":       {body: validUpdate, opts: []solafon.WebhookOption{solafon.WithMaxBody(int64(len(validUpdate)))}, status: 200},
		"without the token":       {body: validUpdate, opts: []solafon.WebhookOption{solafon.WithAppToken("t")}, status: 401, answer: "X-App-Token"},
		"with another token":      {body: validUpdate, header: http.Header{"X-App-Token": {"T"}}, opts: []solafon.WebhookOption{solafon.WithAppToken("t")}, status: 401},
		"with the token":          {body: validUpdate, header: http.Header{"X-App-Token": {"t"}}, opts: []solafon.WebhookOption{solafon.WithAppToken("t")}, status: 200},
		"an empty token":          {body: validUpdate, opts: []solafon.WebhookOption{solafon.WithAppToken("")}, status: 401},
		"limits of zero":          {body: validUpdate, opts: []solafon.WebhookOption{solafon.WithMaxBody(0), solafon.WithTimeout(0)}, status: 200},
		"the function fails":      {body: validUpdate, receive: func(context.Context, solafon.Update) error { return errors.New("boom") }, status: 500},
		"the function panics":     {body: validUpdate, receive: func(_ context.Context, u solafon.Update) error { panic("at " + u.Text) }, status: 500},
		"the error tells secrets": {body: validUpdate, receive: func(_ context.Context, u solafon.Update) error { return errors.New(u.Text + u.From.Name) }, status: 500},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			if c.receive == nil {
				c.receive = ok
			}
			if c.method == "" {
				c.method = "POST"
			}
			h := solafon.NewWebhookHandler(c.receive, append(c.opts, solafon.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))...)
			r := httptest.NewRequest(c.method, "/webhook", strings.NewReader(c.body))
			switch c.contentType {
			case "":
				r.Header.Set("Content-Type", "application/json")
			case "-":
			default:
				r.Header.Set("Content-Type", c.contentType)
			}
			for key, values := range c.header {
				r.Header[key] = values
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != c.status || !strings.Contains(w.Body.String(), c.answer) {
				t.Errorf("%d %s", w.Code, w.Body)
			}
			if c.status == 405 && w.Header().Get("Allow") != "POST" {
				t.Error("no Allow header")
			}
			if c.status == 500 && !strings.Contains(log.String(), "update_id=123") {
				t.Errorf("the log has no update_id: %s", log.String())
			}
			if text := log.String() + w.Body.String(); strings.Contains(text, "a secret word") || strings.Contains(text, "John") {
				t.Errorf("what the user wrote got out: %s", text)
			}
		})
	}
}

func TestWebhookContextEndsInTime(t *testing.T) {
	var left time.Duration
	h := solafon.NewWebhookHandler(func(ctx context.Context, _ solafon.Update) error {
		deadline, _ := ctx.Deadline()
		left = time.Until(deadline)
		return nil
	})
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "/", strings.NewReader(validUpdate)))
	if left <= 0 || left > 9*time.Second {
		t.Errorf("%v are left", left)
	}
}

// TestWebhookStopsReading sends a body without end over a real connection.
func TestWebhookStopsReading(t *testing.T) {
	server := httptest.NewServer(solafon.NewWebhookHandler(func(context.Context, solafon.Update) error { return nil }, solafon.WithMaxBody(1000)))
	defer server.Close()
	var sent atomic.Int64
	body := readerFunc(func(p []byte) (int, error) {
		if sent.Add(int64(len(p))) > 64<<20 {
			return 0, io.EOF
		}
		return copy(p, bytes.Repeat([]byte(" "), len(p))), nil
	})
	resp, err := server.Client().Post(server.URL, "application/json", body)
	if err == nil {
		resp.Body.Close()
		if resp.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("%s", resp.Status)
		}
	}
	if sent.Load() > 32<<20 {
		t.Errorf("%d bytes were taken", sent.Load())
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestWebhookSlowBody(t *testing.T) {
	server := httptest.NewServer(solafon.NewWebhookHandler(func(context.Context, solafon.Update) error { return nil }, solafon.WithTimeout(10*time.Millisecond)))
	defer server.Close()
	pr, pw := io.Pipe()
	defer pw.Close()
	resp, err := server.Client().Post(server.URL, "application/json", pr)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusRequestTimeout {
		t.Errorf("%s", resp.Status)
	}
}

func TestUnavailableIsAnswered503(t *testing.T) {
	h := solafon.NewWebhookHandler(func(context.Context, solafon.Update) error {
		return fmt.Errorf("storing: %w", &solafon.Unavailable{RetryAfter: 1500 * time.Millisecond, Err: errors.New("full")})
	}, solafon.WithLogger(slog.New(slog.DiscardHandler)))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("POST", "/", strings.NewReader(`{"update_id":1,"from":{"id":1},"chat":{"id":1}}`)))
	if w.Code != 503 || w.Header().Get("Retry-After") != "2" {
		t.Errorf("%d, %v", w.Code, w.Header())
	}
}
