package codec

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/solafon/solafon-go/bench/measure"
)

// TestDecodersAgree lets every decoder read every input, and compares what they
// made of it with what encoding/json did.
func TestDecodersAgree(t *testing.T) {
	for _, in := range inputs() {
		want := ""
		for _, d := range decodings(in.kind) {
			if d.name != "encoding/json" {
				continue
			}
			if err := d.decode(append([]byte(nil), in.data...)); err != nil {
				t.Fatalf("%s: %v", in.name, err)
			}
			want = plain(t, d.value())
		}
		for _, d := range decodings(in.kind) {
			if err := d.decode(append([]byte(nil), in.data...)); err != nil {
				t.Errorf("%s: %s: %v", in.name, d.name, err)
				continue
			}
			got := plain(t, d.value())
			if in.kind == nestedUpdate && (d.name == "in place" || d.name == "copying") {
				continue // it is the flat form's type
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: %s (-encoding/json +it): %s", in.name, d.name, diff)
			}
		}
	}
}

// TestEncodersAgree lets every encoder write every value.
func TestEncodersAgree(t *testing.T) {
	for _, v := range values() {
		want := ""
		for _, e := range v.encodings {
			text, err := e.encode()
			if err != nil {
				t.Errorf("%s: %s: %v", v.name, e.name, err)
				continue
			}
			got := plain(t, json.RawMessage(text))
			if want == "" {
				want = got
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: %s: %s", v.name, e.name, diff)
			}
		}
	}
}

// plain is a value as JSON, without what stands for nothing and with its
// members in order.
func plain(t *testing.T, v any) string {
	t.Helper()
	if r, ok := v.(interface{ RevealJSON() ([]byte, error) }); ok {
		text, err := r.RevealJSON()
		if err != nil {
			t.Fatal(err)
		}
		v = json.RawMessage(text)
	}
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var tree any
	if err := json.Unmarshal(text, &tree); err != nil {
		t.Fatal(err)
	}
	text, err = json.MarshalIndent(pruned(tree), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// pruned takes members out that have zero values: types differ in whether they
// write those.
func pruned(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, member := range v {
			switch member = pruned(member); m := member.(type) {
			case nil:
				delete(v, key)
			case string:
				if m == "" || m == "0001-01-01T00:00:00Z" || key == "message_type" && m == "text" { // ogen sets the default
					delete(v, key)
				}
			case bool:
				if !m {
					delete(v, key)
				}
			case float64:
				if m == 0 {
					delete(v, key)
				}
			case []any:
				if len(m) == 0 {
					delete(v, key)
				}
			}
		}
	case []any:
		for i := range v {
			v[i] = pruned(v[i])
		}
	}
	return v
}

// TestChecks holds this project's decoders to refusing what is wrong.
func TestChecks(t *testing.T) {
	for _, c := range Checks() {
		if c.Name != "in place" && c.Name != "copying" {
			continue
		}
		if want := (Check{c.Name, "refuses", "refuses", "refuses", "refuses"}); c != want {
			t.Errorf("%+v", c)
		}
	}
}

// TestAllocations holds decoding an update in place to no allocation, in any
// form.
func TestAllocations(t *testing.T) {
	for _, in := range inputs()[:3] {
		inPlace := decodings(in.kind)[0]
		if n := testing.AllocsPerRun(100, func() {
			if err := inPlace.decode(in.data); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%s: decoding in place allocates %v times", in.name, n)
		}
	}
}

// TestMeasure measures for as short as can be, to see that it works.
func TestMeasure(t *testing.T) {
	if _, err := Decode(measure.Config{Rounds: 1}); err != nil {
		t.Fatal(err)
	}
	if _, err := Encode(measure.Config{Rounds: 1}); err != nil {
		t.Fatal(err)
	}
}
