package jetstream_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/solafon/solafon-go/bot/inbox"
	"github.com/solafon/solafon-go/bot/inbox/inboxtest"
	"github.com/solafon/solafon-go/bot/inbox/jetstream"
)

func embedded(t *testing.T, dir string, opts ...jetstream.Option) *jetstream.Inbox {
	t.Helper()
	in, err := jetstream.Embedded(t.Context(), dir, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func TestEmbedded(t *testing.T) {
	inboxtest.Test(t, func(t *testing.T) inbox.Inbox { return embedded(t, t.TempDir()) })
}

func TestEmbeddedSynced(t *testing.T) {
	inboxtest.Test(t, func(t *testing.T) inbox.Inbox {
		return embedded(t, t.TempDir(), jetstream.WithSync(), jetstream.WithParts(4))
	})
}

// TestReopened ends an inbox with items in every state, and finds them again.
func TestReopened(t *testing.T) {
	dir := t.TempDir()
	in := embedded(t, dir)
	for i, key := range []string{"again", "again", "waits", "done"} {
		if _, err := in.Put(t.Context(), inbox.Item{ID: fmt.Sprint(i), Key: key}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := jetstream.Embedded(t.Context(), dir); err == nil || !strings.Contains(err.Error(), "belongs to another process") {
		t.Errorf("a folder is opened twice: %v", err)
	}
	handle := func(limit int, seen *[]string) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		err := in.Work(ctx, 1, func(_ context.Context, d inbox.Delivery) inbox.Verdict {
			*seen = append(*seen, fmt.Sprintf("%s %d", d.ID, d.Attempt))
			if len(*seen) == limit {
				cancel()
			}
			if d.Key == "again" && d.Attempt == 1 && d.ID == "0" {
				return inbox.Again(3*time.Second, "later") // after the inbox is closed
			}
			return inbox.Done
		})
		if err != nil {
			t.Error(err)
		}
	}
	var before, after []string
	handle(3, &before)
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	in = embedded(t, dir)
	if _, err := in.Put(t.Context(), inbox.Item{ID: "3", Key: "done"}); err != nil { // it was handled, and is not again
		t.Error(err)
	}
	handle(2, &after)
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	if len(before) != 3 || strings.Join(after, ",") != "0 2,1 1" {
		t.Errorf("%q, then %q", before, after)
	}
	if _, err := jetstream.Embedded(t.Context(), dir, jetstream.WithParts(3)); err == nil || !strings.Contains(err.Error(), "pass WithParts(64)") {
		t.Errorf("another number of parts: %v", err)
	}
}

func TestFull(t *testing.T) {
	in := embedded(t, t.TempDir(), jetstream.WithLimit(3, 1<<20))
	defer in.Close()
	for i := range 3 {
		if added, err := in.Put(t.Context(), inbox.Item{ID: fmt.Sprint(i), Key: "k"}); !added || err != nil {
			t.Fatal(err)
		}
	}
	if _, err := in.Put(t.Context(), inbox.Item{ID: "3", Key: "k"}); !errors.Is(err, inbox.ErrFull) {
		t.Errorf("a fourth: %v", err)
	}
	if added, err := in.Put(t.Context(), inbox.Item{ID: "1", Key: "k"}); added || err != nil {
		t.Errorf("a known one while full: %v, %v", added, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	n := 0
	if err := in.Work(ctx, 1, func(context.Context, inbox.Delivery) inbox.Verdict {
		if n++; n == 3 {
			cancel()
		}
		return inbox.Done
	}); err != nil {
		t.Error(err)
	}
	if added, err := in.Put(t.Context(), inbox.Item{ID: "3", Key: "k"}); !added || err != nil {
		t.Errorf("after there is room: %v, %v", added, err)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for want, opt := range map[string]jetstream.Option{
		`"a b" is no name`: jetstream.WithName("a b"), "between 1 and 1024": jetstream.WithParts(0), "a limit is below 1": jetstream.WithLimit(0, 1),
		"shorter than a second": jetstream.WithWindow(0), "is for a cluster": jetstream.WithReplicas(3),
	} {
		if _, err := jetstream.Embedded(t.Context(), t.TempDir(), opt); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if _, err := jetstream.Connect(t.Context(), "nats://127.0.0.1:1"); err == nil || !strings.Contains(err.Error(), "no NATS server answers") {
		t.Error(err)
	}
}
