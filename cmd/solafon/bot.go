package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/solafon/solafon-go/bot"
	"github.com/solafon/solafon-go/bot/inbox/jetstream"
	"github.com/solafon/solafon-go/gen/solafon"
)

// newBot is the bot of the demo: it welcomes, echoes, and has one command that
// takes its time.
func newBot(client *solafon.Client, dir string, opts ...bot.Option) *bot.Bot {
	b := bot.New(client, opts...)
	b.Command("start", func(ctx context.Context, m *bot.Message) error { return m.Reply(ctx, "Welcome to my app!") })
	b.Command("slow", func(ctx context.Context, m *bot.Message) error {
		begun := filepath.Join(dir, "begun")
		if _, err := os.Stat(begun); err == nil {
			return m.Reply(ctx, "Here I am again.")
		}
		// The first time it takes too long: the demo kills the process meanwhile.
		if err := os.WriteFile(begun, nil, 0o600); err != nil {
			return err
		}
		<-ctx.Done()
		return ctx.Err()
	})
	b.Text(func(ctx context.Context, m *bot.Message) error { return m.Reply(ctx, "You said: "+m.Text) })
	return b
}

// demoBotCommand is the demo's bot as a process of its own, which the demo
// starts and kills.
func demoBotCommand() *cobra.Command {
	var dir, addr, api string
	cmd := &cobra.Command{
		Use:    "demo-bot",
		Short:  "Be the bot of the demo",
		Hidden: true,
		Args:   usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			token := os.Getenv("SOLAFON_TOKEN")
			client, err := solafon.NewClient(token, solafon.WithBaseURL(api))
			if err != nil {
				return err
			}
			// It is killed on purpose: what the storage says of that afterwards is no news.
			in, err := jetstream.Embedded(ctx, filepath.Join(dir, "inbox"), jetstream.WithLogger(slog.New(slog.DiscardHandler)))
			if err != nil {
				return err
			}
			listener, err := net.Listen("tcp", addr)
			if err != nil {
				return err
			}
			b := newBot(client, dir, bot.WithInbox(in), bot.WithAppToken(token), bot.WithLogger(slog.New(slog.DiscardHandler)))
			return b.Serve(ctx, tls.NewListener(listener, testTLS()))
		},
	}
	cmd.Flags().StringVar(&dir, "dir", "", "where it keeps what it accepts")
	cmd.Flags().StringVar(&addr, "addr", "", "where it listens")
	cmd.Flags().StringVar(&api, "api", "", "the platform")
	return cmd
}

// testTLS is the certificate of net/http/httptest, which its clients trust.
func testTLS() *tls.Config {
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	return server.TLS.Clone()
}

// botProcess is the demo's bot, running.
type botProcess struct {
	dir, addr  string
	api, token string       // the platform's
	client     *http.Client // trusts it
	cmd        *exec.Cmd
}

// start starts the process and waits until it is ready.
func (p *botProcess) start(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	p.cmd = exec.Command(self, "demo-bot", "--dir", p.dir, "--addr", p.addr, "--api", p.api)
	p.cmd.Env = append(os.Environ(), "SOLAFON_TOKEN="+p.token)
	p.cmd.Stderr = os.Stderr
	if err := p.cmd.Start(); err != nil {
		return err
	}
	return await(ctx, "the bot to be ready", func() bool {
		resp, err := p.client.Get("https://" + p.addr + "/readyz")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
}

// kill ends the process at once, and stop lets it end what it does.
func (p *botProcess) kill() {
	p.cmd.Process.Kill()
	p.cmd.Wait()
}

func (p *botProcess) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return p.cmd.Wait()
}

// await looks for something again and again until it is there.
func await(ctx context.Context, what string, there func() bool) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !there() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w", what, ctx.Err())
		case <-tick.C:
		}
	}
	return nil
}

// freeAddress is one on loopback that nobody listens at.
func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer listener.Close()
	return listener.Addr().String(), nil
}
