// Command generate makes the code that is measured beside the real bindings: the
// answers' decoders in package wire, and what the peers' generators make of the
// same document. go generate runs it in the module's folder.
package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"

	"go.yaml.in/yaml/v3"

	"github.com/solafon/solafon-go/generator"
	"github.com/solafon/solafon-go/spec"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func run() error {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := wire(dir); err != nil {
		return fmt.Errorf("wire: %w", err)
	}
	if err := ogen(dir); err != nil {
		return fmt.Errorf("ogen: %w", err)
	}
	if err := command("peers", "go", "tool", "easyjson", "-no_std_marshalers", "types.go"); err != nil {
		return fmt.Errorf("easyjson: %w", err)
	}
	return nil
}

// wire makes the decoders of the answers.
func wire(dir string) error {
	document, err := parsed(os.ReadFile("../spec/openapi.yaml"))
	if err != nil {
		return err
	}
	own, err := parsed(os.ReadFile("wire/webhooks.yaml"))
	if err != nil {
		return err
	}
	document["paths"], document["webhooks"] = own["paths"], own["webhooks"]
	document["x-bindings-packages"] = map[string]any{"bindings": "wire", "server": "sender"}
	schemas := document["components"].(map[string]any)["schemas"].(map[string]any)
	for name, schema := range own["components"].(map[string]any)["schemas"].(map[string]any) {
		schemas[name] = schema
	}
	text, err := yaml.Marshal(document)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "openapi.yaml"), text, 0o600); err != nil {
		return err
	}
	output, err := generator.Generate(generator.Config{
		Spec: "openapi.yaml", Files: os.DirFS(dir), Tool: "the bench", ImportPrefix: "github.com/solafon/solafon-go/bench",
	})
	if err != nil {
		return err
	}
	stale, err := filepath.Glob("wire/*.gen.go")
	if err != nil {
		return err
	}
	for _, name := range stale {
		if err := os.Remove(name); err != nil {
			return err
		}
	}
	// Only the bindings are of use here, without a sender.
	for _, name := range output.Names() {
		if path.Dir(name) == "wire" {
			if err := os.WriteFile(name, output.File(name), 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}

func parsed(text []byte, err error) (map[string]any, error) {
	if err != nil {
		return nil, err
	}
	var document map[string]any
	return document, yaml.Unmarshal(text, &document)
}

// ogen makes the client and the types that ogen makes. It knows no payload of
// several forms, so the flat form stands for all of them.
func ogen(dir string) error {
	text, err := fs.ReadFile(spec.Files, spec.Document)
	if err != nil {
		return err
	}
	text = bytes.ReplaceAll(text, []byte("#/components/schemas/Delivery"), []byte("#/components/schemas/Update"))
	document := filepath.Join(dir, "ogen.yaml")
	if err := os.WriteFile(document, text, 0o600); err != nil {
		return err
	}
	if err := os.CopyFS(filepath.Join(dir, "examples"), os.DirFS("../spec/examples")); err != nil {
		return err
	}
	return command(".", "go", "tool", "ogen", "--config", "peers/ogen.yml", "--target", "peers/ogenapi", "--package", "ogenapi", "--clean", document)
}

// command runs a program and shows what it said if it fails.
func command(dir, name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, said)
	}
	return nil
}
