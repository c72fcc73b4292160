package runtime

import (
	"bytes"
	"encoding/json"
	"math"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

func TestInt(t *testing.T) {
	for text, want := range map[string]string{
		"0": "0", "-0": "0", "7": "7", "-9223372036854775808": "-9223372036854775808", "9223372036854775807": "9223372036854775807",
		"9223372036854775808": "out of range", "18446744073709551616": "out of range", "1.5": "whole number", "1e3": "whole number",
		"-": "digit", "--1": "digit", "01": "goes on", "": "cut short", "true": "is a boolean", "nul": "starts with 'n'",
	} {
		d := decoder{data: []byte(text)}
		n := d.int64()
		if err := d.finish(); err != nil && !strings.Contains(err.Error(), want) || err == nil && strconv.FormatInt(n, 10) != want {
			t.Errorf("%q: %d, %v; want %s", text, n, err, want)
		}
	}
	d := decoder{data: []byte("2147483648")}
	if d.int32(); d.err == nil {
		t.Error("int32 takes 2147483648")
	}
}

func TestFloat(t *testing.T) {
	for text, want := range map[string]float64{"1.5": 1.5, "-2e-3": -0.002, "1E+2": 100, "0.0": 0} {
		d := decoder{data: []byte(text)}
		if f := d.float64(); f != want || d.finish() != nil {
			t.Errorf("%s: %v, %v", text, f, d.err)
		}
	}
	for _, text := range []string{"1e999", "1.", ".5", "1e", "NaN"} {
		d := decoder{data: []byte(text)}
		if d.float64(); d.finish() == nil {
			t.Errorf("%s is taken", text)
		}
	}
	d := decoder{data: []byte("1e300")}
	if d.float32(); d.err == nil {
		t.Error("float32 takes 1e300")
	}
}

func TestTimeAndBytes(t *testing.T) {
	d := decoder{data: []byte(`"2024-01-02T03:04:05.678+03:00"`)}
	if at := d.time(); d.finish() != nil || !at.Equal(time.Date(2024, 1, 2, 0, 4, 5, 678e6, time.UTC)) {
		t.Errorf("%v, %v", at, d.err)
	}
	d = decoder{data: []byte(`"yesterday"`)}
	if d.time(); d.err == nil {
		t.Error("yesterday is a time")
	}
	d = decoder{data: []byte(`"aGk="`)}
	if b := d.bytes(); string(b) != "hi" || d.finish() != nil {
		t.Errorf("%q, %v", b, d.err)
	}
}

func TestTag(t *testing.T) {
	d := decoder{data: []byte(`{"a":{"kind":"inner"},"kind":"circle"}`)}
	if tag := d.tag("kind"); tag != "circle" || d.pos != 0 || d.err != nil {
		t.Errorf("%q at %d, %v", tag, d.pos, d.err)
	}
}

func TestInPlaceStaysInside(t *testing.T) {
	guarded := []byte(`canary"a\u0041\n\ud83d\ude00z"canary`)
	d := decoder{data: guarded[6 : len(guarded)-6 : len(guarded)-6], escapes: inPlace}
	if s := d.string(); s != "aA\n😀z" || d.finish() != nil {
		t.Errorf("%q, %v", s, d.err)
	}
	if !bytes.HasPrefix(guarded, []byte("canary")) || !bytes.HasSuffix(guarded, []byte("canary")) {
		t.Errorf("%q", guarded)
	}
}

func TestEncoderRefuses(t *testing.T) {
	for name, write := range map[string]func(*encoder){
		"NaN":          func(e *encoder) { e.float64(math.NaN()) },
		"infinity":     func(e *encoder) { e.float32(float32(math.Inf(1))) },
		"the year 9e9": func(e *encoder) { e.time(time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)) },
		"not UTF-8":    func(e *encoder) { e.string("\xff") },
		"not JSON":     func(e *encoder) { e.raw([]byte("{")) },
		"bad inner":    func(e *encoder) { var inner encoder; inner.string("\xff"); e.inner(&inner) },
	} {
		e := encoder{data: []byte("{")}
		e.member("x")
		write(&e)
		if got, err := e.finish([]byte("before")); err == nil || string(got) != "before" || !strings.HasPrefix(err.Error(), "/x: ") {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
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
		d := decoder{data: data, escapes: inPlace}
		d.skip()
		err := d.finish()
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
		e.string(s)
		data, err := e.finish(nil)
		if err != nil {
			return // not UTF-8
		}
		var other string
		if err := json.Unmarshal(data, &other); err != nil || other != s {
			t.Fatalf("%q became %s: %v", s, data, err)
		}
		for _, mode := range []escapes{copied, inPlace} {
			d := decoder{data: bytes.Clone(data), escapes: mode}
			if got := d.string(); got != s || d.finish() != nil {
				t.Fatalf("%q became %q: %v", s, got, d.err)
			}
		}
	})
}
