package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/solafon/solafon-go/gen/platform"
	"github.com/solafon/solafon-go/gen/solafon"
)

// checker finds out why nothing arrives at a webhook, in the order that a delivery
// travels.
type checker struct {
	url   string
	token string // sent as deliveries have it, where it is known
	say   func(string)
	// What a check depends on of the world; tests bring their own.
	lookup func(ctx context.Context, host string) ([]netip.Addr, error)
	dial   func(ctx context.Context, network, addr string) (net.Conn, error)
	roots  *x509.CertPool // nil stands for the system's
	now    func() time.Time
	within time.Duration // to answer; 0 stands for the platform's time

	redirect string // where an answer sent it
	results  []finding
}

// finding is what one check found. Its JSON is what --json prints.
type finding struct {
	Check  string `json:"check"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
	Advice string `json:"advice,omitempty"` // what to do, where it is not OK
}

func (c *checker) pass(check, format string, args ...any) {
	c.results = append(c.results, finding{Check: check, OK: true, Detail: fmt.Sprintf(format, args...)})
}

func (c *checker) fail(check, advice, format string, args ...any) {
	c.results = append(c.results, finding{Check: check, Detail: fmt.Sprintf(format, args...), Advice: advice})
}

// run makes the checks; what cannot work without an earlier one is left out.
func (c *checker) run(ctx context.Context) {
	u, ok := c.parse()
	if !ok || !c.resolve(ctx, u.Hostname()) {
		return
	}
	addr := address(u)
	if !c.connect(ctx, addr) {
		return
	}
	if u.Scheme == "https" && !c.handshake(ctx, addr, u.Hostname()) {
		return
	}
	c.deliveries(ctx)
}

// address is where an http or https URL is served.
func address(u *url.URL) string {
	return net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), map[string]string{"http": "80", "https": "443"}[u.Scheme]))
}

func (c *checker) parse() (*url.URL, bool) {
	const check = "the URL"
	u, err := url.Parse(c.url)
	switch {
	case err != nil:
		c.fail(check, "write it as https://host/path", "it cannot be read: %v", err)
		return nil, false
	case u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "":
		c.fail(check, "write it as https://host/path", "%q has no scheme or no host", c.url)
		return nil, false
	case u.Scheme == "http":
		c.fail(check, "put a proxy with a certificate in front of the bot, and use its https URL", "it is http, and the platform delivers to https alone")
	case u.User != nil:
		c.fail(check, "leave user and password out of it", "it holds a password")
	default:
		c.pass(check, "https, host %s", u.Host)
	}
	return u, true
}

func (c *checker) resolve(ctx context.Context, host string) bool {
	const check = "the name"
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	addrs, err := c.lookup(ctx, host)
	if err != nil || len(addrs) == 0 {
		c.fail(check, "make a DNS record of the bot's address for it", "%s does not resolve: %v", host, err)
		return false
	}
	var list []string
	var private string
	for _, a := range addrs {
		a = a.Unmap()
		list = append(list, a.String())
		if !a.IsGlobalUnicast() || a.IsPrivate() || shared.Contains(a) {
			private = a.String()
		}
	}
	if private != "" {
		c.fail(check, "the platform is elsewhere: use a name of a public address, or solafon dev on this machine", "%s is at %s, which only this network reaches", host, private)
		return true // the rest can be told all the same
	}
	c.pass(check, "%s is at %s", host, strings.Join(list, ", "))
	return true
}

// shared are the addresses of a provider's own network.
var shared = netip.MustParsePrefix("100.64.0.0/10")

func (c *checker) connect(ctx context.Context, addr string) bool {
	const check = "the port"
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	start := time.Now()
	conn, err := c.dial(ctx, "tcp", addr)
	if err != nil {
		c.fail(check, "see that the proxy or the bot listens there, and that the firewall lets it be reached", "%s does not answer: %v", addr, cause(err))
		return false
	}
	conn.Close()
	c.pass(check, "%s answers, after %v", addr, time.Since(start).Round(time.Millisecond))
	return true
}

// soon is how long before its end a certificate is told of.
const soon = 14 * 24 * time.Hour

func (c *checker) handshake(ctx context.Context, addr, host string) bool {
	const check = "the certificate"
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	conn, err := c.dial(ctx, "tcp", addr)
	if err != nil {
		c.fail(check, "try again", "%s does not answer any more: %v", addr, cause(err))
		return false
	}
	defer conn.Close()
	// What is presented is looked at below, and better than the handshake would.
	secure := tls.Client(conn, &tls.Config{ServerName: host, InsecureSkipVerify: true})
	if err := secure.HandshakeContext(ctx); err != nil {
		c.fail(check, "see that the port speaks TLS, 1.2 at least", "no TLS there: %v", cause(err))
		return false
	}
	chain := secure.ConnectionState().PeerCertificates
	leaf := chain[0]
	intermediates := x509.NewCertPool()
	for _, cert := range chain[1:] {
		intermediates.AddCert(cert)
	}
	_, err = leaf.Verify(x509.VerifyOptions{DNSName: host, Roots: c.roots, Intermediates: intermediates, CurrentTime: c.now()})
	left := leaf.NotAfter.Sub(c.now())
	var unknown x509.UnknownAuthorityError
	switch {
	case left < 0:
		c.fail(check, "renew it, and see that the server loads the new one", "it ended on %s", leaf.NotAfter.Format(time.DateOnly))
	case leaf.NotBefore.After(c.now()):
		c.fail(check, "set this machine's clock, or the one that made it", "it begins on %s", leaf.NotBefore.Format(time.DateOnly))
	case leaf.VerifyHostname(host) != nil:
		c.fail(check, "get one for "+host, "it is for %s", strings.Join(names(leaf), ", "))
	case errors.As(err, &unknown) && bytes.Equal(leaf.RawIssuer, leaf.RawSubject):
		c.fail(check, "get one of an authority that everybody knows, such as Let's Encrypt", "it is self-signed")
	case errors.As(err, &unknown) && len(chain) == 1:
		c.fail(check, "serve the full chain: the file with the intermediate certificates behind the server's own", "its chain is incomplete: the certificate of %q does not come with it", leaf.Issuer.CommonName)
	case err != nil:
		c.fail(check, "get one of an authority that everybody knows, such as Let's Encrypt", "it is not trusted: %v", err)
	case left < soon:
		c.fail(check, "renew it now, and see that renewal works by itself", "it ends in %d days, on %s", int(left.Hours()/24), leaf.NotAfter.Format(time.DateOnly))
		return true // it works today
	default:
		c.pass(check, "trusted, until %s, %s", leaf.NotAfter.Format(time.DateOnly), tls.VersionName(secure.ConnectionState().Version))
		return true
	}
	return false
}

func names(cert *x509.Certificate) []string {
	list := cert.DNSNames
	for _, ip := range cert.IPAddresses {
		list = append(list, ip.String())
	}
	if len(list) == 0 {
		list = append(list, "nobody")
	}
	return list
}

// deliveries sends what the platform sends, and what it never would.
func (c *checker) deliveries(ctx context.Context) {
	transport := &http.Transport{DialContext: c.dial, TLSClientConfig: &tls.Config{RootCAs: c.roots, Time: c.now}}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, CheckRedirect: func(to *http.Request, _ []*http.Request) error {
		c.redirect = to.URL.String()
		return http.ErrUseLastResponse
	}}
	number := c.now().UnixMicro() // no update of the platform's has a number like that, nor has a user
	update := solafon.Update{
		UpdateID: number, MessageID: number, Date: c.now().Unix(), Text: "/solafon-webhook-check",
		From: solafon.User{ID: number, Name: "solafon webhook check"}, Chat: solafon.Chat{ID: number, Type: solafon.ChatTypePrivate},
	}
	body, err := update.MarshalJSON()
	if err != nil {
		panic(err) // an update that was made here can be written
	}
	c.say(fmt.Sprintf("sending test updates to %s: update_id and from.id %d, name %q, text %q", c.url, number, update.From.Name, update.Text))
	sender := &platform.WebhookSender{URL: c.url, AppToken: c.token, HTTPClient: client, Timeout: c.within}
	if !c.update(sender.SendRaw(ctx, body)) {
		return
	}
	c.get(ctx, client)
	if d := sender.SendRaw(ctx, body[:len(body)/2]); d.Err != nil || d.Status/100 == 5 {
		c.fail("malformed JSON", "answer 400 to what cannot be read, and log it: it is not the bot's failure", "it is answered %s", answer(d))
	} else {
		c.pass("malformed JSON", "it is answered %s", answer(d))
	}
	if d := sender.SendRaw(ctx, body); d.Status != http.StatusOK {
		c.fail("the same update again", "answer 200 to an update_id that came before, and do nothing", "it is answered %s", answer(d))
	} else {
		c.pass("the same update again", "it is answered 200 too")
	}
}

// update tells what came of a sample update, and whether it is worth going on.
func (c *checker) update(d *platform.Delivery) bool {
	const check = "an update"
	switch {
	case errors.Is(d.Err, context.DeadlineExceeded):
		c.fail(check, "answer first and work afterwards: package bot does that", "no answer within %v", platform.WebhookTimeout)
	case d.Err != nil:
		c.fail(check, "see the bot's log", "no answer: %v", cause(d.Err))
	case d.Status/100 == 3:
		c.fail(check, "set the webhook to where it leads: deliveries follow no redirect", "it is redirected to %s", oneLine(c.redirect))
	case d.Status == http.StatusUnauthorized:
		c.fail(check, "set SOLAFON_TOKEN to the app's token, so that this check can send it as X-App-Token", "it is answered %s", answer(d))
		return false
	case d.Status == http.StatusNotFound || d.Status == http.StatusMethodNotAllowed:
		c.fail(check, "see at which path the bot expects deliveries: package bot serves /webhook", "nothing takes a POST there (%d)", d.Status)
	case d.Status/100 == 5:
		c.fail(check, "see the bot's and the proxy's log", "it is answered %s", answer(d))
	case d.Status != http.StatusOK:
		c.fail(check, "answer 200, also to what the bot does not care for", "it is answered %s", answer(d))
	case d.Duration > platform.WebhookTimeout/2:
		c.fail(check, "answer first and work afterwards: package bot does that", "200, but after %v of the 10 s that there are", d.Duration.Round(time.Millisecond))
		return true
	default:
		c.pass(check, "200 after %v; 10 s are allowed", d.Duration.Round(time.Millisecond))
		return true
	}
	return d.Status != 0 && d.Status/100 != 3
}

// answer is an answer's status and the start of its words.
func answer(d *platform.Delivery) string {
	if d.Err != nil {
		return "by nothing: " + cause(d.Err)
	}
	text := oneLine(strings.TrimSpace(string(d.Response)))
	if text == "" {
		return fmt.Sprint(d.Status)
	}
	return fmt.Sprintf("%d %s", d.Status, text)
}

// get looks whether the webhook can be told from a page.
func (c *checker) get(ctx context.Context, client *http.Client) {
	const check = "a GET"
	ctx, cancel := context.WithTimeout(ctx, platform.WebhookTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url, nil)
	if err != nil {
		c.fail(check, "write the URL as https://host/path", "%v", err)
		return
	}
	resp, err := client.Do(req)
	if err != nil {
		c.fail(check, "see the bot's log", "no answer: %s", cause(err))
		return
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20))
	if resp.StatusCode < 400 {
		c.fail(check, "answer 405 to anything but POST: a page that answers 200 can hide that the bot is not behind it", "it is answered %d", resp.StatusCode)
		return
	}
	c.pass(check, "it is refused (%d)", resp.StatusCode)
}

// cause is the innermost words of a network's error, on one line.
func cause(err error) string {
	var urlErr *url.Error
	if errors.As(err, &urlErr) {
		err = urlErr.Err
	}
	return oneLine(err.Error())
}

// known compares what the platform says with the URL.
func (c *checker) known(ctx context.Context, client *solafon.Client) {
	const check = "the platform"
	info, err := client.GetWebhookInfo(ctx)
	switch {
	case err != nil:
		c.fail(check, "see that the token is the app's and the app approved", "%v", err)
	case info.URL == "":
		c.fail(check, "solafon webhook set "+c.url, "no webhook is set; %d updates wait", info.PendingUpdateCount)
	case info.URL != c.url:
		c.fail(check, "solafon webhook set "+c.url, "it delivers to %s", oneLine(info.URL))
	default:
		c.pass(check, "it delivers here; %d updates wait", info.PendingUpdateCount)
	}
}

// met tells what the platform's last deliveries met.
func (c *checker) met(ctx context.Context, client *solafon.Client, app int64) {
	const check = "the last deliveries"
	settings, err := client.GetAppSettings(ctx, app)
	if err != nil {
		c.fail(check, "see that SOLAFON_JWT is of the app's owner, and the app's number right", "%v", err)
		return
	}
	failed := 0
	var last solafon.WebhookLog
	for _, l := range settings.WebhookLogs { // newest first
		if l.StatusCode/100 != 2 {
			if failed == 0 {
				last = l
			}
			failed++
		}
	}
	switch {
	case len(settings.WebhookLogs) == 0:
		c.pass(check, "there are none yet")
	case failed > 0:
		c.fail(check, "solafon webhook logs shows them", "%d of %d failed, the last at %s with %d: %s", failed, len(settings.WebhookLogs), last.CreatedAt.Local().Format(time.DateTime), last.StatusCode, oneLine(last.Response))
	default:
		c.pass(check, "all %d were answered 2xx", len(settings.WebhookLogs))
	}
}

func (f *apiFlags) webhookCheck() *cobra.Command {
	return f.addApp(&cobra.Command{
		Use:   "check URL",
		Short: "Find out why nothing arrives at a URL",
		Long: `Find out why nothing arrives at a URL, in the order that a delivery travels: name,
port, certificate, answers. It sends test updates, and says so before.

With a token it asks the platform too what it has set, and with SOLAFON_JWT and --app
what its last deliveries met. It fails where a check does.`,
		Args: usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, warnings := cmd.Context(), cmd.ErrOrStderr()
			client, err := f.client(warnings)
			if err != nil {
				return err
			}
			c := &checker{
				url: args[0], say: func(text string) { fmt.Fprintln(warnings, text) },
				lookup: func(ctx context.Context, host string) ([]netip.Addr, error) {
					return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
				},
				dial: (&net.Dialer{}).DialContext, now: time.Now,
			}
			if c.token, err = f.token(io.Discard); err != nil {
				return err
			}
			c.run(ctx)
			if c.token != "" {
				c.known(ctx, client)
			}
			if owner, app, err := f.owner(io.Discard); err == nil {
				c.met(ctx, owner, app)
			}
			return f.findings(cmd.OutOrStdout(), c.results)
		},
	})
}

// findings shows what was found, and fails where something is not as it should be.
func (f *apiFlags) findings(out io.Writer, list []finding) error {
	failed := 0
	err := f.show(out, list, func(w *tabwriter.Writer) {
		for _, r := range list {
			mark := "pass"
			if !r.OK {
				mark = "FAIL"
			}
			fmt.Fprintf(w, "%s\t%s\t%s\n", mark, r.Check, r.Detail)
			if r.Advice != "" {
				fmt.Fprintf(w, "\t\t→ %s\n", r.Advice)
			}
		}
	})
	for _, r := range list {
		if !r.OK {
			failed++
		}
	}
	if err == nil && failed > 0 {
		err = fmt.Errorf("%d of %d checks failed", failed, len(list))
	}
	return err
}
