package solafon_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/solafon/solafon-go/gen/solafon"
)

const rest = `,"from":{"id":456},"chat":{"id":456}}`

// malformed are bodies that must be refused, with where and why.
var malformed = []struct {
	name, body, path string
	offset           int
	reason           string
}{
	{"nothing", ``, "", 0, "cut short"},
	{"white space", " \n", "", 2, "cut short"},
	{"null", `null`, "", 0, "must be an object, is null"},
	{"a list", `[]`, "", 0, "must be an object, is an array"},
	{"HTML", `<html>`, "", 0, `starts with '<'`},
	{"cut short", `{"update_id":1`, "", 14, "wants ','"},
	{"a comma too many", `{"update_id":1,}`, "", 15, "member's name"},
	{"no colon", `{"update_id" 1}`, "", 13, "':'"},
	{"trailing bytes", `{"update_id":1` + rest + `x`, "", 51, "goes on"},
	{"two documents", `{"update_id":1` + rest + `{}`, "", 51, "goes on"},
	{"a byte order mark", "\ufeff" + `{"update_id":1` + rest, "", 0, "must be an object"},
	{"no identifier", `{"from":{"id":456},"chat":{"id":456}}`, "/update_id", 36, "required"},
	{"identifier null", `{"update_id":null,"message_id":1` + rest, "/update_id", 13, "is null"},
	{"nested without identifier", `{"message":{"message_id":1` + rest + `}`, "/update_id", 63, "required"},
	{"no user", `{"update_id":1,"chat":{"id":456}}`, "/from", 32, "required"},
	{"user null", `{"update_id":1,"from":null,"chat":{"id":456}}`, "/from", 22, "is null"},
	{"user without number", `{"update_id":1,"from":{},"chat":{"id":456}}`, "/from/id", 23, "required"},
	{"nested user without number", `{"update_id":1,"message":{"from":{"name":"x"},"chat":{"id":456}}}`, "/message/from/id", 44, "required"},
	{"no chat", `{"update_id":1,"from":{"id":456}}`, "/chat", 32, "required"},
	{"a string for a number", `{"update_id":"1"` + rest, "/update_id", 13, "is a string"},
	{"a fraction", `{"update_id":1.0` + rest, "/update_id", 13, "whole number"},
	{"an exponent", `{"update_id":1e2` + rest, "/update_id", 13, "whole number"},
	{"a leading zero", `{"update_id":01` + rest, "", 14, "wants ','"},
	{"a plus", `{"update_id":+1` + rest, "/update_id", 13, "starts with '+'"},
	{"only a minus", `{"update_id":-` + rest, "/update_id", 14, "digit"},
	{"too large", `{"update_id":9223372036854775808` + rest, "/update_id", 13, "out of range"},
	{"too small", `{"update_id":-9223372036854775809` + rest, "/update_id", 13, "out of range"},
	{"far too large", `{"update_id":99999999999999999999999` + rest, "/update_id", 13, "out of range"},
	{"text is a number", `{"update_id":1,"text":5` + rest, "/text", 22, "must be a string, is a number"},
	{"not UTF-8", "{\"update_id\":1,\"text\":\"a\xff\"" + rest, "/text", 24, "UTF-8"},
	{"not UTF-8 behind an escape", "{\"update_id\":1,\"text\":\"\\n\xff\"" + rest, "/text", 25, "UTF-8"},
	{"a surrogate as UTF-8", "{\"update_id\":1,\"text\":\"\xed\xa0\x80\"" + rest, "/text", 23, "UTF-8"},
	{"a control character", "{\"update_id\":1,\"text\":\"a\nb\"" + rest, "/text", 24, "U+000A"},
	{"an unknown escape", `{"update_id":1,"text":"\x41"` + rest, "/text", 23, "escape"},
	{"a short escape", `{"update_id":1,"text":"\u12"` + rest, "/text", 23, "four hexadecimal"},
	{"half a pair", `{"update_id":1,"text":"\ud83d"` + rest, "/text", 23, "surrogate"},
	{"the other half", `{"update_id":1,"text":"\ude00"` + rest, "/text", 23, "surrogate"},
	{"half a pair and a letter", `{"update_id":1,"text":"\ud83d\u0041"` + rest, "/text", 23, "surrogate"},
	{"a string without an end", `{"update_id":1,"text":"abc`, "/text", 26, "without an end"},
	{"an escape without an end", `{"update_id":1,"text":"abc\`, "/text", 26, "without an end"},
	{"unknown member malformed", `{"update_id":1,"new":{"a/b":[1,tru]}` + rest, "/new/a~1b/1", 31, "starts with 't'"},
	{"unknown number malformed", `{"update_id":1,"new":1.` + rest, "/new", 23, "digit"},
	{"unknown not UTF-8", "{\"update_id\":1,\"new\":\"\xff\"" + rest, "/new", 22, "UTF-8"},
	{"single quotes", `{'update_id':1}`, "", 1, "member's name"},
}

func TestMalformed(t *testing.T) {
	for _, c := range malformed {
		t.Run(c.name, func(t *testing.T) {
			_, err := solafon.DecodeUpdate([]byte(c.body))
			var d *solafon.DecodeError
			if !errors.As(err, &d) {
				t.Fatalf("DecodeUpdate(%s) = %v, want a *DecodeError", c.body, err)
			}
			if d.Path != c.path || d.Offset != c.offset || !strings.Contains(d.Reason, c.reason) {
				t.Errorf("DecodeUpdate(%s) = %q at %d: %s\nwant %q at %d: …%s…", c.body, d.Path, d.Offset, d.Reason, c.path, c.offset, c.reason)
			}
			if u, err := solafon.DecodeUpdateInPlace([]byte(c.body)); err == nil || u.UpdateID != 0 {
				t.Errorf("DecodeUpdateInPlace(%s) = %+v, %v", c.body, u, err)
			}
		})
	}
}

func TestDepth(t *testing.T) {
	body := func(depth int) []byte {
		return []byte(`{"update_id":1,"deep":` + strings.Repeat("[", depth) + strings.Repeat("]", depth) + rest)
	}
	if _, err := solafon.DecodeUpdate(body(999)); err != nil {
		t.Errorf("1,000 deep: %v", err)
	}
	if _, err := solafon.DecodeUpdate(body(1000)); err == nil {
		t.Error("1,001 deep is accepted")
	}
	if _, err := solafon.DecodeUpdate(body(1_000_000)); err == nil {
		t.Error("a million deep is accepted")
	}
}

func TestAccepted(t *testing.T) {
	for name, c := range map[string]struct {
		body string
		want func(u *solafon.Update) bool
	}{
		"unknown members of every kind": {
			`{"update_id":1,"a":{"b":[1,-2.5e+3,"x\"\u0000",null,true,false,{}]},"b":[],"c":{}` + rest,
			func(u *solafon.Update) bool { return u.UpdateID == 1 && strings.Contains(string(u.Raw), `-2.5e+3`) },
		},
		"optional members null": {
			`{"update_id":1,"message_id":null,"date":null,"text":null,"from":{"id":2,"name":null},"chat":{"id":2,"type":null}}`,
			func(u *solafon.Update) bool { return u.Text == "" && u.From.ID == 2 },
		},
		"the last of a member counts": {
			`{"update_id":1,"update_id":2,"text":"a","text":"b","from":{"id":1,"name":"x"}` + rest,
			func(u *solafon.Update) bool {
				return u.UpdateID == 2 && u.Text == "b" && u.From == solafon.User{ID: 456}
			},
		},
		"escaped names": {
			`{"\u0075pdate_id":1` + rest,
			func(u *solafon.Update) bool { return u.UpdateID == 1 },
		},
		"an emoji as a pair": {
			`{"update_id":1,"text":"\ud83d\ude00\u003c\u2028"` + rest,
			func(u *solafon.Update) bool { return u.Text == "😀<\u2028" },
		},
		"the limits of a number": {
			`{"update_id":9223372036854775807,"date":-9223372036854775808` + rest,
			func(u *solafon.Update) bool { return u.UpdateID == 1<<63-1 && u.Date == -1<<63 },
		},
		"bare": {
			`{"message_id":7` + rest,
			func(u *solafon.Update) bool { return u.UpdateID == 7 && u.MessageID == 7 },
		},
		"nested, identifier last": {
			`{"message":{"message_id":7,"text":"x"` + rest + `,"update_id":9}`,
			func(u *solafon.Update) bool { return u.UpdateID == 9 && u.MessageID == 7 && u.Text == "x" },
		},
		"an unknown kind of chat": {
			`{"update_id":1,"from":{"id":1},"chat":{"id":1,"type":"group"}}`,
			func(u *solafon.Update) bool { return u.Chat.Type == "group" },
		},
		"white space everywhere": {
			" \t\r\n{ \"update_id\" : 1 , \"from\" : { \"id\" : 1 } , \"chat\" : { \"id\" : 1 } } \n",
			func(u *solafon.Update) bool { return u.UpdateID == 1 },
		},
	} {
		t.Run(name, func(t *testing.T) {
			u, err := solafon.DecodeUpdate([]byte(c.body))
			if err != nil || !c.want(&u) {
				t.Errorf("DecodeUpdate(%s) = %+v, %v", c.body, u, err)
			}
		})
	}
}

func TestDecodeKeepsNothingOfItsInput(t *testing.T) {
	data := []byte(`{"update_id":1,"text":"hello"` + rest)
	u, err := solafon.DecodeUpdate(data)
	if err != nil {
		t.Fatal(err)
	}
	for i := range data {
		data[i] = 'x'
	}
	if u.Text != "hello" || !strings.Contains(string(u.Raw), "hello") {
		t.Errorf("the update changed with its input: %+v", u)
	}
}

func TestDecodeInPlaceDoesNotAllocate(t *testing.T) {
	data := []byte(`{"chat":{"id":456,"type":"private"},"date":1704067200,"from":{"email":"user@example.com","id":456,"language":"en","name":"John"},"message_id":123,"text":"/start","update_id":123}`)
	if n := testing.AllocsPerRun(100, func() {
		if _, err := solafon.DecodeUpdateInPlace(data); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("DecodeUpdateInPlace allocates %v times", n)
	}
}

func TestUnmarshalJSONKeepsTheValueOnFailure(t *testing.T) {
	u := solafon.Update{UpdateID: 5}
	if err := u.UnmarshalJSON([]byte(`{"update_id":6}`)); err == nil || u.UpdateID != 5 {
		t.Errorf("after a failure the update is %+v, %v", u, err)
	}
	if err := u.UnmarshalJSON([]byte(`null`)); err != nil || u.UpdateID != 5 {
		t.Errorf("null made it %+v, %v", u, err)
	}
}

func TestEncodeRefusesWhatIsNotUTF8(t *testing.T) {
	before := []byte("before")
	got, err := solafon.Update{Text: "\xff"}.AppendJSON(before)
	var e *solafon.EncodeError
	if !errors.As(err, &e) || e.Path != "/text" || string(got) != "before" {
		t.Errorf("AppendJSON = %q, %v", got, err)
	}
}
