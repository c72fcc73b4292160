// Package inboxtest holds what every engine of an inbox has to do, as tests.
package inboxtest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/solafon/solafon-go/bot/inbox"
)

// Test runs the tests; open makes an empty inbox, which they close.
func Test(t *testing.T, open func(t *testing.T) inbox.Inbox) {
	for name, test := range map[string]func(*testing.T, inbox.Inbox){
		"an ID is taken in once":       once,
		"a key is in order":            ordered,
		"keys are side by side":        sideBySide,
		"again comes before later":     again,
		"aside lets the next go on":    aside,
		"work that ends hands back":    handsBack,
		"at most so many at once":      atMost,
		"what waits outlives the work": outlives,
	} {
		t.Run(name, func(t *testing.T) {
			in := open(t)
			test(t, in)
			if err := in.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func put(t *testing.T, in inbox.Inbox, id, key string) bool {
	t.Helper()
	added, err := in.Put(t.Context(), inbox.Item{ID: id, Key: key, Data: []byte("data of " + id)})
	if err != nil {
		t.Fatal(err)
	}
	return added
}

// work runs an inbox until a number of calls have returned, and returns what was
// handed out, in order.
func work(t *testing.T, in inbox.Inbox, workers, calls int, handle func(inbox.Delivery) inbox.Verdict) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var mu sync.Mutex
	var log []string
	left := calls
	err := in.Work(ctx, workers, func(_ context.Context, d inbox.Delivery) inbox.Verdict {
		mu.Lock()
		log = append(log, fmt.Sprintf("%s %d", d.ID, d.Attempt))
		mu.Unlock()
		verdict := handle(d)
		mu.Lock()
		defer mu.Unlock()
		if left--; left == 0 {
			time.AfterFunc(50*time.Millisecond, cancel) // time for one too many to show
		}
		return verdict
	})
	if err != nil {
		t.Error(err)
	}
	if left > 0 {
		t.Errorf("%d of %d calls did not come: %q", left, calls, log)
	}
	return log
}

func done(inbox.Delivery) inbox.Verdict { return inbox.Done }

func same(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func once(t *testing.T, in inbox.Inbox) {
	if !put(t, in, "a", "k") || put(t, in, "a", "k") || !put(t, in, "b", "k") {
		t.Error("an ID is not told from a new one")
	}
	same(t, work(t, in, 4, 2, done), "a 1", "b 1")
	if put(t, in, "a", "k") {
		t.Error("an ID that was handled is taken in again")
	}
}

func ordered(t *testing.T, in inbox.Inbox) {
	var want []string
	for i := range 50 {
		put(t, in, fmt.Sprint(i), "k")
		want = append(want, fmt.Sprintf("%d 1", i))
	}
	same(t, work(t, in, 8, 50, done), want...)
}

func sideBySide(t *testing.T, in inbox.Inbox) {
	for i := range 4 {
		put(t, in, fmt.Sprint(i), fmt.Sprint("key ", i))
	}
	var met sync.WaitGroup
	met.Add(2)
	var mu sync.Mutex
	n := 0
	work(t, in, 4, 4, func(inbox.Delivery) inbox.Verdict {
		mu.Lock()
		n++
		first := n <= 2
		mu.Unlock()
		if first { // two are at work at once, or this never ends
			met.Done()
			met.Wait()
		}
		return inbox.Done
	})
}

func again(t *testing.T, in inbox.Inbox) {
	for _, id := range []string{"a", "b", "c"} {
		put(t, in, id, "k")
	}
	got := work(t, in, 4, 6, func(d inbox.Delivery) inbox.Verdict {
		if d.ID == "a" && d.Attempt < 3 || d.ID == "b" && d.Attempt < 2 {
			return inbox.Again(20*time.Millisecond, "not yet")
		}
		if string(d.Data) != "data of "+d.ID || d.Key != "k" || time.Since(d.Accepted) > time.Minute {
			t.Errorf("%+v", d)
		}
		return inbox.Done
	})
	same(t, got, "a 1", "a 2", "a 3", "b 1", "b 2", "c 1")
}

func aside(t *testing.T, in inbox.Inbox) {
	for _, id := range []string{"a", "b", "c"} {
		put(t, in, id, "k")
	}
	got := work(t, in, 4, 4, func(d inbox.Delivery) inbox.Verdict {
		switch {
		case d.ID == "a":
			return inbox.Aside("for good")
		case d.ID == "b" && d.Attempt == 1:
			return inbox.Again(0, "once more")
		case d.ID == "b":
			return inbox.Aside("after all")
		}
		return inbox.Done
	})
	same(t, got, "a 1", "b 1", "b 2", "c 1")
}

func handsBack(t *testing.T, in inbox.Inbox) {
	for i := range 10 {
		put(t, in, fmt.Sprint(i), fmt.Sprint(i%2))
	}
	ctx, cancel := context.WithCancel(t.Context())
	var mu sync.Mutex
	var handled []string
	if err := in.Work(ctx, 1, func(_ context.Context, d inbox.Delivery) inbox.Verdict {
		cancel()
		mu.Lock()
		defer mu.Unlock()
		handled = append(handled, d.ID)
		return inbox.Done
	}); err != nil {
		t.Error(err)
	}
	start := time.Now()
	for _, entry := range work(t, in, 1, 10-len(handled), done) {
		handled = append(handled, entry[:1])
	}
	slices.Sort(handled)
	same(t, handled, "0", "1", "2", "3", "4", "5", "6", "7", "8", "9")
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("what was handed back came after %v", took)
	}
}

func atMost(t *testing.T, in inbox.Inbox) {
	for i := range 40 {
		put(t, in, fmt.Sprint(i), fmt.Sprint("key ", i))
	}
	var mu sync.Mutex
	now, most := 0, 0
	work(t, in, 3, 40, func(inbox.Delivery) inbox.Verdict {
		mu.Lock()
		now++
		most = max(most, now)
		mu.Unlock()
		time.Sleep(time.Millisecond) // so that more would overlap
		mu.Lock()
		now--
		mu.Unlock()
		return inbox.Done
	})
	if most > 3 {
		t.Errorf("%d were handled at once", most)
	}
}

func outlives(t *testing.T, in inbox.Inbox) {
	put(t, in, "a", "k")
	put(t, in, "b", "k")
	same(t, work(t, in, 1, 1, func(inbox.Delivery) inbox.Verdict { return inbox.Again(100*time.Millisecond, "later") }), "a 1")
	same(t, work(t, in, 1, 2, done), "a 2", "b 1")
}
