// Package measure times things that do the same side by side: in one process,
// in rounds that take turns, so that what the machine does meanwhile meets all of
// them alike. What it reports are medians.
package measure

import (
	"cmp"
	"runtime"
	"slices"
	"time"
)

// Contender is one of the things that are measured beside each other.
type Contender struct {
	Name string
	// Run does it n times.
	Run func(n int) error
	// Note says what it leaves out that the others do.
	Note string
}

// Cost is what one run takes.
type Cost struct {
	Name   string
	Note   string
	Time   time.Duration // of one run, the median of the rounds
	Ratio  float64       // of the first contender's time in the same round, the median of the rounds
	Allocs float64       // of one run
	Bytes  float64       // allocated in one run
}

// Config says how long to measure.
type Config struct {
	Rounds int           // each contender runs once in each round
	Turn   time.Duration // about how long it runs then
}

// Compare measures contenders. The first is what the others are compared with.
func (c Config) Compare(contenders []Contender) ([]Cost, error) {
	costs := make([]Cost, len(contenders))
	counts := make([]int, len(contenders))
	for i, contender := range contenders {
		n, err := c.calibrate(contender)
		if err != nil {
			return nil, err
		}
		counts[i] = n
		costs[i] = Cost{Name: contender.Name, Note: contender.Note}
		if costs[i].Allocs, costs[i].Bytes, err = allocated(contender, max(1, min(n, 100))); err != nil {
			return nil, err
		}
	}
	times := make([][]float64, len(contenders))
	for round := range c.Rounds {
		for turn := range contenders {
			i := (turn + round) % len(contenders) // nobody is always the one after the same
			took, err := timed(contenders[i], counts[i])
			if err != nil {
				return nil, err
			}
			times[i] = append(times[i], took)
		}
	}
	for i := range costs {
		ratios := make([]float64, c.Rounds)
		for round := range ratios {
			ratios[round] = times[i][round] / times[0][round]
		}
		costs[i].Time, costs[i].Ratio = time.Duration(Median(times[i])), Median(ratios)
	}
	return costs, nil
}

// calibrate finds how many runs take a turn.
func (c Config) calibrate(contender Contender) (int, error) {
	for n := 1; ; {
		took, err := timed(contender, n)
		if err != nil {
			return 0, err
		}
		if total := took * float64(n); total >= float64(c.Turn)/4 || n >= 1<<24 {
			return max(1, int(float64(c.Turn)/took)), nil
		}
		n *= 2
	}
}

// timed is the time of one of n runs, in nanoseconds.
func timed(contender Contender, n int) (float64, error) {
	start := time.Now()
	err := contender.Run(n)
	return float64(time.Since(start)) / float64(n), err
}

func allocated(contender Contender, n int) (count, bytes float64, err error) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	err = contender.Run(n)
	runtime.ReadMemStats(&after)
	return float64(after.Mallocs-before.Mallocs) / float64(n), float64(after.TotalAlloc-before.TotalAlloc) / float64(n), err
}

// Median is the middle of a list, which it sorts.
func Median[T cmp.Ordered](list []T) T {
	slices.Sort(list)
	return list[len(list)/2]
}
