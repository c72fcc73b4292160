package main

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"solafon": main})
}

// TestScripts runs the command as a person would; each case is a file in
// testdata/script.
func TestScripts(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("ROOT", root)
			return nil
		},
	})
}

// TestReadme checks that the paths of the README's table exist, and that CI or
// a test runs its commands.
func TestReadme(t *testing.T) {
	readme := read(t, "../../README.md")
	_, table, _ := strings.Cut(readme, "## Where does X go")
	paths := 0
	for _, match := range regexp.MustCompile("`([^`\n]+)`").FindAllStringSubmatch(table, -1) {
		if match[1] == "make help" {
			continue
		}
		paths++
		if _, err := os.Stat(filepath.Join("../..", match[1])); err != nil {
			t.Errorf("the README names %s: %v", match[1], err)
		}
	}
	if paths < 10 {
		t.Errorf("the table has %d paths", paths)
	}
	ci := read(t, "../../.ci/run")
	for _, match := range regexp.MustCompile(`(?m)^    (go [^#\n]+)`).FindAllStringSubmatch(readme, -1) {
		command := strings.TrimSpace(match[1])
		command, _, _ = strings.Cut(command, " --out ")
		if strings.HasPrefix(command, "go test") {
			command = "go test -race ./..."
		}
		if !strings.Contains(ci, command) {
			t.Errorf("CI does not run the README's %q", command)
		}
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestReadmeBot compiles the README's bot as a package of this module.
func TestReadmeBot(t *testing.T) {
	_, rest, _ := strings.Cut(read(t, "../../README.md"), "```go\n")
	bot, _, found := strings.Cut(rest, "```")
	if !found {
		t.Fatal("the README has no bot")
	}
	dir := t.TempDir()
	source, overlay := filepath.Join(dir, "main.go"), filepath.Join(dir, "overlay.json")
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	replace, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(root, "cmd", "readmebot", "main.go"): source}})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.WriteFile(source, []byte(bot), 0o644), os.WriteFile(overlay, replace, 0o644)); err != nil {
		t.Fatal(err)
	}
	build := exec.Command("go", "build", "-overlay", overlay, "-o", filepath.Join(dir, "bot"), "./cmd/readmebot")
	build.Dir = root
	if text, err := build.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, text)
	}
}
