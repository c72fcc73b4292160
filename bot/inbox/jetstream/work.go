package jetstream

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/solafon/solafon-go/bot/inbox"
)

// worker is one run of Work.
type worker struct {
	*Inbox
	handle inbox.Handle
	slots  chan struct{} // one for each item that may be handled at once
	ctx    context.Context
}

// Work hands items to handle until ctx ends.
func (in *Inbox) Work(ctx context.Context, workers int, handle inbox.Handle) error {
	w := &worker{Inbox: in, handle: handle, slots: make(chan struct{}, max(workers, 1)), ctx: context.WithoutCancel(ctx)}
	errs := make([]error, in.config.parts+1)
	var running sync.WaitGroup
	for part := range in.config.parts {
		running.Go(func() {
			errs[part] = w.consume(ctx, in.waiting, jetstream.ConsumerConfig{
				Durable: "part" + strconv.Itoa(part), FilterSubject: in.subject("in." + strconv.Itoa(part)), MaxAckPending: 1,
			}, w.item)
		})
	}
	running.Go(func() {
		errs[in.config.parts] = w.consume(ctx, in.wakes, jetstream.ConsumerConfig{Durable: "wake", MaxAckPending: 100_000}, w.wake)
	})
	running.Go(func() { w.tidy(ctx) })
	running.Wait()
	return errors.Join(errs...)
}

// consume passes a consumer's messages on until ctx ends. What was handed out by
// then and not begun goes back at once.
func (w *worker) consume(ctx context.Context, stream jetstream.Stream, config jetstream.ConsumerConfig, take func(jetstream.Msg)) error {
	config.AckPolicy, config.AckWait, config.MaxDeliver = jetstream.AckExplicitPolicy, w.config.ackWait, -1
	var consumer jetstream.Consumer
	err := patiently(ctx, func(ctx context.Context) (err error) {
		consumer, err = stream.CreateOrUpdateConsumer(ctx, config)
		return err
	})
	if ctx.Err() != nil {
		return nil
	}
	if err != nil {
		return fmt.Errorf("the consumer %s cannot be made: %w", config.Durable, err)
	}
	messages, err := consumer.Messages(jetstream.PullMaxMessages(1), jetstream.PullExpiry(10*heartbeat), jetstream.PullHeartbeat(heartbeat))
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, messages.Drain)()
	for {
		m, err := next(messages)
		if errors.Is(err, jetstream.ErrMsgIteratorClosed) {
			return nil
		}
		if err != nil {
			// The server or the way to it is away for a while; the iterator goes on.
			select {
			case <-ctx.Done():
			case <-time.After(100 * time.Millisecond):
			}
			if w.conn.IsClosed() {
				return inbox.ErrClosed
			}
			continue
		}
		if ctx.Err() != nil {
			m.Nak()
			continue
		}
		take(m)
	}
}

// heartbeat is how often the server says that it still knows of who waits for a
// message. One that dies takes the request with it, and the request is made again
// when two heartbeats did not come.
const heartbeat = 3 * time.Second

// next waits for a message. The library's iterator asks the server for one when
// next is called, unless its last request is still on the way out; where the
// answer overtakes the end of that request it asks no more, and finds out by a
// heartbeat some seconds later. Calling it again a few times has it ask in time.
func next(messages jetstream.MessagesContext) (jetstream.Msg, error) {
	for wait := 5 * time.Millisecond; wait < 2*time.Second; wait *= 4 {
		if m, err := messages.Next(jetstream.NextMaxWait(wait)); !errors.Is(err, nats.ErrTimeout) {
			return m, err
		}
	}
	return messages.Next()
}

// step is a context for one step beside a message.
func (w *worker) step() (context.Context, context.CancelFunc) {
	return context.WithTimeout(w.ctx, timeout)
}

// item takes a message of a part: an item, or a wake that brings one back. While
// it runs the part hands out nothing else.
func (w *worker) item(m jetstream.Msg) {
	ctx, cancel := w.step()
	defer cancel()
	head, err := w.first(ctx, m.Headers().Get(headerKey))
	if err == nil && m.Headers().Get(headerWake) != "" {
		w.woken(m, head)
		return
	}
	var known bool
	if err == nil && m.Headers().Get(headerReplay) == "" {
		known, err = w.known(ctx, m.Headers().Get(headerID))
	}
	switch {
	case err != nil || known:
		w.settle(m, err)
	case head != nil: // an earlier one of its key is to be handed out again
		w.settle(m, w.park(ctx, m))
	default:
		w.fresh(m)
	}
}

// settle lets go of a message whose next step is written, or has it handed out
// again.
func (w *worker) settle(m jetstream.Msg, err error) {
	ctx, cancel := w.step()
	defer cancel()
	if err != nil || m.DoubleAck(ctx) != nil {
		m.NakWithDelay(time.Second)
	}
}

// fresh handles an item for the first time.
func (w *worker) fresh(m jetstream.Msg) {
	attempt := 1
	if meta, err := m.Metadata(); err == nil {
		attempt = int(meta.NumDelivered) // more where a process died with it
	}
	d := delivery(m.Headers(), m.Data(), attempt)
	verdict := w.run(m, d)
	ctx, cancel := w.step()
	defer cancel()
	if verdict.Again {
		// The wake first: one that finds nothing is harmless, and a parked item that
		// nothing wakes is not.
		err := w.sleep(ctx, d.Key, d.ID, attempt+1, verdict.Wait)
		if err == nil {
			err = w.park(ctx, m)
		}
		w.settle(m, err)
		return
	}
	w.settle(m, w.conclude(ctx, d, verdict))
}

// woken handles the first parked item of a key.
func (w *worker) woken(m jetstream.Msg, head *jetstream.RawStreamMsg) {
	if head == nil {
		w.settle(m, nil)
		return
	}
	id, attempt := head.Header.Get(headerID), 1
	if m.Headers().Get(headerID) == id {
		attempt, _ = strconv.Atoi(m.Headers().Get(headerAttempt))
	}
	d := delivery(head.Header, head.Data, attempt)
	verdict := w.run(m, d)
	ctx, cancel := w.step()
	defer cancel()
	if verdict.Again {
		w.settle(m, w.sleep(ctx, d.Key, d.ID, attempt+1, verdict.Wait))
		return
	}
	err := w.conclude(ctx, d, verdict)
	if err == nil {
		err = w.parked.DeleteMsg(ctx, head.Sequence)
	}
	if err == nil {
		err = w.wakeNext(ctx, d.Key)
	}
	w.settle(m, err)
}

// wakeNext wakes the next parked item of a key, if there is one.
func (w *worker) wakeNext(ctx context.Context, key string) error {
	head, err := w.first(ctx, key)
	if err != nil || head == nil {
		return err
	}
	return w.publish(ctx, w.wakeMessage(w.part(key), key, head.Header.Get(headerID), 1), "")
}

// run hands an item out, and tells the server that somebody is at it.
func (w *worker) run(m jetstream.Msg, d inbox.Delivery) inbox.Verdict {
	alive := time.NewTicker(w.config.ackWait / 3)
	defer alive.Stop()
	done := make(chan struct{})
	defer close(done)
	var watching sync.WaitGroup
	watching.Go(func() {
		for {
			select {
			case <-alive.C:
				m.InProgress()
			case <-done:
				return
			}
		}
	})
	w.slots <- struct{}{}
	defer func() { <-w.slots }()
	return w.handle(w.ctx, d)
}

// first is the first parked item of a key, or nil.
func (w *worker) first(ctx context.Context, key string) (*jetstream.RawStreamMsg, error) {
	m, err := w.parked.GetMsg(ctx, 1, jetstream.WithGetMsgSubject(w.parkedAt(key)))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil, nil
	}
	return m, err
}

// known tells whether an item was handled or put aside before.
func (w *worker) known(ctx context.Context, id string) (bool, error) {
	_, err := w.handled.GetLastMsgForSubject(ctx, w.handledAt(id))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return false, nil
	}
	return err == nil, err
}

// handledOnce writes down that an item was handled.
func (w *worker) handledOnce(ctx context.Context, id string) error {
	return w.publish(ctx, nats.NewMsg(w.handledAt(id)), "")
}

// park writes an item behind the parked ones of its key.
func (w *worker) park(ctx context.Context, m jetstream.Msg) error {
	parked := itemMessage(w.parkedAt(m.Headers().Get(headerKey)), m.Headers(), m.Data())
	return w.publish(ctx, parked, "parked "+parked.Header.Get(headerID))
}

// sleep has the first parked item of a key brought back after a wait.
func (w *worker) sleep(ctx context.Context, key, id string, attempt int, wait time.Duration) error {
	m := w.wakeMessage(w.subject("wake"), key, id, attempt)
	m.Header.Set(headerDue, time.Now().Add(wait).UTC().Format(time.RFC3339Nano))
	m.Header.Set(headerWait, wait.String())
	return w.publish(ctx, m, "")
}

func (w *worker) wakeMessage(subject, key, id string, attempt int) *nats.Msg {
	m := nats.NewMsg(subject)
	m.Header = nats.Header{headerWake: {"1"}, headerKey: {key}, headerID: {id}, headerAttempt: {strconv.Itoa(attempt)}}
	return m
}

// wake takes a message of the wakes: it goes to its key's part when it is due.
func (w *worker) wake(m jetstream.Msg) {
	if left := left(m.Headers(), time.Now()); left > 0 {
		m.NakWithDelay(left)
		return
	}
	attempt, _ := strconv.Atoi(m.Headers().Get(headerAttempt))
	key := m.Headers().Get(headerKey)
	ctx, cancel := w.step()
	defer cancel()
	w.settle(m, w.publish(ctx, w.wakeMessage(w.part(key), key, m.Headers().Get(headerID), attempt), ""))
}

// left is how long a wake has to wait yet: no longer than it was to wait at
// first, however far the clock was set back since.
func left(header nats.Header, now time.Time) time.Duration {
	due, _ := time.Parse(time.RFC3339Nano, header.Get(headerDue))
	wait, _ := time.ParseDuration(header.Get(headerWait))
	return min(due.Sub(now), wait)
}

// conclude writes down that an item is not handed out again.
func (w *worker) conclude(ctx context.Context, d inbox.Delivery, verdict inbox.Verdict) error {
	if verdict.Aside {
		return w.putAside(ctx, d, verdict.Reason)
	}
	return w.handledOnce(ctx, d.ID)
}

// putAside keeps an item that is no longer handed out.
func (w *worker) putAside(ctx context.Context, d inbox.Delivery, reason string) error {
	m := nats.NewMsg(w.asideAt(d.ID))
	m.Data = d.Data
	m.Header = nats.Header{
		headerID: {d.ID}, headerKey: {d.Key}, headerAccepted: {d.Accepted.UTC().Format(time.RFC3339Nano)}, headerTrace: {d.Trace},
		headerAttempt: {strconv.Itoa(d.Attempt)}, headerReason: {oneLine(reason)}, headerWhen: {time.Now().UTC().Format(time.RFC3339Nano)},
	}
	if err := w.publish(ctx, m, ""); err != nil {
		return err
	}
	return w.handledOnce(ctx, d.ID)
}

// oneLine is a text as a header can have it.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// itemMessage is the item of one message as another.
func itemMessage(subject string, header nats.Header, data []byte) *nats.Msg {
	m := nats.NewMsg(subject)
	m.Data = data
	for _, name := range []string{headerID, headerKey, headerAccepted, headerTrace} {
		if value := header.Get(name); value != "" {
			m.Header.Set(name, value)
		}
	}
	return m
}

// delivery is an item as a message has it.
func delivery(header nats.Header, data []byte, attempt int) inbox.Delivery {
	accepted, _ := time.Parse(time.RFC3339Nano, header.Get(headerAccepted))
	return inbox.Delivery{
		Item:    inbox.Item{ID: header.Get(headerID), Key: header.Get(headerKey), Data: data, Trace: header.Get(headerTrace)},
		Attempt: attempt, Accepted: accepted,
	}
}
