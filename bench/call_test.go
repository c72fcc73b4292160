// Package bench measures this project beside what people would write or use
// instead, in one run, as ratios: the machine's speed is not in them.
package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/solafon/solafon-go/gen/solafon"
)

const serveVariable = "SOLAFON_BENCH_SERVE"

// TestMain is the server when the benchmark starts this program again: one of
// its own, so that what is measured is the client alone.
func TestMain(m *testing.M) {
	if os.Getenv(serveVariable) != "" {
		serve()
		return
	}
	os.Exit(m.Run())
}

func serve() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(listener.Addr())
	go http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"ok":true,"result":{"message_id":124,"chat":{"id":456,"type":"private"},"date":1704067200,"text":"You said: hello"}}`)
	}))
	io.Copy(io.Discard, os.Stdin) // ends with the one who started it
}

// server starts one in a process of its own and returns its address.
func server(b *testing.B) string {
	b.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), serveVariable+"=1")
	in, err := child.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := child.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := child.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { in.Close(); child.Wait() })
	line := make([]byte, 64)
	n, err := out.Read(line)
	if err != nil {
		b.Fatal(err)
	}
	return "http://" + strings.TrimSpace(string(line[:n]))
}

const token = "0000000000000000000000000000000000000000000000000000000000000000"

// byHand is the call as a careful person writes it with the standard library.
func byHand(base string) func(context.Context) error {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 64
	client := &http.Client{Transport: transport, Timeout: 30 * time.Second}
	type request struct {
		ChatID int64  `json:"chat_id"`
		Text   string `json:"text"`
	}
	type answer struct {
		OK     bool `json:"ok"`
		Result struct {
			MessageID int64 `json:"message_id"`
			Chat      struct {
				ID   int64  `json:"id"`
				Type string `json:"type"`
			} `json:"chat"`
			Date int64  `json:"date"`
			Text string `json:"text"`
		} `json:"result"`
	}
	return func(ctx context.Context) error {
		body, err := json.Marshal(request{ChatID: 456, Text: "You said: hello"})
		if err != nil {
			return err
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/bot/sendMessage", bytes.NewReader(body))
		if err != nil {
			return err
		}
		req.Header.Set("Authorization", "Bearer "+token)
		req.Header.Set("Content-Type", "application/json")
		resp, err := client.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		data, err := io.ReadAll(resp.Body)
		if err != nil {
			return err
		}
		var a answer
		if err := json.Unmarshal(data, &a); err != nil {
			return err
		}
		if !a.OK || resp.StatusCode != http.StatusOK || a.Result.MessageID != 124 {
			return fmt.Errorf("%d %s", resp.StatusCode, data)
		}
		return nil
	}
}

func generated(b *testing.B, base string, opts ...solafon.Option) func(context.Context) error {
	client, err := solafon.NewClient(token, append(opts, solafon.WithBaseURL(base))...)
	if err != nil {
		b.Fatal(err)
	}
	return func(ctx context.Context) error {
		m, err := client.SendMessage(ctx, solafon.SendMessageRequest{ChatID: 456, Text: "You said: hello"})
		if err == nil && m.MessageID != 124 {
			err = fmt.Errorf("%+v", m)
		}
		return err
	}
}

// cost is what one call took, on average.
type cost struct{ time, bytes, allocs float64 }

func measure(b *testing.B, callers, calls int, call func(context.Context) error) cost {
	b.Helper()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	start := time.Now()
	var next atomic.Int64
	var group sync.WaitGroup
	for range callers {
		group.Go(func() {
			for next.Add(1) <= int64(calls) {
				if err := call(context.Background()); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	took := time.Since(start)
	runtime.ReadMemStats(&after)
	n := float64(calls)
	return cost{float64(took.Nanoseconds()) / n, float64(after.TotalAlloc-before.TotalAlloc) / n, float64(after.Mallocs-before.Mallocs) / n}
}

func median(list []float64) float64 {
	slices.Sort(list)
	return list[len(list)/2]
}

// BenchmarkCall is the generated client's rate beside that of a call written by
// hand with net/http and encoding/json, over loopback to another process, in
// rounds that take turns. rate is a multiple of the other's: more is better.
func BenchmarkCall(b *testing.B) {
	base := server(b)
	for _, callers := range []int{1, 64} {
		for name, opts := range map[string][]solafon.Option{
			"default":    nil,
			"rate-limit": {solafon.WithRateLimit(60_000_000, 1_000_000)},
		} {
			b.Run(fmt.Sprintf("%s/callers=%d", name, callers), func(b *testing.B) {
				const calls = 4000
				ours, theirs := generated(b, base, opts...), byHand(base)
				measure(b, callers, calls/4, ours)
				measure(b, callers, calls/4, theirs)
				var rate, memory, allocs []float64
				for b.Loop() {
					a, h := measure(b, callers, calls, ours), measure(b, callers, calls, theirs)
					rate, memory, allocs = append(rate, h.time/a.time), append(memory, a.bytes/h.bytes), append(allocs, a.allocs/h.allocs)
					b.ReportMetric(a.bytes, "B/call")
					b.ReportMetric(a.allocs, "allocs/call")
				}
				b.ReportMetric(median(rate), "rate")
				b.ReportMetric(median(memory), "of-its-bytes")
				b.ReportMetric(median(allocs), "of-its-allocs")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}
