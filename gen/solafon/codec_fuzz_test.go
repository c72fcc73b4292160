package solafon_test

import (
	"bytes"
	"errors"
	"io/fs"
	"reflect"
	"strings"
	"testing"
	"unsafe"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/solafon/solafon-go/gen/solafon"
	"github.com/solafon/solafon-go/spec"
)

// codecType is a generated type beside a reference, most often the same fields
// without the methods, which another library reads and writes by itself. What is
// inside the fields still has methods, and is a type of its own in the list.
type codecType struct {
	name string
	// decode reads with both; ours and theirs are of the reference's type.
	decode func(data []byte) (ours, theirs any, err, theirErr error)
	// encode writes the last value that decode read, with both.
	encode func() (ours, theirs []byte, err, theirErr error)
}

// unmarshaler and marshaler are the generated methods.
type unmarshaler[T any] interface {
	*T
	UnmarshalJSON([]byte) error
}

type marshaler interface{ MarshalJSON() ([]byte, error) }

// typeOf pairs a type with its reference.
func typeOf[T any, P unmarshaler[T], R any](name string, convert func(*T) *R) codecType {
	var v T
	return codecType{
		name: name,
		decode: func(data []byte) (any, any, error, error) {
			v = *new(T)
			theirs := new(R)
			err := P(&v).UnmarshalJSON(data)
			theirErr := json.Unmarshal(data, theirs)
			return convert(&v), theirs, err, theirErr
		},
		encode: func() ([]byte, []byte, error, error) {
			ours, err := any(v).(marshaler).MarshalJSON()
			theirs, theirErr := json.Marshal(convert(&v), json.Deterministic(true))
			return ours, theirs, err, theirErr
		},
	}
}

type (
	plainSetWebhookRequest    solafon.SetWebhookRequest
	plainWebhookInfo          solafon.WebhookInfo
	plainButton               solafon.Button
	plainChat                 solafon.Chat
	plainUser                 solafon.User
	plainBotInfo              solafon.BotInfo
	plainSetMyCommandsRequest solafon.SetMyCommandsRequest
	plainBotCommand           solafon.BotCommand
	plainAppSettings          solafon.AppSettings
	plainApp                  solafon.App
	plainAppCommand           solafon.AppCommand
	plainWebhookLog           solafon.WebhookLog
	plainAppCommandRequest    solafon.AppCommandRequest
	plainRegeneratedToken     solafon.RegeneratedToken
)

var codecTypes = []codecType{
	typeOf("SetWebhookRequest", func(v *solafon.SetWebhookRequest) *plainSetWebhookRequest { return (*plainSetWebhookRequest)(v) }),
	typeOf("WebhookInfo", func(v *solafon.WebhookInfo) *plainWebhookInfo { return (*plainWebhookInfo)(v) }),
	typeOf("Button", func(v *solafon.Button) *plainButton { return (*plainButton)(v) }),
	typeOf("Chat", func(v *solafon.Chat) *plainChat { return (*plainChat)(v) }),
	typeOf("User", func(v *solafon.User) *plainUser { return (*plainUser)(v) }),
	typeOf("BotInfo", func(v *solafon.BotInfo) *plainBotInfo { return (*plainBotInfo)(v) }),
	typeOf("SetMyCommandsRequest", func(v *solafon.SetMyCommandsRequest) *plainSetMyCommandsRequest {
		return (*plainSetMyCommandsRequest)(v)
	}),
	typeOf("BotCommand", func(v *solafon.BotCommand) *plainBotCommand { return (*plainBotCommand)(v) }),
	typeOf("AppSettings", func(v *solafon.AppSettings) *plainAppSettings { return (*plainAppSettings)(v) }),
	typeOf("App", func(v *solafon.App) *plainApp { return (*plainApp)(v) }),
	typeOf("AppCommand", func(v *solafon.AppCommand) *plainAppCommand { return (*plainAppCommand)(v) }),
	typeOf("WebhookLog", func(v *solafon.WebhookLog) *plainWebhookLog { return (*plainWebhookLog)(v) }),
	typeOf("AppCommandRequest", func(v *solafon.AppCommandRequest) *plainAppCommandRequest { return (*plainAppCommandRequest)(v) }),
	typeOf("MessageMetadata", toReference),
	typeOf("SendMessageRequest", func(v *solafon.SendMessageRequest) *referenceRequest {
		r := &referenceRequest{ChatID: v.ChatID, Text: v.Text, MessageType: string(v.MessageType)}
		if v.Metadata != nil {
			r.Metadata.referenceMetadata = toReference(v.Metadata)
		}
		return r
	}),
	typeOf("RegeneratedToken", func(v *solafon.RegeneratedToken) *plainRegeneratedToken { return (*plainRegeneratedToken)(v) }),
}

// referenceMetadata has a member for what no field has.
type referenceMetadata struct {
	Buttons  []solafon.Button          `json:"buttons,omitzero"`
	ImageURL string                    `json:"image_url,omitzero"`
	Others   map[string]jsontext.Value `json:",embed"`
}

// referenceText is JSON in a string, or nothing.
type referenceText struct{ *referenceMetadata }

func (r *referenceText) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil || text == "" {
		return err
	}
	r.referenceMetadata = new(referenceMetadata)
	return json.Unmarshal([]byte(text), r.referenceMetadata)
}

func (r referenceText) MarshalJSON() ([]byte, error) {
	text, err := json.Marshal(r.referenceMetadata, json.Deterministic(true))
	if err != nil {
		return nil, err
	}
	return json.Marshal(string(text))
}

type referenceRequest struct {
	ChatID      int64         `json:"chat_id"`
	Text        string        `json:"text"`
	MessageType string        `json:"message_type,omitzero"`
	Metadata    referenceText `json:"metadata,omitzero"`
}

func toReference(v *solafon.MessageMetadata) *referenceMetadata {
	r := &referenceMetadata{Buttons: v.Buttons, ImageURL: v.ImageURL}
	for name, value := range v.AdditionalProperties {
		if r.Others == nil {
			r.Others = make(map[string]jsontext.Value)
		}
		r.Others[name] = jsontext.Value(value)
	}
	return r
}

// FuzzCodec reads and writes every type with this project's code and with
// another library, and compares.
func FuzzCodec(f *testing.F) {
	seeds := []string{
		`{}`, `null`, `{"id":1,"type":"private"}`, `{"id":1,"email":"a@b.c","name":"Анна","language":"ru"}`, `{"text":"Buy","action":"buy"}`,
		`{"url":"https://x.y","has_custom_certificate":false,"pending_update_count":5}`, `{"commands":[{"command":"a","description":"b"}]}`,
		`{"command":"/help","description":"Help","isEnabled":false}`, `{"apiToken":"0","message":"m"}`, `{"id":1,"is_bot":true,"can_join_groups":true}`,
		`{"chat_id":1,"text":"a","metadata":"{\"buttons\":[{\"text\":\"Buy\",\"action\":\"buy\"}],\"x\":[1]}"}`, `{"image_url":"https://x.y","b":{},"a":"\u0041"}`,
		`{"chat_id":1,"text":"a","metadata":"{\"x\":[1,\n2]}"}`, `{"id":1,"statusCode":200,"createdAt":"2024-01-01T00:00:00.5Z","request":"{\"a\":1}"}`, `{"id" : 1 , "\u0074ype":"x","new":{"a":[1,2.5e3,null]}}`,
	}
	files, err := fs.Glob(spec.Files, "examples/*.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		data, err := spec.Files.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		seeds = append(seeds, string(data))
	}
	for i := range codecTypes {
		for _, seed := range seeds {
			f.Add(uint8(i), []byte(seed))
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, data []byte) {
		c := codecTypes[int(which)%len(codecTypes)]
		before := bytes.Clone(data)
		ours, theirs, err, theirErr := c.decode(data)
		if !bytes.Equal(data, before) {
			t.Fatalf("%s: decoding changed its input %q", c.name, before)
		}
		if err != nil {
			checkDecodeError(t, data, err)
			if theirErr == nil && !strings.Contains(err.Error(), "is required and missing") && !strings.Contains(err.Error(), ", is null") && !deeperThan(data, 1000) {
				t.Fatalf("%s: %q is refused: %v", c.name, data, err)
			}
			return
		}
		if theirErr != nil {
			if errors.Is(theirErr, jsontext.ErrDuplicateName) {
				return // the last counts here
			}
			t.Fatalf("%s: %q is accepted; the reference says %v", c.name, data, theirErr)
		}
		if diff := cmp.Diff(theirs, ours, sameSecret, cmpopts.EquateEmpty(), cmp.AllowUnexported(referenceText{})); diff != "" {
			t.Fatalf("%s: %q: the reference differs: %s", c.name, data, diff)
		}
		written, theirWritten, err, theirErr := c.encode()
		if (err == nil) != (theirErr == nil) {
			t.Fatalf("%s: %q: writing it: %v; the reference: %v", c.name, data, err, theirErr)
		}
		if err == nil && !equalJSON(t, written, theirWritten) {
			t.Fatalf("%s: %q is written as\n%s\nand by the reference as\n%s", c.name, data, written, theirWritten)
		}
	})
}

// equalJSON compares texts but for white space, escapes and the order of members.
func equalJSON(t *testing.T, a, b []byte) bool {
	t.Helper()
	numbers := []jsontext.Options{jsontext.CanonicalizeRawInts(false), jsontext.CanonicalizeRawFloats(false)}
	// The JSON in a string can have white space of its own, which only this
	// project's encoder keeps.
	text := func(data []byte) jsontext.Value {
		var v struct {
			Metadata string         `json:"metadata"`
			Others   jsontext.Value `json:",embed"`
		}
		inner := jsontext.Value(nil)
		if json.Unmarshal(data, &v) == nil && v.Metadata != "" {
			inner = jsontext.Value(v.Metadata)
		}
		if inner == nil || inner.Canonicalize(numbers...) != nil {
			return data
		}
		whole, err := json.Marshal(struct {
			Metadata jsontext.Value `json:"metadata"`
			Others   jsontext.Value `json:",embed"`
		}{inner, v.Others})
		if err != nil {
			t.Fatal(err)
		}
		return whole
	}
	x, y := text(a), text(b)
	if err := errors.Join(x.Canonicalize(numbers...), y.Canonicalize(numbers...)); err != nil {
		t.Fatalf("%q beside %q: %v", a, b, err)
	}
	return bytes.Equal(x, y)
}

// sameSecret compares secrets by what they hide.
var sameSecret = cmp.Comparer(func(a, b solafon.Secret) bool { return a.Reveal() == b.Reveal() })

// FuzzEncodeUpdate writes an update of any values, which another library writes
// the same.
func FuzzEncodeUpdate(f *testing.F) {
	f.Add(int64(1), int64(2), int64(456), "user@example.com", "Анна", "ru", "private", int64(1704067200), "1 < 2 && \"да\" 😀\u2028\n\t\\\x00\x7f")
	f.Fuzz(func(t *testing.T, id, message, user int64, email, name, language, kind string, date int64, text string) {
		u := solafon.Update{
			UpdateID: id, MessageID: message, From: solafon.User{ID: user, Email: email, Name: name, Language: language},
			Chat: solafon.Chat{ID: user, Type: solafon.ChatType(kind)}, Date: date, Text: text,
		}
		const before = "before"
		got, err := u.AppendJSON([]byte(before))
		r := referenceMessage{
			MessageID: &message, From: &referenceUser{ID: &user, Email: email, Name: name, Language: language},
			Chat: &referenceChat{ID: &user, Type: kind}, Date: date, Text: text,
		}
		_, theirErr := json.Marshal(reference{UpdateID: &id, referenceMessage: r})
		if (err == nil) != (theirErr == nil) {
			t.Fatalf("%+v: %v; the reference: %v", u, err, theirErr)
		}
		if err != nil {
			var failure *solafon.EncodeError
			if !errors.As(err, &failure) || string(got) != before || !strings.HasPrefix(failure.Path, "/") {
				t.Fatalf("%+v: %q, %v", u, got, err)
			}
			return
		}
		back, accepted, comparable := referenceUpdate(got[len(before):])
		if diff := cmp.Diff(u, back, ignoreRaw); diff != "" || !accepted || !comparable {
			t.Fatalf("%+v became %s: %s", u, got, diff)
		}
	})
}

// FuzzDecodeInPlace decodes between guards: nothing outside the slice is read
// as part of it or written, and what came out of it stays as it is.
func FuzzDecodeInPlace(f *testing.F) {
	files, err := fs.Glob(spec.Files, "examples/update.*.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		data, err := spec.Files.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data, data)
	}
	f.Fuzz(func(t *testing.T, data, behind []byte) {
		const guard = "\"canary\\u00"
		whole := []byte(guard + string(data) + string(behind))
		inside := whole[len(guard) : len(guard)+len(data)] // its capacity reaches into what is behind
		got, err := solafon.DecodeUpdateInPlace(inside)
		want, wantErr := solafon.DecodeUpdate(data)
		if (err == nil) != (wantErr == nil) || err != nil && err.Error() != wantErr.Error() {
			t.Fatalf("%q behind guards: %v, alone: %v", data, err, wantErr)
		}
		if diff := cmp.Diff(want, got, ignoreRaw); diff != "" {
			t.Fatalf("%q behind guards differs: %s", data, diff)
		}
		if !bytes.HasPrefix(whole, []byte(guard)) || !bytes.HasSuffix(whole, behind) {
			t.Fatalf("%q: what is around it was written to: %q", data, whole)
		}
		within(t, reflect.ValueOf(got), inside)
	})
}

// within checks that the strings of a value are in a slice, or empty, and that
// no two of them overlap.
func within(t *testing.T, v reflect.Value, data []byte) {
	t.Helper()
	taken := make([]bool, len(data))
	first := uintptr(unsafe.Pointer(unsafe.SliceData(data)))
	var visit func(v reflect.Value)
	visit = func(v reflect.Value) {
		switch v.Kind() {
		case reflect.Struct:
			for i := range v.NumField() {
				visit(v.Field(i))
			}
		case reflect.String:
			s := v.String()
			if s == "" {
				return
			}
			from := uintptr(unsafe.Pointer(unsafe.StringData(s))) - first
			if from >= uintptr(len(data)) || int(from)+len(s) > len(data) {
				t.Fatalf("%q is outside of %q", s, data)
			}
			for i := range len(s) {
				if taken[int(from)+i] {
					t.Fatalf("%q overlaps another in %q", s, data)
				}
				taken[int(from)+i] = true
			}
		}
	}
	visit(v)
}
