package runtime

import (
	"encoding/base64"
	"encoding/binary"
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

// Variables that nobody changes: the compiler would write a constant of eight
// bytes into the code at every use, and an operand in memory costs less than that.
var (
	eachHigh      uint64 = highBits
	eachOne       uint64 = ones
	eachColon     uint64 = ':' * ones
	eachBackslash uint64 = '\\' * ones
	eachBit1      uint64 = 2 * ones
	behindQuote   uint64 = ('"' ^ 2 + 1) * ones // with bit 1 turned over, see ends
	leadBits      uint64 = 0x1e * ones          // of a byte that leads two: all that count but the lowest
)

// stops marks, with their high bits, the bytes of a word that end a run of a
// string's text: quotes, backslashes and control characters. The first mark is
// right, and those above it may not be.
func stops(w uint64) uint64 { return ends(w) &^ w & eachHigh }

// ends has the high bit of a byte set where that ends a run of text, and
// perhaps where it is not ASCII. Bit 1 turned over puts the quote right behind the
// control characters, so that one subtraction finds both.
func ends(w uint64) uint64 {
	return ((w ^ eachBit1) - behindQuote) | ((w ^ eachBackslash) - eachOne)
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
	start := i + 1
	for i = start; i < start+32; i += 8 { // most are short, and ASCII without escapes
		w := d.eight(i)
		stop := stops(w)
		if w&(stop&-stop-1)&eachHigh != 0 {
			break
		}
		if stop != 0 {
			if end := i + bits.TrailingZeros64(stop)/8; d.byte(end, '"') {
				return view(d.data[start:end]), end + 1
			}
			break
		}
	}
	end := d.run(start)
	if !d.byte(end, '"') {
		return d.escaped(start, end)
	}
	return view(d.data[start:end]), end + 1
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

// run checks the text of a string from i on, and returns where its first stop
// is: at the end of data if there is none, or if the text is not UTF-8.
//
// UTF-8 is checked eight bytes at once: each byte that leads a rune says how many
// continue it, and bytes that continue one have to be just there. Words that this
// cannot tell of are looked at rune by rune.
func (d *decoder) run(i int) int {
	const last = 0x80 << 56
	var wanted uint64 // marks the bytes that continue what the word before led
	next := 0
	for i = d.plain(i); ; i = next {
		w := d.eight(i)
		stop := stops(w)
		high := w & eachHigh
		next = i + 8
		if stop != 0 {
			high &= (stop&-stop)>>7 - 1 // what is behind the stop does not count
		}
		if high|wanted != 0 {
			lead := high & (w << 1)
			here, after, wrong := wanted|lead<<8, lead>>56, lead&(eachHigh-w&leadBits) // 0xC0 and 0xC1
			if lead3 := lead & (w << 2); lead3 != 0 {
				if lead3 >= last { // what decides is behind it: the next word begins with it
					next, high, lead, lead3 = i+7, high&^last, lead&^last, lead3&^last
				}
				here, after, wrong = wide(w, lead, lead3, wanted)
			}
			if wanted = after; here^lead^high|wrong != 0 {
				wanted, next = 0, d.checkRunes(i, i+bits.TrailingZeros64(stop)/8)
				if d.err != nil {
					return len(d.data)
				}
			}
		}
		if stop != 0 {
			return i + bits.TrailingZeros64(stop)/8
		}
	}
}

// wide is what run makes of a word in which bytes lead three or four: which
// bytes continue a rune here and which in the next word, and which lead wrongly,
// to what could be written in fewer bytes or is half of a pair. It marks 0xF4 too,
// which can be right.
func wide(w, lead, lead3, wanted uint64) (here, after, wrong uint64) {
	lead4 := lead3 & (w << 3)
	here = wanted | lead<<8 | lead3<<16 | lead4<<24
	after = lead>>56 | lead3>>48 | lead4>>40
	bit5, bit4 := w<<2>>8, w<<3>>8                                   // of the byte behind
	wrong = lead &^ lead3 & zero(w&(0x1e*ones))                      // 0xC0 and 0xC1
	wrong |= lead3 & zero(w&(0x0f*ones)) &^ (bit5 | bit4&lead4)      // 0xE0 and 0xF0
	wrong |= lead3 &^ lead4 & zero((w^0x0d*ones)&(0x0f*ones)) & bit5 // 0xED
	wrong |= lead4 & (w<<4 | w<<5)                                   // 0xF4 and above
	return here, after, wrong
}

// zero marks the bytes of a word that are zero, if none is above 0x80; a byte's
// other bits mean nothing.
func zero(w uint64) uint64 { return highBits - w }

// plain skips text that is ASCII without a stop, in steps of 32 bytes.
func (d *decoder) plain(i int) int {
	for ; i+32 <= len(d.data); i += 32 {
		b := d.data[i : i+32 : i+32]
		w0, w1 := binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:])
		w2, w3 := binary.LittleEndian.Uint64(b[16:]), binary.LittleEndian.Uint64(b[24:])
		if (ends(w0)|w0|ends(w1)|w1|ends(w2)|w2|ends(w3)|w3)&eachHigh != 0 {
			break
		}
	}
	return i
}

// checkRunes checks the runes that begin before to, from the one on that i is
// in, and returns where the last of them ends.
func (d *decoder) checkRunes(i, to int) int {
	for back := 1; back <= min(3, i) && d.data[i-back] >= utf8.RuneSelf; back++ {
		if utf8.RuneStart(d.data[i-back]) {
			if !utf8.FullRune(d.data[i-back : i]) {
				i -= back
			}
			break
		}
	}
	for i < to {
		r, size := utf8.DecodeRune(d.data[i:])
		if r == utf8.RuneError && size <= 1 {
			return d.fail(i, "is not UTF-8")
		}
		i += size
	}
	return i
}

// unended fails because a string stops at i where it must not.
func (d *decoder) unended(i int) int {
	if i >= len(d.data) {
		return d.fail(len(d.data), "is a string without an end")
	}
	return d.fail(i, fmt.Sprintf("has the control character U+%04X, which must be escaped", d.data[i]))
}

// escaped reads a string that starts at start and has its first stop at i,
// which is no quote. What an escape stands for is never longer than the escape, so
// the text fits over its own source.
func (d *decoder) escaped(start, i int) (string, int) {
	if !d.byte(i, '\\') {
		return "", d.unended(i)
	}
	out := d.data[start:i]
	if d.escapes == copied {
		out = append(d.room(d.stringEnd(i)-start), out...)
	}
	for {
		r, next := d.escape(i)
		if d.err != nil {
			return "", len(d.data)
		}
		if i = next; !d.byte(i, '\\') {
			i = d.run(i)
		}
		if d.escapes != dropped {
			out = append(utf8.AppendRune(out, r), d.data[next:i]...)
		}
		switch {
		case d.byte(i, '"'):
			d.taken(out)
			return view(out), i + 1
		case !d.byte(i, '\\'):
			return "", d.unended(i)
		}
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
