//go:build unix

package jetstream_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/solafon/solafon-go/bot/inbox"
	"github.com/solafon/solafon-go/bot/inbox/jetstream"
)

// TestKillTorn kills a bot while updates come, tears a file as the end of a
// machine can, and counts what is still there.
func TestKillTorn(t *testing.T) {
	const chats = 8
	for _, test := range []struct {
		name string
		env  []string
		tear func(t *testing.T, file string)
		file string // whose newest part is torn; the newest of all without it
		lost int    // at most
	}{
		{name: "buffered, the newest file cut", tear: cut, lost: 1},
		{name: "buffered, what waits cut", tear: cut, file: "bot-in", lost: 1},
		{name: "synced, a write begun", env: []string{"TEST_BOT_SYNC=1"}, tear: begin, file: "bot-in"},
		{name: "synced, a write begun in what was handled", env: []string{"TEST_BOT_SYNC=1"}, tear: begin, file: "bot-handled"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := &process{t: t, dir: t.TempDir(), addr: freeAddress(t), env: test.env}
			p.start()
			s := &sender{url: "http://" + p.addr + "/webhook", client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 2 * chats}, Timeout: 10 * time.Second}}
			defer s.client.CloseIdleConnections()
			ctx, cancel := context.WithCancel(t.Context())
			sent := make([]int64, 2*chats)
			chat := func(i int) int64 { // half of them wait, half are handled
				if i < chats {
					return int64(i + 1)
				}
				return int64(held + i)
			}
			var senders sync.WaitGroup
			for i := range sent {
				senders.Go(func() { sent[i] = converse(ctx, chat(i), s) })
			}
			waitUntil(t, "400 updates are accepted", func() bool { return s.accepted.Load() >= 400 })
			p.end(syscall.SIGKILL)
			cancel()
			senders.Wait()
			test.tear(t, newestFile(t, filepath.Join(p.dir, "inbox"), test.file))

			var log bytes.Buffer
			in := embedded(t, filepath.Join(p.dir, "inbox"), jetstream.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
			handled := readRecord(t, p.dir).first
			handleAll(t, in, handled)
			lost := 0
			for i, n := range sent {
				for id := int64(1); id <= n; id++ {
					if !handled[chat(i)*1_000_000+id] {
						lost++
					}
				}
			}
			if err := in.Close(); err != nil {
				t.Error(err)
			}
			t.Logf("%d updates answered 200, %d lost", s.accepted.Load(), lost)
			if lost > test.lost {
				t.Errorf("%d updates are lost, at most %d may be", lost, test.lost)
			}
			if said := log.String(); !strings.Contains(said, "level=WARN") || !strings.Contains(said, "was torn and is dropped") {
				t.Errorf("what was dropped is not said: %q", said)
			}
		})
	}
}

// handleAll handles what an inbox holds, and notes it.
func handleAll(t *testing.T, in *jetstream.Inbox, handled map[int64]bool) {
	t.Helper()
	var mu sync.Mutex
	ctx, cancel := context.WithCancel(t.Context())
	worked := make(chan error, 1)
	go func() {
		worked <- in.Work(ctx, 64, func(_ context.Context, d inbox.Delivery) inbox.Verdict {
			id, err := strconv.ParseInt(d.ID, 10, 64)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			handled[id] = true
			return inbox.Done
		})
	}()
	patient, giveUp := context.WithTimeout(t.Context(), 2*time.Minute)
	defer giveUp()
	waitUntil(t, "nothing waits", func() bool {
		status, err := in.Status(patient)
		if err != nil {
			t.Fatal(err)
		}
		return status.Waiting == 0
	})
	cancel()
	if err := <-worked; err != nil {
		t.Error(err)
	}
}

// waitUntil polls for what other processes bring about.
func waitUntil(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !condition(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("two minutes went by before %s", what)
		}
	}
}

// newestFile is the file of a stream, or of all, that was written to last.
func newestFile(t *testing.T, dir, stream string) string {
	t.Helper()
	var newest string
	var at time.Time
	err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".blk" || !strings.Contains(path, stream) {
			return err
		}
		info, err := entry.Info()
		if err == nil && info.Size() > 0 && info.ModTime().After(at) {
			newest, at = path, info.ModTime()
		}
		return err
	})
	if err != nil || newest == "" {
		t.Fatalf("no file of %q in %s: %v", stream, dir, err)
	}
	return newest
}

// cut takes the last bytes of a file away.
func cut(t *testing.T, file string) {
	t.Helper()
	info, err := os.Stat(file)
	if err == nil {
		err = os.Truncate(file, info.Size()-10)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// begin appends the first half of a record to a file.
func begin(t *testing.T, file string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write(data[:20]); err != nil {
		t.Fatal(err)
	}
}
