package solafon_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"github.com/solafon/solafon-go/gen/solafon"
	"github.com/solafon/solafon-go/spec"
)

// reference is an update as another JSON library reads it: with the same
// strictness, and with pointers where presence matters.
type reference struct {
	UpdateID *int64 `json:"update_id"`
	referenceMessage
	Message *referenceMessage `json:"message"`
}

type referenceMessage struct {
	MessageID *int64         `json:"message_id"`
	From      *referenceUser `json:"from"`
	Chat      *referenceChat `json:"chat"`
	Date      int64          `json:"date"`
	Text      string         `json:"text"`
}

type referenceUser struct {
	ID       *int64 `json:"id"`
	Email    string `json:"email"`
	Name     string `json:"name"`
	Language string `json:"language"`
}

type referenceChat struct {
	ID   *int64 `json:"id"`
	Type string `json:"type"`
}

// referenceUpdate decodes data with the reference. comparable is false where
// the two are known to differ: the reference keeps parts of an object that
// stands twice, and allows more depth.
func referenceUpdate(data []byte) (want solafon.Update, accepted, comparable bool) {
	var r reference
	err := json.Unmarshal(data, &r, jsontext.AllowDuplicateNames(false))
	if errors.Is(err, jsontext.ErrDuplicateName) || deeperThan(data, 1000) {
		return want, false, false
	}
	if err != nil {
		// A member that a nested payload ignores is not looked at any further
		// here, and it is there.
		return want, false, !bytes.Contains(data, []byte(`message`)) || !nested(data)
	}
	if r.UpdateID == nil && hasNull(data, "update_id") {
		return want, false, true
	}
	m := &r.referenceMessage
	if r.Message != nil {
		m = r.Message
	}
	id := r.UpdateID
	if id == nil && r.Message == nil {
		id = m.MessageID
	}
	if id == nil || m.From == nil || m.From.ID == nil || m.Chat == nil || m.Chat.ID == nil {
		return want, false, true
	}
	if r.Message != nil && (r.From != nil || r.Chat != nil || flatNulls(data)) {
		return want, false, false
	}
	want = solafon.Update{
		UpdateID: *id,
		From:     solafon.User{ID: *m.From.ID, Email: m.From.Email, Name: m.From.Name, Language: m.From.Language},
		Chat:     solafon.Chat{ID: *m.Chat.ID, Type: solafon.ChatType(m.Chat.Type)},
		Date:     m.Date,
		Text:     m.Text,
	}
	if m.MessageID != nil {
		want.MessageID = *m.MessageID
	}
	return want, true, true
}

func members(data []byte) map[string]jsontext.Value {
	var m map[string]jsontext.Value
	if json.Unmarshal(data, &m) != nil {
		return nil
	}
	return m
}

func nested(data []byte) bool { _, ok := members(data)["message"]; return ok }

func hasNull(data []byte, name string) bool { return string(members(data)[name]) == "null" }

func flatNulls(data []byte) bool { return hasNull(data, "from") || hasNull(data, "chat") }

// deeperThan counts brackets outside strings.
func deeperThan(data []byte, limit int) bool {
	depth, inString := 0, false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case !inString && (c == '{' || c == '['):
			if depth++; depth > limit {
				return true
			}
		case !inString && (c == '}' || c == ']'):
			depth--
		}
	}
	return false
}

var ignoreRaw = cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Raw" }, cmp.Ignore())

// FuzzDecodeUpdate decodes the same bytes with another library and both ways
// of this one, and encodes what they agree on.
func FuzzDecodeUpdate(f *testing.F) {
	files, err := fs.Glob(spec.Files, "examples/update.*.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		data, err := spec.Files.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	for _, c := range malformed {
		f.Add([]byte(c.body))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		before := bytes.Clone(data)
		got, err := solafon.DecodeUpdate(data)
		if !bytes.Equal(data, before) {
			t.Fatalf("DecodeUpdate changed its input %q", before)
		}
		want, accepted, comparable := referenceUpdate(data)
		if comparable && accepted != (err == nil) {
			t.Fatalf("%q: the reference accepts it: %v; DecodeUpdate: %v", data, accepted, err)
		}
		inPlace, inPlaceErr := solafon.DecodeUpdateInPlace(bytes.Clone(data))
		if (err == nil) != (inPlaceErr == nil) {
			t.Fatalf("%q: DecodeUpdate: %v, in place: %v", data, err, inPlaceErr)
		}
		if err != nil {
			checkDecodeError(t, data, err)
			return
		}
		if diff := cmp.Diff(got, inPlace, ignoreRaw); diff != "" {
			t.Fatalf("%q: in place differs: %s", data, diff)
		}
		if comparable {
			if diff := cmp.Diff(want, got, ignoreRaw); diff != "" {
				t.Fatalf("%q: the reference differs: %s", data, diff)
			}
		}
		if !bytes.Equal(got.Raw, bytes.Trim(data, " \t\r\n")) {
			t.Fatalf("%q: Raw is %q", data, got.Raw)
		}
		encoded, err := got.MarshalJSON()
		if err != nil {
			t.Fatalf("%q: cannot be encoded: %v", data, err)
		}
		again, err := solafon.DecodeUpdate(encoded)
		if err != nil {
			t.Fatalf("%q became %q: %v", data, encoded, err)
		}
		if diff := cmp.Diff(got, again, ignoreRaw); diff != "" {
			t.Fatalf("%q became %q: %s", data, encoded, diff)
		}
	})
}

func checkDecodeError(t *testing.T, data []byte, err error) {
	t.Helper()
	var d *solafon.DecodeError
	if !errors.As(err, &d) {
		t.Fatalf("%q: %T is no *DecodeError", data, err)
	}
	if d.Offset < 0 || d.Offset > len(data) || d.Reason == "" || d.Path != "" && !strings.HasPrefix(d.Path, "/") || strings.Contains(d.Error(), "\n") {
		t.Fatalf("%q: %#v", data, d)
	}
}

// FuzzAnswer gives the client any answer: it returns a result or an *Error of
// one line, and an answer that has no refusal in it is a result if another
// library finds one in it too.
func FuzzAnswer(f *testing.F) {
	for _, body := range []string{`{"ok":true,"result":{"id":1,"is_bot":true}}`, `{"result":{"id":1,"is_bot":true},"ok":true}`, `{"ok":false,"error_code":400,"description":"x\ny"}`, "<html>", "", `{"ok":true`, "\xff"} {
		f.Add(200, body)
		f.Add(400, body)
	}
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 200 || status > 599 {
			return
		}
		answer := doerFunc(func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: status, Header: http.Header{}, ContentLength: -1, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
		})
		c, err := solafon.NewClient(testToken, once, solafon.WithHTTPClient(answer))
		if err != nil {
			t.Fatal(err)
		}
		me, err := c.GetMe(t.Context())
		if err == nil {
			var a struct {
				OK     bool `json:"ok"`
				Result struct {
					ID int64 `json:"id"`
				} `json:"result"`
			}
			if json.Unmarshal([]byte(body), &a) != nil || !a.OK || a.Result.ID != me.ID || status > 299 {
				t.Errorf("%d %q is taken for %+v", status, body, me)
			}
			return
		}
		var e *solafon.Error
		if !errors.As(err, &e) || me != nil || e.Status != status || strings.ContainsAny(err.Error(), "\n\r") || len(e.Body) > 4<<10 {
			t.Errorf("%d %q: %q", status, body, err)
		}
	})
}
