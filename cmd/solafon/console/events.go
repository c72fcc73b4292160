package console

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// events are the newest events of the console, which pages follow.
type events struct {
	run string // tells this process's numbers from another's

	mu      sync.Mutex
	first   int // the number of list[0]
	list    [][]byte
	changed chan struct{} // is closed and made anew with each event
}

// maxEvents is how many events a page can be behind before it has to begin anew.
const maxEvents = 1000

func newEvents() *events {
	return &events{run: strconv.FormatInt(time.Now().UnixNano(), 36), first: 1, changed: make(chan struct{})}
}

// last names the newest event.
func (e *events) last() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.name(e.first + len(e.list) - 1)
}

func (e *events) name(number int) string { return e.run + "-" + strconv.Itoa(number) }

// send adds an event.
func (e *events) send(html []byte) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.list = append(e.list, html)
	if len(e.list) > maxEvents {
		e.first++
		e.list = e.list[1:]
	}
	close(e.changed)
	e.changed = make(chan struct{})
}

// after are the events behind one; false is that they are not known any more.
func (e *events) after(number int) (list [][]byte, changed chan struct{}, known bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if number+1 < e.first || number >= e.first+len(e.list) {
		return nil, nil, false
	}
	return e.list[number+1-e.first:], e.changed, true
}

// follow writes the events behind the one that is named, and those that come, until
// ctx ends. A page that cannot go on from there is told to begin anew.
func (e *events) follow(ctx context.Context, w http.ResponseWriter, since string) {
	run, text, _ := strings.Cut(since, "-")
	number, err := strconv.Atoi(text)
	flush := http.NewResponseController(w).Flush
	alive := time.NewTicker(20 * time.Second)
	defer alive.Stop()
	for {
		list, changed, known := e.after(number)
		if err != nil || run != e.run || !known {
			fmt.Fprint(w, "event: anew\ndata: \n\n")
			flush()
			return
		}
		for _, html := range list {
			number++
			fmt.Fprintf(w, "id: %s\n", e.name(number))
			for line := range bytes.Lines(html) {
				fmt.Fprintf(w, "data: %s\n", bytes.TrimRight(line, "\r\n"))
			}
			fmt.Fprint(w, "\n")
		}
		if flush() != nil {
			return
		}
		select {
		case <-changed:
		case <-alive.C:
			fmt.Fprint(w, ": still here\n\n")
		case <-ctx.Done():
			return
		}
	}
}
