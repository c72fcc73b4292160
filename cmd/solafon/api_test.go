package main

import (
	"bytes"
	"context"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/solafon/solafon-go/bot/bottest"
	"github.com/solafon/solafon-go/gen/solafon"
)

// output is what a command that runs beside the test printed.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// TestFollow lets commands go on until they are interrupted.
func TestFollow(t *testing.T) {
	p := bottest.New(t)
	for name, value := range map[string]string{"SOLAFON_API": p.URL(), "SOLAFON_TOKEN": p.Token(), "SOLAFON_JWT": bottest.UserJWT, "SOLAFON_APP": strconv.Itoa(bottest.AppID)} {
		t.Setenv(name, value)
	}
	for _, test := range []struct {
		args []string
		act  func()
		want []string
	}{
		{[]string{"updates", "--follow", "--json"}, func() { p.User("Ann", "en").Say("one"); p.User("Bob", "en").Say("two") }, []string{`"text":"one"`, `"text":"two"`}},
		{[]string{"updates", "--follow"}, func() { p.User("Cid", "en").Say("three") }, []string{"Cid", "three"}},
		{[]string{"webhook", "logs", "--follow", "--json"}, func() { p.Serve(good()); p.Deliver("?"); p.Deliver("!") }, []string{`"request":"?"`, `"request":"!"`}},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		var out, errs output
		status := make(chan int, 1)
		go func() { status <- run(ctx, test.args, &out, &errs) }()
		test.act()
		for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
			text, missing := out.String(), ""
			for _, want := range test.want {
				if !strings.Contains(text, want) {
					missing = want
				}
			}
			if missing == "" {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("%q: %q is not in %s", test.args, missing, text)
			}
		}
		cancel()
		if code := <-status; code != 0 || errs.String() != "" {
			t.Errorf("%q ended with %d: %s", test.args, code, errs.String())
		}
		if n := strings.Count(out.String(), test.want[0]); n != 1 {
			t.Errorf("%q was printed %d times", test.want[0], n)
		}
	}
}

// TestPlot draws durations that fit and one that does not.
func TestPlot(t *testing.T) {
	var out strings.Builder
	logs := []solafon.WebhookLog{{ID: 1, StatusCode: 200, Duration: 0}, {ID: 2, StatusCode: 200, Duration: 5000}, {ID: 3, StatusCode: 0, Duration: 10000}}
	if err := new(apiFlags).showLogs(&out, logs, false, false, true); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 3 {
		t.Fatalf("%q", lines)
	}
	for i, want := range []int{0, 20, 40} {
		if n := strings.Count(lines[i], "█"); n != want || strings.Contains(lines[i], "too late") != (want == 40) {
			t.Errorf("%q has %d blocks, want %d", lines[i], n, want)
		}
	}
}

// TestOneLine takes out what would move a terminal's cursor or a table's columns.
func TestOneLine(t *testing.T) {
	for text, want := range map[string]string{
		"a\nb\tc": "a b c", "\x1b[2Jred\a": "[2Jred", "\u202eabc\u2066": "abc", "я🥐": "я🥐", strings.Repeat("x", 100): strings.Repeat("x", 79) + "…",
	} {
		if got := oneLine(text); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
