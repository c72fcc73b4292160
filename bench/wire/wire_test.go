package wire

import (
	"bytes"
	"io/fs"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/solafon/solafon-go/spec"
)

// entry decodes a text in both ways, and gives the values back as they are.
type entry func(copied, inPlace []byte) (a, b any, errA, errB error)

func both[T any](copying, inPlace func([]byte) (T, error)) entry {
	return func(data, owned []byte) (any, any, error, error) {
		a, errA := copying(data)
		b, errB := inPlace(owned)
		return a, b, errA, errB
	}
}

var entries = []entry{
	both(DecodeUpdatesAnswer, DecodeUpdatesAnswerInPlace),
	both(DecodeMessageAnswer, DecodeMessageAnswerInPlace),
	both(DecodeMeAnswer, DecodeMeAnswerInPlace),
	both(DecodeWebhookInfoAnswer, DecodeWebhookInfoAnswerInPlace),
	both(DecodeCommandsAnswer, DecodeCommandsAnswerInPlace),
	both(DecodeAppSettings, DecodeAppSettingsInPlace),
}

// FuzzInPlace decodes each answer in place between guards, and copying: both
// find the same, and nothing outside of the text is written to.
func FuzzInPlace(f *testing.F) {
	files, err := fs.Glob(spec.Files, "examples/*.answer.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		data, err := spec.Files.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		for i := range entries {
			f.Add(uint8(i), data)
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, data []byte) {
		const guard, behind = `"canary\u00`, `41"]}`
		whole := []byte(guard + string(data) + behind)
		a, b, errA, errB := entries[int(which)%len(entries)](data, whole[len(guard):len(guard)+len(data)])
		if (errA == nil) != (errB == nil) || errA != nil && errA.Error() != errB.Error() {
			t.Fatalf("%q: copying: %v, in place: %v", data, errA, errB)
		}
		if !bytes.HasPrefix(whole, []byte(guard)) || !bytes.HasSuffix(whole, []byte(behind)) {
			t.Fatalf("%q: what is around it was written to: %q", data, whole)
		}
		same := []cmp.Option{
			cmp.Comparer(func(a, b Secret) bool { return a.Reveal() == b.Reveal() }),
			cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Raw" }, cmp.Ignore()),
		}
		if diff := cmp.Diff(a, b, same...); diff != "" {
			t.Fatalf("%q: in place differs: %s", data, diff)
		}
	})
}
