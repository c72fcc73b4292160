package runtime

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// maxConnections is how many connections the default HTTP client opens to one
// host, and keeps for the next calls. Over HTTP/2 each carries many calls.
const maxConnections = 64

// Doer sends a request. *http.Client is one.
type Doer interface {
	Do(*http.Request) (*http.Response, error)
}

// Client calls the API. It is safe for many goroutines at once; make it once
// and keep it, so that connections are used again and the API's limits are
// known to all callers.
type Client struct {
	base         *url.URL
	baseURL      string
	doer         Doer
	middleware   []func(Doer) Doer
	userAgent    []string
	insecureHTTP bool
	accounts     map[*credential]*account
	anonymous    *account // what is known of calls without a credential
	retry        RetryPolicy
	rate         *rate
	limits       rateHeaders
	secrets      masker
}

// account is a credential that the client has, as the header that carries it,
// and how many calls the API still grants it.
type account struct {
	header string
	value  Secret
	pace   *pace
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
// http.Client of the Client's own, which gives each attempt 30 seconds, and
// opens 64 connections at most and keeps them.
//
// An *http.Client is copied, to see to its redirects: credentials go to no
// other host, and no request goes from https to http or loses its method on the
// way. Any other Doer sees to that itself.
func WithHTTPClient(doer Doer) Option {
	return func(c *Client) error {
		if client, ok := doer.(*http.Client); doer == nil || ok && client == nil {
			return errors.New("WithHTTPClient: the client is nil; leave the option out for the default")
		}
		c.doer = doer
		return nil
	}
}

// WithUserAgent sends agent as the User-Agent of every request.
func WithUserAgent(agent string) Option {
	return func(c *Client) error {
		if !headerValue(agent) {
			return errors.New("WithUserAgent: the name holds a character that a header cannot carry; use visible ASCII and spaces")
		}
		c.userAgent = []string{agent}
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
		if !headerValue(value) || strings.Contains(value, " ") {
			return fmt.Errorf("the %s holds a character that a header cannot carry", scheme.name)
		}
		delete(c.accounts, scheme)
		if value != "" {
			c.accounts[scheme] = &account{header: http.CanonicalHeaderKey(scheme.header), value: NewSecret(scheme.prefix + value), pace: newPace()}
			c.secrets = append(c.secrets, NewSecret(value))
		}
		return nil
	}
}

func headerValue(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' })
}

func newClient(baseURL string, limits rateHeaders, opts []Option) (*Client, error) {
	c := &Client{
		baseURL:   strings.TrimRight(baseURL, "/"),
		doer:      &http.Client{Transport: newTransport(), Timeout: 30 * time.Second},
		accounts:  make(map[*credential]*account),
		anonymous: &account{pace: newPace()},
		retry:     defaultRetry,
		limits:    limits,
	}
	for _, opt := range opts {
		if opt == nil {
			return nil, errors.New("an option is nil: leave it out")
		}
		if err := opt(c); err != nil {
			return nil, err
		}
	}
	if err := c.checkBaseURL(); err != nil {
		return nil, err
	}
	if client, ok := c.doer.(*http.Client); ok {
		c.doer = c.guardRedirects(client)
	}
	for i := len(c.middleware) - 1; i >= 0; i-- {
		if c.doer = c.middleware[i](c.doer); c.doer == nil {
			return nil, errors.New("WithMiddleware: the function returned nil; let it return next where there is nothing to add")
		}
	}
	return c, nil
}

// newTransport is Go's default one with room for many callers.
func newTransport() http.RoundTripper {
	transport, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return http.DefaultTransport // the program has put another in its place
	}
	transport = transport.Clone()
	transport.MaxConnsPerHost = maxConnections
	transport.MaxIdleConnsPerHost = maxConnections
	return transport
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
	c.base = u
	return nil
}

func loopback(host string) bool {
	if ip := net.ParseIP(host); ip != nil {
		return ip.IsLoopback()
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// redirectError is a redirect that is not followed.
type redirectError struct{ reason string }

func (e *redirectError) Error() string { return e.reason }

// guardRedirects copies an http.Client and lets it follow fewer redirects.
func (c *Client) guardRedirects(client *http.Client) *http.Client {
	guarded, theirs := *client, client.CheckRedirect
	guarded.CheckRedirect = func(req *http.Request, via []*http.Request) error {
		first := via[0]
		switch {
		case len(via) >= 10:
			return &redirectError{"10 redirects were followed and led to another"}
		case req.URL.Scheme != "https" && via[len(via)-1].URL.Scheme == "https":
			return &redirectError{fmt.Sprintf("a redirect from https to %s on %s is not followed", req.URL.Scheme, req.URL.Host)}
		case req.Method != first.Method:
			return &redirectError{fmt.Sprintf("a redirect that turns %s into %s is not followed", first.Method, req.Method)}
		}
		// net/http lets credentials through to subdomains and other ports, and in
		// headers that it does not know for one.
		for _, passed := range append(via[1:len(via):len(via)], req) {
			if passed.URL.Host != first.URL.Host {
				for scheme := range c.accounts {
					req.Header.Del(scheme.header)
				}
			}
		}
		if theirs != nil {
			return theirs(req, via)
		}
		return nil
	}
	return &guarded
}
