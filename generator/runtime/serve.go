package runtime

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// maxRequest is how many bytes of a request's body are read.
const maxRequest = 1 << 20

// Failure is how a method of Server refuses a call. It is sent in the format
// that the operation's failures have in the API's document.
type Failure struct {
	// Status is the HTTP status, and the code in the body where there is one.
	Status int
	// Description says why. Left empty, it is the status's own name.
	Description string
	// RetryAfter, when it is set, is sent as the Retry-After header, in whole
	// seconds.
	RetryAfter time.Duration
}

// Error says status and description on one line.
func (f *Failure) Error() string { return fmt.Sprintf("%d %s", f.Status, f.Description) }

// failureFormat names the members of a refusal; an empty name is left out.
type failureFormat struct{ ok, code, description string }

// answerFormat is how an operation answers.
type answerFormat struct {
	status      int
	ok, result  string // the members of the envelope; result is empty where there is none
	description string // the member that holds words, and the words
	words       string
	failure     failureFormat
}

// scheme is where a credential stands in a request.
type scheme struct {
	header string
	prefix string
	bare   bool // the prefix may be left out
}

// token reads the credential from a request; it is empty where there is none.
func (s scheme) token(r *http.Request) string {
	value := r.Header.Get(s.header)
	if len(value) >= len(s.prefix) && strings.EqualFold(value[:len(s.prefix)], s.prefix) {
		return strings.TrimSpace(value[len(s.prefix):])
	}
	if s.bare {
		return value
	}
	return ""
}

// refuse sends a failure; any error that is no *Failure is a 500, logged here
// and not shown to the caller.
func (f *answerFormat) refuse(w http.ResponseWriter, r *http.Request, err error) {
	var failure *Failure
	if !errors.As(err, &failure) {
		slog.ErrorContext(r.Context(), "request failed", "method", r.Method, "path", r.URL.Path, "error", err)
		failure = &Failure{Status: http.StatusInternalServerError}
	}
	description := failure.Description
	if description == "" {
		description = http.StatusText(failure.Status)
	}
	body := make(map[string]any, 3)
	if f.failure.ok != "" {
		body[f.failure.ok] = false
	}
	if f.failure.code != "" {
		body[f.failure.code] = failure.Status
	}
	if f.failure.description != "" {
		body[f.failure.description] = description
	}
	if failure.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(failure.RetryAfter.Seconds()))))
	}
	if len(body) == 0 {
		http.Error(w, description, failure.Status)
		return
	}
	writeJSON(w, failure.Status, body)
}

// answer sends what a method of Server returned.
func (f *answerFormat) answer(w http.ResponseWriter, r *http.Request, result any, err error) {
	if err != nil {
		f.refuse(w, r, err)
		return
	}
	result = revealed(result)
	if f.result == "" {
		writeJSON(w, f.status, result)
		return
	}
	body := map[string]any{f.result: result}
	if f.ok != "" {
		body[f.ok] = true
	}
	if f.words != "" {
		body[f.description] = f.words
	}
	writeJSON(w, f.status, body)
}

// revealer is a type with secrets in it.
type revealer interface{ RevealJSON() ([]byte, error) }

// revealing writes a value with its secrets shown.
type revealing struct{ revealer }

// MarshalJSON writes what RevealJSON does.
func (r revealing) MarshalJSON() ([]byte, error) { return r.RevealJSON() }

// revealed is a result whose secrets its caller may see: it asked for them.
func revealed(result any) any {
	if r, ok := result.(revealer); ok {
		return revealing{r}
	}
	list := reflect.ValueOf(result)
	if list.Kind() != reflect.Slice || !list.Type().Elem().Implements(reflect.TypeFor[revealer]()) {
		return result
	}
	shown := make([]any, list.Len())
	for i := range shown {
		shown[i] = revealed(list.Index(i).Interface())
	}
	return shown
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	data, err := json.Marshal(body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(data)
}

// read decodes a request's body into v, or says why it cannot be.
func read(w http.ResponseWriter, r *http.Request, v any) error {
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if err != nil {
		return &Failure{Status: http.StatusRequestEntityTooLarge, Description: err.Error()}
	}
	if err := json.Unmarshal(data, v); err != nil {
		return &Failure{Status: http.StatusBadRequest, Description: "Bad Request: " + err.Error()}
	}
	return nil
}

// pathInt reads a whole number from the path: the one that wildcard stands for,
// which the document calls name.
func pathInt[T ~int32 | ~int64](r *http.Request, wildcard, name string) (T, error) {
	n, err := strconv.ParseInt(r.PathValue(wildcard), 10, 64)
	if err != nil || int64(T(n)) != n {
		return 0, &Failure{Status: http.StatusBadRequest, Description: "Bad Request: " + name + " is not a whole number that fits"}
	}
	return T(n), nil
}
