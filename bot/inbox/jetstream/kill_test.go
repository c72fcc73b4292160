//go:build unix

package jetstream_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime/metrics"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/solafon/solafon-go/bot"
	"github.com/solafon/solafon-go/bot/inbox/jetstream"
	"github.com/solafon/solafon-go/gen/solafon"
)

// TestMain is a bot or a server when a test starts this program again: a process
// that can be killed.
func TestMain(m *testing.M) {
	var err error
	switch {
	case os.Getenv("TEST_BOT_DIR") != "":
		err = runBot(os.Getenv("TEST_BOT_DIR"), os.Getenv("TEST_BOT_ADDR"), os.Getenv("TEST_BOT_NATS"))
	case os.Getenv("TEST_SERVER_DIR") != "":
		err = runServer(os.Getenv("TEST_SERVER_DIR"), os.Getenv("TEST_SERVER_NUMBER"), strings.Split(os.Getenv("TEST_SERVER_PORTS"), ","))
	default:
		goleak.VerifyTestMain(m)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// held is the first of the chats whose updates a bot begins and never ends.
const held = 1000

// runBot notes each update that it handles in a file: one write, which the
// process's end cannot part or take back.
func runBot(dir, addr, nats string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	in, err := openInbox(ctx, dir, nats)
	if err != nil {
		return err
	}
	handled, err := os.OpenFile(filepath.Join(dir, "handled"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	client, err := solafon.NewClient("token")
	if err != nil {
		return err
	}
	b := bot.New(client, bot.WithInbox(in), bot.WithLogger(slog.New(slog.DiscardHandler)))
	b.Text(func(ctx context.Context, m *bot.Message) error {
		if m.Chat.ID >= held {
			<-ctx.Done()
			return ctx.Err()
		}
		_, err := fmt.Fprintf(handled, "%d %d\n", m.Chat.ID, m.UpdateID)
		return err
	})
	peak := watchMemory(ctx)
	err = b.ListenAndServe(ctx, addr)
	return errors.Join(err, os.WriteFile(filepath.Join(dir, "memory"), fmt.Append(nil, peak()), 0o600))
}

// watchMemory takes notice of what this process has of the operating system
// until ctx ends, without what a race detector has beside it. It returns how to
// ask for the most that it was, in bytes.
func watchMemory(ctx context.Context) (peak func() uint64) {
	var most uint64
	done := make(chan struct{})
	go func() {
		defer close(done)
		samples := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for {
			metrics.Read(samples)
			most = max(most, samples[0].Value.Uint64()-samples[1].Value.Uint64())
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	}()
	return func() uint64 {
		<-done
		return most
	}
}

func openInbox(ctx context.Context, dir, nats string) (*jetstream.Inbox, error) {
	if nats != "" {
		return jetstream.Connect(ctx, nats, jetstream.WithParts(8))
	}
	var opts []jetstream.Option
	if os.Getenv("TEST_BOT_SYNC") != "" {
		opts = append(opts, jetstream.WithSync())
	}
	return jetstream.Embedded(ctx, filepath.Join(dir, "inbox"), opts...)
}

// process is a bot of its own.
type process struct {
	t    *testing.T
	dir  string
	addr string
	env  []string
	cmd  *exec.Cmd
}

func (p *process) start() {
	p.t.Helper()
	p.cmd = exec.Command(os.Args[0])
	p.cmd.Env = append(append(os.Environ(), "TEST_BOT_DIR="+p.dir, "TEST_BOT_ADDR="+p.addr), p.env...)
	p.cmd.Stderr = os.Stderr
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
}

// end ends the process by a signal and waits for it.
func (p *process) end(signal os.Signal) {
	p.cmd.Process.Signal(signal)
	p.cmd.Wait()
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// sender delivers updates as the platform does: an update that is not answered
// 200 is delivered again, and sometimes one that is.
type sender struct {
	url      string
	client   *http.Client
	accepted atomic.Int64
	refused  atomic.Int64
}

// converse sends a chat's updates, each after the one before was accepted, until
// ctx ends, and returns how many there were. What one sender's bot does not take
// goes to the next.
func converse(ctx context.Context, chat int64, senders ...*sender) (sent int64) {
	for turn := 0; ctx.Err() == nil; turn++ {
		s := senders[(turn+int(sent))%len(senders)]
		body := update(chat, sent+1)
		if !s.deliver(body) {
			s.refused.Add(1)
			continue
		}
		s.accepted.Add(1)
		if sent++; sent%50 == 0 {
			s.deliver(body)
		}
	}
	return sent
}

// update is a chat's update, by its number in the chat.
func update(chat, number int64) string {
	return fmt.Sprintf(`{"update_id":%d,"message_id":1,"from":{"id":%d},"chat":{"id":%[2]d,"type":"private"},"text":"hello"}`, chat*1_000_000+number, chat)
}

func (s *sender) deliver(body string) bool {
	resp, err := s.client.Post(s.url, "application/json", strings.NewReader(body))
	if err != nil {
		time.Sleep(5 * time.Millisecond) // nobody listens: a machine must not be kept busy with that
		return false
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, resp.Body)
	return resp.StatusCode == http.StatusOK
}

// record is what a file of handled updates says.
type record struct {
	first    map[int64]bool
	repeated int
	disorder int
	lost     int
}

// awaitRecord waits until every update that was accepted of each chat has been
// handled, and counts those that have not after two minutes.
func awaitRecord(t *testing.T, dir string, sent []int64) record {
	t.Helper()
	deadline := time.Now().Add(2 * time.Minute)
	for {
		r := readRecord(t, dir)
		for i, n := range sent {
			for id := int64(1); id <= n; id++ {
				if !r.first[int64(i+1)*1_000_000+id] {
					r.lost++
				}
			}
		}
		if r.lost == 0 || time.Now().After(deadline) {
			return r
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func readRecord(t *testing.T, dir string) record {
	t.Helper()
	f, err := os.Open(filepath.Join(dir, "handled"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := record{first: make(map[int64]bool)}
	last := make(map[int64]int64)
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var chat, id int64
		if _, err := fmt.Sscan(lines.Text(), &chat, &id); err != nil {
			t.Fatalf("%q: %v", lines.Text(), err)
		}
		if r.first[id] {
			r.repeated++
			continue
		}
		r.first[id] = true
		if id < last[chat] {
			r.disorder++
		}
		last[chat] = id
	}
	return r
}

// TestKill kills a bot twenty times while updates come as fast as they are
// accepted, and counts.
func TestKill(t *testing.T) {
	const kills, chats = 20, 16
	p := &process{t: t, dir: t.TempDir(), addr: freeAddress(t)}
	p.start()
	s := &sender{url: "http://" + p.addr + "/webhook", client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: chats}, Timeout: 10 * time.Second}}
	defer s.client.CloseIdleConnections()
	ctx, cancel := context.WithCancel(t.Context())
	sent := make([]int64, chats)
	var senders sync.WaitGroup
	for i := range chats {
		senders.Go(func() { sent[i] = converse(ctx, int64(i+1), s) })
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range kills {
		// It is killed once it has accepted some more, whatever the machine.
		for target := s.accepted.Load() + 50 + random.Int64N(300); s.accepted.Load() < target; {
			time.Sleep(time.Millisecond)
		}
		p.end(syscall.SIGKILL)
		p.start()
	}
	cancel()
	senders.Wait()
	r := awaitRecord(t, p.dir, sent)
	p.end(syscall.SIGTERM)
	t.Logf("%d kills: %d updates answered 200, %d deliveries that were not, %d handled, %d lost, %d handled again, %d out of order",
		kills, s.accepted.Load(), s.refused.Load(), len(r.first), r.lost, r.repeated, r.disorder)
	// What was at work when the process died is handled again: one item of each part.
	if r.lost > 0 || r.disorder > 0 || r.repeated > kills*chats {
		t.Error("updates were lost, out of order, or handled again too often")
	}
}
