package report

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/solafon/solafon-go/bench/codec"
	"github.com/solafon/solafon-go/bench/generation"
	"github.com/solafon/solafon-go/bench/measure"
	"github.com/solafon/solafon-go/bench/paths"
)

// made is a report of figures that were made up.
func made() *Report {
	costs := func(ratios ...float64) (list []measure.Cost) {
		names := []string{"in place", "copying", "encoding/json", "easyjson"}
		for i, r := range ratios {
			list = append(list, measure.Cost{Name: names[i], Time: time.Duration(100 * r), Ratio: r})
		}
		return list
	}
	r := &Report{
		Checks:     []codec.Check{{Name: "in place", UTF8: "refuses"}, {Name: "encoding/json", UTF8: "replaces"}, {Name: "easyjson", UTF8: "takes"}},
		Deliveries: paths.Result{Name: "a delivery", Costs: []measure.Cost{{Name: "dropping the body", Ratio: 1}, {Name: "NewWebhookHandler", Ratio: 1.25}}},
		Generation: []generation.Result{
			{Operations: 50, Here: []measure.Cost{{Name: "a", Ratio: 1, Time: time.Second}, {Name: "b", Ratio: 1, Time: time.Second}}, Process: make([]generation.Whole, 2)},
			{Operations: 500, Here: []measure.Cost{{Name: "a", Ratio: 1, Time: 4 * time.Second}, {Name: "b", Ratio: 0.5, Time: 2 * time.Second}}, Process: make([]generation.Whole, 2)},
		},
	}
	for _, name := range append(forms, "3.3 KB of Cyrillic with emoji", "64 KiB of ASCII", "batch of 100") {
		r.Decode = append(r.Decode, codec.Result{Name: name, Size: 178, Costs: costs(1, 2, 20, 3)})
	}
	r.Decode[1].Costs[3].Ratio = 2.5 // the slowest of the forms is what counts
	return r
}

func TestFloors(t *testing.T) {
	found := make(map[string]Floor)
	for _, f := range made().Floors() {
		found[f.What] = f
	}
	for what, want := range map[string]struct {
		value float64
		met   bool
	}{
		"decode an update in place, of encoding/json's speed, in every form": {20, true},
		"decode an update copying, of the fastest peer's":                    {1.25, true},
		"the same, of the fastest peer's that checks UTF-8":                  {20, true},
		"receive a delivery, of the rate of dropping it":                     {0.8, false},
		"generate from 500 operations, of oapi-codegen's time":               {2, false},
	} {
		if f := found[what]; f.Found != want.value || f.Met() != want.met {
			t.Errorf("%s: %v, met: %v; want %+v", what, f.Found, f.Met(), want)
		}
	}
	if _, ok := found["generate from 50 operations, of oapi-codegen's time"]; ok {
		t.Error("something is promised of 50 operations")
	}
}

func TestWrite(t *testing.T) {
	file := filepath.Join(t.TempDir(), "performance.md")
	if err := os.WriteFile(file, []byte("before\n"+begin+"\nold\n"+end+"\nafter\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 { // again makes the same
		if err := made().Write(file); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	got := string(text)
	if !strings.HasPrefix(got, "before\n"+begin) || !strings.HasSuffix(got, end+"\nafter\n") || strings.Contains(got, "old") || strings.Count(got, "### Decoding") != 1 {
		t.Errorf("%s", got)
	}
	for _, plot := range []string{decodePlot, generationPlot} {
		svg, err := os.ReadFile(filepath.Join(filepath.Dir(file), plot))
		if err != nil || !strings.Contains(string(svg), "<svg") || !strings.Contains(got, plot) {
			t.Errorf("%s: %v", plot, err)
		}
	}
	if _, err := between("no marks", ""); err == nil {
		t.Error("a document without marks is written to")
	}
}
