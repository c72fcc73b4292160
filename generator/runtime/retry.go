package runtime

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"
)

// RetryPolicy says how often and how soon a call that failed is repeated. A
// field that is zero stands for its default; MaxAttempts: 1 turns repeating off.
//
// A call that can be repeated without harm is repeated after a 5xx, after a
// connection that was lost and after 429. Any other is repeated after 429, and
// after a failure that proves that nothing was sent. Each method's
// documentation says which it is.
type RetryPolicy struct {
	// MaxAttempts is how many requests one call makes at most. Default 4.
	MaxAttempts int
	// MinBackoff and MaxBackoff bound the waits between attempts. Each is a
	// random part of a limit that starts at MinBackoff, doubles with every
	// attempt and ends at MaxBackoff. Default 500 ms and 10 seconds.
	MinBackoff, MaxBackoff time.Duration
	// MaxElapsed is how long after its start a call may start its last attempt;
	// the context's deadline can end it earlier. Default 2 minutes.
	MaxElapsed time.Duration
	// MaxRetryAfter is the longest wait that an answer may ask for. A call that
	// is asked to wait longer fails at once, and Error.RetryAfter tells how long.
	// Default 1 minute.
	MaxRetryAfter time.Duration
	// Jitter picks the random part of a wait, below limit. Left nil, every part
	// is as likely as any other.
	Jitter func(limit time.Duration) time.Duration
}

var defaultRetry = RetryPolicy{
	MaxAttempts: 4, MinBackoff: 500 * time.Millisecond, MaxBackoff: 10 * time.Second,
	MaxElapsed: 2 * time.Minute, MaxRetryAfter: time.Minute,
	Jitter: func(limit time.Duration) time.Duration { return rand.N(limit) },
}

// WithRetry sets how calls that failed are repeated.
func WithRetry(policy RetryPolicy) Option {
	return func(c *Client) error {
		p, d := policy, defaultRetry
		if p.MaxAttempts < 0 || min(p.MinBackoff, p.MaxBackoff, p.MaxElapsed, p.MaxRetryAfter) < 0 {
			return errors.New("WithRetry: a field is negative; leave it zero for its default")
		}
		p.MaxAttempts = cmp.Or(p.MaxAttempts, d.MaxAttempts)
		p.MinBackoff = cmp.Or(p.MinBackoff, d.MinBackoff)
		p.MaxBackoff = max(cmp.Or(p.MaxBackoff, d.MaxBackoff), p.MinBackoff)
		p.MaxElapsed = cmp.Or(p.MaxElapsed, d.MaxElapsed)
		p.MaxRetryAfter = cmp.Or(p.MaxRetryAfter, d.MaxRetryAfter)
		if p.Jitter == nil {
			p.Jitter = d.Jitter
		}
		c.retry = p
		return nil
	}
}

// backoff is the wait after the attempt of the given number.
func (p *RetryPolicy) backoff(attempt int) time.Duration {
	limit := p.MaxBackoff
	if shift := attempt - 1; shift < 32 && p.MinBackoff<<shift > 0 {
		limit = min(limit, p.MinBackoff<<shift)
	}
	return p.Jitter(limit)
}

// again waits for the time of the next attempt, and tells whether there is to be
// one. Where the failure could be mended and is not, its text says why.
func (p *RetryPolicy) again(a *attempt, start time.Time, e *Error) bool {
	if !e.repeatable(a) {
		if !a.op.idempotent && (e.lost || e.Status >= 500) {
			e.ending = "it may have been done all the same, so it is not repeated"
		}
		return false
	}
	if a.number == p.MaxAttempts {
		return false
	}
	if e.RetryAfter > p.MaxRetryAfter {
		e.ending = fmt.Sprintf("it asks to wait %v, longer than RetryPolicy.MaxRetryAfter", e.RetryAfter)
		return false
	}
	pause := p.backoff(a.number)
	if e.RetryAfter > 0 {
		// A little more than was asked for, so that not all who wait come at once.
		pause = e.RetryAfter + p.Jitter(p.MinBackoff)
	}
	if time.Since(start)+pause > p.MaxElapsed {
		e.ending = fmt.Sprintf("another attempt would come later than RetryPolicy.MaxElapsed, %v", p.MaxElapsed)
		return false
	}
	if err := sleep(a.Context, pause, nil); err != nil {
		e.stopped(err)
		return false
	}
	return true
}

// errTooLate is a wait that cannot end before its context does.
var errTooLate = fmt.Errorf("its turn would come after the context's deadline: %w", context.DeadlineExceeded)

// sleep waits, and less where something comes through woken. A wait that cannot
// end before the context's deadline is not begun.
func sleep(ctx context.Context, pause time.Duration, woken <-chan struct{}) error {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < pause {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return errTooLate
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-woken:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}

// repeatable tells whether another attempt may be made and could go better.
func (e *Error) repeatable(a *attempt) bool {
	status := e.Status
	if status/100 == 2 {
		status = e.Code // a refusal that came with a status of success
	}
	switch {
	case a.Err() != nil:
		return false
	case e.lost:
		return a.op.idempotent || e.Status == 0 && a.unsent(e.cause)
	case status == http.StatusTooManyRequests:
		return true
	}
	return status >= 500 && a.op.idempotent
}

// askedWait is how long an answer asks to wait: its Retry-After header in both
// its forms or, with 429, when its limit starts anew.
func askedWait(resp *http.Response, limits rateHeaders) time.Duration {
	now := answeredAt(resp)
	value := resp.Header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(0, at.Sub(now))
	}
	if resp.StatusCode == http.StatusTooManyRequests {
		if reset, ok := limits.resetAt(resp); ok {
			return max(0, reset.Sub(now))
		}
	}
	return 0
}

// answeredAt is the moment of an answer by the clock of who sent it, by which
// the moments in its headers are meant.
func answeredAt(resp *http.Response) time.Time {
	if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		return date
	}
	return time.Now()
}
