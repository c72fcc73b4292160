// Command breaking tells which changes since a release would break those who
// use it: callers of the platform, by the document, and Go programs, by the
// packages in gen/. It ends with status 1 if there are any, and with 2 if it
// cannot tell.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

const (
	statusBroken = 1
	statusFailed = 2
)

// errBroken is that there are breaking changes.
var errBroken = errors.New("there are breaking changes")

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var since, dir string
	cmd := &cobra.Command{
		Use:           "breaking",
		Short:         "Tell which changes since a release would break callers",
		Args:          cobra.NoArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return compare(cmd.Context(), cmd.OutOrStdout(), dir, since)
		},
	}
	cmd.SetArgs(args)
	cmd.SetOut(stdout)
	cmd.SetErr(stderr)
	cmd.Flags().StringVar(&since, "since", "", "the revision to compare with (default: the last tag)")
	cmd.Flags().StringVar(&dir, "dir", ".", "the repository")
	err := cmd.ExecuteContext(ctx)
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errBroken):
		fmt.Fprintf(stderr, "breaking: %v\n", err)
		return statusBroken
	}
	fmt.Fprintf(stderr, "breaking: %v\n", err)
	return statusFailed
}

// change is a difference that a caller could notice.
type change struct {
	breaks bool
	where  string
	what   string
}

// compare prints what has changed since a revision.
func compare(ctx context.Context, out io.Writer, dir, since string) error {
	if since == "" {
		tag, err := lastTag(ctx, dir)
		if err != nil {
			return err
		}
		if tag == "" {
			fmt.Fprintln(out, "Nothing was released yet: there is no tag. Name a revision to compare with one.")
			return nil
		}
		since = tag
	}
	before, err := os.MkdirTemp("", "breaking-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(before)
	if err := export(ctx, dir, since, before); err != nil {
		return err
	}
	document, err := documentChanges(filepath.Join(before, "spec", "openapi.yaml"), filepath.Join(dir, "spec", "openapi.yaml"))
	if err != nil {
		return err
	}
	packages, err := goChanges(ctx, before, dir)
	if err != nil {
		return err
	}
	broken := 0
	for _, part := range []struct {
		title   string
		changes []change
	}{{"callers of the platform", document}, {"Go programs", packages}} {
		n, err := show(out, fmt.Sprintf("For %s, since %s", part.title, since), part.changes)
		if err != nil {
			return err
		}
		broken += n
	}
	if broken > 0 {
		return fmt.Errorf("%w: %d since %s; undo them, or release a new major version", errBroken, broken, since)
	}
	return nil
}

// show prints a table of changes and counts those that break.
func show(out io.Writer, title string, changes []change) (broken int, err error) {
	fmt.Fprintf(out, "%s:\n", title)
	if len(changes) == 0 {
		fmt.Fprintln(out, "  nothing has changed")
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, c := range changes {
		kind := "compatible"
		if c.breaks {
			kind = "BREAKS"
			broken++
		}
		fmt.Fprintf(table, "  %s\t%s\t%s\n", kind, c.where, c.what)
	}
	err = table.Flush()
	fmt.Fprintln(out)
	return broken, err
}
