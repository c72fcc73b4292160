package bench

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/solafon/solafon-go/bot"
	"github.com/solafon/solafon-go/bot/inbox"
	"github.com/solafon/solafon-go/bot/inbox/jetstream"
	"github.com/solafon/solafon-go/gen/solafon"
)

// numbers makes update ids that no round has had.
var numbers atomic.Int64

// delivering measures how many deliveries a second a handler answers 200, from
// 64 senders over loopback.
func delivering(b *testing.B, url string, client *http.Client, calls int) float64 {
	b.Helper()
	start := time.Now()
	var next atomic.Int64
	var senders sync.WaitGroup
	for range 64 {
		senders.Go(func() {
			for next.Add(1) <= int64(calls) {
				n := numbers.Add(1)
				body := fmt.Sprintf(`{"update_id":%d,"message_id":123,"from":{"id":%d,"email":"user@example.com","name":"John","language":"en"},"chat":{"id":%[2]d,"type":"private"},"date":1704067200,"text":"/start"}`, n, n%1000+1)
				resp, err := client.Post(url, "application/json", strings.NewReader(body))
				if err != nil {
					b.Error(err)
					return
				}
				io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
				if resp.StatusCode != http.StatusOK {
					b.Errorf("status %d", resp.StatusCode)
					return
				}
			}
		})
	}
	senders.Wait()
	return float64(calls) / time.Since(start).Seconds()
}

func listen(b *testing.B, handler http.Handler) string {
	b.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	server := &http.Server{Handler: handler}
	go server.Serve(listener)
	b.Cleanup(func() { server.Close() })
	return "http://" + listener.Addr().String()
}

// handled waits until an inbox has nothing left to handle, so that what follows
// is measured alone.
func handled(b *testing.B, in inbox.Inbox) {
	b.Helper()
	for {
		status, err := in.Status(context.Background())
		if err != nil {
			b.Fatal(err)
		}
		if status.Waiting == 0 {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// BenchmarkAccept is the rate at which a bot answers deliveries 200 with each
// inbox, of the rate of a handler that reads the body, drops it and gives the same
// answer, in rounds that take turns. The bot handles what it accepted at the same time; handled/s
// is the rate from the first delivery to the last one handled.
func BenchmarkAccept(b *testing.B) {
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	client := &http.Client{Transport: transport}
	b.Cleanup(transport.CloseIdleConnections)
	dropping := listen(b, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		io.WriteString(w, "OK")
	}))
	for _, engine := range []struct {
		name  string
		calls int
		open  func(dir string) (inbox.Inbox, error)
	}{
		{"memory", 4000, func(string) (inbox.Inbox, error) { return &inbox.Memory{Limit: 1 << 20}, nil }},
		{"embedded", 4000, func(dir string) (inbox.Inbox, error) { return jetstream.Embedded(context.Background(), dir) }},
		{"embedded-synced", 500, func(dir string) (inbox.Inbox, error) {
			return jetstream.Embedded(context.Background(), dir, jetstream.WithSync())
		}},
	} {
		b.Run(engine.name, func(b *testing.B) {
			start := time.Now()
			in, err := engine.open(b.TempDir())
			if err != nil {
				b.Fatal(err)
			}
			opened := time.Since(start)
			api, err := solafon.NewClient("token")
			if err != nil {
				b.Fatal(err)
			}
			accepting := bot.New(api, bot.WithInbox(in), bot.WithLogger(slog.New(slog.DiscardHandler)))
			ctx, cancel := context.WithCancel(context.Background())
			done := make(chan error, 1)
			go func() { done <- accepting.Work(ctx) }()
			url := listen(b, accepting.WebhookHandler())
			delivering(b, url, client, engine.calls/4)
			delivering(b, dropping, client, engine.calls/4)
			var ratios, rates, ends []float64
			for b.Loop() {
				handled(b, in)
				base := delivering(b, dropping, client, engine.calls)
				start := time.Now()
				rate := delivering(b, url, client, engine.calls)
				handled(b, in)
				ends = append(ends, float64(engine.calls)/time.Since(start).Seconds())
				rates, ratios = append(rates, rate), append(ratios, rate/base)
			}
			b.ReportMetric(median(ends), "handled/s")
			b.ReportMetric(median(ratios), "of-dropping")
			b.ReportMetric(median(rates), "deliveries/s")
			b.ReportMetric(float64(opened.Milliseconds()), "ms-to-open")
			b.ReportMetric(0, "ns/op")
			cancel()
			if err := <-done; err != nil {
				b.Error(err)
			}
			if err := in.Close(); err != nil {
				b.Error(err)
			}
		})
	}
}
