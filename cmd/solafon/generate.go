package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/mod/modfile"

	"github.com/solafon/solafon-go/generator"
)

func generateCommand() *cobra.Command {
	var spec, out, reference string
	var check, diff, strict bool
	cmd := &cobra.Command{
		Use:   "generate",
		Short: "Make the bindings of an OpenAPI document",
		Long: `Make the bindings of an OpenAPI document.

Without flags it refreshes this repository's own bindings from its own document.
Nothing is written unless everything can be. What a document may have and there is
no Go for is left out, with a warning that names the line.`,
		Example: `  solafon generate
  solafon generate --check
  solafon generate --spec petstore.yaml --out internal/petstore`,
		Args: usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if check && diff {
				return usageError{errors.New("--check and --diff exclude each other: pass one")}
			}
			spec, out, reference, err := paths(cmd, spec, out, reference)
			if err != nil {
				return err
			}
			output, err := generate(cmd.ErrOrStderr(), spec, out, reference)
			if err != nil {
				return err
			}
			if warnings := output.Warnings(); strict && len(warnings) > 0 {
				return strictError{warnings}
			} else if len(warnings) > 0 {
				fmt.Fprintf(cmd.ErrOrStderr(), "solafon: warnings, which --strict makes failures:\n%v\n", warnings)
			}
			switch {
			case check:
				return showCheck(output, out)
			case diff:
				text, err := output.Diff(out)
				fmt.Fprint(cmd.OutOrStdout(), text)
				return err
			}
			names, err := output.Write(out)
			for _, name := range names {
				fmt.Fprintln(cmd.OutOrStdout(), filepath.Join(out, filepath.FromSlash(name)))
			}
			return err
		},
	}
	cmd.Flags().StringVar(&spec, "spec", "", "the document (default: this repository's spec/openapi.yaml)")
	cmd.Flags().StringVar(&out, "out", "", "the folder to write to (default: this repository's gen)")
	cmd.Flags().StringVar(&reference, "reference", "", "a page to write that lists every call (default: this repository's docs/api.md, for its own document)")
	cmd.Flags().BoolVar(&check, "check", false, "write nothing; fail and name the files that are out of step")
	cmd.Flags().BoolVar(&strict, "strict", false, "write nothing, and exit with status 3, if there is a warning")
	cmd.Flags().BoolVar(&diff, "diff", false, "write nothing; show what would change")
	return cmd
}

// paths settles where to read and write. Left out, both are this repository's,
// wherever inside it the command runs.
func paths(cmd *cobra.Command, spec, out, reference string) (string, string, string, error) {
	for _, flag := range []string{"spec", "out", "reference"} {
		if f := cmd.Flags().Lookup(flag); f.Changed && f.Value.String() == "" {
			return "", "", "", usageError{fmt.Errorf("--%s is empty: name a path", flag)}
		}
	}
	if spec != "" && out != "" {
		return spec, out, reference, nil
	}
	root, module, err := findModule(".")
	if err != nil || module != ownModule {
		return "", "", "", usageError{errors.New("this is not the repository of the bindings: pass --spec and --out")}
	}
	if reference == "" && spec == "" && out == "" {
		reference = filepath.Join(root, "docs", "api.md")
	}
	if spec == "" {
		spec = filepath.Join(root, "spec", "openapi.yaml")
	}
	if out == "" {
		out = filepath.Join(root, "gen")
	}
	return spec, out, reference, nil
}

const ownModule = "github.com/solafon/solafon-go"

// tool is who the generated files say made them.
const tool = "solafon generate"

// generate runs the pipeline for a folder, whose import path is that of its
// module. Outside a module there is none, which is worth a warning: the
// server's side imports the bindings.
func generate(stderr io.Writer, spec, out, reference string) (*generator.Output, error) {
	config := generator.Config{Spec: spec, Tool: tool}
	absolute, err := filepath.Abs(out)
	if err != nil {
		return nil, err
	}
	if config.Reference, err = below(absolute, reference); err != nil {
		return nil, err
	}
	root, module, err := findModule(absolute)
	if err != nil {
		fmt.Fprintf(stderr, "solafon: %s is in no Go module (%v), so the server's side will not find the bindings; run go mod init above it and generate again\n", out, err)
		return generator.Generate(config)
	}
	folder, err := filepath.Rel(root, absolute)
	if err != nil {
		return nil, err
	}
	config.ImportPrefix = path.Join(module, filepath.ToSlash(folder))
	return generator.Generate(config)
}

// below is a file's path as seen from a folder, with slashes; it is empty for
// none.
func below(folder, file string) (string, error) {
	if file == "" {
		return "", nil
	}
	absolute, err := filepath.Abs(file)
	if err != nil {
		return "", err
	}
	relative, err := filepath.Rel(folder, absolute)
	return filepath.ToSlash(relative), err
}

// findModule finds the module that a folder is in or would be in.
func findModule(dir string) (root, module string, err error) {
	if dir, err = filepath.Abs(dir); err != nil {
		return "", "", err
	}
	for {
		data, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil {
			if module = modfile.ModulePath(data); module == "" {
				return "", "", fmt.Errorf("%s names no module", filepath.Join(dir, "go.mod"))
			}
			return dir, module, nil
		}
		if !errors.Is(err, os.ErrNotExist) {
			return "", "", err
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", "", errors.New("no go.mod")
		}
		dir = parent
	}
}

func showCheck(output *generator.Output, out string) error {
	names, err := output.Check(out)
	if err != nil {
		return err
	}
	if len(names) > 0 {
		return fmt.Errorf("out of step with the document, run solafon generate: %s", strings.Join(names, ", "))
	}
	return nil
}
