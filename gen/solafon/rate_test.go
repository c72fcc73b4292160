package solafon_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/solafon/solafon-go/gen/solafon"
)

// limiting is a platform that allows so many requests in each window and says so
// in its headers, as the platform's documentation has it.
func limiting(limit int, window time.Duration, refused *atomic.Int32) func(int, http.ResponseWriter, *http.Request, func()) {
	var mu sync.Mutex
	var end time.Time
	left := 0
	return always(func(w http.ResponseWriter, r *http.Request, done func()) {
		mu.Lock()
		if now := time.Now(); !now.Before(end) {
			end, left = now.Truncate(time.Second).Add(window), limit
		}
		left--
		w.Header().Set("X-RateLimit-Limit", fmt.Sprint(limit))
		w.Header().Set("X-RateLimit-Remaining", fmt.Sprint(max(left, 0)))
		w.Header().Set("X-RateLimit-Reset", fmt.Sprint(end.Unix()))
		over := left < 0
		mu.Unlock()
		if over {
			refused.Add(1)
			answer(429, limited)(w, r, done)
			return
		}
		time.Sleep(100 * time.Millisecond) // the platform's own clock, which is the test's
		well(w, r, done)
	})
}

// TestPaceFollowsTheHeaders makes more calls than three windows allow, from many
// goroutines, and never hears 429.
func TestPaceFollowsTheHeaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var refused atomic.Int32
		n := newNetwork(t, fault{serve: limiting(100, time.Minute, &refused)})
		c, transport := n.client(t, once)
		start := time.Now()
		var callers sync.WaitGroup
		for range 64 {
			callers.Go(func() {
				for range 5 {
					if _, err := c.GetMe(context.Background()); err != nil {
						t.Error(err)
					}
				}
			})
		}
		callers.Wait()
		took := time.Since(start)
		transport.CloseIdleConnections()
		n.server.Close()
		if refused.Load() != 0 || took < 3*time.Minute || took > 3*time.Minute+10*time.Second {
			t.Errorf("%d of 320 calls were refused in %v", refused.Load(), took)
		}
	})
}

// TestPaceIsAdvice calls with a deadline before the window's end: the request is
// sent, and the platform decides.
func TestPaceIsAdvice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var refused atomic.Int32
		n := newNetwork(t, fault{serve: limiting(1, time.Minute, &refused)})
		c, transport := n.client(t)
		if _, err := c.GetMe(context.Background()); err != nil {
			t.Error(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), 9*time.Second)
		defer cancel()
		start := time.Now()
		if _, err := c.GetMe(ctx); !errors.Is(err, solafon.ErrTooManyRequests) || time.Since(start) > 0 {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		// Without a deadline it waits, and a context that ends meanwhile ends that.
		ctx, cancel = context.WithCancel(context.Background())
		time.AfterFunc(5*time.Second, cancel)
		start = time.Now()
		if _, err := c.GetMe(ctx); !errors.Is(err, context.Canceled) || time.Since(start) != 5*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		if refused.Load() != 1 {
			t.Errorf("%d calls were refused", refused.Load())
		}
		transport.CloseIdleConnections()
		n.server.Close()
	})
}

// TestRateLimit lets callers queue: they are let through in their order, a burst
// at once and then one each second, and one that leaves takes no place.
func TestRateLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t, fault{})
		c, transport := n.client(t, solafon.WithRateLimit(60, 3))
		start := time.Now()
		var mu sync.Mutex
		var order []string
		var callers sync.WaitGroup
		for i := range 8 {
			callers.Go(func() {
				ctx, cancel := context.WithCancel(context.Background())
				defer cancel()
				if i == 4 {
					time.AfterFunc(1500*time.Millisecond, cancel)
				}
				_, err := c.GetMe(ctx)
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					var e *solafon.Error
					if !errors.Is(err, context.Canceled) || !errors.As(err, &e) || e.Attempts != 0 {
						t.Error(err)
					}
					order = append(order, fmt.Sprintf("%d left at %v", i, time.Since(start)))
					return
				}
				order = append(order, fmt.Sprintf("%d at %v", i, time.Since(start)))
			})
			synctest.Wait()
		}
		callers.Wait()
		want := []string{"0 at 0s", "1 at 0s", "2 at 0s", "3 at 1s", "4 left at 1.5s", "5 at 2s", "6 at 3s", "7 at 4s"}
		if diff := cmp.Diff(want, order); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
		defer cancel()
		before := time.Now()
		if _, err := c.GetMe(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(before) > 0 {
			t.Errorf("%v after %v", err, time.Since(before))
		}
		transport.CloseIdleConnections()
		n.server.Close()
	})
}

// TestUpdates polls a platform that fails, repeats itself and has nothing to
// say for a while.
func TestUpdates(t *testing.T) {
	batch := func(ids ...int) func(http.ResponseWriter, *http.Request, func()) {
		body := ""
		for i, id := range ids {
			if i > 0 {
				body += ","
			}
			body += fmt.Sprintf(`{"update_id":%d,"from":{"id":1},"chat":{"id":1}}`, id)
		}
		return answer(200, `{"ok":true,"result":[`+body+`]}`)
	}
	script := []func(http.ResponseWriter, *http.Request, func()){
		batch(1, 2), batch(2, 3), answer(200, `{"ok":true,"result":null}`), batch(), batch(), batch(), batch(),
		answer(500, ""), answer(429, limited, "Retry-After", "40"), batch(3, 5, 4),
	}
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t, fault{serve: func(i int, w http.ResponseWriter, r *http.Request, done func()) {
			if i > len(script) {
				batch()(w, r, done)
				return
			}
			script[i-1](w, r, done)
		}})
		c, transport := n.client(t, once)
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		start := time.Now()
		var got []string
		for u, err := range c.Updates(ctx) {
			at := time.Since(start).Round(time.Second)
			if err != nil {
				got = append(got, fmt.Sprintf("%s at %v", err, at))
				continue
			}
			if got = append(got, fmt.Sprintf("%d at %v", u.UpdateID, at)); u.UpdateID == 4 {
				time.AfterFunc(10*time.Second, cancel)
			}
		}
		want := []string{
			"1 at 0s", "2 at 0s", "3 at 0s", // then waits of 1, 2, 4, 5 and 5 seconds
			"getUpdates: 500 Internal Server Error (1 attempt; it may have been done all the same, so it is not repeated) at 17s",
			"getUpdates: 429 Too Many Requests; send less often, WithRateLimit sees to that at 18s", "5 at 58s", "4 at 58s",
		}
		if diff := cmp.Diff(want, got); diff != "" || ctx.Err() == nil || time.Since(start).Round(time.Second) != 68*time.Second {
			t.Errorf("ended after %v (-want +got):\n%s", time.Since(start), diff)
		}
		// Leaving the loop ends the iteration at once.
		n.fault.serve = always(batch(7, 8, 9))
		for u := range c.Updates(context.Background()) {
			if u.UpdateID == 8 {
				break
			}
		}
		transport.CloseIdleConnections()
		n.server.Close()
	})
}

// TestMiddlewareSeesEachAttempt looks at what middleware is told, and in which
// order it is called.
func TestMiddlewareSeesEachAttempt(t *testing.T) {
	var seen []string
	watch := func(name string) solafon.Option {
		return solafon.WithMiddleware(func(next solafon.Doer) solafon.Doer {
			return doerFunc(func(r *http.Request) (*http.Response, error) {
				seen = append(seen, fmt.Sprintf("%s %s %d", name, solafon.OperationFromContext(r.Context()), solafon.AttemptFromContext(r.Context())))
				r.Header.Set("X-Trace", name)
				return next.Do(r)
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		var traces []string
		n := newNetwork(t, fault{serve: func(i int, w http.ResponseWriter, r *http.Request, done func()) {
			traces = append(traces, r.Header["X-Trace"]...)
			first(answer(500, ""))(i, w, r, done)
		}})
		c, transport := n.client(t, watch("outer"), watch("inner"))
		if _, err := c.GetMe(context.Background()); err != nil {
			t.Error(err)
		}
		transport.CloseIdleConnections()
		n.server.Close()
		if want := []string{"outer getMe 1", "inner getMe 1", "outer getMe 2", "inner getMe 2"}; !slices.Equal(seen, want) || !slices.Equal(traces, []string{"inner", "inner"}) {
			t.Errorf("%q, %q", seen, traces)
		}
	})
	if name := solafon.OperationFromContext(context.Background()); name != "" || solafon.AttemptFromContext(context.Background()) != 0 {
		t.Errorf("a context of no request is of %q", name)
	}
}
