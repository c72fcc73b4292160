// Package paths measures whole paths over loopback: what a delivery costs that a
// handler receives, what a call costs that a client makes, and what accepting
// costs with each inbox.
package paths

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/solafon/solafon-go/bench/measure"
)

// senders is how many connections the platform is taken to deliver over.
const senders = 64

// Result is what was measured side by side.
type Result struct {
	Name  string
	Costs []measure.Cost
}

// environment is what a measurement sets up and takes down again.
type environment struct{ undo []func() }

func (e *environment) later(f func()) { e.undo = append(e.undo, f) }

func (e *environment) close() {
	for i := len(e.undo) - 1; i >= 0; i-- {
		e.undo[i]()
	}
}

// listen serves a handler on loopback and returns its URL.
func (e *environment) listen(handler http.Handler) (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	server := &http.Server{Handler: handler}
	go server.Serve(listener)
	e.later(func() { server.Close() })
	return "http://" + listener.Addr().String(), nil
}

// client keeps a connection for each sender.
func (e *environment) client() *http.Client {
	transport := &http.Transport{MaxIdleConnsPerHost: senders}
	e.later(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// each calls f n times from so many goroutines, and returns the first failure.
func each(n, callers int, f func() error) error {
	var next atomic.Int64
	var group sync.WaitGroup
	var once sync.Once
	var failure error
	for range min(n, callers) {
		group.Go(func() {
			for next.Add(1) <= int64(n) {
				if err := f(); err != nil {
					once.Do(func() { failure = err })
					return
				}
			}
		})
	}
	group.Wait()
	return failure
}

// delivering is the platform: it delivers what body makes, again and again.
func delivering(client *http.Client, url string, body func(n int64) string) func(n int) error {
	var number atomic.Int64
	return func(n int) error {
		return each(n, senders, func() error {
			resp, err := client.Post(url, "application/json", strings.NewReader(body(number.Add(1))))
			if err != nil {
				return err
			}
			defer resp.Body.Close()
			if _, err := io.Copy(io.Discard, resp.Body); err != nil {
				return err
			}
			if resp.StatusCode != http.StatusOK {
				return fmt.Errorf("%s answered %s", url, resp.Status)
			}
			return nil
		})
	}
}

// serveVariable tells this program that it is started as the API.
const serveVariable = "SOLAFON_BENCH_SERVE"

// ServeIfAsked is the API's side, when this program was started for that: a
// process of its own, so that what is measured is the client alone. It does not
// return then.
func ServeIfAsked() {
	if os.Getenv(serveVariable) == "" {
		return
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(listener.Addr())
	go http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"ok":true,"result":{"message_id":124,"chat":{"id":456,"type":"private"},"date":1704067200,"text":"You said: hello"}}`)
	}))
	io.Copy(io.Discard, os.Stdin) // ends with the one who started it
	os.Exit(0)
}

// api starts the API's side and returns its URL.
func (e *environment) api(ctx context.Context) (string, error) {
	program, err := os.Executable()
	if err != nil {
		return "", err
	}
	child := exec.CommandContext(ctx, program)
	child.Env = append(os.Environ(), serveVariable+"=1")
	in, err := child.StdinPipe()
	if err != nil {
		return "", err
	}
	out, err := child.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := child.Start(); err != nil {
		return "", err
	}
	e.later(func() { in.Close(); child.Wait() })
	line := make([]byte, 64)
	n, err := out.Read(line)
	if err != nil {
		return "", err
	}
	return "http://" + strings.TrimSpace(string(line[:n])), nil
}
