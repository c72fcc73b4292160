// Package inbox is where a bot's accepted updates wait to be handled: written
// down before they are acknowledged, handed out in order and one at a time for
// each chat, kept until they are handled or put aside.
//
// Memory is the engine for tests and for bots that can lose what they hold.
package inbox

import (
	"context"
	"errors"
	"time"
)

// Item is something to be handled.
type Item struct {
	// ID identifies it: an item whose ID is known is not taken in again.
	ID string
	// Key names what has to be handled in order, such as a chat. Items of
	// different keys are handled side by side.
	Key string
	// Data is the item itself.
	Data []byte
	// Trace ties the item's handling to its delivery, where somebody traces them: a
	// W3C traceparent.
	Trace string
}

// Delivery is an item that is handed out.
type Delivery struct {
	Item
	// Attempt is how often it has been handed out, this time included. An engine
	// that outlives a crash counts what it knows of: the attempt that the crash
	// ended is one of them.
	Attempt int
	// Accepted is when it was taken in.
	Accepted time.Time
}

// Verdict is what becomes of an item that was handed out. The zero value is
// Done.
type Verdict struct {
	// Again hands it out again after Wait, before any later one of its key.
	Again bool
	Wait  time.Duration
	// Aside puts it aside, for Reason: it is kept, and no longer handed out. A
	// later one of its key is next.
	Aside  bool
	Reason string
}

// Done is the verdict of an item that was handled: it is forgotten, but for its
// ID.
var Done = Verdict{}

// Again is the verdict of an item to hand out again, after a wait.
func Again(wait time.Duration, reason string) Verdict {
	return Verdict{Again: true, Wait: wait, Reason: reason}
}

// Aside is the verdict of an item to put aside.
func Aside(reason string) Verdict { return Verdict{Aside: true, Reason: reason} }

// Handle handles an item. Its context ends with the inbox's work, not before
// what runs was given time to end.
type Handle func(ctx context.Context, d Delivery) Verdict

// ErrFull is that there is no room for another item now.
var ErrFull = errors.New("the inbox is full")

// ErrClosed is that the inbox was closed.
var ErrClosed = errors.New("the inbox is closed")

// Inbox is an engine that keeps items. It is safe for many goroutines at once.
type Inbox interface {
	// Put takes an item in, and returns once it is as safe as the engine
	// promises. added is false for an item whose ID is known to be one that was
	// taken in before; an engine may find that out only when its turn comes, and
	// drops it then. A failure means that it was not taken in: ErrFull, or what
	// the engine met. The caller gives item.Data up: nobody changes it from then on.
	Put(ctx context.Context, item Item) (added bool, err error)
	// Work hands items to handle, so many at once at most and one of each key,
	// until ctx ends. It then hands out no more, waits for those that are being
	// handled, and returns nil. It is called once at a time.
	Work(ctx context.Context, workers int, handle Handle) error
	// Status counts what the engine holds.
	Status(ctx context.Context) (Status, error)
	// Close gives back what the engine holds. Work has ended before.
	Close() error
}

// Set is an item that was put aside.
type Set struct {
	Delivery
	// Reason is why, and When when.
	Reason string
	When   time.Time
}

// Status counts what an inbox holds.
type Status struct {
	// Waiting items have not been handled yet, those that are at work included.
	// Parked ones are among them: they wait for an earlier one of their key, or for
	// their own next attempt.
	Waiting, Parked int
	// Aside were put aside.
	Aside int
	// Oldest is when the oldest item that waits was accepted; zero where none
	// does.
	Oldest time.Time
}

// ErrNoItem is that no item with the ID was put aside.
var ErrNoItem = errors.New("no such item was put aside")
