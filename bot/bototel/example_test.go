package bototel_test

import (
	"bufio"
	"context"
	"fmt"
	"log"
	"log/slog"
	"net/http/httptest"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	exporter "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/sdk/metric"

	"github.com/solafon/solafon-go/bot"
	"github.com/solafon/solafon-go/bot/bototel"
	"github.com/solafon/solafon-go/gen/solafon"
)

// A bot's metrics, served to Prometheus.
func Example() {
	registry := prometheus.NewRegistry()
	reader, err := exporter.New(exporter.WithRegisterer(registry), exporter.WithoutScopeInfo(), exporter.WithoutTargetInfo())
	if err != nil {
		log.Fatal(err)
	}
	telemetry, err := bototel.New(bototel.WithMeterProvider(metric.NewMeterProvider(metric.WithReader(reader))))
	if err != nil {
		log.Fatal(err)
	}
	client, err := solafon.NewClient("the-apps-token", solafon.WithMiddleware(telemetry.Middleware))
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	b := bot.New(client, bot.WithObserver(telemetry), bot.WithLogger(slog.New(slog.DiscardHandler)))
	b.Text(func(context.Context, *bot.Message) error {
		stop() // a bot of one message
		return nil
	})

	// What http.ListenAndServe would do with b.WebhookHandler(), and at /metrics
	// with promhttp.HandlerFor(registry, …).
	update := `{"update_id":1,"from":{"id":7},"chat":{"id":7},"text":"hello"}`
	b.WebhookHandler().ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "/webhook", strings.NewReader(update)))
	if err := b.Work(ctx); err != nil {
		log.Fatal(err)
	}
	page := httptest.NewRecorder()
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(page, httptest.NewRequest("GET", "/metrics", nil))
	for lines := bufio.NewScanner(page.Body); lines.Scan(); {
		if line := lines.Text(); strings.HasPrefix(line, "solafon_") || strings.HasPrefix(line, "messaging_process_duration_seconds_count") {
			fmt.Println(line)
		}
	}
	// Output:
	// messaging_process_duration_seconds_count{messaging_operation_name="process",messaging_system="solafon",solafon_bot_command=""} 1
	// solafon_bot_updates_total{solafon_bot_outcome="accepted"} 1
	// solafon_bot_updates_total{solafon_bot_outcome="handled"} 1
}
