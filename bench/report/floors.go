package report

import (
	"fmt"
	"math"
	"strings"

	"github.com/solafon/solafon-go/bench/codec"
	"github.com/solafon/solafon-go/bench/measure"
)

// Floor is a promise beside what was found. Where AtMost is set, less is better.
type Floor struct {
	What         string
	Floor, Found float64
	AtMost       bool
	unit         string
}

// Met tells whether the promise is kept.
func (f Floor) Met() bool {
	if f.AtMost {
		return f.Found <= f.Floor
	}
	return f.Found >= f.Floor
}

func (f Floor) format(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "–"
	}
	text := fmt.Sprintf("%.3g", v)
	if f.unit == "" {
		return text
	}
	return text + f.unit
}

// forms are the orders and forms of an update; what is promised holds for each.
var forms = []string{"update, the page's order", "update, the server's order", "update, nested"}

// Floors are the promises, in the order in which people ask.
func (r *Report) Floors() []Floor {
	least := func(what string, floor, found float64) Floor {
		return Floor{What: what, Floor: floor, Found: found, unit: "x"}
	}
	most := func(what string, floor, found float64) Floor {
		return Floor{What: what, Floor: floor, Found: found, AtMost: true}
	}
	everyForm := func(of func(codec.Result) float64) float64 {
		found := math.Inf(1)
		for _, name := range forms {
			found = min(found, of(result(r.Decode, name)))
		}
		return found
	}
	standard := func(c codec.Result) float64 { return ratio(c, "encoding/json") / ratio(c, first(c)) }
	peer := func(c codec.Result) float64 { return fastest(c, r.anyone) }
	careful := func(c codec.Result) float64 { return fastest(c, r.careful) }
	copying := func(c codec.Result) float64 { return fastest(c, r.anyone) / ratio(c, "copying") }
	allocs := func(c codec.Result, name string) float64 {
		if cost := find(c.Costs, name); cost != nil {
			return math.Round(cost.Allocs)
		}
		return math.NaN()
	}
	cyrillic, ascii, batch := result(r.Decode, "3.3 KB of Cyrillic with emoji"), result(r.Decode, "64 KiB of ASCII"), result(r.Decode, "batch of 100")
	request, update := result(r.Encode, "sendMessage with buttons"), result(r.Encode, "an update")
	list := []Floor{
		least("decode an update in place, of encoding/json's speed, in every form", 15, everyForm(standard)),
		least("the same, of the fastest peer's", 2.2, everyForm(peer)),
		most("the same, allocations", 0, -everyForm(func(c codec.Result) float64 { return -allocs(c, "in place") })),
		least("decode an update copying, of the fastest peer's", 1.2, everyForm(copying)),
		most("the same, allocations", 1, -everyForm(func(c codec.Result) float64 { return -allocs(c, "copying") })),
		least("decode 3.3 KB of Cyrillic in place, of encoding/json's", 5, standard(cyrillic)),
		least("the same, of the fastest peer's that checks UTF-8", 1.2, careful(cyrillic)),
		least("decode 64 KiB of ASCII in place, of the fastest peer's", 1.5, peer(ascii)),
		least("decode a batch of 100, of encoding/json's", 12, standard(batch)),
		least("the same, of the fastest peer's", 1.8, peer(batch)),
		least("encode sendMessage, of encoding/json's", 4, standard(request)),
		least("encode an update, of encoding/json's", 4, standard(update)),
		most("encode either, allocations of MarshalJSON", 1, max(allocs(request, "MarshalJSON"), allocs(update, "MarshalJSON"))),
		most("encode either, allocations into room", 0, max(allocs(request, "into room"), allocs(update, "into room"))),
		least("receive a delivery, of the rate of dropping it", 0.96, rate(r.Deliveries.Costs, "NewWebhookHandler")),
	}
	for _, calls := range r.Calls {
		list = append(list, least(strings.Replace(calls.Name, "a call", "call", 1)+", of net/http's rate by hand", 0.95, rate(calls.Costs, "the generated client")))
	}
	for _, g := range r.Generation {
		if g.Operations >= 100 {
			list = append(list, most(fmt.Sprintf("generate from %d operations, of oapi-codegen's time", g.Operations), 1.5, g.Here[0].Ratio/g.Here[1].Ratio))
		}
	}
	return list
}

// anyone and careful tell whether somebody is a peer, and one that checks UTF-8
// as this project does or mends it.
func (r *Report) anyone(name string) bool { return name != "in place" && name != "copying" }

func (r *Report) careful(name string) bool {
	for _, c := range r.Checks {
		if c.Name == name {
			return r.anyone(name) && c.UTF8 != "takes"
		}
	}
	return false
}

func result(results []codec.Result, name string) codec.Result {
	for _, r := range results {
		if r.Name == name {
			return r
		}
	}
	return codec.Result{}
}

func first(r codec.Result) string {
	if len(r.Costs) == 0 {
		return ""
	}
	return r.Costs[0].Name
}

func ratio(r codec.Result, name string) float64 {
	if c := find(r.Costs, name); c != nil {
		return c.Ratio
	}
	return math.NaN()
}

// fastest is the least ratio of those that count.
func fastest(r codec.Result, counts func(string) bool) float64 {
	found := math.Inf(1)
	for _, c := range r.Costs {
		if counts(c.Name) {
			found = min(found, c.Ratio)
		}
	}
	return found
}

func rate(costs []measure.Cost, name string) float64 {
	if c := find(costs, name); c != nil {
		return 1 / c.Ratio
	}
	return math.NaN()
}
