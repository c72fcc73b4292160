//go:build linux

package jetstream_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// TestKillDiskFull fills a small disk under a bot, once as far as the inbox goes
// and once to the last byte, and makes room again.
func TestKillDiskFull(t *testing.T) {
	const chats = 8
	dir := t.TempDir() // what the bot notes stands beside the disk: a note can be cut off where that is full
	disk := filepath.Join(dir, "inbox")
	if err := os.Mkdir(disk, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=96m"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("a small disk cannot be mounted: %v; run this as root", err)
		}
		t.Skipf("a small disk cannot be mounted: %v; run this as root", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(disk, 0); err != nil {
			t.Error(err)
		}
	})
	p := &process{t: t, dir: dir, addr: freeAddress(t)}
	p.start()
	defer p.end(syscall.SIGKILL)
	s := &sender{url: "http://" + p.addr + "/webhook", client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: chats}, Timeout: 10 * time.Second}}
	defer s.client.CloseIdleConnections()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	sent := make([]int64, chats)
	var senders sync.WaitGroup
	for i := range sent {
		senders.Go(func() { sent[i] = converse(ctx, int64(i+1), s) })
	}
	more := func(n int64) {
		t.Helper()
		target := s.accepted.Load() + n
		waitUntil(t, "more updates are accepted", func() bool { return s.accepted.Load() >= target })
	}
	for _, left := range []int64{32 << 20, 0} {
		more(200)
		fill(t, disk, left)
		refused := s.refused.Load()
		waitUntil(t, "deliveries are refused", func() bool { return s.refused.Load() > refused+20 })
		status, retry := s.status(t, fmt.Sprintf(`{"update_id":%d,"message_id":1,"from":{"id":999},"chat":{"id":999,"type":"private"},"text":"x"}`, 999_000_000+left))
		if status != http.StatusServiceUnavailable || retry == "" {
			t.Errorf("with %d bytes left: status %d, Retry-After %q", left, status, retry)
		}
		if err := os.Remove(filepath.Join(disk, "filler")); err != nil {
			t.Fatal(err)
		}
	}
	more(200)
	cancel()
	senders.Wait()
	r := awaitRecord(t, dir, sent)
	t.Logf("%d updates answered 200, %d deliveries that were not, %d handled, %d lost, %d handled again, %d out of order",
		s.accepted.Load(), s.refused.Load(), len(r.first), r.lost, r.repeated, r.disorder)
	if r.lost > 0 || r.disorder > 0 {
		t.Error("updates were lost or out of order")
	}
	p.end(syscall.SIGTERM)
}

// status delivers an update and returns how it was answered.
func (s *sender) status(t *testing.T, body string) (status int, retryAfter string) {
	t.Helper()
	resp, err := s.client.Post(s.url, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, resp.Header.Get("Retry-After")
}

// fill writes a file until a disk has no more than so many bytes left.
func fill(t *testing.T, disk string, left int64) {
	t.Helper()
	f, err := os.Create(filepath.Join(disk, "filler"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	block := make([]byte, 64<<10)
	for {
		var state syscall.Statfs_t
		if err := syscall.Statfs(disk, &state); err != nil {
			t.Fatal(err)
		}
		if int64(state.Bavail)*state.Bsize <= left {
			return
		}
		if _, err := f.Write(block); err != nil {
			return // it is full
		}
	}
}
