package runtime

import (
	"context"
	"sync"
	"time"
)

// deliveryContext is a delivery's context, which ends with the request's and at
// a deadline. It costs next to nothing unless somebody waits for it: only then
// does it get a context of package context.
type deliveryContext struct {
	context.Context // the request's
	deadline        time.Time

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
