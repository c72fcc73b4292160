package runtime

import (
	"context"
	"errors"
	"net/http"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

func TestDeliveryContext(t *testing.T) {
	type key struct{}
	parent, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, "value"))
	defer cancel()
	soon := func() *deliveryContext { return &deliveryContext{Context: parent, deadline: time.Now().Add(time.Hour)} }

	c := soon()
	if deadline, ok := c.Deadline(); !ok || !deadline.Equal(c.deadline) || c.Err() != nil || c.Value(key{}) != "value" {
		t.Errorf("a new one: %v, %v, %v", deadline, c.Err(), c.Value(key{}))
	}
	c.end()
	if c.Err() != context.Canceled {
		t.Errorf("ended: %v", c.Err())
	}
	<-c.Done() // asked for late, and closed all the same

	c = soon()
	done := c.Done()
	before := runtime.NumGoroutine()
	child, stop := context.WithCancel(c)
	defer stop()
	if after := runtime.NumGoroutine(); after > before {
		t.Errorf("a child costs %d goroutines", after-before)
	}
	c.end()
	<-done
	<-child.Done()
	if c.Err() != context.Canceled {
		t.Errorf("ended while waited for: %v", c.Err())
	}

	c = &deliveryContext{Context: parent, deadline: time.Now().Add(-time.Second)}
	if c.Err() != context.DeadlineExceeded {
		t.Errorf("past its deadline: %v", c.Err())
	}
	<-c.Done()
	if c.Err() != context.DeadlineExceeded {
		t.Errorf("past its deadline while waited for: %v", c.Err())
	}

	sooner, cancelSooner := context.WithDeadline(parent, time.Now().Add(time.Minute))
	defer cancelSooner()
	c = &deliveryContext{Context: sooner, deadline: time.Now().Add(time.Hour)}
	if deadline, _ := c.Deadline(); time.Until(deadline) > time.Minute {
		t.Errorf("its parent ends sooner, and it says %v", deadline)
	}

	c = soon()
	cause := errors.New("gone")
	gone, leave := context.WithCancelCause(parent)
	c.Context = gone
	leave(cause)
	if c.Err() != context.Canceled || context.Cause(c) != cause {
		t.Errorf("the client is gone: %v, %v", c.Err(), context.Cause(c))
	}
}

// late is a connection that notes when it is given a deadline that is over.
type late struct {
	http.ResponseWriter
	ended chan struct{}
}

func (l *late) SetReadDeadline(time.Time) error { close(l.ended); return nil }

func TestReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var q bodyReads
		idle := func() bool {
			q.mu.Lock()
			defer q.mu.Unlock()
			return q.first == nil && q.last == nil && !q.running
		}
		begun := func(after time.Duration) (*bodyRead, *late) {
			r, l := new(bodyRead), &late{ended: make(chan struct{})}
			q.begin(r, l, time.Now().Add(after))
			return r, l
		}
		ended := func(l *late) bool {
			select {
			case <-l.ended:
				return true
			default:
				return false
			}
		}
		// Taken out from the middle, the start and the end, none is touched.
		a, la := begun(time.Second)
		b, lb := begun(time.Second)
		c, lc := begun(time.Second)
		q.end(b)
		q.end(a)
		q.end(c)
		q.end(c) // as often as anyone likes
		time.Sleep(2 * time.Second)
		if ended(la) || ended(lb) || ended(lc) || !idle() {
			t.Error("a read that was over is ended, or left")
		}
		// Those that are late end at their time, also after the timer was idle.
		d, ld := begun(time.Second)
		time.Sleep(500 * time.Millisecond)
		_, le := begun(time.Second)
		time.Sleep(600 * time.Millisecond)
		if !ended(ld) || ended(le) {
			t.Errorf("after 1.1 s of 1 s: %v, after 0.6 s of it: %v", ended(ld), ended(le))
		}
		q.end(d) // it is out already
		time.Sleep(500 * time.Millisecond)
		if !ended(le) || !idle() {
			t.Errorf("after 1.1 s of 1 s: %v; all are out: %v", ended(le), idle())
		}
	})
}
