package main

import (
	"bufio"
	"context"
	"io"
	"io/fs"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// devBot is the bot that a local platform talks to.
type devBot struct {
	webhook string          // where it listens; empty for one that fetches updates
	command string          // that runs it; empty for one that somebody else runs
	env     func() []string // of the command, beside this process's
	show    func(state string, up bool)
	printed func(line string)
}

// watchAddress tells whether somebody listens at the bot's address, until ctx ends.
func (b *devBot) watchAddress(ctx context.Context) {
	u, err := url.Parse(b.webhook)
	if err != nil || u.Host == "" {
		return
	}
	addr := address(u)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	was := ""
	for {
		state, up := "the bot answers at "+b.webhook, true
		conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", addr)
		if err != nil {
			state, up = "nobody answers at "+b.webhook+" yet: start the bot; updates wait and are tried again", false
		} else {
			conn.Close()
		}
		if state != was && ctx.Err() == nil {
			b.show(state, up)
			was = state
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// run runs the bot's command until ctx ends, and again whenever a file of the
// folder changes.
func (b *devBot) run(ctx context.Context) {
	for ctx.Err() == nil {
		changed := filesChanged(ctx, ".")
		ended := make(chan error, 1)
		cmd, err := b.start(ended)
		if err != nil {
			b.show("the bot cannot be started: "+err.Error(), false)
		} else {
			b.show("the bot runs: "+b.command, true)
		}
		select {
		case <-changed:
			b.show("a file changed: the bot is started again", false)
		case err := <-ended:
			endGroup(cmd, true) // what it started; later its number can be another's
			cmd = nil
			b.show("the bot ended ("+outcome(err)+"): it is started again when a file changes", false)
			<-changed
		case <-ctx.Done():
		}
		if cmd != nil {
			stop(cmd, ended)
		}
	}
}

func outcome(err error) string {
	if err == nil {
		return "exit status 0"
	}
	return err.Error()
}

// start starts the command in a process group of its own.
func (b *devBot) start(ended chan<- error) (*exec.Cmd, error) {
	cmd := exec.Command(shell[0], shell[1], b.command)
	cmd.Env = append(os.Environ(), b.env()...)
	ownGroup(cmd)
	out, in := io.Pipe()
	cmd.Stdout, cmd.Stderr = in, in
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		lines := bufio.NewReader(out)
		for {
			line, err := lines.ReadString('\n')
			if line != "" {
				b.printed(strings.TrimRight(line, "\r\n"))
			}
			if err != nil {
				return
			}
		}
	}()
	go func() {
		err := cmd.Wait()
		in.Close()
		ended <- err
	}()
	return cmd, nil
}

// stop ends a command and what it started, at once where that takes too long.
func stop(cmd *exec.Cmd, ended <-chan error) {
	endGroup(cmd, false)
	timer := time.NewTimer(15 * time.Second)
	defer timer.Stop()
	select {
	case <-ended:
	case <-timer.C:
	}
	endGroup(cmd, true)
}

// watched are the ends of the names of files whose change starts a bot again.
var watched = []string{".go", ".mod", ".py", ".js", ".ts", ".rb", ".php", ".json", ".html", ".tmpl", ".env"}

// filesChanged is closed once a file below a folder is another one, or ctx ends.
func filesChanged(ctx context.Context, dir string) <-chan struct{} {
	changed := make(chan struct{})
	before := newestFile(dir)
	go func() {
		defer close(changed)
		tick := time.NewTicker(500 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				if newestFile(dir) != before {
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}()
	return changed
}

// files is how many files there are and when the newest was written.
type files struct {
	count  int
	newest time.Time
}

func newestFile(dir string) (f files) {
	filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return nil
		case entry.IsDir() && path != dir && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "node_modules" || entry.Name() == "inbox"):
			return fs.SkipDir
		case entry.IsDir() || !slices.Contains(watched, filepath.Ext(path)) && entry.Name() != ".env":
			return nil
		}
		if info, err := entry.Info(); err == nil {
			f.count++
			if info.ModTime().After(f.newest) {
				f.newest = info.ModTime()
			}
		}
		return nil
	})
	return f
}
