package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/solafon/solafon-go/bot/inbox"
	"github.com/solafon/solafon-go/bot/inbox/jetstream"
	"github.com/solafon/solafon-go/gen/solafon"
)

// inboxFlags say which inbox is meant and how it is shown.
type inboxFlags struct {
	dir, nats, credentials, name string
	json                         bool
}

func inboxCommand() *cobra.Command {
	var f inboxFlags
	cmd := &cobra.Command{
		Use:   "inbox",
		Short: "Look at a bot's inbox, and replay what was put aside",
		Long: `Look at a bot's inbox, and replay what was put aside.

The inbox is a folder, named by --dir, or in a NATS cluster, named by --nats. A
folder can be looked at while its bot runs: the bot lets its own user in through
a socket there.`,
		Args: usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	flags := cmd.PersistentFlags()
	flags.StringVar(&f.dir, "dir", "", "the inbox's folder")
	flags.StringVar(&f.nats, "nats", "", "the cluster's URL")
	flags.StringVar(&f.credentials, "creds", "", "a file with credentials for the cluster")
	flags.StringVar(&f.name, "name", "bot", "the inbox's name")
	flags.BoolVar(&f.json, "json", false, "print JSON")
	cmd.AddCommand(f.status(), f.list(), f.show(), f.replay(), f.drop())
	return cmd
}

// with opens the inbox, does something with it and closes it.
func (f *inboxFlags) with(ctx context.Context, do func(context.Context, *jetstream.Inbox) error) (err error) {
	opts := []jetstream.Option{jetstream.WithName(f.name)}
	var in *jetstream.Inbox
	switch {
	case (f.dir == "") == (f.nats == ""):
		return usageError{errors.New("which inbox? pass either --dir or --nats")}
	case f.dir != "":
		in, err = jetstream.Inspect(ctx, f.dir, opts...)
	default:
		if f.credentials != "" {
			opts = append(opts, jetstream.WithCredentials(f.credentials))
		}
		in, err = jetstream.InspectCluster(ctx, f.nats, opts...)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	return do(ctx, in)
}

func (f *inboxFlags) status() *cobra.Command {
	var watch bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Count what waits and what was put aside",
		Args:  usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.with(cmd.Context(), func(ctx context.Context, in *jetstream.Inbox) error {
				for {
					status, err := in.Status(ctx)
					if err != nil {
						return err
					}
					if err := f.printStatus(cmd.OutOrStdout(), status); err != nil || !watch {
						return err
					}
					select {
					case <-ctx.Done():
						return nil
					case <-time.After(time.Second):
					}
				}
			})
		},
	}
	cmd.Flags().BoolVar(&watch, "watch", false, "print it every second, until interrupted")
	return cmd
}

func (f *inboxFlags) printStatus(out io.Writer, s inbox.Status) error {
	if f.json {
		return json.NewEncoder(out).Encode(map[string]any{"waiting": s.Waiting, "parked": s.Parked, "aside": s.Aside, "oldest": jsonTime(s.Oldest)})
	}
	age := "none"
	if !s.Oldest.IsZero() {
		age = time.Since(s.Oldest).Round(time.Second).String()
	}
	_, err := fmt.Fprintf(out, "waiting %d   parked %d   aside %d   oldest %s\n", s.Waiting, s.Parked, s.Aside, age)
	return err
}

// jsonTime is a moment, or null for none.
func jsonTime(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t
}

func (f *inboxFlags) list() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List what was put aside, oldest first",
		Args:  usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.with(cmd.Context(), func(ctx context.Context, in *jetstream.Inbox) error {
				list, err := in.Aside(ctx)
				if err != nil {
					return err
				}
				if f.json {
					encoder := json.NewEncoder(cmd.OutOrStdout())
					for _, set := range list {
						if err := encoder.Encode(asJSON(set)); err != nil {
							return err
						}
					}
					return nil
				}
				table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
				fmt.Fprintln(table, "UPDATE\tCHAT\tTRIES\tPUT ASIDE\tREASON")
				for _, set := range list {
					fmt.Fprintf(table, "%s\t%s\t%d\t%s\t%s\n", set.ID, set.Key, set.Attempt, set.When.Format(time.DateTime), set.Reason)
				}
				return table.Flush()
			})
		},
	}
}

func asJSON(s inbox.Set) map[string]any {
	m := map[string]any{"update_id": s.ID, "chat": s.Key, "tries": s.Attempt, "accepted": s.Accepted, "aside": s.When, "reason": s.Reason}
	if u, err := solafon.DecodeUpdate(s.Data); err == nil {
		m["update"] = u
	} else {
		m["data"] = string(s.Data)
	}
	return m
}

func (f *inboxFlags) show() *cobra.Command {
	return &cobra.Command{
		Use:   "show ID",
		Short: "Show an update that was put aside, with what its user wrote",
		Args:  usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.with(cmd.Context(), func(ctx context.Context, in *jetstream.Inbox) error {
				set, err := in.Show(ctx, args[0])
				if err != nil {
					return err
				}
				encoder := json.NewEncoder(cmd.OutOrStdout())
				if !f.json {
					encoder.SetIndent("", "  ")
				}
				return encoder.Encode(asJSON(set))
			})
		},
	}
}

func (f *inboxFlags) replay() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "replay ID | --all",
		Short: "Hand what was put aside to the bot again",
		Args:  usage(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if all == (len(args) == 1) {
				return usageError{errors.New("replay what? name an update, or pass --all")}
			}
			return f.with(cmd.Context(), func(ctx context.Context, in *jetstream.Inbox) error {
				ids := args
				if all {
					list, err := in.Aside(ctx)
					if err != nil {
						return err
					}
					for _, set := range list {
						ids = append(ids, set.ID)
					}
				}
				for _, id := range ids {
					if err := in.Replay(ctx, id); err != nil {
						return err
					}
					fmt.Fprintln(cmd.OutOrStdout(), "replayed", id)
				}
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "all of it, oldest first")
	return cmd
}

func (f *inboxFlags) drop() *cobra.Command {
	return &cobra.Command{
		Use:   "drop ID",
		Short: "Forget an update that was put aside",
		Args:  usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.with(cmd.Context(), func(ctx context.Context, in *jetstream.Inbox) error {
				if err := in.Drop(ctx, args[0]); err != nil {
					return err
				}
				fmt.Fprintln(cmd.OutOrStdout(), "dropped", args[0])
				return nil
			})
		},
	}
}
