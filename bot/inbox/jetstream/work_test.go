package jetstream

import (
	"testing"
	"time"

	"github.com/nats-io/nats.go"
)

// TestLeft sets the clock back and forth while an item waits for its next
// attempt.
func TestLeft(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	header := nats.Header{headerDue: {start.Add(time.Minute).Format(time.RFC3339Nano)}, headerWait: {"1m0s"}}
	for _, test := range []struct {
		name string
		now  time.Time
		want time.Duration
	}{
		{"at first", start, time.Minute},
		{"later", start.Add(20 * time.Second), 40 * time.Second},
		{"due", start.Add(time.Minute), 0},
		{"set back by an hour", start.Add(-time.Hour), time.Minute},
		{"set forward by an hour", start.Add(time.Hour), -59 * time.Minute},
	} {
		if got := left(header, test.now); got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
	if got := left(nats.Header{headerDue: {"soon"}}, start); got > 0 {
		t.Errorf("headers that cannot be read: %v", got)
	}
}
