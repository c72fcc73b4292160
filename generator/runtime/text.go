package runtime

import (
	"encoding/base64"
	"fmt"
	"math/bits"
	"time"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"
)

// Eight bytes are looked at as one word: the same is done to all of them at
// once, without a branch for each.
const (
	ones     = 0x0101010101010101 // times a byte: that byte eight times
	highBits = 0x80 * ones
)

// stops marks, with their high bits, the bytes of a word that end a run of a
// string's text: quotes, backslashes and control characters. The first mark is
// right, and those above it may not be.
func stops(w uint64) uint64 {
	quote, backslash := w^('"'*ones), w^('\\'*ones)
	return ((w - ' '*ones) | (quote - ones) | (backslash - ones)) &^ w & highBits
}

// view is b as a string, without a copy: b must not change any more.
func view(b []byte) string {
	return unsafe.String(unsafe.SliceData(b), len(b))
}

// string reads a string. What it returns shares the decoder's data wherever
// the string has no escapes.
func (d *decoder) string(i int, null bool) (string, int) {
	if !d.byte(i, '"') {
		return d.notString(i, null)
	}
	start, seen := i+1, uint64(0)
	for i = start; ; i += 8 {
		w := d.eight(i)
		stop := stops(w)
		if stop == 0 {
			seen |= w
			continue
		}
		end := i + bits.TrailingZeros64(stop)/8
		if seen |= w & (stop&-stop - 1); seen&highBits != 0 || !d.byte(end, '"') {
			return d.text(start, end, seen&highBits != 0)
		}
		return view(d.data[start:end]), end + 1
	}
}

// notString is string for all that does not begin with a quote.
func (d *decoder) notString(i int, null bool) (string, int) {
	i = d.space(i)
	switch {
	case d.byte(i, '"'):
		return d.string(i, null)
	case null && d.has(i, "null"):
		return "", i + len("null")
	}
	return "", d.expected(i, "a string")
}

// run finds the first stop in the text of a string, which is the end of data if
// there is none, and whether any byte before it is not ASCII.
func (d *decoder) run(i int) (end int, high bool) {
	var seen uint64
	for {
		w := d.eight(i)
		stop := stops(w)
		if stop != 0 {
			below := stop&-stop - 1
			return i + bits.TrailingZeros64(stop)/8, (seen|w&below)&highBits != 0
		}
		seen |= w
		i += 8
	}
}

// text is string for a text with more in it than ASCII without escapes: start
// is where it starts, and its first stop is at end.
func (d *decoder) text(start, end int, high bool) (string, int) {
	if high && !d.checkUTF8(start, end) {
		return "", len(d.data)
	}
	switch {
	case d.byte(end, '"'):
		return view(d.data[start:end]), end + 1
	case d.byte(end, '\\'):
		return d.escaped(start, end)
	}
	return "", d.unended(end)
}

// unended fails because a string stops at i where it must not.
func (d *decoder) unended(i int) int {
	if i >= len(d.data) {
		return d.fail(len(d.data), "is a string without an end")
	}
	return d.fail(i, fmt.Sprintf("has the control character U+%04X, which must be escaped", d.data[i]))
}

// checkUTF8 fails at the first byte from i to end that is not UTF-8. It looks at
// eight bytes at once: where bytes lead two or three and where they continue has
// to agree. What more there is to UTF-8 is looked at rune by rune.
func (d *decoder) checkUTF8(i, end int) bool {
	var lead, lead3 uint64 // marks of the word before: bytes that lead two or more, and three or more
	for i < end {
		w := d.eight(i)
		if n := end - i; n < 8 {
			w &= 1<<(8*uint(n)) - 1
		}
		after, after3 := lead>>56, lead3>>48
		high := w & highBits
		lead = high & (w << 1)
		lead3 = lead & (w << 2)
		continued := after | after3 | lead<<8 | lead3<<16
		if continued == high&^lead && careless(w, lead, lead3) {
			i += 8
			continue
		}
		if i = d.checkRunes(i, min(i+8, end), end); i < 0 {
			return false
		}
		lead, lead3 = 0, 0
	}
	if lead>>56|lead3>>48 != 0 {
		return d.checkRunes(end, end+1, end) >= 0
	}
	return true
}

// careless tells whether no byte of a word asks for more than that others
// continue what it leads: 0xC0, 0xC1, 0xE0, 0xED and those from 0xF0 on do.
func careless(w, lead, lead3 uint64) bool {
	const sevens = 0x7f * ones // added to what is not zero, it sets the high bit
	short := lead &^ lead3 &^ (w&(0x1e*ones) + sevens - ones)
	if lead3 == 0 {
		return short == 0
	}
	zero := w&(0x0f*ones) + sevens
	thirteen := (w^(0x0d*ones))&(0x0f*ones) + sevens
	return short|lead3&^(zero&thirteen)|lead3&(w<<3) == 0
}

// checkRunes checks the runes that begin before to, from the one on that i
// is in, and returns where the last of them ends; it fails with -1.
func (d *decoder) checkRunes(i, to, end int) int {
	for back := 1; back <= 3 && d.data[i-back] >= utf8.RuneSelf; back++ {
		if utf8.RuneStart(d.data[i-back]) {
			if !utf8.FullRune(d.data[i-back : i]) {
				i -= back
			}
			break
		}
	}
	for i < to {
		r, size := utf8.DecodeRune(d.data[i:end])
		if r == utf8.RuneError && size <= 1 {
			d.fail(i, "is not UTF-8")
			return -1
		}
		i += size
	}
	return i
}

// escaped reads a string that starts at start and has its first escape at i.
// What an escape stands for is never longer than the escape, so the text fits
// over its own source.
func (d *decoder) escaped(start, i int) (string, int) {
	out := d.data[start:i]
	if d.escapes == copied {
		out = append(d.room(d.stringEnd(i)-start), out...)
	}
	for {
		r, next := d.escape(i)
		if d.err != nil {
			return "", len(d.data)
		}
		end, high := next, false
		if !d.byte(next, '\\') {
			end, high = d.run(next)
		}
		if high && !d.checkUTF8(next, end) {
			return "", len(d.data)
		}
		if d.escapes != dropped {
			out = append(utf8.AppendRune(out, r), d.data[next:end]...)
		}
		switch {
		case d.byte(end, '"'):
			d.taken(out)
			return view(out), end + 1
		case !d.byte(end, '\\'):
			return "", d.unended(end)
		}
		i = end
	}
}

// minArena is how much room is made at once for strings with escapes, as far as
// there is text left to need it.
const minArena = 4 << 10

// room is room for n bytes more. What is written to it must be given to taken.
func (d *decoder) room(n int) []byte {
	if cap(d.arena)-len(d.arena) < n {
		d.arena = make([]byte, 0, max(n, min(len(d.data), minArena)))
	}
	return d.arena[len(d.arena):]
}

// taken keeps what was written to the arena.
func (d *decoder) taken(out []byte) {
	if d.escapes == copied {
		d.arena = d.arena[:len(d.arena)+len(out)]
	}
}

// stringEnd finds the quote that ends the string around i.
func (d *decoder) stringEnd(i int) int {
	for ; i < len(d.data) && d.data[i] != '"'; i++ {
		if d.data[i] == '\\' {
			i++
		}
	}
	return min(i, len(d.data))
}

// escape reads the escape at i and returns the rune and where it ends.
func (d *decoder) escape(i int) (rune, int) {
	if i+1 >= len(d.data) {
		return 0, d.fail(i, "is a string without an end")
	}
	switch c := d.data[i+1]; c {
	case '"', '\\', '/':
		return rune(c), i + 2
	case 'b':
		return '\b', i + 2
	case 'f':
		return '\f', i + 2
	case 'n':
		return '\n', i + 2
	case 'r':
		return '\r', i + 2
	case 't':
		return '\t', i + 2
	case 'u':
		r, ok := d.hex4(i + 2)
		if !ok {
			return 0, d.fail(i, `has a \u escape without four hexadecimal digits`)
		}
		if !utf16.IsSurrogate(r) {
			return r, i + 6
		}
		if d.has(i+6, `\u`) {
			if low, ok := d.hex4(i + 8); ok {
				if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
					return pair, i + 12
				}
			}
		}
		return 0, d.fail(i, "has half of a surrogate pair")
	default:
		return 0, d.fail(i, `has an escape that JSON does not know`)
	}
}

func (d *decoder) hex4(i int) (rune, bool) {
	if i+4 > len(d.data) {
		return 0, false
	}
	var r rune
	for _, c := range d.data[i : i+4] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// time reads a moment as RFC 3339 writes it.
func (d *decoder) time(i int, null bool) (time.Time, int) {
	if next, is := d.null(i); is && null {
		return time.Time{}, next
	}
	text, end := d.string(i, notNull)
	if d.err != nil {
		return time.Time{}, end
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return t, d.fail(d.space(i), "is not a date and time as RFC 3339 writes it, such as 2024-01-02T15:04:05Z")
	}
	return t, end
}

// secret reads a string that must not be seen.
func (d *decoder) secret(i int, null bool) (Secret, int) {
	text, end := d.string(i, null)
	return NewSecret(text), end
}

// bytes reads a string of base64.
func (d *decoder) bytes(i int, null bool) ([]byte, int) {
	if next, is := d.null(i); is && null {
		return nil, next
	}
	text, end := d.string(i, notNull)
	if d.err != nil {
		return nil, end
	}
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, d.fail(d.space(i), "is not base64")
	}
	return b, end
}

// enum reads a string of a type of its own.
func enum[T ~string](d *decoder, i int, null bool) (T, int) {
	text, end := d.string(i, null)
	return T(text), end
}

// inner reads a string that itself holds JSON. null and an empty string hold
// none.
func inner[T any](d *decoder, i int, null bool, decode func(*T, *decoder, int) int) (*T, int) {
	text, end := d.string(i, null)
	if text == "" {
		return nil, end
	}
	value, inside := new(T), decoder{depth: d.depth}
	inside.begin([]byte(text), copied)
	if inside.finish(decode(value, &inside, 0)) != nil {
		d.err = inside.err
		d.err.Offset = d.space(i)
		d.err.Reason = "in the JSON inside the string: " + d.err.Reason
		return nil, len(d.data)
	}
	return value, end
}
