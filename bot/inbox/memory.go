package inbox

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// The limits of a Memory unless its fields say otherwise.
const (
	defaultLimit  = 10_000
	defaultWindow = 24 * time.Hour
)

// Memory keeps items in the process's own memory. What it holds is lost when the
// process ends, however it ends: an update that was answered 200 and not yet
// handled is gone. It is for tests, and for bots that can live with that.
type Memory struct {
	// Limit is how many items it holds at most, those put aside included;
	// 0 stands for 10,000.
	Limit int
	// Window is how long the ID of an item is known after it came; 0 stands for
	// 24 hours. It takes about 150 bytes of memory for each.
	Window time.Duration

	mu     sync.Mutex
	closed bool
	queues map[string]*queue
	ready  []*queue  // whose first item can be handed out, in order
	wake   sync.Cond // is signalled when ready has one more, or the work ends
	seen   map[string]struct{}
	order  []arrival // of the IDs seen, oldest first
	held   int
	aside  []Set
}

// arrival is when an ID came.
type arrival struct {
	id string
	at time.Time
}

// queue holds the items of a key.
type queue struct {
	items  []Delivery
	parked bool // until the first is to be handed out again
}

// NewMemory makes an empty one with the default limits.
func NewMemory() *Memory { return &Memory{} }

// init makes what the zero value lacks. The lock is held.
func (m *Memory) init() {
	if m.queues == nil {
		m.queues, m.seen, m.wake.L = make(map[string]*queue), make(map[string]struct{}), &m.mu
	}
	if m.Limit <= 0 {
		m.Limit = defaultLimit
	}
	if m.Window <= 0 {
		m.Window = defaultWindow
	}
}

// Put takes an item in.
func (m *Memory) Put(ctx context.Context, item Item) (added bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.init()
	now := time.Now()
	m.forget(now)
	_, known := m.seen[item.ID]
	switch {
	case m.closed:
		return false, ErrClosed
	case known:
		return false, nil
	case m.held >= m.Limit:
		return false, fmt.Errorf("%w: it holds %d items", ErrFull, m.held)
	}
	m.seen[item.ID] = struct{}{}
	m.order = append(m.order, arrival{item.ID, now})
	m.held++
	q := m.queues[item.Key]
	if q == nil {
		q = &queue{}
		m.queues[item.Key] = q
	}
	if q.items = append(q.items, Delivery{Item: item, Accepted: now}); len(q.items) == 1 {
		m.offer(q)
	}
	return true, nil
}

// forget drops the IDs that are older than the window. The lock is held.
func (m *Memory) forget(now time.Time) {
	for len(m.order) > 0 && now.Sub(m.order[0].at) > m.Window {
		delete(m.seen, m.order[0].id)
		m.order = m.order[1:]
	}
}

// offer lets a queue's first item be handed out. The lock is held.
func (m *Memory) offer(q *queue) {
	m.ready = append(m.ready, q)
	m.wake.Signal()
}

// Work hands items to handle until ctx ends.
func (m *Memory) Work(ctx context.Context, workers int, handle Handle) error {
	m.mu.Lock()
	m.init()
	closed := m.closed
	m.mu.Unlock()
	if closed {
		return ErrClosed
	}
	stop := context.AfterFunc(ctx, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.wake.Broadcast()
	})
	defer stop()
	beyond := context.WithoutCancel(ctx)
	var running sync.WaitGroup
	for range max(workers, 1) {
		running.Go(func() {
			for q, d := m.next(ctx); q != nil; q, d = m.next(ctx) {
				m.settle(q, handle(beyond, d))
			}
		})
	}
	running.Wait()
	return nil
}

// next waits for an item; there is none once ctx has ended.
func (m *Memory) next(ctx context.Context) (*queue, Delivery) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for len(m.ready) == 0 && ctx.Err() == nil {
		m.wake.Wait()
	}
	if ctx.Err() != nil {
		return nil, Delivery{}
	}
	q := m.ready[0]
	m.ready = m.ready[1:]
	q.items[0].Attempt++
	return q, q.items[0]
}

// settle does with a queue's first item what was decided.
func (m *Memory) settle(q *queue, verdict Verdict) {
	m.mu.Lock()
	defer m.mu.Unlock()
	first := q.items[0]
	switch {
	case verdict.Again:
		q.parked = true
		time.AfterFunc(verdict.Wait, func() {
			m.mu.Lock()
			defer m.mu.Unlock()
			q.parked = false
			m.offer(q)
		})
		return
	case verdict.Aside:
		m.aside = append(m.aside, Set{Delivery: first, Reason: verdict.Reason, When: time.Now()})
	default:
		m.held--
	}
	q.items[0] = Delivery{}
	if q.items = q.items[1:]; len(q.items) > 0 {
		m.offer(q)
	} else {
		delete(m.queues, first.Key)
	}
}

// Status counts what it holds.
func (m *Memory) Status(context.Context) (Status, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := Status{Waiting: m.held - len(m.aside), Aside: len(m.aside)}
	for _, q := range m.queues {
		if q.parked {
			s.Parked += len(q.items)
		}
		if at := q.items[0].Accepted; s.Oldest.IsZero() || at.Before(s.Oldest) {
			s.Oldest = at
		}
	}
	return s, nil
}

// Aside lists the items that were put aside, oldest first.
func (m *Memory) Aside() []Set {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.aside)
}

// Close refuses items from now on.
func (m *Memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	return nil
}
