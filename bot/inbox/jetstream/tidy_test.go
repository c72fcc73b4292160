//go:build unix

package jetstream_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/solafon/solafon-go/bot/inbox"
)

// TestTidy gives a stream back what was handled, as a server leaves it that was
// killed between noting that an item was acknowledged and removing it.
func TestTidy(t *testing.T) {
	dir := t.TempDir()
	messages := filepath.Join(dir, "jetstream", "$G", "streams", "bot-in", "msgs")
	kept := filepath.Join(t.TempDir(), "msgs")
	in := embedded(t, dir)
	for _, id := range []string{"1", "2", "3"} {
		if _, err := in.Put(t.Context(), inbox.Item{ID: id, Key: "k"}); err != nil {
			t.Fatal(err)
		}
	}
	closeInbox := func() {
		t.Helper()
		if err := in.Close(); err != nil {
			t.Fatal(err)
		}
	}
	closeInbox()
	if err := os.CopyFS(kept, os.DirFS(messages)); err != nil {
		t.Fatal(err)
	}

	in = embedded(t, dir)
	handled := map[int64]bool{}
	handleAll(t, in, handled)
	closeInbox()
	if len(handled) != 3 {
		t.Fatalf("%v were handled", handled)
	}
	if err := os.RemoveAll(messages); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(messages, os.DirFS(kept)); err != nil {
		t.Fatal(err)
	}

	in = embedded(t, dir)
	if status, err := in.Status(context.Background()); err != nil || status.Waiting != 3 {
		t.Fatalf("%+v, %v: the test has lost its point", status, err)
	}
	handled = map[int64]bool{}
	handleAll(t, in, handled)
	closeInbox()
	if len(handled) > 0 {
		t.Errorf("%v were handled again", handled)
	}
}
