package runtime

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// bodyReads are the bodies that are read at a time, in the order of their deadlines,
// which is that in which they began. One timer watches over all of them: to set a
// connection's deadline for each, and take it back, or to start a timer, would cost
// more than all else that is done with a small body.
type bodyReads struct {
	mu          sync.Mutex
	first, last *bodyRead
	timer       *time.Timer
	running     bool // the timer is, for the first or for one before it
}

// bodyRead is a body that is read.
type bodyRead struct {
	w          http.ResponseWriter
	deadline   time.Time
	prev, next *bodyRead
}

// begin watches a read until end is called for it. A read that is late fails:
// its connection is given a deadline that is over.
func (q *bodyReads) begin(r *bodyRead, w http.ResponseWriter, deadline time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	r.w, r.deadline, r.prev = w, deadline, q.last
	if q.last == nil {
		q.first = r
	} else {
		q.last.next = r
	}
	q.last = r
	switch {
	case q.running:
	case q.timer == nil:
		q.timer, q.running = time.AfterFunc(time.Until(deadline), q.expire), true
	default:
		q.timer.Reset(time.Until(deadline))
		q.running = true
	}
}

// end takes a read out. Once it returns, nothing is done to the connection any
// more.
func (q *bodyReads) end(r *bodyRead) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.remove(r)
}

func (q *bodyReads) remove(r *bodyRead) {
	switch {
	case r.w == nil:
		return // it was late, and is out
	case r.prev == nil:
		q.first = r.next
	default:
		r.prev.next = r.next
	}
	if r.next == nil {
		q.last = r.prev
	} else {
		r.next.prev = r.prev
	}
	*r = bodyRead{}
}

// expire ends the reads that are late, and waits for the next.
func (q *bodyReads) expire() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for r := q.first; r != nil && !time.Now().Before(r.deadline); r = q.first {
		http.NewResponseController(r.w).SetReadDeadline(time.Unix(1, 0))
		q.remove(r)
	}
	if q.running = q.first != nil; q.running {
		q.timer.Reset(time.Until(q.first.deadline))
	}
}

// deliveryContext is a delivery's context, which ends with the request's and at
// a deadline. It costs next to nothing unless somebody waits for it: only then
// does it get a context of package context.
type deliveryContext struct {
	context.Context // the request's
	deadline        time.Time
	reading         bodyRead

	mu     sync.Mutex
	waited context.Context // nil until somebody waits
	cancel context.CancelFunc
	ended  bool
}

// end ends it, whoever waits.
func (c *deliveryContext) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
	if c.cancel != nil {
		c.cancel()
	}
}

// Deadline is when it ends at the latest.
func (c *deliveryContext) Deadline() (time.Time, bool) {
	if parent, ok := c.Context.Deadline(); ok && parent.Before(c.deadline) {
		return parent, true
	}
	return c.deadline, true
}

// Done is closed when it ends.
func (c *deliveryContext) Done() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.waited == nil {
		c.waited, c.cancel = context.WithDeadline(c.Context, c.deadline)
		if c.ended {
			c.cancel()
		}
	}
	return c.waited.Done()
}

// Err says why it ended, once it has.
func (c *deliveryContext) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.waited != nil:
		return c.waited.Err()
	case c.Context.Err() != nil:
		return c.Context.Err()
	case c.ended:
		return context.Canceled
	case time.Now().After(c.deadline):
		return context.DeadlineExceeded
	}
	return nil
}

// Value asks the context that is waited for, so that package context finds out
// that it is one of its own.
func (c *deliveryContext) Value(key any) any {
	c.mu.Lock()
	waited := c.waited
	c.mu.Unlock()
	if waited != nil {
		return waited.Value(key)
	}
	return c.Context.Value(key)
}
