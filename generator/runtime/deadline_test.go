package runtime

import (
	"context"
	"errors"
	"runtime"
	"testing"
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
