// Command soak delivers updates to a bot with an embedded inbox for as long as
// it is told, and prints every 10 seconds what the bot does with them and what it
// takes. It fails where an update is not answered 200, is not handled in the end,
// or where the bot's memory grows. The bot is a process of its own, so that what
// the senders take is not counted.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"runtime/metrics"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/solafon/solafon-go/bot"
	"github.com/solafon/solafon-go/bot/inbox/jetstream"
	"github.com/solafon/solafon-go/gen/solafon"
)

func main() {
	log.SetFlags(0)
	duration := flag.Duration("duration", 10*time.Minute, "how long to deliver")
	rate := flag.Int("rate", 500, "deliveries a second")
	window := flag.Duration("window", 20*time.Second, "how long the bot knows the IDs of what it handled: memory can only be flat after that")
	dir := flag.String("bot", "", "be the bot, with this folder")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var err error
	switch {
	case *dir != "":
		err = run(ctx, *dir, *window)
	case *duration < 4*(*window) || *rate < 1:
		err = fmt.Errorf("soak: --duration must be 4 times --window (%v) at least, and --rate 1 at least", *window)
	default:
		err = soak(ctx, *duration, *window, *rate)
	}
	if err != nil {
		log.Fatal(err)
	}
}

// state is what a bot tells of itself.
type state struct {
	Waiting    int
	Handled    int64
	Memory     uint64 // bytes that it has of the operating system
	Goroutines uint64
}

// run is the bot.
func run(ctx context.Context, dir string, window time.Duration) error {
	in, err := jetstream.Embedded(ctx, dir, jetstream.WithWindow(window))
	if err != nil {
		return err
	}
	client, err := solafon.NewClient("token")
	if err != nil {
		return err
	}
	var handled atomic.Int64
	b := bot.New(client, bot.WithInbox(in), bot.WithLogger(slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))))
	b.Text(func(context.Context, *bot.Message) error { handled.Add(1); return nil })
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/webhook", b.WebhookHandler())
	mux.HandleFunc("/state", func(w http.ResponseWriter, r *http.Request) {
		status, err := in.Status(r.Context())
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		samples := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}, {Name: "/sched/goroutines:goroutines"}}
		metrics.Read(samples)
		json.NewEncoder(w).Encode(state{
			Waiting: status.Waiting, Handled: handled.Load(),
			Memory: samples[0].Value.Uint64() - samples[1].Value.Uint64(), Goroutines: samples[2].Value.Uint64(),
		})
	})
	server := &http.Server{Handler: mux}
	go server.Serve(listener)
	fmt.Println(listener.Addr())
	err = b.Work(ctx)
	return errors.Join(err, server.Close(), in.Close())
}

// soak starts a bot and delivers to it.
func soak(ctx context.Context, duration, window time.Duration, rate int) (err error) {
	dir, err := os.MkdirTemp("", "soak")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	self, err := os.Executable()
	if err != nil {
		return err
	}
	child := exec.Command(self, "--bot", dir, "--window", window.String())
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		return err
	}
	if err := child.Start(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, child.Process.Signal(syscall.SIGTERM), child.Wait()) }()
	addr, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return fmt.Errorf("soak: the bot did not start: %w", err)
	}
	s := &sender{url: "http://" + strings.TrimSpace(addr), client: &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
	within, cancel := context.WithTimeout(ctx, duration)
	defer cancel()
	var sending sync.WaitGroup
	sending.Go(func() { s.send(within, rate) })
	memory, err := s.report(within, duration)
	cancel()
	sending.Wait()
	if err != nil || ctx.Err() != nil {
		return err
	}
	return s.judge(memory)
}

// sender delivers updates and keeps how long their answers took.
type sender struct {
	url    string
	client *http.Client
	sent   atomic.Int64
	bad    atomic.Int64
	mu     sync.Mutex
	took   []time.Duration // since the last line
}

// send delivers at a rate, at 64 at once at most.
func (s *sender) send(ctx context.Context, rate int) {
	tick := time.NewTicker(time.Second / time.Duration(rate))
	defer tick.Stop()
	var senders sync.WaitGroup
	for range 64 {
		senders.Go(func() {
			for {
				select {
				case <-ctx.Done():
					return
				case <-tick.C:
					s.deliver(s.sent.Add(1))
				}
			}
		})
	}
	senders.Wait()
}

func (s *sender) deliver(n int64) {
	body := fmt.Sprintf(`{"update_id":%d,"from":{"id":%d,"name":"John"},"chat":{"id":%[2]d},"date":1704067200,"text":"hello"}`, n, n%1000+1)
	start := time.Now()
	resp, err := s.client.Post(s.url+"/webhook", "application/json", strings.NewReader(body))
	if err != nil {
		s.bad.Add(1)
		return
	}
	io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		s.bad.Add(1)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.took = append(s.took, time.Since(start))
}

// report prints a line each 10 seconds and returns the memory at each second.
func (s *sender) report(ctx context.Context, duration time.Duration) (memory []uint64, err error) {
	fmt.Printf("%8s %12s %10s %10s %8s %10s %11s\n", "TIME", "DELIVERIES/S", "P50", "P99", "WAITING", "MEMORY", "GOROUTINES")
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	start, last, before := time.Now(), time.Now(), int64(0)
	for {
		select {
		case <-ctx.Done():
			return memory, nil
		case <-tick.C:
		}
		now, err := s.state()
		if err != nil {
			return memory, err
		}
		memory = append(memory, now.Memory)
		if since := time.Since(last); since >= 10*time.Second-time.Second/2 || time.Since(start) > duration-time.Second {
			sent := s.sent.Load()
			p50, p99 := s.percentiles()
			fmt.Printf("%8s %12.0f %10s %10s %8d %7.1f MB %11d\n", time.Since(start).Round(time.Second), float64(sent-before)/since.Seconds(),
				p50.Round(10*time.Microsecond), p99.Round(10*time.Microsecond), now.Waiting, float64(now.Memory)/1e6, now.Goroutines)
			last, before = time.Now(), sent
		}
	}
}

// state asks the bot.
func (s *sender) state() (now state, err error) {
	resp, err := s.client.Get(s.url + "/state")
	if err != nil {
		return now, fmt.Errorf("soak: the bot does not answer: %w", err)
	}
	defer resp.Body.Close()
	return now, json.NewDecoder(resp.Body).Decode(&now)
}

// percentiles are of the answers since they were asked for last.
func (s *sender) percentiles() (p50, p99 time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.took) == 0 {
		return 0, 0
	}
	slices.Sort(s.took)
	p50, p99 = s.took[len(s.took)/2], s.took[len(s.took)*99/100]
	s.took = s.took[:0]
	return p50, p99
}

// judge waits until the bot has handled everything, and compares its memory in
// the last quarter of the time with that of the quarter before.
func (s *sender) judge(memory []uint64) error {
	var now state
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		var err error
		if now, err = s.state(); err != nil {
			return err
		}
		if now.Waiting == 0 || time.Now().After(deadline) {
			break
		}
	}
	quarter := len(memory) / 4
	then, end := median(memory[2*quarter:3*quarter]), median(memory[3*quarter:])
	grown := float64(end)/float64(then) - 1
	fmt.Printf("%d delivered, %d not answered 200, %d handled; memory %.1f MB in the third quarter and %.1f MB in the last, %+.0f %%\n",
		s.sent.Load(), s.bad.Load(), now.Handled, float64(then)/1e6, float64(end)/1e6, 100*grown)
	switch {
	case s.bad.Load() > 0 || now.Handled != s.sent.Load():
		return errors.New("soak: not every update was answered 200 and handled once")
	case grown > 0.1:
		return errors.New("soak: the bot's memory grew by more than 10 %")
	}
	return nil
}

func median(of []uint64) uint64 {
	of = slices.Sorted(slices.Values(of))
	return of[len(of)/2]
}
