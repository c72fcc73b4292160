//go:build linux

package jetstream_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// floodMemory is what a bot may have of the operating system at most, in bytes,
// with 10,000 connections that it would be better without: 64 KiB for each, and
// what it takes by itself. Package bot states it.
const floodMemory = 768 << 20

// TestKillFlood makes 10,000 connections to a bot that send nothing, or half a
// delivery, or one without end, and bodies of 100 MB and malformed JSON beside
// them. Who delivers as the platform does is answered in time.
func TestKillFlood(t *testing.T) {
	const connections, chats = 10_000, 8
	var files syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err != nil {
		t.Fatal(err)
	}
	if files.Max < connections+1000 {
		t.Fatalf("a process may have %d files here: allow %d, with ulimit -n", files.Max, connections+1000)
	}
	p := &process{t: t, dir: t.TempDir(), addr: freeAddress(t)}
	p.start()
	s := &sender{url: "http://" + p.addr + "/webhook", client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: chats}, Timeout: answerWithin}}
	defer s.client.CloseIdleConnections()
	waitUntil(t, "the bot accepts", func() bool { return s.deliver(update(1, 1)) })
	waitUntil(t, "the bot handles", func() bool { return readRecord(t, p.dir).first[1_000_001] })

	ctx, cancel := context.WithCancel(t.Context())
	sent := make([]int64, chats)
	var senders, flood sync.WaitGroup
	for i := range sent {
		senders.Go(func() { sent[i] = converseCalmly(ctx, int64(i+1), s) })
	}
	var cut atomic.Int64
	for i := range connections {
		flood.Go(func() {
			if misbehave(t, p.addr, i) {
				cut.Add(1)
			}
		})
	}
	for range 8 {
		flood.Go(func() { sendHuge(t, s.url) })
	}
	flood.Go(func() {
		breaker := &sender{url: s.url, client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Minute}}
		for what, body := range malformed() {
			if status, _ := breaker.status(t, body); status != http.StatusBadRequest {
				t.Errorf("%s: status %d", what, status)
			}
		}
	})
	flood.Wait()
	cancel()
	senders.Wait()
	r := awaitRecord(t, p.dir, sent)
	p.end(syscall.SIGTERM)
	peak := peakMemory(t, p.dir)
	t.Logf("%d of %d connections were cut off; meanwhile %d updates were answered 200, %d not in time, %d lost, %d out of order; at most %d MiB of memory",
		cut.Load(), connections, s.accepted.Load(), s.refused.Load(), r.lost, r.disorder, peak>>20)
	if cut.Load() < connections || s.accepted.Load() < chats || s.refused.Load() > 0 || r.lost > 0 || r.disorder > 0 || peak > floodMemory {
		t.Error("the flood had an effect")
	}
}

// answerWithin is how long the platform waits for a bot's 200.
const answerWithin = 10 * time.Second

// converseCalmly sends a chat's updates one each twentieth of a second, until ctx
// ends, and returns how many there were. One that is not answered 200 in time is
// counted as refused.
func converseCalmly(ctx context.Context, chat int64, s *sender) (sent int64) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		start := time.Now()
		for !s.deliver(update(chat, sent+1)) { // such as where the bot just closed a connection that was not used yet
			if ctx.Err() != nil {
				return sent
			}
		}
		if time.Since(start) > answerWithin {
			s.refused.Add(1)
		}
		s.accepted.Add(1)
		sent++
		select {
		case <-tick.C:
		case <-ctx.Done():
			return sent
		}
	}
}

// misbehave makes a connection that never sends a whole delivery, and reports
// whether it was cut off within half a minute.
func misbehave(t *testing.T, addr string, i int) bool {
	conn, err := net.DialTimeout("tcp", addr, 30*time.Second)
	if err != nil {
		t.Error(err)
		return false
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(30 * time.Second))
	header := "POST /webhook HTTP/1.1\r\nHost: bot\r\nContent-Type: application/json\r\n"
	switch {
	case i%20 == 0: // nearly as much as is allowed
		io.WriteString(conn, header+"Content-Length: 1048576\r\n\r\n")
		io.WriteString(conn, `{"text":"`+strings.Repeat("x", 1_000_000))
	case i%4 == 0: // as much as an ordinary delivery could be
		io.WriteString(conn, header+"Content-Length: 1048576\r\n\r\n"+`{"text":"`+strings.Repeat("x", 15_000))
	case i%4 == 1:
		io.WriteString(conn, header+"Transfer-Encoding: chunked\r\n\r\n5\r\n{\"tex")
	case i%4 == 2:
		io.WriteString(conn, header+"X-Long: "+strings.Repeat("x", 10_000))
	}
	_, err = io.Copy(io.Discard, conn)
	var netErr net.Error
	return !(errors.As(err, &netErr) && netErr.Timeout())
}

// sendHuge sends 100 MB, with their length said before and without.
func sendHuge(t *testing.T, url string) {
	for _, length := range []int64{100 << 20, -1} {
		req, err := http.NewRequest(http.MethodPost, url, io.LimitReader(endless{}, 100<<20))
		if err != nil {
			t.Error(err)
			return
		}
		req.ContentLength = length
		req.Header.Set("Content-Type", "application/json")
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			continue // it was cut off while it sent
		}
		resp.Body.Close()
		switch resp.StatusCode {
		case http.StatusRequestEntityTooLarge, http.StatusServiceUnavailable, http.StatusRequestTimeout: // the last two while others are as large
		default:
			t.Errorf("100 MB of length %d: status %d", length, resp.StatusCode)
		}
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '['
	}
	return len(p), nil
}

// malformed are bodies that are no delivery, by what is wrong.
func malformed() map[string]string {
	whole := update(1, 1)
	bodies := map[string]string{
		"nothing": "", "a NUL": "\x00", "a byte order mark": "\ufeff" + whole, "two": whole + whole, "an array": "[" + whole + "]",
		"a string": `"update_id"`, "a number": "1", "null": "null", "deep arrays": strings.Repeat("[", 500_000),
		"deep objects":      strings.Repeat(`{"a":`, 100_000),
		"depth in a field":  `{"update_id":1,"x":` + strings.Repeat("[", 400_000) + strings.Repeat("]", 400_000) + "}",
		"a huge number":     strings.Replace(whole, `"message_id":1`, `"message_id":1`+strings.Repeat("0", 100_000), 1),
		"a fraction":        strings.Replace(whole, `"message_id":1`, `"message_id":1.5`, 1),
		"a number as text":  strings.Replace(whole, `"message_id":1`, `"message_id":"one"`, 1),
		"no number":         strings.Replace(whole, `"message_id":1`, `"message_id":01`, 1),
		"invalid UTF-8":     strings.Replace(whole, "hello", "\xff\xfe", 1),
		"a bare newline":    strings.Replace(whole, "hello", "a\nb", 1),
		"an unknown escape": strings.Replace(whole, "hello", `\x`, 1),
		"half an escape":    strings.Replace(whole, "hello", `\u00`, 1),
		"single quotes":     strings.ReplaceAll(whole, `"`, "'"),
		"a comment":         "/* */" + whole,
		"a last comma":      strings.Replace(whole, `"hello"}`, `"hello",}`, 1),
	}
	for i := range len(whole) {
		bodies["cut after "+strconv.Itoa(i)] = whole[:i]
	}
	return bodies
}

// peakMemory is the most memory that a bot had, in bytes, as it noted when it
// ended.
func peakMemory(t *testing.T, dir string) (peak uint64) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "memory"))
	if err == nil {
		_, err = fmt.Sscan(string(text), &peak)
	}
	if err != nil {
		t.Fatal(err)
	}
	return peak
}
