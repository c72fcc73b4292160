// Command solafon makes the Go bindings of the Solafon Bot API and shows them
// at work.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// The command's exit statuses.
const (
	statusFailed = 1
	statusUsage  = 2
	statusStrict = 3 // there is a warning, and --strict
)

// strictError is a document that there are warnings about.
type strictError struct{ error }

// usageError is a command line that cannot be understood.
type usageError struct{ error }

// run is the command without the process around it.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := &cobra.Command{
		Use:           "solafon",
		Short:         "Make Go bindings of the Solafon Bot API, and see them at work",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          usage(cobra.NoArgs),
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(generateCommand(), demoCommand(), demoBotCommand(), inboxCommand(), newCommand(), devCommand(), addCommand(), webhookCommand(), sendCommand(), updatesCommand(), meCommand(), commandsCommand(), versionCommand())
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	if errors.As(err, new(usageError)) {
		fmt.Fprintf(stderr, "solafon: %v; see solafon --help\n", err)
		return statusUsage
	}
	fmt.Fprintf(stderr, "solafon: %v\n", err)
	if errors.As(err, new(strictError)) {
		return statusStrict
	}
	return statusFailed
}

// usage makes a check of a command's arguments a matter of usage.
func usage(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return usageError{err}
		}
		return nil
	}
}

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			version := "unknown"
			if info, ok := debug.ReadBuildInfo(); ok {
				version = info.Main.Version
				for _, setting := range info.Settings {
					if setting.Key == "vcs.revision" {
						version += " " + setting.Value
					}
				}
			}
			_, err := fmt.Fprintln(cmd.OutOrStdout(), "solafon", version)
			return err
		},
	}
}
