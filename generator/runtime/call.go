package runtime

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	// maxAnswer is how many bytes of an answer are read.
	maxAnswer = 10 << 20
	// maxErrorBody is how many bytes of a failure's body Error keeps.
	maxErrorBody = 4 << 10
)

// Doer sends a request. *http.Client is one.
type Doer interface {
	Do(*http.Request) (*http.Response, error)
}

// Client calls the API. It is safe for many goroutines at once; make it once
// and keep it, so that connections are used again.
type Client struct {
	baseURL      string
	doer         Doer
	userAgent    string
	insecureHTTP bool
	credentials  map[*credential]string
}

// String describes the client without its credentials.
func (c *Client) String() string { return "Client(" + c.baseURL + ")" }

// GoString describes the client without its credentials.
func (c *Client) GoString() string { return c.String() }

// Option changes how NewClient makes a Client.
type Option func(*Client) error

// WithBaseURL calls another server than the document's first. The URL is
// absolute; paths are added to its own. Plain http is refused for any host but
// this machine unless WithInsecureHTTP is given too.
func WithBaseURL(base string) Option {
	return func(c *Client) error {
		c.baseURL = strings.TrimRight(base, "/")
		return nil
	}
}

// WithHTTPClient sends requests through doer. Without it they go through an
// http.Client of the Client's own, which gives an answer 30 seconds.
func WithHTTPClient(doer Doer) Option {
	return func(c *Client) error {
		if doer == nil {
			return errors.New("WithHTTPClient: the client is nil; leave the option out for the default")
		}
		c.doer = doer
		return nil
	}
}

// WithUserAgent sends agent as the User-Agent of every request.
func WithUserAgent(agent string) Option {
	return func(c *Client) error {
		c.userAgent = agent
		return nil
	}
}

// WithInsecureHTTP allows a base URL of plain http on another machine.
// Credentials then travel where others can read them.
func WithInsecureHTTP() Option {
	return func(c *Client) error {
		c.insecureHTTP = true
		return nil
	}
}

// withCredential makes the option that sets a credential.
func withCredential(scheme *credential, value string) Option {
	return func(c *Client) error {
		value = strings.TrimSpace(value)
		if strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return fmt.Errorf("the %s holds a character that a header cannot carry", scheme.name)
		}
		c.credentials[scheme] = value
		return nil
	}
}

func newClient(baseURL string, opts []Option) (*Client, error) {
	c := &Client{
		baseURL:     strings.TrimRight(baseURL, "/"),
		doer:        &http.Client{Timeout: 30 * time.Second},
		credentials: make(map[*credential]string),
	}
	for _, opt := range opts {
		if err := opt(c); err != nil {
			return nil, err
		}
	}
	if err := c.checkBaseURL(); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *Client) checkBaseURL() error {
	u, err := url.Parse(c.baseURL)
	switch {
	case c.baseURL == "":
		return errors.New("no base URL: pass WithBaseURL")
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return fmt.Errorf("the base URL %q is not an absolute http or https URL: pass one to WithBaseURL", c.baseURL)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return errors.New("the base URL has more than scheme, host and path: leave user, query and fragment out")
	case u.Scheme == "http" && !c.insecureHTTP && !loopback(u.Hostname()):
		return fmt.Errorf("the base URL %q would send credentials in the clear: use https, or pass WithInsecureHTTP", c.baseURL)
	}
	return nil
}

func loopback(host string) bool {
	if ip := net.ParseIP(host); ip != nil {
		return ip.IsLoopback()
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// credential is a way to authenticate that the document describes.
type credential struct {
	name   string // as the document has it
	header string // where the value goes
	prefix string // what stands in front of it
	pass   string // what a caller has to pass to have it
}

// operation is what all calls of one operation share.
type operation struct {
	name        string
	method      string
	credentials []*credential // the first that the client has is sent
	anonymous   bool          // it can be called without any of them
	envelope    envelope
	failure     failure
}

// envelope names the members around a result; result is empty where there is
// no envelope.
type envelope struct{ ok, result string }

// failure names the members of a refusal.
type failure struct{ code, description string }

// call sends one request and hands its result to decode, which is nil where
// success says all. body is nil where there is none.
func (c *Client) call(ctx context.Context, op *operation, path string, body []byte, decode func(*decoder)) error {
	req, err := c.request(ctx, op, path, body)
	if err != nil {
		return err
	}
	resp, err := c.doer.Do(req)
	if err != nil {
		return op.failed("no answer: "+err.Error(), err)
	}
	data, err := readAnswer(resp)
	if err != nil {
		return op.answered(resp, data, "the answer broke off: "+err.Error(), err)
	}
	if len(data) > maxAnswer {
		return op.answered(resp, data, fmt.Sprintf("the answer is larger than %d bytes", maxAnswer), nil)
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return op.refused(resp, data)
	}
	return op.decode(resp, data, decode)
}

// request builds the request, or says what is missing for it.
func (c *Client) request(ctx context.Context, op *operation, path string, body []byte) (*http.Request, error) {
	var payload io.Reader
	if body != nil {
		payload = bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, op.method, c.baseURL+path, payload)
	if err != nil {
		return nil, op.failed("nothing was sent: "+err.Error(), err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("Accept", "application/json")
	if c.userAgent != "" {
		req.Header.Set("User-Agent", c.userAgent)
	}
	for _, scheme := range op.credentials {
		if value := c.credentials[scheme]; value != "" {
			req.Header.Set(scheme.header, scheme.prefix+value)
			return req, nil
		}
	}
	if len(op.credentials) > 0 && !op.anonymous {
		scheme := op.credentials[0]
		return nil, op.failed(fmt.Sprintf("nothing was sent: it needs the %s; pass %s", scheme.name, scheme.pass), nil)
	}
	return req, nil
}

// readAnswer reads one byte more than is allowed, at most, and closes the
// body. A body that was read to its end gives its connection back.
func readAnswer(resp *http.Response) ([]byte, error) {
	defer resp.Body.Close()
	body := io.LimitReader(resp.Body, maxAnswer+1)
	if n := resp.ContentLength; n >= 0 && n <= maxAnswer {
		data := make([]byte, n)
		read, err := io.ReadFull(body, data)
		if err == nil {
			_, err = io.Copy(io.Discard, body)
		}
		return data[:read], err
	}
	return io.ReadAll(body)
}

// decode reads the answer of a call that succeeded.
func (op *operation) decode(resp *http.Response, data []byte, result func(*decoder)) error {
	if op.envelope.result == "" && result == nil {
		return nil
	}
	d := decoder{data: data}
	if op.envelope.result == "" {
		result(&d)
	} else if refused := op.unwrap(&d, result); refused && d.finish() == nil {
		return op.refused(resp, data)
	}
	if err := d.finish(); err != nil {
		return op.answered(resp, data, "the answer is not what it should be: "+err.Error(), err)
	}
	return nil
}

// unwrap reads an envelope and the result in it, and reports whether the
// envelope says that the call failed.
func (op *operation) unwrap(d *decoder, result func(*decoder)) (refused bool) {
	said, found, start := op.envelope.ok == "", result == nil, 0
	for more := d.object(); more; more = d.next('}') {
		key, ok := d.key()
		if !ok {
			return false
		}
		switch {
		case key == op.envelope.ok:
			said = true
			refused = !d.bool()
		case key == op.envelope.result && result != nil:
			found, start = true, d.pos
			d.skip()
		default:
			d.skip()
		}
		if d.err != nil {
			d.under(key)
			return false
		}
	}
	if refused || d.err != nil {
		return refused
	}
	if !said {
		d.missing(op.envelope.ok)
	} else if !found {
		d.missing(op.envelope.result)
	} else if result != nil {
		inner := decoder{data: d.data, pos: start, depth: d.depth + 1}
		if result(&inner); inner.err != nil {
			d.err = inner.err
			d.under(op.envelope.result)
		}
	}
	return false
}

// Error is a call that failed, whatever the reason. Its text never holds a
// credential.
type Error struct {
	// Operation is the operation as the API's document names it.
	Operation string
	// Status is the answer's HTTP status; 0 when there was no answer.
	Status int
	// Code is the code that the answer's body gives, or Status.
	Code int
	// Description is the API's words, or what went wrong before it could say any.
	Description string
	// RetryAfter is how long the answer asks to wait; 0 when it does not ask.
	RetryAfter time.Duration
	// Body is the start of the answer's body, 4 KiB at most.
	Body []byte

	cause error
}

// Error says operation, status and description on one line.
func (e *Error) Error() string {
	if e.Status == 0 {
		return e.Operation + ": " + e.Description
	}
	return fmt.Sprintf("%s: %d %s", e.Operation, e.Status, e.Description)
}

// Unwrap returns what made the call fail when that was not the API: a network
// error, the context's end, or a *DecodeError.
func (e *Error) Unwrap() error { return e.cause }

// Is reports whether the failure is the one that target stands for.
func (e *Error) Is(target error) bool {
	s, ok := target.(*sentinel)
	return ok && s.matches(e)
}

// sentinel is a kind of failure for errors.Is.
type sentinel struct {
	text     string
	statuses []int
	contains string // what the description holds, in lower case
}

func (s *sentinel) Error() string { return s.text }

func (s *sentinel) matches(e *Error) bool {
	for _, status := range s.statuses {
		if e.Status == status || e.Status/100 == 2 && e.Code == status {
			return strings.Contains(strings.ToLower(e.Description), s.contains)
		}
	}
	return false
}

// failed is a call that got no answer.
func (op *operation) failed(description string, cause error) *Error {
	return &Error{Operation: op.name, Description: description, cause: cause}
}

// answered is a call whose answer is of no use.
func (op *operation) answered(resp *http.Response, data []byte, description string, cause error) *Error {
	return &Error{
		Operation:   op.name,
		Status:      resp.StatusCode,
		Code:        resp.StatusCode,
		Description: description,
		RetryAfter:  retryAfter(resp.Header.Get("Retry-After"), time.Now()),
		Body:        bytes.Clone(data[:min(len(data), maxErrorBody)]),
		cause:       cause,
	}
}

// refused is a call that the API refused, in its own format or in plain text.
func (op *operation) refused(resp *http.Response, data []byte) *Error {
	e := op.answered(resp, data, "", nil)
	d := decoder{data: data}
	for more := d.object(); more; more = d.next('}') {
		key, ok := d.key()
		if !ok {
			break
		}
		d.space()
		switch {
		case key == op.failure.code && d.pos < len(data) && data[d.pos] != 'n':
			e.Code = int(d.int(32))
		case key == op.failure.description && d.pos < len(data) && data[d.pos] == '"':
			e.Description = strings.Clone(d.string())
		default:
			d.skip()
		}
	}
	if d.finish() != nil || e.Description == "" {
		e.Code = resp.StatusCode
		e.Description = plainText(resp.StatusCode, data)
	}
	return e
}

// plainText makes a description of a body in no known format.
func plainText(status int, data []byte) string {
	words := strings.Join(strings.Fields(strings.ToValidUTF8(string(data[:min(len(data), 200)]), "")), " ")
	if name := http.StatusText(status); words == "" || strings.HasPrefix(words, "<") {
		return strings.TrimSpace(name + " " + words)
	}
	return words
}

// retryAfter reads the Retry-After header in both its forms.
func retryAfter(value string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}

// invalid makes the failure of a call whose arguments break a rule.
func (op *operation) invalid(err error) *Error {
	return op.failed("nothing was sent: "+err.Error(), err)
}

// encodeBody writes a request's body.
func encodeBody(encode func(*encoder)) ([]byte, error) {
	var e encoder
	encode(&e)
	return e.finish(nil)
}

// checkedBody writes a request's body unless it breaks a rule.
func checkedBody(broken error, encode func(*encoder)) ([]byte, error) {
	if broken != nil {
		return nil, broken
	}
	return encodeBody(encode)
}
