// Package report makes a document of what was measured: tables of ratios, what
// is promised beside what was found, and two plots.
package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/solafon/solafon-go/bench/codec"
	"github.com/solafon/solafon-go/bench/generation"
	"github.com/solafon/solafon-go/bench/measure"
	"github.com/solafon/solafon-go/bench/paths"
)

// Report is all that was measured in one run.
type Report struct {
	Facts      Facts
	Checks     []codec.Check
	Decode     []codec.Result
	Encode     []codec.Result
	Deliveries paths.Result
	Accept     paths.Result
	Calls      []paths.Result
	Generation []generation.Result
	Sizes      []Size
}

// Markdown is the report's text, with links to the plots in folder.
func (r *Report) Markdown(folder string) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("Measured on %s.\n", r.Facts)

	line("### What is promised\n")
	line("| what | promised | found | |")
	line("| --- | --- | --- | --- |")
	for _, f := range r.Floors() {
		met := "met"
		if !f.Met() {
			met = "**missed**"
		}
		line("| %s | %s | %s | %s |", f.What, f.format(f.Floor), f.format(f.Found), met)
	}

	line("\n### Decoding\n")
	line("The time of decoding in place, and how many times as long the others take; in brackets, how often each allocates.\n")
	table(&b, r.Decode)
	line("\n![Decoding an update, beside other libraries](%s)\n", folder+"/"+decodePlot)
	line("What each makes of a text that is wrong: bytes that are no UTF-8, a control character in a string, a required member that is missing, text behind the end.\n")
	line("| decoder | UTF-8 | control character | missing member | text behind |")
	line("| --- | --- | --- | --- | --- |")
	for _, c := range r.Checks {
		line("| %s | %s | %s | %s | %s |", c.Name, c.UTF8, c.Controls, c.Required, c.Behind)
	}

	line("\n### Encoding\n")
	line("The time of AppendJSON into room that is there, and how many times as long the others take.\n")
	table(&b, r.Encode)

	line("\n### Whole paths over loopback\n")
	line("The rate is a share of the first row's, in the same rounds: more is better.\n")
	for _, result := range append([]paths.Result{r.Deliveries, r.Accept}, r.Calls...) {
		rates(&b, result)
	}

	line("### Generating\n")
	line("From a document of so many operations, with a schema for each one's request and answer.\n")
	line("| operations | document | | in one process | of oapi-codegen's | allocated | as a command | peak memory |")
	line("| --- | --- | --- | --- | --- | --- | --- | --- |")
	for _, g := range r.Generation {
		for i, c := range g.Here {
			line("| %d | %s | %s | %s | %.2f | %s | %s | %s |", g.Operations, size(float64(g.Bytes)), c.Name, duration(c.Time), c.Ratio/g.Here[1].Ratio, size(c.Bytes), duration(g.Process[i].Time), size(float64(g.Process[i].Peak)))
		}
	}
	line("\n![Generating from documents of growing size](%s)\n", folder+"/"+generationPlot)

	line("### The code's size\n")
	line("Of what reads and writes an update with its user and chat.\n")
	line("| | functions | lines | machine code |")
	line("| --- | --- | --- | --- |")
	for _, s := range r.Sizes {
		line("| %s | %d | %d | %s |", s.Name, s.Functions, s.Lines, size(float64(s.Bytes)))
	}
	return b.String()
}

// table shows results, a row each, with the first cost as a time and the others
// as multiples of it.
func table(b *strings.Builder, results []codec.Result) {
	var names []string
	seen := make(map[string]bool)
	for _, r := range results {
		for _, c := range r.Costs {
			if !seen[c.Name] {
				names, seen[c.Name] = append(names, c.Name), true
			}
		}
	}
	fmt.Fprintf(b, "| | bytes | %s |\n", strings.Join(names, " | "))
	fmt.Fprintf(b, "|%s\n", strings.Repeat(" --- |", len(names)+2))
	for _, r := range results {
		fmt.Fprintf(b, "| %s | %d |", r.Name, r.Size)
		for i, name := range names {
			c := find(r.Costs, name)
			switch {
			case c == nil:
				fmt.Fprint(b, " – |")
			case i == 0:
				fmt.Fprintf(b, " %s (%.0f) |", duration(c.Time), c.Allocs)
			default:
				fmt.Fprintf(b, " %.2f (%.0f) |", c.Ratio, c.Allocs)
			}
		}
		fmt.Fprintln(b)
	}
	for _, r := range results {
		for _, c := range r.Costs {
			if c.Note != "" {
				fmt.Fprintf(b, "\n%s: %s %s.\n", r.Name, c.Name, c.Note)
			}
		}
	}
}

func rates(b *strings.Builder, result paths.Result) {
	fmt.Fprintf(b, "| %s | rate | time | allocations | |\n| --- | --- | --- | --- | --- |\n", result.Name)
	for _, c := range result.Costs {
		fmt.Fprintf(b, "| %s | %.3f | %s | %.0f | %s |\n", c.Name, 1/c.Ratio, duration(c.Time), c.Allocs, c.Note)
	}
	fmt.Fprintln(b)
}

func find(costs []measure.Cost, name string) *measure.Cost {
	for i := range costs {
		if costs[i].Name == name {
			return &costs[i]
		}
	}
	return nil
}

// duration is a time in three digits.
func duration(d time.Duration) string {
	switch {
	case d < time.Microsecond:
		return fmt.Sprintf("%d ns", d.Nanoseconds())
	case d < time.Millisecond:
		return fmt.Sprintf("%.3g µs", float64(d)/1e3)
	case d < time.Second:
		return fmt.Sprintf("%.3g ms", float64(d)/1e6)
	}
	return fmt.Sprintf("%.3g s", d.Seconds())
}

// size is a number of bytes in three digits.
func size(bytes float64) string {
	switch {
	case bytes < 1e4:
		return fmt.Sprintf("%.0f B", bytes)
	case bytes < 1e6:
		return fmt.Sprintf("%.3g kB", bytes/1e3)
	case bytes < 1e9:
		return fmt.Sprintf("%.3g MB", bytes/1e6)
	}
	return fmt.Sprintf("%.3g GB", bytes/1e9)
}
