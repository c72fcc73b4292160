package paths

import (
	"os"
	"testing"
	"time"

	"github.com/solafon/solafon-go/bench/measure"
)

func TestMain(m *testing.M) {
	ServeIfAsked()
	os.Exit(m.Run())
}

// TestMeasure takes every path for a moment: each delivery is answered 200 and
// handled, and each call has its message.
func TestMeasure(t *testing.T) {
	config := measure.Config{Rounds: 1, Turn: time.Millisecond}
	if _, err := Handlers(config); err != nil {
		t.Error(err)
	}
	if results, err := Calls(config); err != nil || len(results) != 2 {
		t.Errorf("%d results, %v", len(results), err)
	}
	if _, err := Accept(config); err != nil {
		t.Error(err)
	}
}
