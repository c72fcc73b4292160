package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/solafon/solafon-go/gen/platform"
	"github.com/solafon/solafon-go/gen/solafon"
)

func webhookCommand() *cobra.Command {
	f := new(apiFlags)
	cmd := f.add(&cobra.Command{
		Use:   "webhook",
		Short: "Set the bot's webhook, and find out why nothing arrives",
		Args:  usage(cobra.NoArgs),
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	})
	cmd.AddCommand(f.webhookSet(), f.webhookDelete(), f.webhookInfo(), f.webhookLogs(), f.webhookCheck())
	return cmd
}

func (f *apiFlags) webhookSet() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "set URL",
		Short: "Have updates delivered to an https URL",
		Args:  usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			client, err := f.bot(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			req := solafon.SetWebhookRequest{URL: args[0]}
			if err := req.Validate(); err != nil {
				return usageError{fmt.Errorf("%q is no webhook: %w", args[0], err)}
			}
			info, err := client.GetWebhookInfo(ctx)
			if err != nil {
				return err
			}
			if info.URL != "" && info.URL != req.URL && !yes {
				if err := confirm(cmd, fmt.Sprintf("Updates go to %s now. Replace it?", oneLine(info.URL))); err != nil {
					return err
				}
			}
			if err := client.SetWebhook(ctx, req); err != nil {
				return err
			}
			return f.show(cmd.OutOrStdout(), req, func(w *tabwriter.Writer) { fmt.Fprintf(w, "updates go to %s\n", req.URL) })
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "replace another URL without a question")
	return cmd
}

// confirm asks a person, and fails unless the answer is yes.
func confirm(cmd *cobra.Command, question string) error {
	if !terminal(cmd.InOrStdin()) {
		return fmt.Errorf("%s There is nobody to ask: pass --yes", question)
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "%s [y/N] ", question)
	answer, err := bufio.NewReader(cmd.InOrStdin()).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if a := strings.ToLower(strings.TrimSpace(answer)); a != "y" && a != "yes" {
		return errors.New("nothing was changed")
	}
	return nil
}

func (f *apiFlags) webhookDelete() *cobra.Command {
	return &cobra.Command{
		Use:   "delete",
		Short: "Leave updates to be fetched",
		Args:  usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, err := f.bot(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			if err := client.DeleteWebhook(cmd.Context()); err != nil {
				return err
			}
			return f.show(cmd.OutOrStdout(), map[string]string{"url": ""}, func(w *tabwriter.Writer) { fmt.Fprintln(w, "updates wait to be fetched") })
		},
	}
}

func (f *apiFlags) webhookInfo() *cobra.Command {
	return &cobra.Command{
		Use:   "info",
		Short: "Tell where updates go and how many wait",
		Args:  usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, err := f.bot(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			info, err := client.GetWebhookInfo(cmd.Context())
			if err != nil {
				return err
			}
			return f.show(cmd.OutOrStdout(), info, func(w *tabwriter.Writer) {
				url := oneLine(info.URL)
				if url == "" {
					url = "none"
				}
				fmt.Fprintf(w, "URL\tWAITING\n%s\t%d\n", url, info.PendingUpdateCount)
			})
		},
	}
}

func (f *apiFlags) webhookLogs() *cobra.Command {
	var follow, plot bool
	cmd := f.addApp(&cobra.Command{
		Use:   "logs",
		Short: "Show the latest deliveries",
		Long: `Show the latest deliveries, which the platform remembers ten of. It takes the JWT of
the app's owner, in SOLAFON_JWT.`,
		Args: usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if plot && (f.json || !terminal(cmd.OutOrStdout())) {
				return usageError{errors.New("--plot draws on a terminal: leave it out here, or pass --json for the figures")}
			}
			client, app, err := f.owner(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			return f.logs(cmd.Context(), cmd.OutOrStdout(), client, app, follow, plot)
		},
	})
	cmd.Flags().BoolVar(&follow, "follow", false, "go on until interrupted; with --json, a line for each delivery")
	cmd.Flags().BoolVar(&plot, "plot", false, "draw the durations as bars")
	return cmd
}

// logs prints deliveries, oldest first, and goes on with those that come.
func (f *apiFlags) logs(ctx context.Context, out io.Writer, client *solafon.Client, app int64, follow, plot bool) error {
	var newest int64
	for head := true; ; head = false {
		settings, err := client.GetAppSettings(ctx, app)
		if err != nil {
			return err
		}
		list := slices.Clone(settings.WebhookLogs)
		slices.Reverse(list)
		list = slices.DeleteFunc(list, func(l solafon.WebhookLog) bool { return l.ID <= newest })
		if len(list) > 0 {
			newest = list[len(list)-1].ID
		}
		if err := f.showLogs(out, list, head, follow, plot); err != nil || !follow {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(2 * time.Second):
		}
	}
}

func (f *apiFlags) showLogs(out io.Writer, list []solafon.WebhookLog, head, follow, plot bool) error {
	if f.json && follow {
		for _, l := range list {
			if err := f.show(out, l, nil); err != nil {
				return err
			}
		}
		return nil
	}
	return f.show(out, list, func(w *tabwriter.Writer) {
		if head {
			fmt.Fprintln(w, "TIME\tSTATUS\tDURATION\tUPDATE\tANSWER")
		}
		for _, l := range list {
			update := "malformed"
			if u, err := solafon.DecodeUpdate([]byte(l.Request)); err == nil {
				update = fmt.Sprint(u.UpdateID)
			}
			last := oneLine(l.Response)
			if plot {
				last = bar(time.Duration(l.Duration) * time.Millisecond)
			}
			fmt.Fprintf(w, "%s\t%d\t%d ms\t%s\t%s\n", l.CreatedAt.Local().Format("15:04:05.000"), l.StatusCode, l.Duration, update, last)
		}
	})
}

// bar draws a duration: 40 characters are the time that the platform waits.
func bar(d time.Duration) string {
	const width = 40
	n := int(width * d / platform.WebhookTimeout)
	if n >= width {
		return strings.Repeat("█", width) + "▶ too late"
	}
	return strings.Repeat("█", n) + "▏" + strings.Repeat(" ", width-n-1) + "│ 10 s"
}
