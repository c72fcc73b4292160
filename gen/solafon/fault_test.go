package solafon_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/solafon/solafon-go/gen/solafon"
)

var update = flag.Bool("update", false, "rewrite docs/faults.md")

// network is a platform and the way to it, both in memory, so that time can be
// the test's own.
type network struct {
	fault    fault
	listener *memoryListener
	server   *httptest.Server
	dials    atomic.Int32

	mu       sync.Mutex
	requests int
	messages []string // that the platform holds
}

// fault is what goes wrong. A nil function is one that goes well; n counts from
// 1.
type fault struct {
	name  string
	https bool
	warm  bool // a call went well before, and left its connection
	dial  func(n int) error
	write func(dial, n int) error // of the client's connection
	// serve answers a request, whose effect is there once done was called.
	serve func(n int, w http.ResponseWriter, r *http.Request, done func())
	// context ends the call.
	context func() (context.Context, context.CancelFunc)
	policy  solafon.RetryPolicy
}

func newNetwork(t *testing.T, f fault) *network {
	t.Helper()
	n := &network{fault: f, listener: &memoryListener{conns: make(chan net.Conn), closed: make(chan struct{})}}
	n.server = httptest.NewUnstartedServer(http.HandlerFunc(n.serve))
	n.server.Listener.Close()
	n.server.Listener = n.listener
	n.server.Config.ErrorLog = nil
	if f.https {
		n.server.StartTLS()
	} else {
		n.server.Start()
	}
	return n
}

// client is one whose waits are the longest that they can be.
func (n *network) client(t *testing.T, opts ...solafon.Option) (*solafon.Client, *http.Transport) {
	t.Helper()
	roots := x509.NewCertPool()
	if cert := n.server.Certificate(); cert != nil {
		roots.AddCert(cert)
	}
	transport := &http.Transport{DialContext: n.dial, TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: "example.com"}}
	policy := n.fault.policy
	policy.Jitter = func(limit time.Duration) time.Duration { return limit }
	base := "http://platform.localhost"
	if n.fault.https || n.fault.name == "TLS handshake fails" {
		base = "https://example.com"
	}
	c, err := solafon.NewClient(testToken, append([]solafon.Option{
		solafon.WithBaseURL(base), solafon.WithUserJWT(testJWT), solafon.WithRetry(policy),
		solafon.WithHTTPClient(&http.Client{Transport: transport, Timeout: 30 * time.Second}),
	}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return c, transport
}

func (n *network) dial(context.Context, string, string) (net.Conn, error) {
	number := int(n.dials.Add(1))
	if n.fault.dial != nil {
		if err := n.fault.dial(number); err != nil {
			return nil, err
		}
	}
	client, server := net.Pipe()
	select {
	case n.listener.conns <- server:
	case <-n.listener.closed:
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	}
	return &faultyConn{Conn: client, network: n, dial: number}, nil
}

// serve is the platform: it does what the fault says, or answers well.
func (n *network) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	n.mu.Lock()
	n.requests++
	number := n.requests
	n.mu.Unlock()
	done := func() {
		if strings.HasSuffix(r.URL.Path, "/sendMessage") {
			n.mu.Lock()
			n.messages = append(n.messages, string(body))
			n.mu.Unlock()
		}
	}
	if n.fault.serve != nil {
		n.fault.serve(number, w, r, done)
		return
	}
	well(w, r, done)
}

// well answers a call as the platform does.
func well(w http.ResponseWriter, r *http.Request, done func()) {
	done()
	w.Header().Set("Content-Type", "application/json")
	switch _, name, _ := strings.Cut(r.URL.Path, "/bot/"); name {
	case "sendMessage":
		io.WriteString(w, `{"ok":true,"result":{"message_id":1,"chat":{"id":1}}}`)
	case "getUpdates":
		io.WriteString(w, `{"ok":true,"result":[{"update_id":1,"from":{"id":1},"chat":{"id":1}}]}`)
	default:
		io.WriteString(w, `{"ok":true,"result":{"id":1,"is_bot":true}}`)
	}
}

type memoryListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (l *memoryListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *memoryListener) Close() error   { l.once.Do(func() { close(l.closed) }); return nil }
func (l *memoryListener) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80} }

// faultyConn is the client's end of a connection.
type faultyConn struct {
	net.Conn
	network *network
	dial    int
	writes  atomic.Int32
}

func (c *faultyConn) Write(b []byte) (int, error) {
	if fail := c.network.fault.write; fail != nil {
		if err := fail(c.dial, int(c.writes.Add(1))); err != nil {
			c.Conn.Close()
			return 0, err
		}
	}
	return c.Conn.Write(b)
}

// Faults that happen to every request, to the first, or to one of a kind.
func always(answer func(http.ResponseWriter, *http.Request, func())) func(int, http.ResponseWriter, *http.Request, func()) {
	return func(_ int, w http.ResponseWriter, r *http.Request, done func()) { answer(w, r, done) }
}

func first(answer func(http.ResponseWriter, *http.Request, func())) func(int, http.ResponseWriter, *http.Request, func()) {
	return func(n int, w http.ResponseWriter, r *http.Request, done func()) {
		if n == 1 {
			answer(w, r, done)
			return
		}
		well(w, r, done)
	}
}

func reset(_ http.ResponseWriter, _ *http.Request, done func()) {
	done()
	panic(http.ErrAbortHandler)
}

// answer answers so, without doing what was asked.
func answer(status int, body string, header ...string) func(http.ResponseWriter, *http.Request, func()) {
	return func(w http.ResponseWriter, _ *http.Request, _ func()) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

// answered does what was asked, and answers so all the same.
func answered(status int, body string, header ...string) func(http.ResponseWriter, *http.Request, func()) {
	return func(w http.ResponseWriter, r *http.Request, done func()) {
		done()
		answer(status, body, header...)(w, r, done)
	}
}

const limited = `{"ok":false,"error_code":429,"description":"Too Many Requests"}`

func faults() []fault {
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	lookup := &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "platform.localhost", IsNotFound: true}}
	broken := &net.OpError{Op: "write", Net: "tcp", Err: syscall.ECONNRESET}
	background := func() (context.Context, context.CancelFunc) { return context.WithCancel(context.Background()) }
	cancelledAfter := func(d time.Duration) func() (context.Context, context.CancelFunc) {
		return func() (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(context.Background())
			time.AfterFunc(d, cancel)
			return ctx, cancel
		}
	}
	deadline := func(d time.Duration) func() (context.Context, context.CancelFunc) {
		return func() (context.Context, context.CancelFunc) {
			return context.WithTimeout(context.Background(), d)
		}
	}
	in := func(d time.Duration) string { return time.Now().Add(d).UTC().Format(http.TimeFormat) }
	redirect := func(status int, to string) func(int, http.ResponseWriter, *http.Request, func()) {
		return always(func(w http.ResponseWriter, r *http.Request, done func()) {
			switch {
			case r.Host != "other.localhost" && (r.TLS != nil || !strings.HasPrefix(to, "http://platform")):
				http.Redirect(w, r, to+r.URL.Path, status)
			case r.Header.Get("Authorization") == "":
				answer(401, `{"ok":false,"error_code":401,"description":"Unauthorized: no token came along"}`)(w, r, done)
			default:
				well(w, r, done)
			}
		})
	}
	list := []fault{
		{name: "nothing"},
		{name: "no server", dial: func(int) error { return refused }},
		{name: "no server at first", dial: func(n int) error {
			if n == 1 {
				return refused
			}
			return nil
		}},
		{name: "lookup fails", dial: func(int) error { return lookup }},
		{name: "TLS handshake fails"},
		{name: "connection dies before the request is written", warm: true, write: func(dial, n int) error {
			if dial == 1 && n > 1 {
				return broken
			}
			return nil
		}},
		{name: "reset after the request is written, once", serve: first(reset)},
		{name: "reset after the request is written, always", serve: always(reset)},
		{name: "header never comes", policy: solafon.RetryPolicy{MaxElapsed: time.Minute}, serve: always(func(_ http.ResponseWriter, r *http.Request, done func()) {
			done()
			<-r.Context().Done()
		})},
		{name: "body stops halfway", serve: always(func(w http.ResponseWriter, _ *http.Request, done func()) {
			done()
			w.Header().Set("Content-Length", "1000")
			io.WriteString(w, `{"ok":true,"result":{"id":1`)
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		})},
		{name: "429 without a header, once", serve: first(answer(429, limited))},
		{name: "429 with Retry-After in seconds, once", serve: first(answer(429, limited, "Retry-After", "7"))},
		{name: "429 with Retry-After as a date, once", serve: first(func(w http.ResponseWriter, r *http.Request, done func()) {
			answer(429, limited, "Retry-After", in(9*time.Second))(w, r, done)
		})},
		{name: "429 with X-RateLimit-Reset, once", serve: first(func(w http.ResponseWriter, r *http.Request, done func()) {
			answer(429, limited, "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", fmt.Sprint(time.Now().Add(11*time.Second).Unix()))(w, r, done)
		})},
		{name: "429 with Retry-After of an hour", serve: always(answer(429, limited, "Retry-After", "3600"))},
		{name: "429 with Retry-After of words", serve: first(answer(429, limited, "Retry-After", "soon"))},
		{name: "429 for ever", serve: always(answer(429, limited))},
		{name: "500 once", serve: first(answered(500, `{"ok":false,"error_code":500,"description":"Internal"}`))},
		{name: "500 for ever", serve: always(answered(500, `{"ok":false,"error_code":500,"description":"Internal"}`))},
		{name: "502 with HTML", serve: always(answer(502, "<html>\n<h1>Bad Gateway</h1>"))},
		{name: "401", serve: always(answer(401, `{"ok":false,"error_code":401,"description":"Unauthorized: invalid API token"}`))},
		{name: "redirect to another host", serve: redirect(307, "http://other.localhost")},
		{name: "redirect that loses the method", serve: redirect(302, "http://other.localhost")},
		{name: "redirect from https to http", https: true, serve: redirect(307, "http://platform.localhost")},
		{name: "answer of 10 GB", serve: always(func(w http.ResponseWriter, _ *http.Request, done func()) {
			done()
			w.Header().Set("Content-Length", "10000000000")
			w.WriteHeader(200)
			endless(w)
		})},
		{name: "answer without an end", serve: always(func(w http.ResponseWriter, _ *http.Request, done func()) {
			done()
			endless(w)
		})},
		{name: "gzip bomb", serve: always(func(w http.ResponseWriter, _ *http.Request, done func()) {
			done()
			w.Header().Set("Content-Encoding", "gzip")
			w.Write(bomb())
		})},
		{name: "ok:false at 200", serve: always(answer(200, `{"ok":false,"error_code":400,"description":"Bad Request: chat not found"}`))},
		{name: "ok:true without a result", serve: always(answered(200, `{"ok":true}`))},
		{name: "200 with HTML", serve: always(answer(200, "<!DOCTYPE html><title>Log in</title>"))},
		{name: "200 with half a JSON", serve: always(answered(200, `{"ok":true,"result":{"id":1,"is_`))},
		{name: "empty body", serve: always(answered(200, ""))},
		{name: "context cancelled while waiting", serve: always(answer(429, limited, "Retry-After", "30")), context: cancelledAfter(5 * time.Second)},
		{name: "deadline before the wait would end", serve: always(answer(429, limited, "Retry-After", "30")), context: deadline(10 * time.Second)},
		{name: "context cancelled while reading", serve: always(func(w http.ResponseWriter, r *http.Request, done func()) {
			done()
			io.WriteString(w, `{"ok":`)
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}), context: cancelledAfter(5 * time.Second)},
	}
	for i := range list {
		if list[i].context == nil {
			list[i].context = background
		}
	}
	return list
}

func endless(w io.Writer) {
	chunk := bytes.Repeat([]byte(" "), 1<<16)
	for {
		if _, err := w.Write(chunk); err != nil {
			return
		}
	}
}

// bomb is 64 MiB of nothing, packed.
var bomb = sync.OnceValue(func() []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write(make([]byte, 64<<20))
	z.Close()
	return b.Bytes()
})

// kinds are calls of each kind: one that can be repeated, one that must not be,
// and one that must not be though its method says otherwise.
var kinds = []struct {
	name string
	call func(context.Context, *solafon.Client) error
}{
	{"getMe", func(ctx context.Context, c *solafon.Client) error { _, err := c.GetMe(ctx); return err }},
	{"sendMessage", func(ctx context.Context, c *solafon.Client) error {
		_, err := c.SendMessage(ctx, solafon.SendMessageRequest{ChatID: 1, Text: "hello"})
		return err
	}},
	{"getUpdates", func(ctx context.Context, c *solafon.Client) error { _, err := c.GetUpdates(ctx); return err }},
}

// meet makes one call in the face of a fault and tells what came of it.
func (f fault) meet(t *testing.T, call func(context.Context, *solafon.Client) error) (row []string, err error) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t, f)
		var attempts atomic.Int32
		c, transport := n.client(t, solafon.WithMiddleware(counting(&attempts)))
		if f.warm {
			if err := c.DeleteWebhook(context.Background()); err != nil {
				t.Fatal(err)
			}
			n.mu.Lock()
			n.requests = 0
			n.mu.Unlock()
			attempts.Store(0)
		}
		ctx, cancel := f.context()
		start := time.Now()
		err = call(ctx, c)
		waited := time.Since(start)
		cancel()
		transport.CloseIdleConnections()
		n.server.Close()
		said := "none"
		if err != nil {
			said = strings.ReplaceAll(err.Error(), "|", `\|`)
		}
		var e *solafon.Error
		if errors.As(err, &e) && e.Attempts != int(attempts.Load()) {
			t.Errorf("%s: the error says %d attempts, and %d were made", f.name, e.Attempts, attempts.Load())
		}
		row = []string{fmt.Sprint(attempts.Load()), fmt.Sprint(n.requests), fmt.Sprint(len(n.messages)), waited.Round(100 * time.Millisecond).String(), said}
	})
	return row, err
}

func counting(n *atomic.Int32) func(solafon.Doer) solafon.Doer {
	return func(next solafon.Doer) solafon.Doer {
		return doerFunc(func(r *http.Request) (*http.Response, error) {
			n.Add(1)
			return next.Do(r)
		})
	}
}

type doerFunc func(*http.Request) (*http.Response, error)

func (f doerFunc) Do(r *http.Request) (*http.Response, error) { return f(r) }

const faultsHead = `# What the client does when something goes wrong

Each row is one call, made by a test against a platform in its own process, with a clock of its own. *Attempts* are
requests that the client made, *reached* those that the platform got whole, *held* the messages that the platform has
afterwards, *time* how long the call took where every random wait is as long as it can be. A call that can be repeated
is ` + "`getMe`" + `; one that must not be once it may have arrived is ` + "`sendMessage`" + `, and ` + "`getUpdates`" + ` too, because fetching
marks updates as read.

| fault | call | attempts | reached | held | time | error |
| --- | --- | --- | --- | --- | --- | --- |
`

// TestFaults keeps docs/faults.md: what each kind of call does in the face of
// each fault.
func TestFaults(t *testing.T) {
	var b strings.Builder
	b.WriteString(faultsHead)
	for _, f := range faults() {
		for _, kind := range kinds {
			row, err := f.meet(t, kind.call)
			fmt.Fprintf(&b, "| %s | %s | %s |\n", f.name, kind.name, strings.Join(row, " | "))
			if err != nil {
				noSecrets(t, err)
			}
		}
	}
	const file = "../../docs/faults.md"
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(b.String(), "\n")); diff != "" {
		t.Errorf("docs/faults.md (-want +got):\n%s", diff)
	}
}

// TestNothingIsSentTwice sends messages through a thousand faults, some before
// the platform does as it is asked and some after.
func TestNothingIsSentTwice(t *testing.T) {
	const calls = 1000
	random := rand.New(rand.NewPCG(1, 2))
	var mu sync.Mutex
	chance := func(n int) bool {
		mu.Lock()
		defer mu.Unlock()
		return random.IntN(n) == 0
	}
	var happened atomic.Int32
	hit := func(n int) bool {
		if !chance(n) {
			return false
		}
		happened.Add(1)
		return true
	}
	f := fault{
		dial: func(int) error {
			if hit(5) {
				return &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
			}
			return nil
		},
		write: func(int, int) error {
			if hit(10) {
				return &net.OpError{Op: "write", Net: "tcp", Err: syscall.EPIPE}
			}
			return nil
		},
		serve: func(_ int, w http.ResponseWriter, r *http.Request, done func()) {
			switch {
			case hit(6):
				answer(429, limited)(w, r, done)
			case hit(8):
				answered(500, "")(w, r, done)
			case hit(8):
				answer(503, "", "Retry-After", "1")(w, r, done)
			case hit(8):
				reset(w, r, done)
			case hit(8):
				reset(w, r, func() {})
			case hit(12):
				done()
				io.WriteString(w, `{"ok":tr`)
				w.(http.Flusher).Flush()
				panic(http.ErrAbortHandler)
			default:
				well(w, r, done)
			}
		},
	}
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t, f)
		c, transport := n.client(t)
		succeeded := make(map[string]bool)
		for i := 0; i < calls || happened.Load() < 1000; i++ {
			text := fmt.Sprint("message ", i)
			_, err := c.SendMessage(context.Background(), solafon.SendMessageRequest{ChatID: 1, Text: text})
			succeeded[text] = err == nil
			if err != nil {
				noSecrets(t, err)
			}
		}
		transport.CloseIdleConnections()
		n.server.Close()
		held := make(map[string]int)
		for _, body := range n.messages {
			var req solafon.SendMessageRequest
			if err := json.Unmarshal([]byte(body), &req); err != nil {
				t.Fatal(err)
			}
			held[req.Text]++
		}
		good := 0
		for text, ok := range succeeded {
			if held[text] > 1 || ok && held[text] != 1 {
				t.Errorf("%q succeeded: %v, and is held %d times", text, ok, held[text])
			}
			if ok {
				good++
			}
		}
		t.Logf("%d faults met %d calls of sendMessage: %d succeeded, %d messages are held, none twice", happened.Load(), len(succeeded), good, len(held))
	})
}
