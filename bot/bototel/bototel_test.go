package bototel_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.uber.org/goleak"

	"github.com/solafon/solafon-go/bot"
	"github.com/solafon/solafon-go/bot/bototel"
	"github.com/solafon/solafon-go/bot/inbox"
	"github.com/solafon/solafon-go/gen/solafon"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	token = "token-of-the-app"
	text  = "what nobody else may read"
)

// platform answers sendMessage: 429 at first, then 200. No request may carry a
// trace.
type platform struct {
	t     *testing.T
	calls atomic.Int32
}

func (p *platform) Do(r *http.Request) (*http.Response, error) {
	r.Body.Close() // as every transport does
	if got := r.Header.Get("traceparent"); got != "" {
		p.t.Errorf("a request to the platform carries the trace %s", got)
	}
	answer := &http.Response{StatusCode: 200, Header: http.Header{}, ContentLength: -1, Request: r}
	body := `{"ok":true,"result":{"message_id":1,"chat":{"id":1}}}`
	if p.calls.Add(1) == 1 {
		answer.StatusCode, body = 429, `{"ok":false,"error_code":429,"description":"slow down"}`
	}
	answer.Body = io.NopCloser(strings.NewReader(body))
	return answer, nil
}

// observed is a bot whose telemetry is kept.
type observed struct {
	bot    *bot.Bot
	in     *inbox.Memory
	spans  *tracetest.SpanRecorder
	meters *metric.ManualReader
}

func observe(t *testing.T, handler bot.Handler) *observed {
	t.Helper()
	o := &observed{in: &inbox.Memory{Limit: 4}, spans: tracetest.NewSpanRecorder(), meters: metric.NewManualReader()}
	telemetry, err := bototel.New(
		bototel.WithTracerProvider(trace.NewTracerProvider(trace.WithSpanProcessor(o.spans))),
		bototel.WithMeterProvider(metric.NewMeterProvider(metric.WithReader(o.meters))),
	)
	if err != nil {
		t.Fatal(err)
	}
	client, err := solafon.NewClient(token, solafon.WithHTTPClient(&platform{t: t}), solafon.WithMiddleware(telemetry.Middleware),
		solafon.WithRetry(solafon.RetryPolicy{MaxAttempts: 3, MinBackoff: time.Millisecond, MaxBackoff: time.Millisecond}))
	if err != nil {
		t.Fatal(err)
	}
	o.bot = bot.New(client, bot.WithObserver(telemetry), bot.WithInbox(o.in), bot.WithLogger(slog.New(slog.DiscardHandler)),
		bot.WithRetry(bot.Retry{Min: time.Millisecond}))
	o.bot.Command("start", handler)
	o.bot.Text(handler)
	return o
}

func (o *observed) deliver(t *testing.T, id int64, chat int64, text string, status int) {
	t.Helper()
	body := fmt.Sprintf(`{"update_id":%d,"from":{"id":%d,"name":"Ada","email":"ada@example.org"},"chat":{"id":%d},"text":%q}`, id, chat, chat, text)
	w := httptest.NewRecorder()
	o.bot.WebhookHandler().ServeHTTP(w, httptest.NewRequest("POST", "/webhook", strings.NewReader(body)))
	if w.Code != status {
		t.Errorf("update %d: %d, not %d", id, w.Code, status)
	}
}

// work runs the bot until it has nothing to do.
func (o *observed) work(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- o.bot.Work(ctx) }()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for range tick.C {
		if status, err := o.in.Status(ctx); err != nil || status.Waiting == 0 {
			break
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// tree is the spans, each under the one that it belongs to.
func (o *observed) tree() []string {
	spans := o.spans.Ended()
	slices.SortStableFunc(spans, func(a, b trace.ReadOnlySpan) int { return a.StartTime().Compare(b.StartTime()) })
	var lines []string
	var under func(parent string, depth int)
	under = func(parent string, depth int) {
		for _, s := range spans {
			if s.Parent().SpanID().String() != parent {
				continue
			}
			line := strings.Repeat("  ", depth) + s.Name()
			for _, name := range []attribute.Key{
				"messaging.message.id", "solafon.bot.command", "solafon.bot.attempt", "solafon.bot.outcome", "error.type",
				"http.response.status_code", "http.request.resend_count",
			} {
				for _, attr := range s.Attributes() {
					if attr.Key == name {
						line += " " + attr.Value.String()
					}
				}
			}
			if s.Status().Description != "" {
				line += ": " + s.Status().Description
			}
			lines = append(lines, line)
			under(s.SpanContext().SpanID().String(), depth+1)
		}
	}
	under("0000000000000000", 0)
	return lines
}

// metrics is every figure of this package's instruments that is a count.
func (o *observed) metrics(t *testing.T) map[string]int64 {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := o.meters.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	if dump := fmt.Sprint(all); strings.Contains(dump, text) || strings.Contains(dump, token) || strings.Contains(dump, "ada@") {
		t.Errorf("the metrics have what they must not: %s", dump)
	}
	got := make(map[string]int64)
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			switch data := m.Data.(type) {
			case metricdata.Sum[int64]:
				for _, point := range data.DataPoints {
					outcome, _ := point.Attributes.Value("solafon.bot.outcome")
					got[outcome.AsString()] += point.Value
				}
			case metricdata.Gauge[int64]:
				for _, point := range data.DataPoints {
					got[m.Name] = point.Value
				}
			case metricdata.Gauge[float64]:
				for _, point := range data.DataPoints {
					if got[m.Name] = 0; point.Value > 0 {
						got[m.Name] = 1
					}
				}
			case metricdata.Histogram[float64]: // of times; sizes are whole numbers
				for _, point := range data.DataPoints {
					got[m.Name] += int64(point.Count)
				}
			}
		}
	}
	delete(got, "")
	return got
}

func TestOneTraceFromDeliveryToCall(t *testing.T) {
	o := observe(t, func(ctx context.Context, m *bot.Message) error {
		switch {
		case m.Attempt == 1:
			return errors.New("no luck with " + m.Text)
		case m.Command == "":
			return bot.Permanent(errors.New("gone"))
		}
		return m.Reply(ctx, text)
	})
	o.deliver(t, 1, 1, "/start "+text, 200)
	o.deliver(t, 1, 1, "/start "+text, 200)
	o.deliver(t, 2, 2, text, 200)
	o.work(t)
	want := []string{
		"webhook 200",
		"  put inbox 1 accepted",
		"    process inbox 1 start 1 failed *errors.errorString: *errors.errorString (its text repeats the message and is withheld)",
		"    process inbox 1 start 2 handled",
		"      sendMessage 429 429",
		"      sendMessage 200 1",
		"webhook 200",
		"  put inbox 1 duplicate",
		"webhook 200",
		"  put inbox 2 accepted",
		"    process inbox 2  1 failed *errors.errorString: *errors.errorString (its text repeats the message and is withheld)",
		"    process inbox 2  2 aside *errors.errorString: gone",
	}
	if diff := cmp.Diff(want, o.tree()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, s := range o.spans.Ended() {
		if dump := fmt.Sprint(s.Name(), s.Attributes(), s.Events(), s.Status()); strings.Contains(dump, text) || strings.Contains(dump, token) || strings.Contains(dump, "ada@") {
			t.Errorf("a span has what it must not: %s", dump)
		}
	}
	counts := o.metrics(t)
	wantCounts := map[string]int64{
		"accepted": 2, "duplicate": 1, "failed": 2, "handled": 1, "aside": 1,
		"messaging.process.duration": 4, "http.server.request.duration": 3, "http.client.request.duration": 2,
	}
	if diff := cmp.Diff(wantCounts, counts); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestInboxIsMeasuredWhileTheBotWorks(t *testing.T) {
	release, at := make(chan struct{}), make(chan struct{}, 4)
	o := observe(t, func(context.Context, *bot.Message) error {
		at <- struct{}{}
		<-release
		return nil
	})
	for i := range int64(4) {
		o.deliver(t, i+1, 1, "hello", 200)
	}
	o.deliver(t, 5, 1, "no room", 503)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- o.bot.Work(ctx) }()
	<-at
	got := o.metrics(t)
	for name, want := range map[string]int64{
		"solafon.bot.inbox.waiting": 4, "solafon.bot.inbox.parked": 0, "solafon.bot.inbox.aside": 0, "solafon.bot.inbox.oldest.age": 1,
		"accepted": 4, "refused": 1,
	} {
		if n, ok := got[name]; !ok || n != want {
			t.Errorf("%s is %d (%v), not %d", name, n, ok, want)
		}
	}
	cancel()
	close(release)
	if err := <-done; err != nil {
		t.Error(err)
	}
	if _, still := o.metrics(t)["solafon.bot.inbox.waiting"]; still {
		t.Error("the inbox is measured after the bot's work ended")
	}
}
