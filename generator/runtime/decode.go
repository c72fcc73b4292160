package runtime

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"unsafe"
)

// maxDepth is how many arrays and objects may stand inside each other.
const maxDepth = 1000

// DecodeError tells why a JSON text was refused, and where.
type DecodeError struct {
	// Path is the JSON Pointer (RFC 6901) of the value that is wrong or
	// missing; it is empty for the text as a whole.
	Path string
	// Offset is where in the text it is, in bytes from its start.
	Offset int
	// Reason says what is wrong.
	Reason string
}

// Error says where and why on one line.
func (e *DecodeError) Error() string {
	at := e.Path
	if at == "" {
		at = "the document"
	}
	at = strconv.Quote(at) // a path can hold whatever a member's name can
	return fmt.Sprintf("%s, byte %d: %s", at[1:len(at)-1], e.Offset, e.Reason)
}

// decoder walks a JSON text once, from left to right. Its methods are given
// where in data to read and return where to go on, so that the place stays in a
// register: each has a short way for text as servers write it, and leaves all
// else (spaces, null, what is wrong) to another method, out of the way.
//
// The first failure stays in err, and where to go on is then the end of data,
// where nothing can be read any more. So nobody has to ask for err before the
// text is done.
//
// Strings share data wherever they can, so data must not change once a decoder
// has seen it.
type decoder struct {
	data     []byte
	tail     uint64 // the last eight bytes of data, the last in the highest bits
	depth    int
	escapes  escapes
	ownFault bool // err is about the object at hand, and not about what is in it
	err      *DecodeError
	received []byte // data as it was, once a name in it has been spelt plainly
	arena    []byte // room for strings whose escapes are undone elsewhere
}

// escapes says what becomes of the escapes in a string.
type escapes uint8

const (
	copied  escapes = iota // the string is written anew, and data stays as it was received
	inPlace                // the string is written over its own source
	dropped                // the string is checked and not made at all
)

// What a reader makes of null.
const (
	notNull = false // it is refused
	orNull  = true  // it is the type's zero value
)

// begin gives a decoder its text. Everything else of it is zero.
func (d *decoder) begin(data []byte, escapes escapes) {
	d.data, d.escapes = data, escapes
	d.keepTail()
}

// keepTail takes the last bytes of data, so that eight need not look at them one
// by one.
func (d *decoder) keepTail() {
	if n := len(d.data) - 8; n >= 0 {
		d.tail = binary.LittleEndian.Uint64(d.data[n:])
		return
	}
	d.tail = 0
	for _, c := range d.data {
		d.tail = d.tail>>8 | uint64(c)<<56
	}
}

// eight is the eight bytes at i, the first in the lowest bits, with zeros for
// those behind the end of data.
func (d *decoder) eight(i int) uint64 {
	if n := len(d.data) - i; n < 8 {
		return d.tail >> (64 - 8*uint(n))
	}
	return binary.LittleEndian.Uint64(d.data[i : i+8 : i+8]) // a capacity that is known spares it a mask
}

// fail records why decoding stops, and returns where it goes on: at the end.
// Only the first reason counts.
func (d *decoder) fail(offset int, reason string) int {
	if d.err == nil {
		d.err = &DecodeError{Offset: offset, Reason: reason}
	}
	return len(d.data)
}

var pointerEscaper = strings.NewReplacer("~", "~0", "/", "~1")

// under puts a member's name in front of the path of the failure that it met.
func (d *decoder) under(key string) {
	d.err.Path = "/" + pointerEscaper.Replace(key) + d.err.Path
}

// missing fails for the first of the members that an object has to have whose
// bit is not in seen, and returns where to go on. The object ended before i.
func (d *decoder) missing(i int, seen uint64, members ...string) int {
	if d.err == nil {
		d.fail(i-1, "is required and missing")
		d.under(members[bits.TrailingZeros64(^seen)])
	}
	return len(d.data)
}

// finish fails unless nothing but white space is left at i, and returns the
// failure.
func (d *decoder) finish(i int) error {
	if i = d.space(i); i < len(d.data) {
		d.fail(i, "goes on after the value ended")
	}
	if d.err != nil {
		return d.err
	}
	return nil
}

// unmarshal is UnmarshalJSON for every type: null leaves v as it is, and so does
// a failure.
func unmarshal[T any](v *T, data []byte, decode func(*T, *decoder, int) int) error {
	var d decoder
	d.begin(bytes.Clone(data), copied)
	if i, null := d.null(0); null {
		return d.finish(i)
	}
	var decoded T
	if err := d.finish(decode(&decoded, &d, 0)); err != nil {
		return err
	}
	*v = decoded
	return nil
}

// space is where the first byte from i on is that is no white space.
func (d *decoder) space(i int) int {
	for i < len(d.data) {
		switch d.data[i] {
		case ' ', '\n', '\r', '\t':
			i++
		default:
			return i
		}
	}
	return i
}

// byte tells whether the byte at i is c.
func (d *decoder) byte(i int, c byte) bool { return i < len(d.data) && d.data[i] == c }

// has tells whether text stands at i.
func (d *decoder) has(i int, text string) bool {
	return len(d.data)-i >= len(text) && string(d.data[i:i+len(text)]) == text
}

// expected fails because the value at i is not what is wanted.
func (d *decoder) expected(i int, what string) int {
	if d.err != nil {
		return len(d.data)
	}
	found := "is cut short"
	if i < len(d.data) {
		switch c := d.data[i]; {
		case c == '{':
			found = "is an object"
		case c == '[':
			found = "is an array"
		case c == '"':
			found = "is a string"
		case c == '-' || '0' <= c && c <= '9':
			found = "is a number"
		case d.has(i, "null"):
			found = "is null"
		case d.has(i, "true") || d.has(i, "false"):
			found = "is a boolean"
		default:
			found = fmt.Sprintf("starts with %q", rune(c))
		}
	}
	return d.fail(i, "must be "+what+", "+found)
}

// null reads a null if there is one.
func (d *decoder) null(i int) (int, bool) {
	if j := d.space(i); d.has(j, "null") {
		return j + len("null"), true
	}
	return i, false
}

// bool reads true or false.
func (d *decoder) bool(i int, null bool) (bool, int) {
	switch i = d.space(i); {
	case d.has(i, "true"):
		return true, i + len("true")
	case d.has(i, "false"):
		return false, i + len("false")
	case null && d.has(i, "null"):
		return false, i + len("null")
	}
	return false, d.expected(i, "a boolean")
}

// object starts an object and returns where its first member is, or the
// complement (^) of where the object ends if it has none.
func (d *decoder) object(i int) int { return d.open(i, '{', "an object") }

// array starts a list and returns where its first element is, or the complement
// of where the list ends if it has none.
func (d *decoder) array(i int) int { return d.open(i, '[', "an array") }

func (d *decoder) open(i int, opening byte, what string) int {
	if !d.byte(i, opening) {
		if i = d.space(i); !d.byte(i, opening) {
			return ^d.expected(i, what)
		}
	}
	if d.depth++; d.depth > maxDepth {
		return ^d.fail(i, fmt.Sprintf("is nested more than %d deep", maxDepth))
	}
	if i++; i < len(d.data) && d.data[i] <= ' ' {
		i = d.space(i)
	}
	if d.byte(i, opening+2) { // '{' and '}', '[' and ']' are two apart
		d.depth--
		return ^(i + 1)
	}
	return i
}

// next goes on behind a member's value. It returns where the next member is, or
// the complement of where the object ends. name is where the name of the member
// is that was read.
func (d *decoder) next(i, name int) int {
	if i < len(d.data) && d.data[i] == ',' {
		return i + 1
	}
	return d.afterMember(i, name)
}

// afterMember is next for all but a comma.
func (d *decoder) afterMember(i, name int) int {
	if d.byte(i, '}') {
		d.depth--
		return ^(i + 1)
	}
	if i > len(d.data) {
		return i - d.again() // spelt plainly by now
	}
	if d.err != nil {
		if !d.ownFault {
			d.under(d.nameAt(name))
		}
		d.ownFault = false
		return ^len(d.data)
	}
	if spaces := d.space(i); spaces > i {
		return d.next(spaces, name)
	}
	return ^d.fail(i, "wants ',' or '}' here")
}

// again, added to where a name is, tells next to find that name once more.
func (d *decoder) again() int { return len(d.data) + 1 }

// nextElement is next for the element of a list that has this index.
func (d *decoder) nextElement(i, index int) int {
	if d.err != nil {
		d.err.Path = "/" + strconv.Itoa(index) + d.err.Path
		return ^len(d.data)
	}
	i = d.space(i)
	switch {
	case d.byte(i, ','):
		return i + 1
	case d.byte(i, ']'):
		d.depth--
		return ^(i + 1)
	}
	return ^d.fail(i, "wants ',' or ']' here")
}

// longer is a list with another element, which is zero. Where there is no room
// for it, it makes room for a few at first, and then for as many as the text that
// is left may hold, by the length of those that were read between start and i, but
// for no more than twice that text in memory.
func longer[T any](d *decoder, list []T, start, i int) []T {
	if len(list) == cap(list) {
		left, read := len(d.data)-i, len(list)
		likely := min(3, left/128)
		if read > 0 {
			most := 2 * left / int(unsafe.Sizeof(*new(T))+1)
			likely = min(left/max(1, (i-start)/read), max(most, read))
		}
		list = slices.Grow(list, 1+likely)
	}
	return list[:len(list)+1]
}

// name is what a decoder tells the names of members apart by: the eight bytes at
// i, or as many as there are up to the colon. Only a name that is spelt plainly
// is known by it.
func (d *decoder) name(i int) uint64 {
	w := d.eight(i)
	colon := w ^ eachColon
	colon = (colon - eachOne) &^ colon & eachHigh
	return w & (colon ^ (colon - 1))
}

// key reads the name of the member at i, and where its value is.
func (d *decoder) key(i int) (string, int) {
	if i = d.space(i); !d.byte(i, '"') {
		d.ownFault = true
		return "", d.fail(i, "wants a member's name in quotes here")
	}
	escapes := d.escapes
	d.escapes = copied // so that the name can be read again
	key, end := d.string(i, notNull)
	d.escapes = escapes
	if end = d.space(end); !d.byte(end, ':') {
		d.ownFault = true
		return "", d.fail(end, "wants ':' after a member's name")
	}
	return key, end + 1
}

// nameAt is the name at i, which was read before.
func (d *decoder) nameAt(i int) string {
	var again decoder
	again.begin(d.data, copied)
	name, _ := again.string(i, notNull)
	return name
}

// otherKey reads the name of a member that is none of those that name tells
// apart, and where its value is. That is behind the end of data for a name that
// has spaces before it, and for one that is not spelt plainly, with escapes where
// there need be none or spaces before the colon: the name is spelt anew, and next
// finds it once more.
func (d *decoder) otherKey(i int) (string, int) {
	if start := d.space(i); start != i {
		return "", start + d.again()
	}
	key, value := d.key(i)
	if d.err != nil || value-i == len(key)+len(`"":`) {
		return key, value
	}
	var e encoder
	plain := append(e.string(nil, key), ':')
	if d.has(i, view(plain)) {
		return key, value
	}
	if d.escapes != inPlace && d.received == nil {
		d.received, d.data = d.data, bytes.Clone(d.data)
	}
	// Spaces fill the room that is won, so that nothing else moves.
	for n := i + copy(d.data[i:], plain); n < value; n++ {
		d.data[n] = ' '
	}
	d.keepTail()
	return key, i + d.again()
}

// other reads a member that is none of those that name tells apart.
func (d *decoder) other(i int) int {
	_, value := d.otherKey(i)
	if value > len(d.data) {
		return value
	}
	return d.skip(value)
}

// undo takes back what was tried since before, but for names that were spelt
// plainly: that changed nothing, and need not be done again.
func (d *decoder) undo(before decoder) {
	before.data, before.tail, before.received = d.data, d.tail, d.received
	*d = before
}

// source is the text as it was received.
func (d *decoder) source() []byte {
	if d.received != nil {
		return d.received
	}
	return d.data
}
