package runtime

import (
	"context"
	"errors"
	"iter"
	"time"
)

// maxRemembered is how many of the latest items' identifiers an iteration
// remembers, to drop what comes twice.
const maxRemembered = 1 << 16

// maxPollBackoff is the longest wait after a fetch that failed.
const maxPollBackoff = time.Minute

// poll fetches again and again and passes on what comes: each item once, in its
// order. After a fetch that brought nothing it waits, least at first and most in
// the end; after one that failed it passes the failure on and waits longer each
// time. It ends with ctx.
func poll[T any, K comparable](ctx context.Context, fetch func(context.Context) ([]T, error), id func(*T) K, least, most time.Duration) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var seen recent[K]
		idle, failing := least, least
		for ctx.Err() == nil {
			items, err := fetch(ctx)
			var pause time.Duration
			switch {
			case err != nil && ctx.Err() != nil:
				return
			case err != nil:
				var none T
				if !yield(none, err) {
					return
				}
				pause = failing
				if e := (*Error)(nil); errors.As(err, &e) {
					pause = max(pause, e.RetryAfter)
				}
				failing = min(2*failing, maxPollBackoff)
			case len(items) == 0:
				pause, idle, failing = idle, min(2*idle, most), least
			default:
				idle, failing = least, least
			}
			for i := range items {
				if seen.add(id(&items[i])) && !yield(items[i], nil) {
					return
				}
			}
			if pause > 0 && sleep(ctx, pause, nil) != nil {
				return
			}
		}
	}
}

// recent is a set of the latest identifiers.
type recent[K comparable] struct {
	set  map[K]bool
	ring []K
	next int
}

// add takes an identifier in, and tells whether it is new.
func (r *recent[K]) add(id K) bool {
	if r.set[id] {
		return false
	}
	if r.set == nil {
		r.set = make(map[K]bool)
	}
	r.set[id] = true
	if len(r.ring) < maxRemembered {
		r.ring = append(r.ring, id)
		return true
	}
	delete(r.set, r.ring[r.next])
	r.ring[r.next] = id
	r.next = (r.next + 1) % maxRemembered
	return true
}
