package runtime

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"mime"
	"net/http"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"
)

// defaultMaxBody is the limit of a delivery's body, in bytes, unless
// WithMaxBody says otherwise.
const defaultMaxBody = 1 << 20

// WebhookOption changes how a webhook handler works.
type WebhookOption func(*webhookConfig)

type webhookConfig struct {
	maxBody int64
	timeout time.Duration
	logger  *slog.Logger
	secrets []headerSecret
}

// headerSecret is a header that a delivery must carry, as the hash of its
// value, so that comparing takes the same time whatever the value's length.
type headerSecret struct {
	header string
	hash   [sha256.Size]byte
}

// WithMaxBody refuses bodies of more than n bytes with 413. It is 1 MiB
// without this option, and with an n that is not positive. Of bodies above 16 KiB
// a handler reads 32 at once at most; others wait their turn until the time is
// over, and are then answered 503.
func WithMaxBody(n int64) WebhookOption {
	return func(c *webhookConfig) {
		if n > 0 {
			c.maxBody = n
		}
	}
}

// WithTimeout ends the context of the receiving function d after the delivery
// came in. Keep it below what the sender waits, so that there is time to
// answer. A d that is not positive changes nothing.
func WithTimeout(d time.Duration) WebhookOption {
	return func(c *webhookConfig) {
		if d > 0 {
			c.timeout = d
		}
	}
}

// WithLogger logs what goes wrong to logger instead of slog.Default(). What
// users wrote is never logged.
func WithLogger(logger *slog.Logger) WebhookOption {
	return func(c *webhookConfig) { c.logger = logger }
}

func withHeaderSecret(header, value string) WebhookOption {
	return func(c *webhookConfig) {
		c.secrets = append(c.secrets, headerSecret{header: header, hash: sha256.Sum256([]byte(value))})
	}
}

// webhookHandler receives the deliveries of one webhook.
type webhookHandler[T any] struct {
	webhookConfig
	decode  func([]byte) (T, error)
	id      func(*T) slog.Attr // what to log of a payload
	private func(*T) []string  // what never to log of it
	receive func(context.Context, T) error
	large   chan struct{} // has room for as many large bodies as are read at once
	reads   *bodyReads    // bodies that are read now
}

func newWebhookHandler[T any](h webhookHandler[T], opts []WebhookOption) http.Handler {
	h.maxBody, h.large, h.reads = defaultMaxBody, make(chan struct{}, maxLargeBodies), new(bodyReads)
	for _, opt := range opts {
		opt(&h.webhookConfig)
	}
	return &h
}

// ServeHTTP answers 200 when the payload was received, and otherwise with the
// status that says why not.
func (h *webhookHandler[T]) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if status, reason := h.check(w, r); status != 0 {
		http.Error(w, reason, status)
		return
	}
	ctx := &deliveryContext{Context: r.Context(), deadline: time.Now().Add(h.timeout)}
	defer ctx.end()
	payload, status, err := h.read(ctx, w, r)
	if err != nil {
		http.Error(w, err.Error(), status)
		return
	}
	if err := h.run(ctx, payload); err != nil {
		h.log(ctx, &payload, err)
		var unavailable *Unavailable
		if errors.As(err, &unavailable) {
			w.Header().Set("Retry-After", strconv.FormatInt(max(1, int64(math.Ceil(unavailable.RetryAfter.Seconds()))), 10))
			http.Error(w, "there is no room for the delivery now", http.StatusServiceUnavailable)
			return
		}
		http.Error(w, "the delivery could not be handled", http.StatusInternalServerError)
		return
	}
	io.WriteString(w, "OK") // package http finds out that it is plain text, for less than it takes to say so
}

// check looks at all of a delivery but its body.
func (h *webhookHandler[T]) check(w http.ResponseWriter, r *http.Request) (status int, reason string) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return http.StatusMethodNotAllowed, "deliveries come by POST"
	}
	for _, secret := range h.secrets {
		value := r.Header.Get(secret.header)
		hash := sha256.Sum256([]byte(value))
		if value == "" || subtle.ConstantTimeCompare(hash[:], secret.hash[:]) != 1 {
			return http.StatusUnauthorized, "the " + secret.header + " header is missing or wrong"
		}
	}
	if contentType := r.Header.Get("Content-Type"); !isJSON(contentType) {
		return http.StatusUnsupportedMediaType, fmt.Sprintf("the body must be application/json, not %q", contentType)
	}
	if r.ContentLength > h.maxBody {
		// Closing is what keeps the server from reading the body to its end.
		w.Header().Set("Connection", "close")
		return http.StatusRequestEntityTooLarge, h.tooLarge()
	}
	return 0, ""
}

func (h *webhookHandler[T]) tooLarge() string {
	return fmt.Sprintf("the body is larger than %d bytes", h.maxBody)
}

// isJSON reports whether a content type is JSON's. None at all is taken for
// JSON, since nothing else is ever sent here.
func isJSON(contentType string) bool {
	if contentType == "" || contentType == "application/json" {
		return true
	}
	mediaType, _, err := mime.ParseMediaType(contentType)
	if err != nil && !errors.Is(err, mime.ErrInvalidMediaParameter) {
		return false
	}
	return mediaType == "application/json" || strings.HasPrefix(mediaType, "application/") && strings.HasSuffix(mediaType, "+json")
}

// bodies are the buffers that bodies are read into, used again and again: a
// decoded payload has a copy of its own.
var bodies = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// Ten thousand connections that send a body each must not take ten thousand times
// its limit of memory: of bodies above the size of nearly every delivery only so
// many are read at once.
const (
	largeBody      = 16 << 10
	maxLargeBodies = 32
)

// maxKeptBody is the capacity from which a buffer is not kept, so that one
// large body does not stay in memory.
const maxKeptBody = 64 << 10

// read reads and decodes the body within the time that ctx has.
func (h *webhookHandler[T]) read(ctx *deliveryContext, w http.ResponseWriter, r *http.Request) (payload T, status int, err error) {
	buf := bodies.Get().(*bytes.Buffer)
	defer func() {
		if buf.Cap() <= maxKeptBody {
			buf.Reset()
			bodies.Put(buf)
		}
	}()
	h.reads.begin(&ctx.reading, w, ctx.deadline)
	status, err = h.fill(ctx, buf, r)
	h.reads.end(&ctx.reading)
	if err != nil {
		w.Header().Set("Connection", "close")
		return payload, status, err
	}
	if int64(buf.Len()) > h.maxBody {
		w.Header().Set("Connection", "close")
		return payload, http.StatusRequestEntityTooLarge, errors.New(h.tooLarge())
	}
	payload, err = h.decode(buf.Bytes())
	return payload, http.StatusBadRequest, err
}

// fill reads a body, as far as it is allowed to go.
func (h *webhookHandler[T]) fill(ctx context.Context, buf *bytes.Buffer, r *http.Request) (status int, err error) {
	err = fillTo(buf, r, min(largeBody, h.maxBody+1))
	if err == nil && buf.Len() == largeBody {
		select {
		case h.large <- struct{}{}:
			defer func() { <-h.large }()
		case <-ctx.Done():
			return http.StatusServiceUnavailable, errors.New("too many large bodies arrive at once")
		}
		err = fillTo(buf, r, h.maxBody+1)
	}
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return http.StatusRequestTimeout, errors.New("the body took too long to arrive")
	case err != nil:
		return http.StatusBadRequest, errors.New("the body could not be read to its end")
	}
	return 0, nil
}

// fillTo reads a body until there are so many bytes of it. Where its length is
// said before, room is made once.
func fillTo(buf *bytes.Buffer, r *http.Request, limit int64) error {
	if r.ContentLength > 0 {
		buf.Grow(int(min(r.ContentLength, limit)) - buf.Len() + bytes.MinRead)
	}
	_, err := buf.ReadFrom(io.LimitReader(r.Body, limit-int64(buf.Len())))
	return err
}

// run calls the receiving function and turns a panic into an error.
func (h *webhookHandler[T]) run(ctx context.Context, payload T) (err error) {
	defer func() {
		if reason := recover(); reason != nil {
			err = &panicError{reason: reason, stack: debug.Stack()}
		}
	}()
	return h.receive(ctx, payload)
}

// Unavailable is what a receiving function returns when it cannot take a payload
// now and could later: the delivery is answered 503, with the wait as
// Retry-After.
type Unavailable struct {
	// RetryAfter is when to try again. It is sent in whole seconds, 1 at least.
	RetryAfter time.Duration
	// Err says why.
	Err error
}

// Error says why.
func (e *Unavailable) Error() string { return "unavailable: " + e.Err.Error() }

// Unwrap returns Err.
func (e *Unavailable) Unwrap() error { return e.Err }

type panicError struct {
	reason any
	stack  []byte
}

func (e *panicError) Error() string { return fmt.Sprintf("panic: %v", e.reason) }

// log says which payload could not be handled and why. A reason that repeats
// what the user wrote is replaced by its type.
func (h *webhookHandler[T]) log(ctx context.Context, payload *T, err error) {
	logger := h.logger
	if logger == nil {
		logger = slog.Default()
	}
	reason, attrs := err.Error(), []slog.Attr{h.id(payload)}
	for _, text := range h.private(payload) {
		quoted := strconv.Quote(text)
		if text != "" && (strings.Contains(reason, text) || strings.Contains(reason, quoted[1:len(quoted)-1])) {
			reason = fmt.Sprintf("%T (its text repeats the payload and is withheld)", err)
			break
		}
	}
	attrs = append(attrs, slog.String("error", reason))
	if panicked, ok := err.(*panicError); ok {
		attrs = append(attrs, slog.String("stack", string(panicked.stack)))
	}
	logger.LogAttrs(ctx, slog.LevelError, "webhook delivery failed", attrs...)
}
