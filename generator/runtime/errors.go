package runtime

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// maxErrorBody is how many bytes of a failure's body Error keeps.
const maxErrorBody = 4 << 10

// Error is a call that failed, whatever the reason. Nothing in it holds a
// credential of the client's: where an answer repeats one, "[redacted]" stands
// in its place.
type Error struct {
	// Operation is the operation as the API's document names it.
	Operation string
	// Status is the answer's HTTP status; 0 when there was no answer.
	Status int
	// Code is the code that the answer's body gives, or Status.
	Code int
	// Description is the API's words, 1 KiB at most, or what went wrong before it
	// could say any.
	Description string
	// RetryAfter is how long the answer asks to wait; 0 when it does not ask.
	RetryAfter time.Duration
	// Attempts is how many requests were made.
	Attempts int
	// Body is the start of the answer's body, 4 KiB at most.
	Body []byte

	cause  error
	lost   bool   // there is no answer, or half of one
	advice string // what to do about it
	ending string // why there was no further attempt
}

// Error says operation, status, description, what to do about it where that is
// known, and how often it was tried, on one line.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Operation + ": ")
	if e.Status != 0 {
		fmt.Fprintf(&b, "%d ", e.Status)
	}
	b.WriteString(e.Description)
	if e.advice != "" {
		b.WriteString("; " + e.advice)
	}
	if e.Attempts > 1 || e.ending != "" {
		b.WriteString(" (" + counted(e.Attempts, "attempt"))
		if e.ending != "" {
			b.WriteString("; " + e.ending)
		}
		b.WriteString(")")
	}
	return b.String()
}

func counted(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return fmt.Sprintf("%d %s", n, thing)
}

// Unwrap returns what made the call fail when that was not the API: a network
// error, the context's end, or a *DecodeError.
func (e *Error) Unwrap() error { return e.cause }

// Is reports whether the failure is the one that target stands for.
func (e *Error) Is(target error) bool {
	s, ok := target.(*sentinel)
	return ok && s.matches(e)
}

// stopped notes that the wait for another attempt ended early.
func (e *Error) stopped(err error) {
	if err == errTooLate {
		e.ending = "another would come after the context's deadline"
		return
	}
	e.ending = "the wait for another ended: " + err.Error()
	if e.cause == nil {
		e.cause = err
	} else {
		e.cause = errors.Join(e.cause, err)
	}
}

// sentinel is a kind of failure for errors.Is.
type sentinel struct {
	text     string
	statuses []int
	contains string // what the description holds, in lower case
}

func (s *sentinel) Error() string { return s.text }

func (s *sentinel) matches(e *Error) bool {
	for _, status := range s.statuses {
		if e.Status == status || e.Status/100 == 2 && e.Code == status {
			return strings.Contains(strings.ToLower(e.Description), s.contains)
		}
	}
	return false
}

// advice is what to do about a kind of failure.
type advice struct {
	failure error
	text    string
}

// failed is a call that got no answer.
func (c *Client) failed(op *operation, description string, cause error) *Error {
	return &Error{Operation: op.name, Description: oneLine(c.secrets.text(description)), cause: c.secrets.error(cause)}
}

// answered is a call whose answer is of no use.
func (c *Client) answered(op *operation, resp *http.Response, data []byte, description string, cause error) *Error {
	e := c.failed(op, description, cause)
	e.Status, e.Code = resp.StatusCode, resp.StatusCode
	e.RetryAfter = askedWait(resp, c.limits)
	e.Body = []byte(c.secrets.start(data, maxErrorBody))
	return e
}

// refused is a call that the API refused, in its own format or in plain text.
func (c *Client) refused(op *operation, resp *http.Response, data []byte) *Error {
	e := c.answered(op, resp, data, "", nil)
	var d decoder
	d.begin(data, copied)
	i := d.object(0)
	for name := i; i >= 0; i = d.next(i, name) {
		name = i
		key, value := d.key(i)
		value = d.space(value)
		switch {
		case key == op.failure.code && !d.byte(value, 'n'):
			var code int32
			code, i = d.int32(value, notNull)
			e.Code = int(code)
		case key == op.failure.description && d.byte(value, '"'):
			var text string
			text, i = d.string(value, notNull)
			e.Description = shortened(oneLine(c.secrets.text(text)))
		default:
			i = d.skip(value)
		}
	}
	if d.finish(^i) != nil || e.Description == "" {
		e.Code = resp.StatusCode
		e.Description = plainText(resp.StatusCode, e.Body)
	}
	for _, a := range op.advice {
		if e.Is(a.failure) {
			e.advice = a.text
			break
		}
	}
	return e
}

// plainText makes a description of a body in no known format.
func plainText(status int, body []byte) string {
	words := oneLine(string(body[:min(len(body), 200)]))
	if name := http.StatusText(status); words == "" || strings.HasPrefix(words, "<") {
		return strings.TrimSpace(name + " " + words)
	}
	return words
}

// maxDescription is how many bytes of the API's words Error keeps.
const maxDescription = 1 << 10

// shortened is a text that an error can end with: "…" tells that it goes on.
func shortened(text string) string {
	if len(text) <= maxDescription {
		return text
	}
	return strings.ToValidUTF8(text[:maxDescription], "") + "…"
}

// oneLine is a text of others on one line.
func oneLine(text string) string {
	if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == '\u2028' || r == '\u2029' || r == 0x7f || r == '\uFFFD' }) {
		text = strings.Map(func(r rune) rune {
			switch {
			case r == '\uFFFD':
				return -1
			case r < ' ' || r == 0x7f || r == '\u2028' || r == '\u2029':
				return ' '
			}
			return r
		}, text)
		return strings.Join(strings.Fields(text), " ")
	}
	return text
}

// misfit says what is wrong with the answer of a call that succeeded.
func (c *Client) misfit(data []byte, err error) string {
	start := fmt.Sprintf("it starts with %q", c.secrets.start(data, 60))
	var whole decoder
	whole.begin(data, copied)
	switch first := strings.TrimSpace(string(data[:min(len(data), 60)])); {
	case first == "":
		return "the answer is empty, and JSON is wanted"
	case first[0] == '<':
		return "the answer is HTML or XML, and JSON is wanted: " + start
	case whole.finish(whole.skip(0)) != nil:
		return "the answer is not JSON, or half of it: " + err.Error() + "; " + start
	}
	return "the answer is not what it should be: " + err.Error()
}
