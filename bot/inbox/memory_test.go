package inbox_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/solafon/solafon-go/bot/inbox"
	"github.com/solafon/solafon-go/bot/inbox/inboxtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestMemory(t *testing.T) {
	inboxtest.Test(t, func(*testing.T) inbox.Inbox { return inbox.NewMemory() })
}

func TestMemoryLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &inbox.Memory{Limit: 2, Window: time.Hour}
		for _, id := range []string{"a", "b"} {
			if added, err := m.Put(t.Context(), inbox.Item{ID: id}); !added || err != nil {
				t.Error(err)
			}
		}
		if _, err := m.Put(t.Context(), inbox.Item{ID: "c"}); !errors.Is(err, inbox.ErrFull) {
			t.Error(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		if err := m.Work(ctx, 1, func(context.Context, inbox.Delivery) inbox.Verdict { return inbox.Done }); err != nil {
			t.Error(err)
		}
		if added, err := m.Put(t.Context(), inbox.Item{ID: "a"}); added || err != nil {
			t.Errorf("a known ID: %v, %v", added, err)
		}
		time.Sleep(time.Hour)
		if added, err := m.Put(t.Context(), inbox.Item{ID: "a"}); !added || err != nil {
			t.Errorf("an ID after the window: %v, %v", added, err)
		}
		if _, err := m.Put(ctx, inbox.Item{ID: "d"}); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		m.Close()
		if err := m.Work(t.Context(), 1, nil); !errors.Is(err, inbox.ErrClosed) {
			t.Error(err)
		}
	})
}
