package report

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// The marks between which a document has what was measured.
const (
	begin = "<!-- measured: from here on, make bench writes -->"
	end   = "<!-- measured: to here -->"
)

// Write puts the report between the marks of a document, and its plots beside
// it.
func (r *Report) Write(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	written, err := between(string(text), r.Markdown("."))
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if err := r.Plot(filepath.Dir(file)); err != nil {
		return err
	}
	return os.WriteFile(file, []byte(written), 0o644)
}

// between replaces what stands between the marks.
func between(text, measured string) (string, error) {
	before, rest, found := strings.Cut(text, begin)
	_, after, ended := strings.Cut(rest, end)
	if !found || !ended {
		return "", fmt.Errorf("the marks %q and %q are not in it; put them where the figures belong", begin, end)
	}
	return before + begin + "\n\n" + strings.TrimSpace(measured) + "\n\n" + end + after, nil
}
