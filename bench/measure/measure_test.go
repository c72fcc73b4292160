package measure

import (
	"errors"
	"slices"
	"testing"
	"time"
)

func TestCompare(t *testing.T) {
	var order []string
	contender := func(name string) Contender {
		return Contender{Name: name, Run: func(n int) error { order = append(order, name); return nil }}
	}
	costs, err := Config{Rounds: 4}.Compare([]Contender{contender("a"), contender("b")})
	if err != nil || len(costs) != 2 || costs[0].Ratio != 1 {
		t.Fatalf("%+v, %v", costs, err)
	}
	turns := order[len(order)-8:]
	if want := []string{"a", "b", "b", "a", "a", "b", "b", "a"}; !slices.Equal(turns, want) {
		t.Errorf("the turns are %v, want %v", turns, want)
	}
	broken := errors.New("broken")
	if _, err := (Config{Rounds: 1, Turn: time.Millisecond}).Compare([]Contender{{Run: func(int) error { return broken }}}); err != broken {
		t.Errorf("a failure is lost: %v", err)
	}
}

func TestMedian(t *testing.T) {
	if m := Median([]int{5, 1, 3}); m != 3 {
		t.Error(m)
	}
}
