package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/solafon/solafon-go/bot/bottest"
	"github.com/solafon/solafon-go/gen/platform"
	"github.com/solafon/solafon-go/gen/solafon"
)

// authority makes certificates: a root, an intermediate, and leaves of either.
type authority struct {
	t     *testing.T
	roots *x509.CertPool
	root  *issuer
	inner *issuer
}

type issuer struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	a := &authority{t: t, roots: x509.NewCertPool()}
	a.root = a.issue(&x509.Certificate{Subject: pkix.Name{CommonName: "root"}, IsCA: true, BasicConstraintsValid: true}, nil)
	a.roots.AddCert(a.root.cert)
	a.inner = a.issue(&x509.Certificate{Subject: pkix.Name{CommonName: "intermediate"}, IsCA: true, BasicConstraintsValid: true}, a.root)
	return a
}

// quietLog keeps what a server says of broken connections.
var quietLog = log.New(io.Discard, "", 0)

var checkTime = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

func (a *authority) issue(template *x509.Certificate, by *issuer) *issuer {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	template.SerialNumber = big.NewInt(1)
	if template.NotAfter.IsZero() {
		template.NotAfter = checkTime.AddDate(1, 0, 0)
	}
	if template.NotBefore.IsZero() {
		template.NotBefore = checkTime.AddDate(-1, 0, 0)
	}
	parent, signer := template, key
	if by != nil {
		parent, signer = by.cert, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		a.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return &issuer{cert, key}
}

// leaf makes a server's certificate, with the chain that it presents.
func (a *authority) leaf(template *x509.Certificate, by *issuer, chain ...*issuer) tls.Certificate {
	if template.DNSNames == nil {
		template.DNSNames = []string{"bot.example.com"}
	}
	i := a.issue(template, by)
	c := tls.Certificate{PrivateKey: i.key, Certificate: [][]byte{i.cert.Raw}}
	for _, other := range chain {
		c.Certificate = append(c.Certificate, other.cert.Raw)
	}
	return c
}

// good answers as package bot does.
func good() http.Handler {
	return solafon.NewWebhookHandler(func(context.Context, solafon.Update) error { return nil })
}

func status(code int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) })
}

// posts answers POSTs with one handler and everything else with another.
func posts(post, other http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			post.ServeHTTP(w, r)
			return
		}
		other.ServeHTTP(w, r)
	})
}

// TestCheckFaults checks servers that have exactly one fault each.
func TestCheckFaults(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	fine := a.leaf(&x509.Certificate{}, a.inner, a.inner)
	public := func(context.Context, string) ([]netip.Addr, error) {
		return []netip.Addr{netip.MustParseAddr("93.184.216.34")}, nil
	}
	at := func(addr string) func(context.Context, string) ([]netip.Addr, error) {
		return func(context.Context, string) ([]netip.Addr, error) {
			return []netip.Addr{netip.MustParseAddr(addr)}, nil
		}
	}
	passes := "pass the URL, pass the name, pass the port, pass the certificate, pass an update, pass a GET, pass malformed JSON, pass the same update again"
	after := func(failed string) string { // all that pass but the last, which fails
		before, _, _ := strings.Cut(passes, "pass "+failed)
		return before + "FAIL " + failed
	}
	but := func(failed string) string { return strings.Replace(passes, "pass "+failed, "FAIL "+failed, 1) }
	again := 0
	for name, test := range map[string]struct {
		url     string
		lookup  func(context.Context, string) ([]netip.Addr, error)
		cert    *tls.Certificate
		handler http.Handler
		dial    error
		plain   bool
		within  time.Duration
		want    string // what passed and failed
		say     string // and what is said about the failure
	}{
		"nothing":              {want: passes},
		"no URL":               {url: "bot.example.com/webhook", want: "FAIL the URL", say: "no scheme or no host → write it as https://host/path"},
		"not to be read":       {url: "https://bot.example.com:x/", want: "FAIL the URL", say: "cannot be read"},
		"http":                 {url: "http://bot.example.com/webhook", plain: true, want: strings.Replace(but("the URL"), "pass the certificate, ", "", 1), say: "it is http, and the platform delivers to https alone → put a proxy"},
		"a password":           {url: "https://a:b@bot.example.com/webhook", want: but("the URL"), say: "it holds a password"},
		"no such name":         {lookup: func(context.Context, string) ([]netip.Addr, error) { return nil, errors.New("no such host") }, want: after("the name"), say: "does not resolve: no such host → make a DNS record"},
		"a private address":    {lookup: at("192.168.1.2"), want: but("the name"), say: "is at 192.168.1.2, which only this network reaches"},
		"this machine":         {lookup: at("::1"), want: but("the name"), say: "::1, which only this network reaches"},
		"a provider's network": {lookup: at("100.64.1.1"), want: but("the name"), say: "100.64.1.1"},
		"nobody listens":       {dial: errors.New("connection refused"), want: after("the port"), say: "bot.example.com:443 does not answer: connection refused → see that"},
		"no TLS":               {plain: true, want: after("the certificate"), say: "no TLS there"},
		"expired":              {cert: new(a.leaf(&x509.Certificate{NotAfter: checkTime.AddDate(0, 0, -1)}, a.inner, a.inner)), want: after("the certificate"), say: "it ended on 2026-05-31 → renew it"},
		"not yet":              {cert: new(a.leaf(&x509.Certificate{NotBefore: checkTime.AddDate(0, 0, 1)}, a.inner, a.inner)), want: after("the certificate"), say: "it begins on 2026-06-02"},
		"another name":         {cert: new(a.leaf(&x509.Certificate{DNSNames: []string{"other.example.com"}}, a.inner, a.inner)), want: after("the certificate"), say: "it is for other.example.com → get one for bot.example.com"},
		"self-signed":          {cert: new(a.leaf(&x509.Certificate{Subject: pkix.Name{CommonName: "me"}}, nil)), want: after("the certificate"), say: "it is self-signed → get one of an authority"},
		"half a chain":         {cert: new(a.leaf(&x509.Certificate{}, a.inner)), want: after("the certificate"), say: `the certificate of "intermediate" does not come with it → serve the full chain`},
		"ends soon":            {cert: new(a.leaf(&x509.Certificate{NotAfter: checkTime.AddDate(0, 0, 3)}, a.inner, a.inner)), want: but("the certificate"), say: "it ends in 3 days"},
		"a redirect":           {handler: http.RedirectHandler("https://www.example.com/hook", http.StatusMovedPermanently), want: after("an update"), say: "it is redirected to https://www.example.com/hook → set the webhook to where it leads"},
		"not found":            {handler: http.NotFoundHandler(), want: strings.ReplaceAll(but("an update"), "pass the same", "FAIL the same"), say: "nothing takes a POST there (404)"},
		"refused":              {handler: solafon.NewWebhookHandler(nil, solafon.WithAppToken("t")), want: after("an update"), say: "it is answered 401 the X-App-Token header is missing or wrong → set SOLAFON_TOKEN"},
		"an error":             {handler: posts(status(502), status(405)), want: "pass the URL, pass the name, pass the port, pass the certificate, FAIL an update, pass a GET, FAIL malformed JSON, FAIL the same update again", say: "it is answered 502 → see the bot's and the proxy's log"},
		"another success":      {handler: posts(status(204), status(405)), want: strings.ReplaceAll(but("an update"), "pass the same", "FAIL the same"), say: "it is answered 204 → answer 200"},
		"a page":               {handler: posts(good(), status(200)), want: but("a GET"), say: "it is answered 200 → answer 405"},
		"malformed is a 500": {handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if body, _ := io.ReadAll(r.Body); r.Method == http.MethodPost && !strings.HasSuffix(string(body), "}") {
				w.WriteHeader(500)
				return
			}
			posts(status(200), status(405)).ServeHTTP(w, r)
		}), want: but("malformed JSON"), say: "it is answered 500 → answer 400"},
		"once and never again": {handler: posts(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if body, _ := io.ReadAll(r.Body); strings.HasSuffix(string(body), "}") {
				if again++; again > 1 {
					w.WriteHeader(409)
				}
			}
		}), status(405)), want: but("the same update again"), say: "it is answered 409 → answer 200 to an update_id that came before"},
		"it never answers": {within: 50 * time.Millisecond, handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		}), want: after("an update"), say: "no answer within 10s → answer first and work afterwards"},
		"it hangs up": {handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }), want: after("an update"), say: "no answer: EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			handler := test.handler
			if handler == nil {
				handler = good()
			}
			server := httptest.NewUnstartedServer(handler)
			server.Config.ErrorLog = quietLog
			if test.plain {
				server.Start()
			} else {
				cert := fine
				if test.cert != nil {
					cert = *test.cert
				}
				server.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
				server.StartTLS()
			}
			defer server.Close()
			said := 0
			c := &checker{url: "https://bot.example.com/webhook", lookup: public, roots: a.roots, within: test.within, now: func() time.Time { return checkTime }, say: func(string) { said++ }}
			if test.url != "" {
				c.url = test.url
			}
			if test.lookup != nil {
				c.lookup = test.lookup
			}
			c.dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
				if test.dial != nil {
					return nil, test.dial
				}
				return (&net.Dialer{}).DialContext(ctx, network, server.Listener.Addr().String())
			}
			c.run(t.Context())
			var got, told []string
			for _, f := range c.results {
				mark := "FAIL "
				if f.OK {
					mark = "pass "
				} else {
					told = append(told, f.Detail+" → "+f.Advice)
				}
				got = append(got, mark+f.Check)
			}
			if text := strings.Join(got, ", "); text != test.want {
				t.Errorf("%s\nwant %s\n%s", text, test.want, strings.Join(told, "\n"))
			}
			if text := strings.Join(told, "\n"); !strings.Contains(text, test.say) {
				t.Errorf("%q is not in %q", test.say, text)
			}
			if sent := strings.Contains(test.want, "an update"); sent != (said == 1) {
				t.Errorf("that updates are sent was said %d times", said)
			}
		})
	}
}

// TestCheckSlow tells of an answer that took long and came in time.
func TestCheckSlow(t *testing.T) {
	c := &checker{}
	if !c.update(&platform.Delivery{Status: 200, Duration: 6 * time.Second}) || c.results[0].OK || c.results[0].Detail != "200, but after 6s of the 10 s that there are" {
		t.Errorf("%+v", c.results)
	}
}

// TestCheckPlatform compares a URL with what the platform says.
func TestCheckPlatform(t *testing.T) {
	t.Parallel()
	p := bottest.New(t)
	client := p.Client()
	find := func(check func(*checker)) string {
		c := &checker{url: "https://bot.example.com/webhook"}
		check(c)
		return strings.TrimSpace(c.results[0].Detail + " → " + c.results[0].Advice)
	}
	for _, step := range []struct{ set, want string }{
		{"", "no webhook is set; 0 updates wait → solafon webhook set https://bot.example.com/webhook"},
		{"https://other.example.com", "it delivers to https://other.example.com → solafon webhook set https://bot.example.com/webhook"},
		{"https://bot.example.com/webhook", "it delivers here; 0 updates wait →"},
	} {
		p.SetWebhook(step.set)
		if got := find(func(c *checker) { c.known(t.Context(), client) }); got != step.want {
			t.Errorf("%s, want %s", got, step.want)
		}
	}
	met := func(c *checker) { c.met(t.Context(), client, bottest.AppID) }
	if got := find(met); got != "there are none yet →" {
		t.Error(got)
	}
	p.Serve(good())
	p.Deliver(`{"update_id":1,"from":{"id":1},"chat":{"id":1}}`)
	if got := find(met); got != "all 1 were answered 2xx →" {
		t.Error(got)
	}
	p.Deliver("?")
	if got := find(met); !strings.HasPrefix(got, "1 of 2 failed, the last at ") || !strings.Contains(got, "with 400: ") {
		t.Error(got)
	}
}
