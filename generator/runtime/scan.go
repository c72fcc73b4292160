package runtime

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"
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

// decoder walks a JSON text once, from left to right. The first failure stays
// in err and makes every later step do nothing, so that callers look at err
// once a member rather than once a step.
//
// Strings share data wherever they can, so data must not change once a decoder
// has seen it.
type decoder struct {
	data    []byte
	pos     int
	depth   int
	escapes escapes
	err     *DecodeError
}

// escapes says what becomes of the escapes in a string.
type escapes uint8

const (
	copied  escapes = iota // the string is written anew, and data stays as it was received
	inPlace                // the string is written over its own source
	dropped                // the string is checked and not made at all
)

// fail records why decoding stops. Only the first reason counts.
func (d *decoder) fail(offset int, reason string) {
	if d.err == nil {
		d.err = &DecodeError{Offset: offset, Reason: reason}
	}
}

var pointerEscaper = strings.NewReplacer("~", "~0", "/", "~1")

// under puts a member's name in front of the path of the failure that it met.
func (d *decoder) under(key string) {
	d.err.Path = "/" + pointerEscaper.Replace(key) + d.err.Path
}

// at puts an element's index in front of the path of the failure that it met.
func (d *decoder) at(index int) {
	d.err.Path = "/" + strconv.Itoa(index) + d.err.Path
}

// missing fails for a member of the object that has just ended.
func (d *decoder) missing(key string) {
	if d.err == nil {
		d.fail(d.pos-1, "is required and missing")
		d.under(key)
	}
}

// finish fails unless nothing but white space is left, and returns the failure.
func (d *decoder) finish() error {
	if d.err == nil {
		d.space()
		if d.pos < len(d.data) {
			d.fail(d.pos, "goes on after the value ended")
		}
	}
	if d.err != nil {
		return d.err
	}
	return nil
}

// unmarshal is UnmarshalJSON for every type: null leaves v as it is, and so does
// a failure.
func unmarshal[T any](v *T, data []byte, decode func(*T, *decoder)) error {
	d := decoder{data: bytes.Clone(data)}
	if d.null() {
		return d.finish()
	}
	var decoded T
	decode(&decoded, &d)
	if err := d.finish(); err != nil {
		return err
	}
	*v = decoded
	return nil
}

func (d *decoder) space() {
	for d.pos < len(d.data) {
		switch d.data[d.pos] {
		case ' ', '\n', '\r', '\t':
			d.pos++
		default:
			return
		}
	}
}

// expected fails because the value at hand is not what is wanted.
func (d *decoder) expected(what string) {
	if d.err != nil {
		return
	}
	found := "is cut short"
	if d.pos < len(d.data) {
		switch c := d.data[d.pos]; {
		case c == '{':
			found = "is an object"
		case c == '[':
			found = "is an array"
		case c == '"':
			found = "is a string"
		case c == '-' || '0' <= c && c <= '9':
			found = "is a number"
		case d.literal("null"):
			found = "is null"
		case d.literal("true") || d.literal("false"):
			found = "is a boolean"
		default:
			found = fmt.Sprintf("starts with %q", rune(c))
		}
	}
	d.fail(d.pos, "must be "+what+", "+found)
}

func (d *decoder) literal(word string) bool {
	return len(d.data)-d.pos >= len(word) && string(d.data[d.pos:d.pos+len(word)]) == word
}

// null reads a null if there is one.
func (d *decoder) null() bool {
	d.space()
	if d.err == nil && d.literal("null") {
		d.pos += len("null")
		return true
	}
	return false
}

// open starts an object or an array and reports whether it has a first member.
func (d *decoder) open(opening byte, what string) bool {
	d.space()
	if d.err != nil || d.pos == len(d.data) || d.data[d.pos] != opening {
		d.expected(what)
		return false
	}
	if d.depth++; d.depth > maxDepth {
		d.fail(d.pos, fmt.Sprintf("is nested more than %d deep", maxDepth))
		return false
	}
	d.pos++
	d.space()
	if d.pos < len(d.data) && d.data[d.pos] == opening+2 { // '{' and '}', '[' and ']' are two apart
		d.pos++
		d.depth--
		return false
	}
	return true
}

func (d *decoder) object() bool { return d.open('{', "an object") }
func (d *decoder) array() bool  { return d.open('[', "an array") }

// next ends a member and reports whether another follows in the container
// that closing closes.
func (d *decoder) next(closing byte) bool {
	if d.err != nil {
		return false
	}
	d.space()
	if d.pos < len(d.data) {
		switch d.data[d.pos] {
		case ',':
			d.pos++
			return true
		case closing:
			d.pos++
			d.depth--
			return false
		}
	}
	d.fail(d.pos, fmt.Sprintf("wants ',' or %q here", rune(closing)))
	return false
}

// key reads a member's name and the colon after it, and reports whether both
// are there.
func (d *decoder) key() (string, bool) {
	d.space()
	if d.pos == len(d.data) || d.data[d.pos] != '"' {
		d.fail(d.pos, "wants a member's name in quotes here")
		return "", false
	}
	key := d.string()
	d.space()
	if d.err != nil || d.pos == len(d.data) || d.data[d.pos] != ':' {
		d.fail(d.pos, "wants ':' after a member's name")
		return "", false
	}
	d.pos++
	return key, true
}

func (d *decoder) bool() bool {
	d.space()
	switch {
	case d.err != nil:
	case d.literal("true"):
		d.pos += len("true")
		return true
	case d.literal("false"):
		d.pos += len("false")
	default:
		d.expected("a boolean")
	}
	return false
}

// number reads the text of a number and tells whether it is written whole,
// with neither fraction nor exponent.
func (d *decoder) number(what string) (text []byte, whole bool) {
	d.space()
	start, i, data := d.pos, d.pos, d.data
	if d.err != nil {
		return nil, false
	}
	if i < len(data) && data[i] == '-' {
		i++
	}
	digits := func() bool {
		from := i
		for i < len(data) && '0' <= data[i] && data[i] <= '9' {
			i++
		}
		return i > from
	}
	if i < len(data) && data[i] == '0' {
		i++
	} else if !digits() {
		if i == start {
			d.expected(what)
		} else {
			d.fail(i, "is not a number: a digit is missing")
		}
		return nil, false
	}
	whole = true
	if i < len(data) && data[i] == '.' {
		i++
		if whole = false; !digits() {
			d.fail(i, "is not a number: a digit is missing after the point")
			return nil, false
		}
	}
	if i < len(data) && (data[i] == 'e' || data[i] == 'E') {
		i++
		if i < len(data) && (data[i] == '+' || data[i] == '-') {
			i++
		}
		if whole = false; !digits() {
			d.fail(i, "is not a number: a digit is missing in the exponent")
			return nil, false
		}
	}
	d.pos = i
	return data[start:i], whole
}

// int reads a whole number of so many bits.
func (d *decoder) int(bits int) int64 {
	d.space()
	start := d.pos
	text, whole := d.number("a whole number")
	if d.err != nil {
		return 0
	}
	if !whole {
		d.fail(start, "must be a whole number, without fraction or exponent")
		return 0
	}
	negative := text[0] == '-'
	if negative {
		text = text[1:]
	}
	var n uint64
	for _, c := range text {
		if n > math.MaxUint64/10-1 {
			n = math.MaxUint64
			break
		}
		n = n*10 + uint64(c-'0')
	}
	limit := uint64(1) << (bits - 1)
	if negative && n <= limit {
		return -int64(n)
	}
	if negative || n >= limit {
		d.fail(start, fmt.Sprintf("is out of range for a whole number of %d bits", bits))
		return 0
	}
	return int64(n)
}

func (d *decoder) int64() int64 { return d.int(64) }
func (d *decoder) int32() int32 { return int32(d.int(32)) }

func (d *decoder) float64() float64 {
	d.space()
	start := d.pos
	text, _ := d.number("a number")
	if d.err != nil {
		return 0
	}
	f, err := strconv.ParseFloat(view(text), 64)
	if err != nil {
		d.fail(start, "is out of range for a number of 64 bits")
		return 0
	}
	return f
}

func (d *decoder) float32() float32 {
	d.space()
	start := d.pos
	f := d.float64()
	if d.err == nil && math.Abs(f) > math.MaxFloat32 {
		d.fail(start, "is out of range for a number of 32 bits")
	}
	return float32(f)
}

// time reads a moment as RFC 3339 writes it.
func (d *decoder) time() time.Time {
	d.space()
	start := d.pos
	text := d.string()
	if d.err != nil {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		d.fail(start, "is not a date and time as RFC 3339 writes it, such as 2024-01-02T15:04:05Z")
	}
	return t
}

// view is b as a string, without a copy: b must not change any more.
func view(b []byte) string {
	return unsafe.String(unsafe.SliceData(b), len(b))
}

// string reads a string. What it returns shares the decoder's data wherever
// the string has no escapes.
func (d *decoder) string() string {
	d.space()
	if d.err != nil || d.pos == len(d.data) || d.data[d.pos] != '"' {
		d.expected("a string")
		return ""
	}
	start := d.pos + 1
	var high byte // the bits of every byte seen: the top one tells that UTF-8 has to be checked
	for i := start; i < len(d.data); i++ {
		switch c := d.data[i]; {
		case c == '"':
			d.pos = i + 1
			if high >= utf8.RuneSelf {
				d.checkUTF8(start, i)
			}
			return view(d.data[start:i])
		case c == '\\':
			if high >= utf8.RuneSelf {
				d.checkUTF8(start, i)
			}
			return d.escaped(start, i)
		case c < ' ':
			d.fail(i, fmt.Sprintf("has the control character U+%04X, which must be escaped", c))
			return ""
		default:
			high |= c
		}
	}
	d.fail(len(d.data), "is a string without an end")
	return ""
}

// checkUTF8 fails at the first byte of data[start:end] that is not UTF-8.
func (d *decoder) checkUTF8(start, end int) {
	for i := start; i < end; {
		r, size := utf8.DecodeRune(d.data[i:end])
		if r == utf8.RuneError && size == 1 {
			d.fail(i, "is not UTF-8")
			return
		}
		i += size
	}
}

// escaped reads a string that starts at start and has its first escape at i.
// What an escape stands for is never longer than the escape, so the text fits
// over its own source.
func (d *decoder) escaped(start, i int) string {
	out := d.data[start:i]
	if d.escapes == copied {
		out = append(make([]byte, 0, d.stringEnd(i)-start), out...)
	}
	for i < len(d.data) && d.err == nil {
		from := i
		var r rune
		switch c := d.data[i]; {
		case c == '"':
			d.pos = i + 1
			return view(out)
		case c == '\\':
			r, i = d.escape(i)
		case c < ' ':
			d.fail(i, fmt.Sprintf("has the control character U+%04X, which must be escaped", c))
		default:
			var size int
			if r, size = utf8.DecodeRune(d.data[i:]); r == utf8.RuneError && size == 1 {
				d.fail(from, "is not UTF-8")
			}
			i += size
		}
		if d.escapes != dropped && d.err == nil {
			out = utf8.AppendRune(out, r)
		}
	}
	d.fail(len(d.data), "is a string without an end")
	return ""
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
		d.fail(i, "is a string without an end")
		return 0, i
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
			d.fail(i, `has a \u escape without four hexadecimal digits`)
			return 0, i
		}
		if !utf16.IsSurrogate(r) {
			return r, i + 6
		}
		if i+7 < len(d.data) && d.data[i+6] == '\\' && d.data[i+7] == 'u' {
			if low, ok := d.hex4(i + 8); ok {
				if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
					return pair, i + 12
				}
			}
		}
		d.fail(i, "has half of a surrogate pair")
		return 0, i
	default:
		d.fail(i, `has an escape that JSON does not know`)
		return 0, i
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

// skip reads a value of any kind and forgets it.
func (d *decoder) skip() {
	escapes := d.escapes
	d.escapes = dropped
	d.value()
	d.escapes = escapes
}

func (d *decoder) value() {
	d.space()
	if d.err != nil {
		return
	}
	if d.pos == len(d.data) {
		d.expected("a value")
		return
	}
	switch c := d.data[d.pos]; {
	case c == '{':
		d.members()
	case c == '[':
		index := 0
		for more := d.array(); more; more = d.next(']') {
			if d.value(); d.err != nil {
				d.at(index)
			}
			index++
		}
	case c == '"':
		d.string()
	case c == '-' || '0' <= c && c <= '9':
		d.number("a number")
	case d.literal("true"), d.literal("null"):
		d.pos += 4
	case d.literal("false"):
		d.pos += 5
	default:
		d.expected("a value")
	}
}

func (d *decoder) members() {
	for more := d.object(); more; more = d.next('}') {
		d.space()
		start := d.pos
		if _, ok := d.key(); !ok {
			return
		}
		if d.value(); d.err != nil {
			name := decoder{data: d.data, pos: start}
			d.under(name.string())
		}
	}
}

// raw reads a value of any kind and returns its text, which shares the
// decoder's data.
func (d *decoder) raw() []byte {
	d.space()
	start := d.pos
	if d.skip(); d.err != nil {
		return nil
	}
	return d.data[start:d.pos:d.pos]
}

// inner reads a string that itself holds JSON and returns a decoder of that,
// and where the string starts.
func (d *decoder) inner() (decoder, int) {
	d.space()
	offset := d.pos
	text := d.string()
	return decoder{data: []byte(text), depth: d.depth, err: d.err}, offset
}

// adopt takes over the failure of a decoder that read the string at offset.
func (d *decoder) adopt(inner *decoder, offset int) {
	if d.err == nil && inner.finish() != nil {
		d.err = inner.err
		d.err.Offset = offset
		d.err.Reason = "in the JSON inside the string: " + d.err.Reason
	}
}

// secret reads a string that must not be seen.
func (d *decoder) secret() Secret { return NewSecret(d.string()) }

// bytes reads a string of base64.
func (d *decoder) bytes() []byte {
	d.space()
	start := d.pos
	text := d.string()
	if d.err != nil {
		return nil
	}
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		d.fail(start, "is not base64")
	}
	return b
}

// tag looks ahead for a member of the object at hand that holds a string, and
// returns that. It moves nothing.
func (d *decoder) tag(name string) string {
	ahead := decoder{data: d.data, pos: d.pos, depth: d.depth}
	tag := ""
	for more := ahead.object(); more; more = ahead.next('}') {
		key, ok := ahead.key()
		if ahead.space(); ok && key == name && ahead.pos < len(ahead.data) && ahead.data[ahead.pos] == '"' {
			tag = ahead.string()
		} else {
			ahead.skip()
		}
	}
	return tag
}
