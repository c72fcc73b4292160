// Package bototel traces and measures a bot with OpenTelemetry. A bot that does
// not import it brings none of OpenTelemetry's modules.
//
//	telemetry, err := bototel.New()
//	client, err := solafon.NewClient(token, solafon.WithMiddleware(telemetry.Middleware))
//	b := bot.New(client, bot.WithObserver(telemetry))
//
// # Spans
//
// One trace leads from the delivery to all that it brings about, in whichever
// process and after whichever restart that happens:
//
//	webhook            the delivery
//	└ put inbox        writing it down
//	  ├ process inbox  a try of the handler, and one for each further try
//	  │ ├ sendMessage  a request of the client, and one for each further attempt
//	  │ └ …
//	  └ …
//
// The try's span has the update_id, the attempt and the command, and of an error
// its type and text, as far as that does not repeat what the user wrote. No span
// has a message's text, a name or a secret. Requests to the platform carry no
// trace.
//
// # Metrics
//
//	http.server.request.duration   deliveries by their answer, those refused before they were read included
//	http.client.request.duration   requests of the client
//	messaging.process.duration     seconds in the handler, by command and error.type
//	solafon.bot.updates            updates by solafon.bot.outcome:
//	                               accepted, refused, duplicate of deliveries;
//	                               handled, failed, aside of tries
//	solafon.bot.inbox.waiting      items not handled yet
//	solafon.bot.inbox.parked       those of them that wait for a next try
//	solafon.bot.inbox.aside        items put aside
//	solafon.bot.inbox.oldest.age   seconds since the oldest that waits was accepted
//
// The last four are read from the inbox when the metrics are collected, while the
// bot works. Processes that share an inbox report the same numbers each: take
// their maximum, not their sum. A duplicate that an inbox finds out only at its
// turn is counted as accepted; inbox/jetstream does that with what comes again
// later than 2 minutes after the first time.
package bototel

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/semconv/v1.43.0/messagingconv"
	"go.opentelemetry.io/otel/trace"

	"github.com/solafon/solafon-go/bot"
	"github.com/solafon/solafon-go/bot/inbox"
	"github.com/solafon/solafon-go/gen/solafon"
)

// scope is what spans and metrics say they come from.
const scope = "github.com/solafon/solafon-go/bot/bototel"

// system is the messaging system, in the terms of the semantic conventions.
const system messagingconv.SystemAttr = "solafon"

// Observer is a bot.Observer that traces and measures. Make one with New, for as
// many bots as the process has.
type Observer struct {
	tracers trace.TracerProvider
	meters  metric.MeterProvider
	tracer  trace.Tracer
	meter   metric.Meter

	process messagingconv.ProcessDuration
	updates metric.Int64Counter
	waiting metric.Int64ObservableGauge
	parked  metric.Int64ObservableGauge
	aside   metric.Int64ObservableGauge
	oldest  metric.Float64ObservableGauge
}

var _ bot.Observer = (*Observer)(nil)

// Option changes how New makes an Observer.
type Option func(*Observer)

// WithTracerProvider has a provider of the caller's choice take the spans; the
// global one does without it.
func WithTracerProvider(p trace.TracerProvider) Option { return func(o *Observer) { o.tracers = p } }

// WithMeterProvider has a provider of the caller's choice take the metrics; the
// global one does without it.
func WithMeterProvider(p metric.MeterProvider) Option { return func(o *Observer) { o.meters = p } }

// New makes an observer. It fails where the meter provider refuses an
// instrument.
func New(opts ...Option) (*Observer, error) {
	o := &Observer{tracers: otel.GetTracerProvider(), meters: otel.GetMeterProvider()}
	for _, opt := range opts {
		opt(o)
	}
	o.tracer = o.tracers.Tracer(scope, trace.WithSchemaURL(semconv.SchemaURL))
	o.meter = o.meters.Meter(scope, metric.WithSchemaURL(semconv.SchemaURL))
	var errs [6]error
	o.process, errs[0] = messagingconv.NewProcessDuration(o.meter,
		metric.WithExplicitBucketBoundaries(.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30))
	o.updates, errs[1] = o.meter.Int64Counter("solafon.bot.updates",
		metric.WithUnit("{update}"), metric.WithDescription("What became of deliveries and of updates."))
	o.waiting, errs[2] = o.meter.Int64ObservableGauge("solafon.bot.inbox.waiting",
		metric.WithUnit("{item}"), metric.WithDescription("Items not handled yet."))
	o.parked, errs[3] = o.meter.Int64ObservableGauge("solafon.bot.inbox.parked",
		metric.WithUnit("{item}"), metric.WithDescription("Items that wait for a next try, or behind one."))
	o.aside, errs[4] = o.meter.Int64ObservableGauge("solafon.bot.inbox.aside",
		metric.WithUnit("{item}"), metric.WithDescription("Items put aside."))
	o.oldest, errs[5] = o.meter.Float64ObservableGauge("solafon.bot.inbox.oldest.age",
		metric.WithUnit("s"), metric.WithDescription("How long ago the oldest item that waits was accepted."))
	if err := errors.Join(errs[:]...); err != nil {
		return nil, err
	}
	return o, nil
}

// Webhook traces and measures deliveries.
func (o *Observer) Webhook(next http.Handler) http.Handler {
	return otelhttp.NewHandler(next, "webhook", otelhttp.WithTracerProvider(o.tracers), otelhttp.WithMeterProvider(o.meters),
		otelhttp.WithSpanNameFormatter(func(operation string, _ *http.Request) string { return operation }))
}

// Middleware traces and measures the requests of a client: give it to
// solafon.WithMiddleware.
func (o *Observer) Middleware(next solafon.Doer) solafon.Doer {
	return doer{otelhttp.NewTransport(roundTripper{next}, otelhttp.WithTracerProvider(o.tracers), otelhttp.WithMeterProvider(o.meters),
		otelhttp.WithPropagators(propagation.NewCompositeTextMapPropagator()),
		otelhttp.WithSpanNameFormatter(func(_ string, r *http.Request) string { return solafon.OperationFromContext(r.Context()) }),
	)}
}

// roundTripper and doer are the two names that sending a request has.
type (
	roundTripper struct{ solafon.Doer }
	doer         struct{ http.RoundTripper }
)

func (r roundTripper) RoundTrip(req *http.Request) (*http.Response, error) {
	if resent := solafon.AttemptFromContext(req.Context()) - 1; resent > 0 {
		trace.SpanFromContext(req.Context()).SetAttributes(semconv.HTTPRequestResendCount(resent))
	}
	return r.Do(req)
}

func (d doer) Do(req *http.Request) (*http.Response, error) { return d.RoundTrip(req) }

// Delivery traces the writing down of an update.
func (o *Observer) Delivery(ctx context.Context, u *solafon.Update) (context.Context, string, func(bot.Result)) {
	ctx, span := o.tracer.Start(ctx, "put inbox", trace.WithSpanKind(trace.SpanKindProducer), trace.WithAttributes(
		semconv.MessagingOperationName("put"), semconv.MessagingOperationTypeSend, semconv.MessagingDestinationName("inbox"),
		semconv.MessagingSystemKey.String(string(system)), messageID(u),
	))
	carrier := make(propagation.MapCarrier)
	propagation.TraceContext{}.Inject(ctx, carrier)
	return ctx, carrier.Get("traceparent"), func(result bot.Result) { o.end(ctx, span, result) }
}

// Update traces a try of the handler.
func (o *Observer) Update(ctx context.Context, traceparent, command string, m *bot.Message) (context.Context, func(bot.Result)) {
	start := time.Now()
	ctx = propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{"traceparent": traceparent})
	ctx, span := o.tracer.Start(ctx, "process inbox", trace.WithSpanKind(trace.SpanKindConsumer), trace.WithAttributes(
		semconv.MessagingOperationName("process"), semconv.MessagingOperationTypeProcess, semconv.MessagingDestinationName("inbox"),
		semconv.MessagingSystemKey.String(string(system)), messageID(&m.Update),
		attribute.String("solafon.bot.command", command), attribute.Int("solafon.bot.attempt", m.Attempt),
	))
	return ctx, func(result bot.Result) {
		attrs := []attribute.KeyValue{attribute.String("solafon.bot.command", command)}
		if result.Type != "" {
			attrs = append(attrs, semconv.ErrorTypeKey.String(result.Type))
		}
		o.process.Record(ctx, time.Since(start).Seconds(), "process", system, attrs...)
		o.end(ctx, span, result)
	}
}

// messageID is the number of an update, by which its spans are found.
func messageID(u *solafon.Update) attribute.KeyValue {
	return semconv.MessagingMessageID(strconv.FormatInt(u.UpdateID, 10))
}

// end counts a result and ends its span.
func (o *Observer) end(ctx context.Context, span trace.Span, result bot.Result) {
	outcome := attribute.String("solafon.bot.outcome", string(result.Outcome))
	span.SetAttributes(outcome)
	if result.Type != "" {
		span.SetAttributes(semconv.ErrorTypeKey.String(result.Type))
		span.SetStatus(codes.Error, result.Reason)
	}
	span.End()
	o.updates.Add(ctx, 1, metric.WithAttributes(outcome))
}

// Work has the inbox's numbers collected until the bot's work ends.
func (o *Observer) Work(in inbox.Inbox) func() {
	observing, err := o.meter.RegisterCallback(func(ctx context.Context, to metric.Observer) error {
		status, err := in.Status(ctx)
		if err != nil {
			return err
		}
		to.ObserveInt64(o.waiting, int64(status.Waiting))
		to.ObserveInt64(o.parked, int64(status.Parked))
		to.ObserveInt64(o.aside, int64(status.Aside))
		age := 0.0
		if !status.Oldest.IsZero() {
			age = max(time.Since(status.Oldest).Seconds(), 0)
		}
		to.ObserveFloat64(o.oldest, age)
		return nil
	}, o.waiting, o.parked, o.aside, o.oldest)
	if err != nil {
		otel.Handle(err)
		return func() {}
	}
	return func() {
		if err := observing.Unregister(); err != nil {
			otel.Handle(err)
		}
	}
}
