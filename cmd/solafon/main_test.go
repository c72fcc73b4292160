package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/solafon/solafon-go/bot/bottest"
	"github.com/solafon/solafon-go/bot/inbox"
	"github.com/solafon/solafon-go/bot/inbox/jetstream"
	"github.com/solafon/solafon-go/gen/solafon"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"solafon": main, "fillinbox": fillInbox, "newstate": newState})
}

// fillInbox makes an inbox in the folder inbox, of two updates that were put
// aside and one that waits.
func fillInbox() {
	ctx, cancel := context.WithCancel(context.Background())
	in, err := jetstream.Embedded(ctx, "inbox")
	if err != nil {
		panic(err)
	}
	put := func(id int64) {
		data, err := solafon.Update{UpdateID: id, From: solafon.User{ID: 7}, Chat: solafon.Chat{ID: 7}, Text: "hello"}.MarshalJSON()
		if err != nil {
			panic(err)
		}
		if _, err := in.Put(context.Background(), inbox.Item{ID: strconv.FormatInt(id, 10), Key: "7", Data: data}); err != nil {
			panic(err)
		}
	}
	put(1)
	put(2)
	handled := 0
	if err := in.Work(ctx, 1, func(context.Context, inbox.Delivery) inbox.Verdict {
		if handled++; handled == 2 {
			cancel()
		}
		return inbox.Aside("the shop is closed")
	}); err != nil {
		panic(err)
	}
	put(3)
	if err := in.Close(); err != nil {
		panic(err)
	}
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
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"platform": scriptPlatform},
		Setup: func(env *testscript.Env) error {
			env.Setenv("ROOT", root)
			return setGo(env)
		},
	})
}

// scriptPlatform is a platform for a script: "platform" starts it and sets the
// variables that the command reads, "platform say NAME TEXT" has a new user write,
// and "platform deliver BODY" delivers to the webhook that "platform bot STATUS"
// sets. "platform dev" is one that solafon dev makes.
func scriptPlatform(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) == 0 {
		p := bottest.NewPlatform()
		api := httptest.NewServer(p.Handler())
		ts.Defer(func() { p.Close(); api.Close() })
		ts.Setenv("SOLAFON_API", api.URL+"/api/v1")
		ts.Setenv("SOLAFON_TOKEN", p.Token())
		ts.Setenv("SOLAFON_JWT", bottest.UserJWT)
		ts.Setenv("SOLAFON_APP", strconv.Itoa(bottest.AppID))
		scriptPlatforms.Store(ts.Getenv("WORK"), p)
		return
	}
	if args[0] == "dev" {
		scriptDev(ts, args[1:])
		return
	}
	loaded, ok := scriptPlatforms.Load(ts.Getenv("WORK"))
	if !ok {
		ts.Fatalf("start the platform first")
	}
	p := loaded.(*bottest.Platform)
	switch args[0] {
	case "say":
		user := p.AddUser(args[1], "en")
		ts.Setenv("CHAT", strconv.FormatInt(user.ID, 10))
		_, err := p.Write(user.ID, args[2])
		ts.Check(err)
	case "bot":
		status, err := strconv.Atoi(args[1])
		ts.Check(err)
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
		ts.Defer(server.Close)
		p.SetWebhook(server.URL)
	case "deliver":
		p.Deliver(context.Background(), args[1])
	default:
		ts.Fatalf("unknown: %q", args)
	}
}

var scriptPlatforms sync.Map // by the script's folder

// setGo lets a script build programs with what this machine has fetched already.
func setGo(env *testscript.Env) error {
	for _, name := range []string{"GOCACHE", "GOMODCACHE", "GOPROXY", "GOSUMDB", "GOFLAGS", "GOTOOLCHAIN"} {
		value, err := exec.Command("go", "env", name).Output()
		if err != nil {
			return err
		}
		env.Setenv(name, strings.TrimSpace(string(value)))
	}
	return nil
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
	for _, match := range regexp.MustCompile(`(?m)^    ((?:go|make) [^#\n]+)`).FindAllStringSubmatch(readme, -1) {
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

// TestReadmeCompiles compiles what the README shows: a bot, and lines about its
// client.
func TestReadmeCompiles(t *testing.T) {
	blocks := goBlocks(t, "../../README.md")
	if len(blocks) < 2 {
		t.Fatalf("the README has %d pieces of Go", len(blocks))
	}
	compiles(t, blocks[0])
	var b strings.Builder
	b.WriteString("package main\n\nimport (\n\t\"context\"\n\t\"errors\"\n\t\"log\"\n\t\"os\"\n\n\t\"github.com/solafon/solafon-go/bot\"\n\t\"github.com/solafon/solafon-go/bot/inbox/jetstream\"\n\t\"github.com/solafon/solafon-go/gen/solafon\"\n)\n\nfunc show(ctx context.Context, client *solafon.Client) error {\n")
	for _, block := range blocks[1:] {
		if strings.Contains(block, "b := ") {
			block += "_ = b // what goes on as in the first block\n"
		}
		b.WriteString("{\n" + block + "if err != nil { return err }\n}\n")
	}
	b.WriteString("\treturn nil\n}\n\nfunc main() { log.Print(show(context.Background(), nil)); errors.Is(nil, nil); os.Exit(0) }\n")
	compiles(t, b.String())
}

// TestReferenceCompiles compiles every line of Go in the list of calls.
func TestReferenceCompiles(t *testing.T) {
	blocks := goBlocks(t, "../../docs/api.md")
	if len(blocks) < 15 {
		t.Fatalf("the list has %d lines of Go", len(blocks))
	}
	var b strings.Builder
	b.WriteString("package main\n\nimport (\n\t\"context\"\n\n\t\"github.com/solafon/solafon-go/gen/solafon\"\n)\n\nfunc main() {\n\tctx := context.Background()\n\tclient, err := solafon.NewClient(\"\")\n\tuse(err)\n")
	for _, block := range blocks {
		line := strings.TrimSpace(block)
		names, _, _ := strings.Cut(line, " := ")
		names = strings.TrimPrefix(names, "for ")
		switch {
		case strings.HasPrefix(line, "for "):
			line += "\n\t\tuse(" + names + ")\n\t}"
		case strings.HasSuffix(line, "{"):
			line += "\n\t\treturn nil\n\t})\n\tuse(" + names + ")"
		default:
			line += "\n\tuse(" + names + ")"
		}
		b.WriteString("\t{\n\t" + line + "\n\t}\n")
	}
	b.WriteString("}\n\nfunc use(...any) {}\n")
	compiles(t, b.String())
}

// goBlocks are the pieces of Go in a page.
func goBlocks(t *testing.T, file string) []string {
	t.Helper()
	var blocks []string
	for i, part := range strings.Split(read(t, file), "```go\n") {
		if block, _, ended := strings.Cut(part, "```"); i > 0 && ended {
			blocks = append(blocks, block)
		}
	}
	return blocks
}

// compiles builds a program as a package of this module.
func compiles(t *testing.T, program string) {
	t.Helper()
	dir := t.TempDir()
	source, overlay := filepath.Join(dir, "main.go"), filepath.Join(dir, "overlay.json")
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	replace, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(root, "cmd", "shown", "main.go"): source}})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.WriteFile(source, []byte(program), 0o644), os.WriteFile(overlay, replace, 0o644)); err != nil {
		t.Fatal(err)
	}
	build := exec.Command("go", "build", "-overlay", overlay, "-o", filepath.Join(dir, "program"), "./cmd/shown")
	build.Dir = root
	if text, err := build.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s\n%s", err, text, program)
	}
}
