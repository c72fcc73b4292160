package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/solafon/solafon-go/bot/bottest"
	"github.com/solafon/solafon-go/cmd/solafon/console"
)

// dev is the local platform.
type dev struct {
	addr, bot, state string
	polling          bool
	out, log         io.Writer
}

func devCommand() *cobra.Command {
	var d dev
	cmd := &cobra.Command{
		Use:   "dev",
		Short: "Be the platform on this machine, with a page to chat with the bot",
		Long: `Be the platform on this machine, with a page to chat with the bot, to watch the
deliveries and to let things go wrong. The API is where the real one is: any bot in
any language works with it, given its base URL and the token that is printed.

--bot names the bot: a URL that it listens at, or a command that runs it. A command
is run in this folder, again whenever a file here changes, with SOLAFON_API,
SOLAFON_TOKEN and ADDR set; updates are delivered to /webhook at ADDR.`,
		Example: `  solafon dev --bot http://127.0.0.1:8000/webhook
  solafon dev --bot "go run ."
  solafon dev --bot "go run ." --polling`,
		Args: usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			d.out, d.log = cmd.OutOrStdout(), cmd.ErrOrStderr()
			return d.run(cmd.Context())
		},
	}
	cmd.Flags().StringVar(&d.bot, "bot", "", "the bot: a URL, or a command that runs it")
	cmd.Flags().BoolVar(&d.polling, "polling", false, "the bot fetches its updates: set no webhook")
	cmd.Flags().StringVar(&d.addr, "addr", "127.0.0.1:8080", "where to listen")
	cmd.Flags().StringVar(&d.state, "state", "", "a folder to keep chats, deliveries and the token in (default: they end with the command)")
	return cmd
}

// run is the platform until ctx ends.
func (d *dev) run(ctx context.Context) (err error) {
	url, command, err := d.readBot()
	if err != nil {
		return usageError{err}
	}
	listener, err := net.Listen("tcp", d.addr)
	if err != nil {
		return fmt.Errorf("the platform cannot listen at %q: %w; name another address with --addr", d.addr, err)
	}
	defer listener.Close()
	page := console.New()
	watch := page.Changed
	opts := []bottest.Option{bottest.WithRedelivery(500 * time.Millisecond)}
	if d.state != "" {
		kept, state, err := openStore(d.state)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, kept.Close()) }()
		opts = append(opts, bottest.WithState(state))
		watch = func(c bottest.Change) {
			if err := kept.keep(c); err != nil {
				fmt.Fprintf(d.log, "solafon: a change is not kept: %v\n", err)
			}
			page.Changed(c)
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	var work sync.WaitGroup
	defer work.Wait()
	defer cancel()
	p := bottest.NewPlatform(append(opts, bottest.WithWatch(watch))...)
	defer p.Close()
	page.Attach(p)
	base := "http://" + reachable(listener.Addr().String())
	page.API = base + "/api/v1"
	page.Host, _, _ = net.SplitHostPort(d.addr)
	if len(p.Profiles()) == 0 {
		p.AddUser("Ann", "en")
		p.AddUser("Анна", "ru")
	}
	fmt.Fprintf(d.out, "console        %s\nSOLAFON_API    %s\nSOLAFON_TOKEN  %s\nSOLAFON_JWT    %s (app %d)\n", base, page.API, p.Token(), bottest.UserJWT, bottest.AppID)
	if host, _, _ := net.SplitHostPort(listener.Addr().String()); !net.ParseIP(host).IsLoopback() {
		fmt.Fprintf(d.log, "solafon: warning: others can reach %s: everybody who does can read and write all chats\n", d.addr)
	}

	work.Go(func() { page.Run(ctx) })
	if err := d.attend(ctx, &work, p, page, url, command); err != nil {
		return err
	}
	return serveUntil(ctx, listener, p, page)
}

// readBot tells a bot's URL from a command.
func (d *dev) readBot() (webhook, command string, err error) {
	if !strings.HasPrefix(d.bot, "http://") && !strings.HasPrefix(d.bot, "https://") {
		return "", d.bot, nil
	}
	if u, err := url.Parse(d.bot); err != nil || u.Host == "" {
		return "", "", fmt.Errorf("--bot: %q is no URL: write it as http://host:port/path", d.bot)
	}
	if d.polling {
		return "", "", errors.New("--polling is for a command: a bot that fetches updates has no URL")
	}
	return d.bot, "", nil
}

// attend sets the webhook to the bot, and runs it where it is a command.
func (d *dev) attend(ctx context.Context, work *sync.WaitGroup, p *bottest.Platform, page *console.Console, webhook, command string) error {
	b := &devBot{webhook: webhook, command: command, show: func(state string, up bool) {
		fmt.Fprintln(d.log, state)
		page.SetBot(state, up)
	}}
	if command != "" {
		addr, err := freeAddress()
		if err != nil {
			return err
		}
		b.env = func() []string {
			return []string{"SOLAFON_API=" + page.API, "SOLAFON_TOKEN=" + p.Token(), "ADDR=" + addr}
		}
		b.printed = func(line string) {
			fmt.Fprintln(d.out, "bot |", line)
			page.BotPrinted(line)
		}
		if !d.polling {
			b.webhook = "http://" + addr + "/webhook"
		}
		work.Go(func() { b.run(ctx) })
	}
	if b.webhook != "" {
		p.SetWebhook(b.webhook)
	} else if d.polling {
		p.SetWebhook("")
	}
	if webhook != "" {
		work.Go(func() { b.watchAddress(ctx) })
	}
	return nil
}

// reachable is a listener's address as a page or a bot on this machine can use it.
func reachable(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err == nil && net.ParseIP(host).IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return addr
}

// serveUntil serves the API and the page until ctx ends.
func serveUntil(ctx context.Context, listener net.Listener, p *bottest.Platform, page *console.Console) error {
	mux := http.NewServeMux()
	mux.Handle("/api/v1/", p.Handler())
	mux.Handle("/", page.Handler())
	// Pages follow events for as long as they are open: requests end with ctx.
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, MaxHeaderBytes: 64 << 10, BaseContext: func(net.Listener) context.Context { return ctx }}
	stopped := context.AfterFunc(ctx, func() {
		within, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		if server.Shutdown(within) != nil {
			server.Close()
		}
	})
	defer stopped()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
