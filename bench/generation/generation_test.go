package generation

import (
	"bytes"
	"testing"
)

// TestDocument holds the maker to making the same document twice, and one that
// all three generators take.
func TestDocument(t *testing.T) {
	document := Document(20, seed)
	if !bytes.Equal(document, Document(20, seed)) {
		t.Error("the same seed makes two documents")
	}
	if bytes.Equal(document, Document(20, seed+1)) {
		t.Error("two seeds make the same document")
	}
	for name, generate := range map[string]func([]byte) error{"solafon": solafon, "oapi-codegen": oapiCodegen, "ogen": ogen} {
		if err := generate(document); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
