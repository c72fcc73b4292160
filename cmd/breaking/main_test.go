package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const document = `openapi: 3.1.0
info: { title: Shop, version: "1" }
paths:
  /orders:
    get:
      operationId: listOrders
      responses: { "200": { description: The orders. } }
  /orders/count:
    get:
      operationId: countOrders
      responses: { "200": { description: Their number. } }
`

const source = "package shop\n\n// Order is one.\ntype Order struct{ ID int64 }\n\n// List lists them.\nfunc List(limit int) []Order { return nil }\n"

// repository makes one with a document and a package.
func repository(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, "go.mod", "module example.com/shop\n\ngo 1.26\n")
	write(t, dir, "spec/openapi.yaml", document)
	write(t, dir, "gen/shop/shop.gen.go", source)
	gitRun(t, dir, "init", "-q")
	commit(t, dir)
	return dir
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func commit(t *testing.T, dir string) {
	t.Helper()
	gitRun(t, dir, "add", "-A")
	gitRun(t, dir, "-c", "user.name=test", "-c", "user.email=test@example.com", "commit", "-qm", "change")
}

func gitRun(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
}

func TestBreaking(t *testing.T) {
	compatible := document + "  /orders/last:\n    get:\n      operationId: lastOrder\n      responses: { \"200\": { description: The last. } }\n"
	withoutCount, _, _ := strings.Cut(document, "  /orders/count:")
	for name, c := range map[string]struct {
		document, source string
		status           int
		says             []string
	}{
		"nothing":    {document, source, 0, []string{"nothing has changed"}},
		"compatible": {compatible, source + "\n// Last is the last.\nfunc Last() Order { return Order{} }\n", 0, []string{"compatible  GET /orders/last", "compatible  shop  Last: added"}},
		"document":   {withoutCount, source, 1, []string{"BREAKS  GET /orders/count", "1 since v0.1.0"}},
		"Go":         {document, strings.Replace(source, "limit int", "limit int64", 1), 1, []string{"BREAKS  shop  List: changed from func(int) []Order to func(int64) []Order", "1 since v0.1.0"}},
		"both":       {withoutCount, strings.Replace(source, "ID int64", "ID string", 1), 1, []string{"BREAKS  GET /orders/count", "BREAKS  shop  Order.ID: changed from int64 to string", "2 since v0.1.0"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := repository(t)
			gitRun(t, dir, "tag", "v0.1.0")
			write(t, dir, "spec/openapi.yaml", c.document)
			write(t, dir, "gen/shop/shop.gen.go", c.source)
			var out bytes.Buffer
			if status := run(context.Background(), []string{"--dir", dir}, &out, &out); status != c.status {
				t.Errorf("status %d, want %d", status, c.status)
			}
			for _, text := range c.says {
				if !strings.Contains(out.String(), text) {
					t.Errorf("it does not say %q:\n%s", text, &out)
				}
			}
		})
	}
}

func TestRevisions(t *testing.T) {
	dir := repository(t)
	for _, c := range []struct {
		args   []string
		status int
		says   string
	}{
		{nil, 0, "there is no tag"},
		{[]string{"--since", "HEAD"}, 0, "nothing has changed"},
		{[]string{"--since", "v9"}, 2, `there is no revision "v9": name a tag`},
		{[]string{"--since", "--help"}, 2, `there is no revision "--help"`},
		{[]string{"--dir", t.TempDir()}, 2, "git tag"},
		{[]string{"extra"}, 2, "unknown command"},
	} {
		var out bytes.Buffer
		args := append([]string{"--dir", dir}, c.args...)
		if status := run(context.Background(), args, &out, &out); status != c.status || !strings.Contains(out.String(), c.says) {
			t.Errorf("%v: status %d: %s", c.args, status, &out)
		}
	}
	write(t, dir, "gen/shop/shop.gen.go", "package shop\n\nvar x int = \"\"\n")
	var out bytes.Buffer
	if status := run(context.Background(), []string{"--dir", dir, "--since", "HEAD"}, &out, &out); status != 2 || !strings.Contains(out.String(), "cannot be compiled") {
		t.Errorf("status %d: %s", status, &out)
	}
}
