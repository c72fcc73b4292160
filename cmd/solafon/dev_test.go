package main

import (
	"database/sql"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// devProcess is a solafon dev that a script started.
type devProcess struct {
	cmd     *exec.Cmd
	base    string
	printed output
}

var devProcesses sync.Map // by the script's folder

// scriptDev is "platform dev": "start FLAGS" starts one at an address of its own
// and sets the variables that the command reads, "wait REGEXP" waits until it
// prints that, "get PATH REGEXP" and "post PATH FORM" use its page, "stop" ends it.
func scriptDev(ts *testscript.TestScript, args []string) {
	if args[0] == "start" {
		startDev(ts, args[1:])
		return
	}
	loaded, ok := devProcesses.Load(ts.Getenv("WORK"))
	if !ok {
		ts.Fatalf("start it first")
	}
	d := loaded.(*devProcess)
	switch args[0] {
	case "wait":
		d.await(ts, args[1])
	case "get":
		resp, err := http.Get(d.base + args[1])
		ts.Check(err)
		d.answered(ts, resp, args[2])
	case "post":
		resp, err := http.Post(d.base+args[1], "application/x-www-form-urlencoded", strings.NewReader(args[2]))
		ts.Check(err)
		d.answered(ts, resp, "")
	case "stop":
		ts.Check(d.cmd.Process.Signal(syscall.SIGTERM))
		if err := d.cmd.Wait(); err != nil {
			ts.Fatalf("it ended with %v:\n%s", err, d.printed.String())
		}
	default:
		ts.Fatalf("unknown: %q", args)
	}
}

func startDev(ts *testscript.TestScript, flags []string) {
	d := &devProcess{}
	path, err := exec.LookPath("solafon")
	ts.Check(err)
	d.cmd = exec.Command(path, append([]string{"dev", "--addr", "127.0.0.1:0"}, flags...)...)
	d.cmd.Dir = ts.MkAbs(".")
	d.cmd.Env = append(os.Environ(), "HOME="+ts.Getenv("HOME"))
	d.cmd.Stdout, d.cmd.Stderr = &d.printed, &d.printed
	ts.Check(d.cmd.Start())
	ts.Defer(func() { d.cmd.Process.Kill() })
	devProcesses.Store(ts.Getenv("WORK"), d)
	d.await(ts, "SOLAFON_JWT")
	field := func(name string) string {
		match := regexp.MustCompile(name + ` +(\S+)`).FindStringSubmatch(d.printed.String())
		if match == nil {
			ts.Fatalf("it does not tell %s:\n%s", name, d.printed.String())
		}
		return match[1]
	}
	d.base = field("console")
	ts.Setenv("ADDR", strings.TrimPrefix(d.base, "http://"))
	ts.Setenv("SOLAFON_API", field("SOLAFON_API"))
	ts.Setenv("SOLAFON_TOKEN", field("SOLAFON_TOKEN"))
	ts.Check(os.WriteFile(ts.MkAbs("token"), []byte(field("SOLAFON_TOKEN")+"\n"), 0o600))
	io.WriteString(ts.Stdout(), d.printed.String())
}

// await waits until something was printed.
func (d *devProcess) await(ts *testscript.TestScript, pattern string) {
	wanted := regexp.MustCompile(pattern)
	for deadline := time.Now().Add(time.Minute); !wanted.MatchString(d.printed.String()); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			ts.Fatalf("%q was not printed:\n%s", pattern, d.printed.String())
		}
	}
}

func (d *devProcess) answered(ts *testscript.TestScript, resp *http.Response, pattern string) {
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	ts.Check(err)
	if resp.StatusCode/100 != 2 || !regexp.MustCompile(pattern).Match(body) {
		ts.Fatalf("%s, and %q is not in\n%s", resp.Status, pattern, body)
	}
}

// newState makes a state's folder one that a newer program wrote.
func newState() {
	db, err := sql.Open("sqlite", filepath.Join(os.Args[1], "state.db"))
	if err == nil {
		_, err = db.Exec("PRAGMA user_version = 99")
	}
	if err != nil {
		panic(err)
	}
	db.Close()
}
