package jetstream_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/solafon/solafon-go/bot/inbox"
	"github.com/solafon/solafon-go/bot/inbox/jetstream"
)

// TestInspect looks at an inbox while a bot has it, and after it ended.
func TestInspect(t *testing.T) {
	dir := t.TempDir()
	if _, err := jetstream.Inspect(t.Context(), dir); err == nil || !strings.Contains(err.Error(), "there is no inbox in") {
		t.Error(err)
	}
	in := embedded(t, dir, jetstream.WithParts(4))
	for i := range 4 {
		if _, err := in.Put(t.Context(), inbox.Item{ID: fmt.Sprint(i), Key: "k", Data: []byte("x")}); err != nil {
			t.Fatal(err)
		}
	}
	handle := func(calls int, verdict func(inbox.Delivery) inbox.Verdict) (seen []string) {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		if err := in.Work(ctx, 1, func(_ context.Context, d inbox.Delivery) inbox.Verdict {
			if seen = append(seen, fmt.Sprintf("%s %d", d.ID, d.Attempt)); len(seen) == calls {
				time.AfterFunc(200*time.Millisecond, cancel)
			}
			return verdict(d)
		}); err != nil {
			t.Error(err)
		}
		return seen
	}
	handle(4, func(d inbox.Delivery) inbox.Verdict { return inbox.Aside("no\ngood " + d.ID) })

	guest, err := jetstream.Inspect(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	list, err := guest.Aside(t.Context())
	if err != nil || len(list) != 4 || list[0].ID != "0" || list[0].Reason != "no good 0" || list[0].Attempt != 1 || time.Since(list[0].When) > time.Minute {
		t.Errorf("%+v, %v", list, err)
	}
	if err := guest.Drop(t.Context(), "3"); err != nil {
		t.Error(err)
	}
	for _, id := range []string{"0", "1"} {
		if err := guest.Replay(t.Context(), id); err != nil {
			t.Error(err)
		}
	}
	if err := guest.Replay(t.Context(), "0"); !errors.Is(err, inbox.ErrNoItem) {
		t.Error(err)
	}
	status, err := guest.Status(t.Context())
	if err != nil || status.Waiting != 2 || status.Aside != 1 || status.Parked != 0 || time.Since(status.Oldest) > time.Minute {
		t.Errorf("%+v, %v", status, err)
	}
	if err := guest.Close(); err != nil {
		t.Error(err)
	}
	if seen := handle(2, func(inbox.Delivery) inbox.Verdict { return inbox.Done }); strings.Join(seen, ",") != "0 1,1 1" {
		t.Errorf("%q were replayed", seen)
	}
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	after, err := jetstream.Inspect(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if one, err := after.Show(t.Context(), "2"); err != nil || string(one.Data) != "x" || one.Key != "k" {
		t.Errorf("%+v, %v", one, err)
	}
	if err := after.Close(); err != nil {
		t.Error(err)
	}
	if _, err := jetstream.Inspect(t.Context(), dir, jetstream.WithName("other")); err == nil || !strings.Contains(err.Error(), `no inbox of the name "other"`) {
		t.Error(err)
	}
}
