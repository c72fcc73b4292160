package runtime

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
	"unsafe"

	"github.com/go-json-experiment/json/jsontext"
)

func decoding(text string, escapes escapes) (d decoder) {
	d.begin([]byte(text), escapes)
	return d
}

func TestInt(t *testing.T) {
	for text, want := range map[string]string{
		"0": "0", "-0": "0", "7": "7", "-9223372036854775808": "-9223372036854775808", "9223372036854775807": "9223372036854775807",
		"9223372036854775808": "out of range", "18446744073709551616": "out of range", "1.5": "whole number", "1e3": "whole number",
		"123456789012345678": "123456789012345678", "1234567890123456789": "1234567890123456789", "12345678": "12345678", "1234567x": "goes on",
		"99999999999999999999": "out of range", "00": "goes on", " 12": "12", "12 ": "12", "12345678.5": "whole number", "1234567:": "goes on",
		"-": "digit", "--1": "digit", "01": "goes on", "": "cut short", "true": "is a boolean", "nul": "starts with 'n'",
	} {
		d := decoding(text, copied)
		n, end := d.int64(0, notNull)
		if err := d.finish(end); err != nil && !strings.Contains(err.Error(), want) || err == nil && strconv.FormatInt(n, 10) != want {
			t.Errorf("%q: %d, %v; want %s", text, n, err, want)
		}
	}
	d := decoding("2147483648", copied)
	if d.int32(0, notNull); d.err == nil {
		t.Error("int32 takes 2147483648")
	}
}

func TestFloat(t *testing.T) {
	for text, want := range map[string]float64{"1.5": 1.5, "-2e-3": -0.002, "1E+2": 100, "0.0": 0} {
		d := decoding(text, copied)
		if f, end := d.float64(0, notNull); f != want || d.finish(end) != nil {
			t.Errorf("%s: %v, %v", text, f, d.err)
		}
	}
	for _, text := range []string{"1e999", "1.", ".5", "1e", "NaN"} {
		d := decoding(text, copied)
		if _, end := d.float64(0, notNull); d.finish(end) == nil {
			t.Errorf("%s is taken", text)
		}
	}
	d := decoding("1e300", copied)
	if d.float32(0, notNull); d.err == nil {
		t.Error("float32 takes 1e300")
	}
}

func TestTimeAndBytes(t *testing.T) {
	d := decoding(`"2024-01-02T03:04:05.678+03:00"`, copied)
	if at, end := d.time(0, notNull); d.finish(end) != nil || !at.Equal(time.Date(2024, 1, 2, 0, 4, 5, 678e6, time.UTC)) {
		t.Errorf("%v, %v", at, d.err)
	}
	d = decoding(`"yesterday"`, copied)
	if d.time(0, notNull); d.err == nil {
		t.Error("yesterday is a time")
	}
	d = decoding(`"aGk="`, copied)
	if b, end := d.bytes(0, notNull); string(b) != "hi" || d.finish(end) != nil {
		t.Errorf("%q, %v", b, d.err)
	}
}

func TestTag(t *testing.T) {
	d := decoding(`{"a":{"kind":"inner"},"kind":"circle"}`, copied)
	if tag := d.tag(0, "kind"); tag != "circle" || d.err != nil {
		t.Errorf("%q, %v", tag, d.err)
	}
}

func TestInPlaceStaysInside(t *testing.T) {
	guarded := []byte(`canary"a\u0041\n\ud83d\ude00z"canary`)
	var d decoder
	d.begin(guarded[6:len(guarded)-6:len(guarded)-6], inPlace)
	if s, end := d.string(0, notNull); s != "aA\n😀z" || d.finish(end) != nil {
		t.Errorf("%q, %v", s, d.err)
	}
	if !bytes.HasPrefix(guarded, []byte("canary")) || !bytes.HasSuffix(guarded, []byte("canary")) {
		t.Errorf("%q", guarded)
	}
}

func TestEncoderRefuses(t *testing.T) {
	for name, write := range map[string]func(*encoder, []byte) []byte{
		"NaN":          func(e *encoder, b []byte) []byte { return e.float64(b, math.NaN()) },
		"infinity":     func(e *encoder, b []byte) []byte { return e.float32(b, float32(math.Inf(1))) },
		"the year 9e9": func(e *encoder, b []byte) []byte { return e.time(b, time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)) },
		"not UTF-8":    func(e *encoder, b []byte) []byte { return e.string(b, "\xff") },
		"not JSON":     func(e *encoder, b []byte) []byte { return e.raw(b, []byte("{")) },
		"bad inner": func(e *encoder, b []byte) []byte {
			inner := encoder{start: len(b)}
			return e.quote(inner.string(b, "\xff"), &inner)
		},
	} {
		for before, path := range map[string]string{
			`{"x":`: "/x", `{"a":[1,{"b":2}],"x":`: "/x", `{"a":{"b/c":[[],{"d":"e,f:\"["},`: "/a/b~1c/2", `[`: "/0", ``: "",
		} {
			const dst = "before"
			e := encoder{start: len(dst)}
			got, err := e.appended([]byte(dst), write(&e, []byte(dst+before)))
			var failure *EncodeError
			if !errors.As(err, &failure) || string(got) != dst || failure.Path != path {
				t.Errorf("%s behind %s: %q, %v", name, before, got, err)
			}
		}
	}
}

func TestAppendInt(t *testing.T) {
	check := func(n int64) {
		if got := string(appendInt([]byte("x"), n)); got != "x"+strconv.FormatInt(n, 10) {
			t.Errorf("%d is written as %s", n, got)
		}
	}
	for n := int64(1); n > 0; n *= 10 {
		for _, around := range []int64{n - 1, n, n + 1, 2 * n, 9 * n} {
			check(around)
			check(-around)
		}
	}
	for shift := range 64 {
		check(1 << shift)
		check(1<<shift - 1)
	}
}

// FuzzQuote makes a string of JSON, which another library reads back.
func FuzzQuote(f *testing.F) {
	f.Add("plain")
	f.Add("\"\\\n\x00 Привет 👋")
	f.Fuzz(func(t *testing.T, s string) {
		for _, ready := range []bool{false, true} {
			e, inner := encoder{}, encoder{start: 1}
			b := inner.string([]byte("["), s)
			if ready && inner.err == nil {
				b = inner.raw(b[:1], []byte("\n"+string(b[1:])+"\t"))
			}
			b = e.quote(b, &inner)
			if inner.err != nil {
				return // not UTF-8
			}
			var text, back string
			if err := json.Unmarshal(b[1:], &text); err != nil {
				t.Fatalf("%s: %v", b, err)
			}
			if err := json.Unmarshal([]byte(text), &back); err != nil || back != s {
				t.Fatalf("%q became %q: %v", s, back, err)
			}
		}
	})
}

func TestAskedWait(t *testing.T) {
	const date = "Thu, 01 Jan 2026 00:00:00 GMT"
	limits := rateHeaders{limit: "X-Limit", remaining: "X-Left", reset: "X-Reset"}
	for name, c := range map[string]struct {
		status int
		header map[string]string
		want   time.Duration
	}{
		"nothing":         {429, nil, 0},
		"seconds":         {429, map[string]string{"Retry-After": "5"}, 5 * time.Second},
		"negative":        {429, map[string]string{"Retry-After": "-5"}, 0},
		"words":           {429, map[string]string{"Retry-After": "soon"}, 0},
		"a date":          {503, map[string]string{"Retry-After": "Thu, 01 Jan 2026 00:01:00 GMT"}, time.Minute},
		"a date gone by":  {503, map[string]string{"Retry-After": "Thu, 01 Jan 2015 00:01:00 GMT"}, 0},
		"reset":           {429, map[string]string{"X-Reset": "1767225607"}, 7 * time.Second},
		"reset gone by":   {429, map[string]string{"X-Reset": "1767225507"}, 0},
		"reset elsewhere": {500, map[string]string{"X-Reset": "1767225607"}, 0},
		"both":            {429, map[string]string{"X-Reset": "1767225607", "Retry-After": "3"}, 3 * time.Second},
		"reset of words":  {429, map[string]string{"X-Reset": "soon"}, 0},
	} {
		resp := &http.Response{StatusCode: c.status, Header: http.Header{"Date": {date}}}
		for key, value := range c.header {
			resp.Header.Set(key, value)
		}
		if got := askedWait(resp, limits); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// FuzzSkip compares what is taken for JSON with another library.
func FuzzSkip(f *testing.F) {
	for _, seed := range []string{`{"a":[1,-2.5e+3,"x\"\u0000",null,true,false,{}]}`, `"\ud83d\ude00"`, `[1,]`, " 1 ", `{"a":1,"a":2}`, "\"\xff\""} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if bytes.Count(data, []byte("["))+bytes.Count(data, []byte("{")) > maxDepth {
			return
		}
		before := bytes.Clone(data)
		var d decoder
		d.begin(data, inPlace)
		err := d.finish(d.skip(0))
		want := jsontext.Value(data).IsValid(jsontext.AllowDuplicateNames(true))
		if (err == nil) != want {
			t.Fatalf("%q: %v, the reference says %v", data, err, want)
		}
		if !bytes.Equal(data, before) {
			t.Fatalf("skip changed %q", before)
		}
	})
}

// FuzzString writes any string and reads it back, both ways.
func FuzzString(f *testing.F) {
	f.Add("plain")
	f.Add("\"\\/\b\f\n\r\t\x00\x1f\x7f<>&\u2028 Привет 👋")
	f.Fuzz(func(t *testing.T, s string) {
		var e encoder
		data := e.string(nil, s)
		if e.err != nil {
			if utf8.ValidString(s) {
				t.Fatalf("%q is refused: %v", s, e.err)
			}
			return // not UTF-8
		}
		var other string
		if err := json.Unmarshal(data, &other); err != nil || other != s {
			t.Fatalf("%q became %s: %v", s, data, err)
		}
		for _, mode := range []escapes{copied, inPlace} {
			d := decoding(string(data), mode)
			if got, end := d.string(0, notNull); got != s || d.finish(end) != nil {
				t.Fatalf("%q became %q: %v", s, got, d.err)
			}
		}
	})
}

// TestText reads every kind of rune, right and wrong, at every place in a word.
func TestText(t *testing.T) {
	edges := []string{
		"a", "\x7f", "\u0080", "\u07ff", "\u0800", "\u0fff", "\u1000", "\ucfff", "\ud7ff", "\ue000", "\uffff", "\U00010000", "\U0003ffff", "\U00040000", "\U000fffff", "\U00100000", "\U0010ffff",
		"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2\x41", "\xc2\xc2\x80", "\xdf\xc0", "\xe0\x9f\xbf", "\xe0\xa0", "\xe1\x80", "\xe1\x80\xc0", "\xed\xa0\x80", "\xed\xbf\xbf", "\xef\xbf",
		"\xf0\x8f\xbf\xbf", "\xf0\x90\x80", "\xf1\x80\x80", "\xf3\xbf\xbf\xc0", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xf8\x88\x80\x80\x80", "\xff", "\xe1\x80\x80\x80", "\xc2\x80\x80", "\xf1\x80\x80\x80\x80",
	}
	for _, edge := range edges {
		for _, other := range append(edges, "") {
			for _, filler := range []string{"x", "д", "语", "👋"} {
				for before := range 20 {
					text := filler + "xxxxxxxxxxxxxxxxxxxx"[:before] + edge + other + filler
					checkText(t, text, "xxxxxxxx"[:before%9])
				}
			}
		}
	}
}

// checkText reads a text as a string of JSON, with a few bytes behind it.
func checkText(t *testing.T, text, behind string) {
	t.Helper()
	d := decoding(`"`+text+`"`+behind, copied)
	got, end := d.string(0, notNull)
	switch valid := utf8.ValidString(text); {
	case valid != (d.err == nil):
		t.Fatalf("%q, UTF-8 is %v: %v", text, valid, d.err)
	case valid && (got != text || end != len(text)+2):
		t.Fatalf("%q became %q", text, got)
	case !valid:
		wrong := 0
		for r, size := utf8.DecodeRuneInString(text); r != utf8.RuneError || size > 1; r, size = utf8.DecodeRuneInString(text[wrong:]) {
			wrong += size
		}
		if d.err.Offset != wrong+1 {
			t.Fatalf("%q: %v, want it at %d", text, d.err, wrong+1)
		}
	}
}

// FuzzText reads any bytes as the text of a string.
func FuzzText(f *testing.F) {
	f.Add("Съешь же ещё этих мягких французских булок, да выпей чаю 👋 ", "}")
	f.Add("语言\xff", "")
	f.Fuzz(func(t *testing.T, text, behind string) {
		if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == '"' || r == '\\' }) {
			return
		}
		checkText(t, text, behind)
	})
}

// TestUnusualNamesCostOneCopy holds a text of nothing but unusual names to one copy
// of it, so that nobody can make a decoder copy a large text again and again.
func TestUnusualNamesCostOneCopy(t *testing.T) {
	text := "{" + strings.Repeat(`"\u0061":1,`, 1000) + `"b":1}`
	d := decoding(text, copied)
	var copies []*byte
	i := d.object(0)
	for name := i; i >= 0; i = d.next(i, name) {
		name = i
		i = d.other(i)
		if first := unsafe.SliceData(d.data); len(copies) == 0 || copies[len(copies)-1] != first {
			copies = append(copies, first)
		}
	}
	if err := d.finish(^i); err != nil || len(copies) != 1 {
		t.Errorf("%d copies, %v", len(copies), err)
	}
}

// TestUnusualNames reads names that are not spelt plainly, which are spelt anew
// for the generated code, and leaves what was received as it was.
func TestUnusualNames(t *testing.T) {
	for _, text := range []string{`{"\u0061b" :1}`, `{ "ab":1}`, `{"ab" : 1 , "x":2}`, `{"\u0061\u0062":1}`} {
		for _, mode := range []escapes{copied, inPlace} {
			data := []byte(text)
			var d decoder
			d.begin(data, mode)
			var got int64
			i := d.object(0)
			for name := i; i >= 0; i = d.next(i, name) {
				name = i
				if string(d.data[i:min(i+5, len(d.data))]) == `"ab":` {
					got, i = d.int64(i+5, notNull)
				} else {
					i = d.other(i)
				}
			}
			if err := d.finish(^i); err != nil || got != 1 {
				t.Errorf("%s: %d, %v", text, got, err)
			}
			if mode == copied && (string(data) != text || string(d.source()) != text) {
				t.Errorf("%s became %s", text, data)
			}
		}
	}
}
