// Command bench measures this project beside its peers, in one run, and prints
// what it found as a table of ratios: the machine's speed is not in those. It is
// run in its own folder.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"

	"github.com/solafon/solafon-go/bench/codec"
	"github.com/solafon/solafon-go/bench/generation"
	"github.com/solafon/solafon-go/bench/measure"
	"github.com/solafon/solafon-go/bench/paths"
	"github.com/solafon/solafon-go/bench/report"
)

func main() {
	paths.ServeIfAsked()
	quick := flag.Bool("quick", false, "measure as shortly as can be, to see that it works; the figures say little")
	write := flag.String("write", "", "put the figures between the marks of this `document`, and the plots beside it")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *quick, *write); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// effort is how long is measured.
type effort struct {
	codec, paths, generation measure.Config
	sizes                    []int // of the documents, in operations
}

var (
	thorough = effort{
		codec:      measure.Config{Rounds: 21, Turn: 15 * time.Millisecond},
		paths:      measure.Config{Rounds: 21, Turn: 300 * time.Millisecond},
		generation: measure.Config{Rounds: 3, Turn: 300 * time.Millisecond},
		sizes:      []int{5, 50, 500, 2000},
	}
	short = effort{
		codec:      measure.Config{Rounds: 1, Turn: time.Millisecond},
		paths:      measure.Config{Rounds: 1, Turn: 10 * time.Millisecond},
		generation: measure.Config{Rounds: 1},
		sizes:      []int{5, 50},
	}
)

func run(ctx context.Context, quick bool, write string) (err error) {
	e := thorough
	if quick {
		e = short
	}
	r := report.Report{Facts: report.ReadFacts(), Checks: codec.Checks()}
	for _, step := range []struct {
		name string
		do   func() error
	}{
		{"decoding", func() error { r.Decode, err = codec.Decode(e.codec); return err }},
		{"encoding", func() error { r.Encode, err = codec.Encode(e.codec); return err }},
		{"deliveries", func() error { r.Deliveries, err = paths.Handlers(e.paths); return err }},
		{"calls", func() error { r.Calls, err = paths.Calls(e.paths); return err }},
		{"accepting", func() error { r.Accept, err = paths.Accept(e.paths); return err }},
		{"generating", func() error { r.Generation, err = generation.Measure(ctx, e.generation, e.sizes); return err }},
		{"sizes", func() error { r.Sizes, err = report.Sizes(); return err }},
	} {
		start := time.Now()
		if err := step.do(); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
		fmt.Fprintf(os.Stderr, "%s measured in %s\n", step.name, time.Since(start).Round(time.Millisecond))
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	fmt.Print(r.Markdown("../docs"))
	if write != "" {
		return r.Write(write)
	}
	return nil
}
