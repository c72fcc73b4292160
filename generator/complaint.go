package generator

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Complaint is one thing that is wrong with a document or a target.
type Complaint struct {
	// File is the document, as its path was given.
	File string
	// Line and Column count from 1; both are 0 when the complaint is about the
	// file as a whole.
	Line, Column int
	// Message says what is wrong, and Advice what to do about it.
	Message, Advice string
	// Source is the line itself.
	Source string
}

// String is the complaint as people read it: file:line:column, what is wrong
// and what to do, and under it the line with a caret.
func (c Complaint) String() string {
	var b strings.Builder
	b.WriteString(c.File)
	if c.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", c.Line, c.Column)
	}
	fmt.Fprintf(&b, ": %s; %s", c.Message, c.Advice)
	if c.Source != "" {
		fmt.Fprintf(&b, "\n%s\n%s^", c.Source, indent(c.Source, c.Column-1))
	}
	return b.String()
}

// indent is white space as wide as the first n characters of line.
func indent(line string, n int) string {
	var b strings.Builder
	for i, r := range []rune(line) {
		if i == n {
			break
		}
		if r != '\t' {
			r = ' '
		}
		b.WriteRune(r)
	}
	return b.String()
}

// Complaints are all that is wrong, in the order of the document.
type Complaints []Complaint

// Error is every complaint, one after the other.
func (c Complaints) Error() string {
	text := make([]string, len(c))
	for i := range c {
		text[i] = c[i].String()
	}
	return strings.Join(text, "\n")
}

// sorted puts complaints into the order of the document and drops repetitions.
func (c Complaints) sorted() Complaints {
	slices.SortStableFunc(c, func(a, b Complaint) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Message, b.Message))
	})
	return slices.Compact(c)
}
