package bottest

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"time"

	"github.com/solafon/solafon-go/gen/platform"
)

// Faults is what goes wrong between the platform and its bot. The zero value is
// that nothing does.
type Faults struct {
	// Duplicate delivers each update so many times, where it is more than 1.
	Duplicate int
	// Reorder holds updates back until there are so many, and delivers the last one
	// first.
	Reorder int
	// Form is how updates are written: WebhookFlat, WebhookNested or WebhookBare.
	Form platform.WebhookForm
	// BadJSON delivers each update without its last byte first.
	BadJSON bool
	// Paused delivers nothing: updates wait for getUpdates.
	Paused bool
	// Slow waits so long before each call of the API is answered.
	Slow time.Duration
	// Status answers calls of the API with it, such as 500, without doing them.
	Status int
	// DropAnswers does what calls of the API ask for, and breaks the connection
	// instead of answering.
	DropAnswers bool
	// Calls bounds Status and DropAnswers to the next so many calls; 0 is all.
	Calls int
	// Limit answers 429 from the call on that is one more than so many a minute, and
	// tells of the limit in each answer's headers.
	Limit int
}

// Fault is one thing that goes wrong.
type Fault func(*Faults)

// Duplicate delivers each update so many times.
func Duplicate(times int) Fault { return func(f *Faults) { f.Duplicate = times } }

// Reorder delivers so many updates at a time, the last one first.
func Reorder(updates int) Fault { return func(f *Faults) { f.Reorder = updates } }

// Form writes updates in another of the platform's forms.
func Form(form platform.WebhookForm) Fault { return func(f *Faults) { f.Form = form } }

// BadJSON delivers each update without its last byte first.
func BadJSON() Fault { return func(f *Faults) { f.BadJSON = true } }

// Paused leaves updates to getUpdates although a webhook is set.
func Paused() Fault { return func(f *Faults) { f.Paused = true } }

// Slow waits so long before each call of the API is answered.
func Slow(d time.Duration) Fault { return func(f *Faults) { f.Slow = d } }

// Status answers the next so many calls of the API with a status such as 500,
// without doing them; all calls where calls is 0.
func Status(status, calls int) Fault {
	return func(f *Faults) { f.Status, f.Calls = status, calls }
}

// DropAnswers does what the next so many calls of the API ask for, and breaks the
// connection instead of answering; of all calls where calls is 0.
func DropAnswers(calls int) Fault {
	return func(f *Faults) { f.DropAnswers, f.Calls = true, calls }
}

// Limit answers 429 to calls of the API beyond so many a minute.
func Limit(perMinute int) Fault { return func(f *Faults) { f.Limit = perMinute } }

// Fault adds faults to those that there are, from the next delivery and call on.
func (p *Platform) Fault(faults ...Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f := p.faults
	for _, fault := range faults {
		fault(&f)
	}
	p.become(f)
}

// SetFaults makes the faults those that are given: Faults{} heals everything.
func (p *Platform) SetFaults(f Faults) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.become(f)
}

// Faults is what goes wrong now.
func (p *Platform) Faults() Faults {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.faults
}

// become sets the faults, and lets go of what the ones before held back. The lock
// is held.
func (p *Platform) become(f Faults) {
	p.faults = f
	p.window = nil
	held := p.held
	p.held = nil
	for _, u := range held {
		p.dispatch(u)
	}
	p.release()
	p.tell(Change{Settings: p.copySettings()})
}

// faulty puts the faults around the API, and notes its calls.
func (p *Platform) faulty(api http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/bot/") {
			api.ServeHTTP(w, r)
			return
		}
		f, over := p.enter(w.Header())
		if f.Slow > 0 {
			timer := time.NewTimer(f.Slow)
			select {
			case <-timer.C:
			case <-r.Context().Done():
				timer.Stop()
			}
		}
		switch {
		case over > 0:
			w.Header().Set("Retry-After", strconv.Itoa(int(over/time.Second)+1))
			p.refuse(w, r, http.StatusTooManyRequests)
		case f.Status != 0:
			p.refuse(w, r, f.Status)
		case f.DropAnswers:
			api.ServeHTTP(httptest.NewRecorder(), r)
			p.note(r, 0)
			panic(http.ErrAbortHandler)
		default:
			rec := &statusRecorder{ResponseWriter: w, status: http.StatusOK}
			api.ServeHTTP(rec, r)
			p.note(r, rec.status)
		}
	})
}

// enter is the faults that a call meets, and how long it has to wait for the limit.
func (p *Platform) enter(header http.Header) (f Faults, over time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f = p.faults
	if f.Limit > 0 {
		over = p.limit(header, f.Limit)
	}
	if over == 0 && f.Calls > 0 && (f.Status != 0 || f.DropAnswers) {
		if p.faults.Calls--; p.faults.Calls == 0 {
			p.faults.Status, p.faults.DropAnswers = 0, false
		}
	}
	return f, over
}

// limit counts a call within the last minute. The lock is held.
func (p *Platform) limit(header http.Header, most int) (over time.Duration) {
	now := time.Now()
	for len(p.window) > 0 && now.Sub(p.window[0]) > time.Minute {
		p.window = p.window[1:]
	}
	if len(p.window) < most {
		p.window = append(p.window, now)
	} else {
		over = p.window[0].Add(time.Minute).Sub(now)
	}
	header.Set("X-RateLimit-Limit", strconv.Itoa(most))
	header.Set("X-RateLimit-Remaining", strconv.Itoa(most-len(p.window)))
	header.Set("X-RateLimit-Reset", strconv.FormatInt(p.window[0].Add(time.Minute).Unix()+1, 10))
	return over
}

// refuse answers as the API does when it fails.
func (p *Platform) refuse(w http.ResponseWriter, r *http.Request, status int) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write([]byte(`{"ok":false,"error_code":` + strconv.Itoa(status) + `,"description":"` + http.StatusText(status) + `"}` + "\n"))
	p.note(r, status)
}

// note remembers a call.
func (p *Platform) note(r *http.Request, status int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls = kept(p.calls, Call{Path: r.URL.Path, Status: status, At: time.Now()})
}

// statusRecorder remembers the status that was written.
type statusRecorder struct {
	http.ResponseWriter
	status int
}

// WriteHeader writes it and remembers it.
func (w *statusRecorder) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}
