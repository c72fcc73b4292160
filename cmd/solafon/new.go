package main

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/spf13/cobra"
	"golang.org/x/mod/module"
)

// project is what the files of a new bot or platform are made from.
type project struct {
	Name, Module, Replace string
	Polling               bool
	Commands              []botCommand
	Methods               []string // of a platform
}

// botCommand is a command of a bot.
type botCommand struct{ Name, Description string }

// Title is the command's name as a part of Go names, and Func its handler's.
func (c botCommand) Title() string {
	var b strings.Builder
	for part := range strings.SplitSeq(c.Name, "_") {
		if part != "" {
			b.WriteString(strings.ToUpper(part[:1]) + part[1:])
		}
	}
	return b.String()
}

// Func is the name of the command's handler.
func (c botCommand) Func() string {
	title := []rune(c.Title())
	title[0] = unicode.ToLower(title[0])
	return string(title) + "Command"
}

// Reply is what the command answers until its author says otherwise.
func (c botCommand) Reply() string {
	if c.Description == "" {
		return "This is /" + c.Name + "."
	}
	return c.Description
}

func newCommand() *cobra.Command {
	var p project
	var commands []string
	var platform bool
	cmd := &cobra.Command{
		Use:   "new NAME",
		Short: "Make a new bot: code, tests and what it takes to run it",
		Long: `Make a new bot in the folder NAME: code, tests and what it takes to run it. It builds
and passes its tests as made. A folder that has files in it is left alone.`,
		Example: `  solafon new hello
  solafon new shop --module example.com/shop --command 'start:Say hello' --command 'orders:List my orders'
  solafon new fake --platform`,
		Args: usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			p.Name = filepath.Base(args[0])
			kind := "bot"
			if platform {
				kind = "platform"
			}
			if err := p.check(commands, platform); err != nil {
				return usageError{err}
			}
			if platform {
				methods, err := platformMethods()
				if err != nil {
					return err
				}
				p.Methods = methods
			}
			files, err := render("module", p, "")
			if err != nil {
				return err
			}
			own, err := render(kind, p, "")
			if err != nil {
				return err
			}
			files = append(files, own...)
			if err := writeNew(args[0], files); err != nil {
				return err
			}
			next := `solafon dev --bot "go run ."`
			switch {
			case platform:
				next = "go run ."
			case p.Polling:
				next += " --polling"
			}
			fmt.Fprintf(cmd.OutOrStdout(), "made %s with %d files; now: cd %s && go mod tidy && go test ./... && %s\n", args[0], len(files), args[0], next)
			return nil
		},
	}
	cmd.Flags().StringVar(&p.Module, "module", "", "the module's path (default: example.com/NAME)")
	cmd.Flags().BoolVar(&p.Polling, "polling", false, "fetch updates instead of receiving them")
	cmd.Flags().StringArrayVar(&commands, "command", []string{"start:Welcome to my app!", "help:Write me anything, and I repeat it."}, "a command and its description, as name:description; once for each")
	cmd.Flags().StringVar(&p.Replace, "replace", "", "use the SDK in this folder instead of the released one")
	cmd.Flags().BoolVar(&platform, "platform", false, "make the platform's side instead: a server with every method to be written")
	return cmd
}

var nameOfProject = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)

// check completes a project, and says what is wrong with it.
func (p *project) check(commands []string, platform bool) error {
	if !nameOfProject.MatchString(p.Name) {
		return fmt.Errorf("%q is no name for a folder: use letters, digits, '.', '-' and '_'", p.Name)
	}
	if p.Module == "" {
		p.Module = "example.com/" + p.Name
	}
	if err := module.CheckImportPath(p.Module); err != nil {
		return fmt.Errorf("--module: %w", err)
	}
	if p.Replace != "" {
		if found, name, err := findModule(p.Replace); err != nil || name != ownModule {
			return fmt.Errorf("--replace: %s is not in a copy of %s", p.Replace, ownModule)
		} else if p.Replace, err = filepath.Abs(found); err != nil {
			return err
		}
		if strings.ContainsAny(p.Replace, " \t'\"`") {
			p.Replace = strconv.Quote(p.Replace)
		}
	}
	if platform {
		if p.Polling {
			return errors.New("--platform and --polling exclude each other: a platform does not fetch")
		}
		return nil
	}
	for _, text := range commands {
		name, description, _ := strings.Cut(text, ":")
		c, err := newBotCommand(name, description)
		if err != nil {
			return fmt.Errorf("--command: %w", err)
		}
		if slices.ContainsFunc(p.Commands, func(other botCommand) bool { return other.Func() == c.Func() }) {
			return fmt.Errorf("--command: /%s is there twice, or would have the handler of another one: name it otherwise", c.Name)
		}
		p.Commands = append(p.Commands, c)
	}
	return nil
}

var nameOfCommand = regexp.MustCompile(`^[a-z][a-z0-9_]{0,31}$`)

// newBotCommand checks a command.
func newBotCommand(name, description string) (botCommand, error) {
	name = strings.TrimPrefix(name, "/")
	if !nameOfCommand.MatchString(name) {
		return botCommand{}, fmt.Errorf("%q is no name for a command: use a-z, 0-9 and _, a letter first, 32 at most", name)
	}
	description = strings.TrimSpace(description)
	if strings.ContainsFunc(description, unicode.IsControl) {
		return botCommand{}, fmt.Errorf("the description of /%s has a line's end or another control character in it", name)
	}
	return botCommand{name, description}, nil
}

func addCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "add",
		Short: "Add to the bot in this folder",
		Args:  usage(cobra.NoArgs),
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	var dir, description string
	add := &cobra.Command{
		Use:   "command NAME",
		Short: "Add a command with its test, in files of their own",
		Args:  usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := newBotCommand(args[0], description)
			if err != nil {
				return usageError{err}
			}
			if err := addable(dir, c); err != nil {
				return err
			}
			files, err := render("command", c, c.Name)
			if err != nil {
				return err
			}
			if err := writeBeside(dir, files); err != nil {
				return err
			}
			for _, f := range files {
				fmt.Fprintln(cmd.OutOrStdout(), filepath.Join(dir, f.path))
			}
			return nil
		},
	}
	add.Flags().StringVar(&dir, "dir", ".", "the bot's folder")
	add.Flags().StringVar(&description, "description", "", "what the menu says about it")
	cmd.AddCommand(add)
	return cmd
}

// addable tells whether a command can be added to the bot in a folder: it must be
// made by new, as far as its list of commands goes, and have no such command yet.
func addable(dir string, c botCommand) error {
	files, err := parseFolder(dir)
	if err != nil {
		return fmt.Errorf("the bot in %s cannot be read: %w; mend it first", dir, err)
	}
	if declared(files, "commands") == "" || declared(files, "command") == "" {
		return fmt.Errorf("there is no bot in %s with a list of commands as solafon new makes it: name its folder with --dir", dir)
	}
	if file := declared(files, c.Func()); file != "" {
		return fmt.Errorf("%s has %s already: name the command otherwise", file, c.Func())
	}
	var found string
	for _, file := range files {
		ast.Inspect(file, func(n ast.Node) bool {
			if kv, ok := n.(*ast.KeyValueExpr); ok {
				key, _ := kv.Key.(*ast.Ident)
				value, _ := kv.Value.(*ast.BasicLit)
				if key != nil && value != nil && key.Name == "name" && value.Value == strconv.Quote(c.Name) {
					found = c.Name
				}
			}
			return true
		})
	}
	if found != "" {
		return fmt.Errorf("the bot has the command /%s already", found)
	}
	return nil
}

// parseFolder reads the Go files of a folder, by their names.
func parseFolder(dir string) (map[string]*ast.File, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	files := make(map[string]*ast.File)
	for _, path := range paths {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		files[filepath.Base(path)] = file
	}
	return files, nil
}

// declared is the file that declares a name of a package, or nothing.
func declared(files map[string]*ast.File, name string) string {
	for path, file := range files {
		for _, d := range file.Decls {
			if slices.Contains(declares(d), name) {
				return path
			}
		}
	}
	return ""
}

// declares are the names of a package that a declaration makes.
func declares(d ast.Decl) (names []string) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil {
			names = append(names, d.Name.Name)
		}
	case *ast.GenDecl:
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.ValueSpec:
				for _, id := range s.Names {
					names = append(names, id.Name)
				}
			case *ast.TypeSpec:
				names = append(names, s.Name.Name)
			}
		}
	}
	return names
}

// writeBeside writes files into a folder that is there, and none where one of them
// is there already.
func writeBeside(dir string, files []projectFile) (err error) {
	var written []string
	defer func() {
		if err != nil {
			for _, path := range written {
				os.Remove(path)
			}
		}
	}()
	for _, f := range files {
		path := filepath.Join(dir, f.path)
		out, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
		if errors.Is(err, os.ErrExist) {
			return fmt.Errorf("%s is there already and is left alone", path)
		}
		if err != nil {
			return err
		}
		written = append(written, path)
		_, err = out.Write(f.text)
		if err := errors.Join(err, out.Close()); err != nil {
			return err
		}
	}
	return nil
}
