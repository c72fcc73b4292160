package runtime

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// WithRateLimit sends perMinute requests a minute at most, and burst of them at
// once after a pause. Callers who have to wait are let through in the order in
// which they came; one whose context ends leaves its place to the next. Without
// it requests wait only once the API's own answers say that its limit is used
// up.
func WithRateLimit(perMinute, burst int) Option {
	return func(c *Client) error {
		if perMinute < 1 || burst < 1 {
			return errors.New("WithRateLimit: perMinute and burst must be at least 1; leave the option out for no limit")
		}
		c.rate = &rate{turn: make(chan struct{}, 1), every: time.Minute / time.Duration(perMinute), burst: burst}
		return nil
	}
}

// rate lets so many requests through in a time: a bucket that fills by one each
// time that every passes.
type rate struct {
	turn  chan struct{} // held by the caller who is next; Go lets the others have it in order
	every time.Duration
	burst int
	full  time.Time // when the bucket has been empty for long enough to be full
}

// take waits for a place in the bucket.
func (r *rate) take(ctx context.Context) error {
	select {
	case r.turn <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-r.turn }()
	now := time.Now()
	if r.full.Before(now) {
		r.full = now
	}
	if early := r.full.Add(-time.Duration(r.burst-1) * r.every).Sub(now); early > 0 {
		if err := sleep(ctx, early, nil); err != nil {
			return err
		}
	}
	r.full = r.full.Add(r.every)
	return nil
}

// rateHeaders names the headers in which answers tell how many requests are
// left and when, in Unix seconds, the count starts anew. They are empty where
// the API's document names none.
type rateHeaders struct{ limit, remaining, reset string }

// resetAt is when the count starts anew.
func (h rateHeaders) resetAt(resp *http.Response) (time.Time, bool) {
	value := resp.Header.Get(h.reset)
	if value == "" {
		return time.Time{}, false // before an error is made of it: most answers come this way
	}
	seconds, err := strconv.ParseInt(value, 10, 64)
	return time.Unix(seconds, 0), err == nil
}

// maxPace is the longest that requests are held back for what an answer said of
// its limit: a header that means something else must not stop a program.
const maxPace = 2 * time.Minute

// pace holds requests back once the API's answers say that its limit is used
// up, so that it does not have to refuse them. It is advice: where a caller
// cannot wait for as long, the request is sent and the API decides.
type pace struct {
	turn    chan struct{} // held by the caller who is next
	changed chan struct{} // an answer came while somebody waited

	mu         sync.Mutex
	known      bool      // an answer told the following
	left       int       // requests that were left when the last answer was made
	limit      int       // what left starts with; 0 where it was not told
	reset      time.Time // when it starts anew; zero for a time that was not told yet
	count      int64     // the count that the above is of, by the header that tells when it ends
	unanswered int       // requests that left may not have been told of
}

func newPace() *pace {
	return &pace{turn: make(chan struct{}, 1), changed: make(chan struct{}, 1)}
}

// take waits until the API has a request left.
func (p *pace) take(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if p.pause() == 0 {
		return nil
	}
	select {
	case p.turn <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-p.turn }()
	for pause := p.pause(); pause > 0; pause = p.pause() {
		switch err := sleep(ctx, pause, p.changed); {
		case errors.Is(err, errTooLate):
			p.mu.Lock()
			p.unanswered++
			p.mu.Unlock()
			return nil
		case err != nil:
			return err
		}
	}
	return nil
}

// pause counts a request as sent and returns 0, or returns how long to wait
// before asking again.
func (p *pace) pause() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known && !p.reset.IsZero() {
		if pause := time.Until(p.reset); pause > 0 && p.left <= p.unanswered {
			return pause
		} else if pause <= 0 {
			// A new count has begun, of which no answer has told yet.
			p.known, p.left, p.reset = p.limit > 0, p.limit, time.Time{}
		}
	}
	if p.known && p.left <= p.unanswered && p.unanswered > 0 {
		return maxPace // until an answer tells
	}
	p.unanswered++
	return 0
}

// answered takes in what an answer says; resp is nil where there was none.
func (p *pace) answered(resp *http.Response, h rateHeaders) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.unanswered--
	if resp != nil {
		p.learn(resp, h)
	}
	select {
	case p.changed <- struct{}{}:
	default:
	}
}

func (p *pace) learn(resp *http.Response, h rateHeaders) {
	reset, ok := h.resetAt(resp)
	if !ok {
		return
	}
	left, err := strconv.Atoi(resp.Header.Get(h.remaining))
	if err != nil {
		return
	}
	pause := reset.Sub(answeredAt(resp))
	if pause <= 0 || pause > maxPace {
		return
	}
	if told := p.known && !p.reset.IsZero(); told && p.count == reset.Unix() {
		left = min(left, p.left) // answers can overtake each other
	} else if told && p.count > reset.Unix() {
		return
	}
	p.limit, _ = strconv.Atoi(resp.Header.Get(h.limit))
	p.known, p.left, p.reset, p.count = true, left, time.Now().Add(pause), reset.Unix()
}
