package runtime

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
)

// attempt is one request of a call. It is the request's context, so that
// middleware can ask which call it belongs to.
type attempt struct {
	context.Context
	op     *operation
	number int

	// What httptrace told of a call that must not be repeated once it has been
	// sent.
	trace   httptrace.ClientTrace
	started atomic.Bool // a connection was asked for: the doer does report
	written atomic.Bool // the whole header was handed to a connection
	http2   atomic.Bool // over which an answer can begin before the request ends
}

type attemptKey struct{}

// Value finds the attempt itself, and what the caller's context holds.
func (a *attempt) Value(key any) any {
	if key == (attemptKey{}) {
		return a
	}
	return a.Context.Value(key)
}

// context is what the request is made with.
func (a *attempt) context() context.Context {
	if a.op.idempotent {
		return a
	}
	a.trace.GetConn = func(string) {
		a.started.Store(true)
		a.written.Store(false) // net/http asks for another only if nothing was written to the last
	}
	a.trace.GotConn = func(info httptrace.GotConnInfo) {
		conn, ok := info.Conn.(*tls.Conn)
		a.http2.Store(ok && conn.ConnectionState().NegotiatedProtocol == "h2")
	}
	a.trace.WroteHeaders = func() { a.written.Store(true) }
	a.trace.WroteRequest = func(info httptrace.WroteRequestInfo) {
		if info.Err != nil && !a.http2.Load() {
			a.written.Store(false) // the connection took a part of it at most
		}
	}
	return httptrace.WithClientTrace(a, &a.trace)
}

// unsent tells whether the failure of an attempt proves that the API has not
// got the request: it was never written whole, or no connection was made. A
// doer that does not report to httptrace has to say so in its error.
func (a *attempt) unsent(err error) bool {
	if a.written.Load() {
		// The connection had been closed before it was given out, and what was
		// written went nowhere. net/http has no name for this error.
		return strings.HasSuffix(err.Error(), "http: server closed idle connection")
	}
	var dial *net.OpError
	var lookup *net.DNSError
	return a.started.Load() || errors.As(err, &lookup) || errors.As(err, &dial) && dial.Op == "dial"
}

// send makes the request of an attempt and sends it. The body is read anew each
// time.
func (c *Client) send(a *attempt, account *account, path string, body []byte) (*http.Response, error) {
	target := c.target(path)
	req := (&http.Request{
		Method: a.op.method, URL: target, Host: target.Host, Header: make(http.Header, 4),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}).WithContext(a.context())
	req.Header["Accept"] = jsonValue
	if c.userAgent != nil {
		req.Header["User-Agent"] = c.userAgent
	}
	if account.header != "" {
		req.Header[account.header] = []string{account.value.Reveal()}
	}
	if body != nil {
		req.Header["Content-Type"] = jsonValue
		req.ContentLength = int64(len(body))
		req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
		req.Body, _ = req.GetBody()
	} else if a.op.method == http.MethodGet && !a.op.idempotent {
		// net/http sends a GET again by itself where a connection dies, unless it
		// has a body that cannot be read twice. This one is empty, and identity
		// keeps net/http from looking into it first.
		req.Body, req.TransferEncoding = io.NopCloser(eof{}), []string{"identity"}
	}
	return c.doer.Do(req)
}

// jsonValue is a header's value that all requests share. It has no room at its
// end, so that adding to a header copies it.
var jsonValue = []string{"application/json"}

// target is the URL of a path whose parameters are escaped.
func (c *Client) target(path string) *url.URL {
	target := *c.base
	if target.RawPath == "" && !strings.Contains(path, "%") {
		target.Path += path
		return &target
	}
	escaped := target.EscapedPath() + path
	if unescaped, err := url.PathUnescape(escaped); err == nil {
		target.Path, target.RawPath = unescaped, escaped
	}
	return &target
}

// eof is the body of a request that net/http must not repeat.
type eof struct{}

func (eof) Read([]byte) (int, error) { return 0, io.EOF }
