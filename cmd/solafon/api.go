package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/solafon/solafon-go/gen/solafon"
)

// apiFlags say which platform is called, as whom, and how its answers are shown.
// Credentials come from the environment or a file, never from a flag's value: other
// users of the machine can read the command lines of processes.
type apiFlags struct {
	api, tokenFile string
	app            int64
	json           bool
}

func (f *apiFlags) add(cmd *cobra.Command) *cobra.Command {
	flags := cmd.PersistentFlags()
	flags.StringVar(&f.api, "api", "", "the API's base URL (default: SOLAFON_API, or the platform's)")
	flags.StringVar(&f.tokenFile, "token-file", "", "a file with the app's token (default: the token is SOLAFON_TOKEN)")
	flags.BoolVar(&f.json, "json", false, "print JSON")
	return cmd
}

// addApp adds the flag of commands that read an app's settings.
func (f *apiFlags) addApp(cmd *cobra.Command) *cobra.Command {
	cmd.Flags().Int64Var(&f.app, "app", 0, "the app's number (default: SOLAFON_APP)")
	return cmd
}

// errNoToken says where a token comes from.
var errNoToken = errors.New("there is no token: set SOLAFON_TOKEN or pass --token-file; the app's settings on the platform show it once the app is approved, and solafon dev prints one for its own platform")

// errNoJWT says where a JWT comes from.
var errNoJWT = errors.New("there is no user's JWT: set SOLAFON_JWT to the one that signing in to the platform gives; it is good for 30 days")

// token is the app's token, or empty where there is none.
func (f *apiFlags) token(warnings io.Writer) (string, error) {
	if f.tokenFile != "" {
		return readToken(f.tokenFile, warnings)
	}
	return os.Getenv("SOLAFON_TOKEN"), nil
}

// client makes a client with the credentials that there are.
func (f *apiFlags) client(warnings io.Writer) (*solafon.Client, error) {
	token, err := f.token(warnings)
	if err != nil {
		return nil, err
	}
	opts := []solafon.Option{solafon.WithUserAgent("solafon-command")}
	if jwt := os.Getenv("SOLAFON_JWT"); jwt != "" {
		opts = append(opts, solafon.WithUserJWT(jwt))
	}
	if api := cmp.Or(f.api, os.Getenv("SOLAFON_API")); api != "" {
		opts = append(opts, solafon.WithBaseURL(api))
	}
	return solafon.NewClient(token, opts...)
}

// bot makes a client that has the app's token.
func (f *apiFlags) bot(warnings io.Writer) (*solafon.Client, error) {
	if token, err := f.token(io.Discard); err == nil && token == "" {
		return nil, errNoToken
	}
	return f.client(warnings)
}

// owner makes a client that has a user's JWT, and says which app is meant.
func (f *apiFlags) owner(warnings io.Writer) (*solafon.Client, int64, error) {
	if os.Getenv("SOLAFON_JWT") == "" {
		return nil, 0, errNoJWT
	}
	app := f.app
	if app == 0 {
		text := os.Getenv("SOLAFON_APP")
		if text == "" {
			return nil, 0, usageError{errors.New("which app? pass --app or set SOLAFON_APP")}
		}
		var err error
		if app, err = strconv.ParseInt(text, 10, 64); err != nil {
			return nil, 0, usageError{fmt.Errorf("SOLAFON_APP: %q is no number", text)}
		}
	}
	client, err := f.client(warnings)
	return client, app, err
}

// readToken reads a token from a file, and warns where others can read it too.
func readToken(file string, warnings io.Writer) (string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		var pathErr *fs.PathError
		if errors.As(err, &pathErr) {
			err = pathErr.Err
		}
		return "", fmt.Errorf("--token-file: %s cannot be read: %w", file, err)
	}
	if info, err := os.Stat(file); err == nil && info.Mode().Perm()&0o077 != 0 {
		fmt.Fprintf(warnings, "solafon: warning: others can read %s: chmod 600 %[1]s\n", file)
	}
	token := strings.TrimSpace(string(text))
	if token == "" || strings.ContainsAny(token, " \t\r\n") {
		return "", fmt.Errorf("--token-file: %s does not hold one token and nothing else", file)
	}
	return token, nil
}

// show prints a value as JSON, or calls table where a person reads.
func (f *apiFlags) show(out io.Writer, value any, table func(w *tabwriter.Writer)) error {
	if f.json {
		enc := json.NewEncoder(out)
		enc.SetEscapeHTML(false)
		return enc.Encode(value)
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	table(w)
	return w.Flush()
}

// terminal tells whether a stream is a terminal.
func terminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

func meCommand() *cobra.Command {
	var f apiFlags
	return f.add(&cobra.Command{
		Use:   "me",
		Short: "Tell which bot the token belongs to",
		Args:  usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, err := f.bot(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			me, err := client.GetMe(cmd.Context())
			if err != nil {
				return err
			}
			return f.show(cmd.OutOrStdout(), me, func(w *tabwriter.Writer) {
				fmt.Fprintf(w, "NUMBER\tUSERNAME\tTITLE\n%d\t%s\t%s\n", me.ID, oneLine(me.Username), oneLine(me.Title))
			})
		},
	})
}

func commandsCommand() *cobra.Command {
	var f apiFlags
	return f.add(&cobra.Command{
		Use:   "commands",
		Short: "List the commands of the bot's menu",
		Args:  usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, err := f.bot(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			list, err := client.GetMyCommands(cmd.Context())
			if err != nil {
				return err
			}
			return f.show(cmd.OutOrStdout(), list, func(w *tabwriter.Writer) {
				fmt.Fprintln(w, "COMMAND\tDESCRIPTION")
				for _, c := range list {
					fmt.Fprintf(w, "/%s\t%s\n", oneLine(c.Command), oneLine(c.Description))
				}
			})
		},
	})
}

func sendCommand() *cobra.Command {
	var f apiFlags
	var buttons []string
	cmd := f.add(&cobra.Command{
		Use:     "send CHAT TEXT",
		Short:   "Send a message in the bot's name",
		Example: `  solafon send 456 "Tea or coffee?" --button Tea:/tea --button Coffee:/coffee`,
		Args:    usage(cobra.ExactArgs(2)),
		RunE: func(cmd *cobra.Command, args []string) error {
			req, err := newMessage(args[0], args[1], buttons)
			if err != nil {
				return usageError{err}
			}
			client, err := f.bot(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			m, err := client.SendMessage(cmd.Context(), req)
			if err != nil {
				return err
			}
			return f.show(cmd.OutOrStdout(), m, func(w *tabwriter.Writer) { fmt.Fprintf(w, "sent message %d to chat %d\n", m.MessageID, m.Chat.ID) })
		},
	})
	cmd.Flags().StringArrayVar(&buttons, "button", nil, "a button under the text, as text:action; once for each")
	return cmd
}

// newMessage reads the message that a command line asks for.
func newMessage(chat, text string, buttons []string) (solafon.SendMessageRequest, error) {
	id, err := strconv.ParseInt(chat, 10, 64)
	if err != nil || id == 0 {
		return solafon.SendMessageRequest{}, fmt.Errorf("%q is no chat's number: it is the from.id of what the user wrote", chat)
	}
	if strings.TrimSpace(text) == "" {
		return solafon.SendMessageRequest{}, errors.New("the text is empty")
	}
	req := solafon.SendMessageRequest{ChatID: id, Text: text}
	var list []solafon.Button
	for _, b := range buttons {
		label, action, ok := strings.Cut(b, ":")
		if !ok || label == "" || action == "" {
			return req, fmt.Errorf("--button: %q is not of the form text:action", b)
		}
		list = append(list, solafon.Button{Text: label, Action: action})
	}
	if len(list) > 0 {
		req = req.WithButtons(list...)
	}
	return req, nil
}

func updatesCommand() *cobra.Command {
	var f apiFlags
	var follow bool
	cmd := f.add(&cobra.Command{
		Use:   "updates",
		Short: "Fetch what users wrote and no webhook took",
		Long: `Fetch what users wrote and no webhook took. Fetching marks updates as read: what is
shown here reaches no bot any more.`,
		Args: usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, err := f.bot(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			if !follow {
				list, err := client.GetUpdates(cmd.Context())
				if err != nil {
					return err
				}
				return f.show(cmd.OutOrStdout(), list, func(w *tabwriter.Writer) {
					fmt.Fprintln(w, updatesHead)
					for _, u := range list {
						fmt.Fprintln(w, updateRow(u))
					}
				})
			}
			return f.follow(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr(), client)
		},
	})
	cmd.Flags().BoolVar(&follow, "follow", false, "go on until interrupted; with --json, a line for each update")
	return cmd
}

const updatesHead = "UPDATE\tTIME\tCHAT\tNAME\tTEXT"

func updateRow(u solafon.Update) string {
	return fmt.Sprintf("%d\t%s\t%d\t%s\t%s", u.UpdateID, time.Unix(u.Date, 0).Format(time.DateTime), u.Chat.ID, oneLine(u.From.Name), oneLine(u.Text))
}

// follow prints updates as they come.
func (f *apiFlags) follow(ctx context.Context, out, warnings io.Writer, client *solafon.Client) error {
	for u, err := range client.Updates(ctx) {
		if err != nil {
			if errors.Is(err, solafon.ErrUnauthorized) {
				return err // waiting mends nothing
			}
			fmt.Fprintf(warnings, "solafon: %v\n", err)
			continue
		}
		if err := f.show(out, u, func(w *tabwriter.Writer) { fmt.Fprintln(w, updateRow(u)) }); err != nil {
			return err
		}
	}
	return nil
}

// oneLine is a text that others wrote as a table or a terminal can have it: on one
// line, without control characters, and not too long.
func oneLine(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			return ' '
		case r < ' ' || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069:
			return -1
		}
		return r
	}, text)
	if runes := []rune(text); len(runes) > 80 {
		return string(runes[:79]) + "…"
	}
	return text
}
