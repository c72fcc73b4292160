package runtime

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unsafe"
)

// EncodeError tells why a value cannot be written as JSON.
type EncodeError struct {
	// Path is the JSON Pointer (RFC 6901) of the value.
	Path string
	// Reason says what is wrong.
	Reason string
}

// Error says where and why on one line.
func (e *EncodeError) Error() string {
	at := strconv.Quote(e.Path) // a path can hold whatever a member's name can
	return at[1:len(at)-1] + ": " + e.Reason
}

// encoder writes JSON. Its methods are given the text so far and return it with
// what they wrote behind it, so that it stays in registers. The first failure
// stays in err, and nobody has to ask for it before the text is done.
type encoder struct {
	start  int  // where in the text the value begins
	reveal bool // secrets are written, and not what stands for them
	ready  bool // JSON that was written already is in the text, as it was
	err    *EncodeError
}

// rooms are buffers to write in before it is known how long the text is.
var rooms = sync.Pool{New: func() any { return new([]byte) }}

// maxKeptRoom is the capacity from which a buffer is not kept.
const maxKeptRoom = 64 << 10

// exactly returns a copy of the text that was written to a buffer of rooms,
// which others use from now on.
func (e *encoder) exactly(room *[]byte) ([]byte, error) {
	var text []byte
	if e.err == nil {
		text = slices.Clone(*room)
	}
	if cap(*room) <= maxKeptRoom {
		rooms.Put(room)
	}
	if e.err != nil {
		return nil, e.err
	}
	return text, nil
}

// encodeBody writes a request's body that is no struct, with its secrets shown.
func encodeBody(encode func(*encoder, []byte) []byte) ([]byte, error) {
	e := encoder{reveal: true}
	room := rooms.Get().(*[]byte)
	*room = encode(&e, (*room)[:0])
	return e.exactly(room)
}

// appended returns what was written behind before, or that alone and the failure.
func (e *encoder) appended(before, text []byte) ([]byte, error) {
	if e.err != nil {
		return before, e.err
	}
	return text, nil
}

// fail records why the value that would come behind text cannot be written.
func (e *encoder) fail(text []byte, reason string) {
	if e.err == nil {
		e.err = &EncodeError{Path: openPath(text[e.start:]), Reason: reason}
	}
}

// openPath is the JSON Pointer of the value that comes next in a text that is
// not yet done.
func openPath(text []byte) string {
	var path []string // for each object and list that is open, the member or element at hand
	for i := 0; i < len(text); i++ {
		last := len(path) - 1
		switch text[i] {
		case '{':
			path = append(path, "")
		case '[':
			path = append(path, "0")
		case '}', ']':
			path = path[:last]
		case ',':
			if n, err := strconv.Atoi(path[last]); err == nil { // of a list, or else a name comes next
				path[last] = strconv.Itoa(n + 1)
			}
		case '"':
			var d decoder
			d.begin(text, copied)
			name, end := d.string(i, notNull)
			if d.byte(end, ':') {
				path[last] = name
			}
			i = end - 1
		}
	}
	var b strings.Builder
	for _, step := range path {
		b.WriteString("/" + pointerEscaper.Replace(step))
	}
	return b.String()
}

// comma parts a member from the one before it, if there is one.
func comma(b []byte) []byte {
	if b[len(b)-1] != '{' {
		return append(b, ',')
	}
	return b
}

// key starts a member of an object, whatever its name.
func (e *encoder) key(b []byte, name string) []byte {
	return append(e.string(comma(b), name), ':')
}

// appendInt writes a whole number: two digits at a time, from the last.
func appendInt(b []byte, n int64) []byte {
	u := uint64(n)
	if n < 0 {
		b = append(b, '-')
		u = -u
	}
	// Bits to digits, by the logarithm of 2; a comparison settles what that leaves
	// open.
	size := (bits.Len64(u|1)*1233)>>12 + 1
	if u < powers[size-1] && size > 1 {
		size--
	}
	b = slices.Grow(b, size)[:len(b)+size]
	to := b[len(b)-size:]
	for ; u >= 100; u /= 100 {
		pair := u % 100 * 2
		to[size-1], to[size-2] = pairs[pair+1], pairs[pair]
		size -= 2
	}
	if u >= 10 {
		to[1], to[0] = pairs[u*2+1], pairs[u*2]
	} else {
		to[0] = '0' + byte(u)
	}
	return b
}

// pairs are the numbers below 100 in two digits.
const pairs = "00010203040506070809" +
	"10111213141516171819" +
	"20212223242526272829" +
	"30313233343536373839" +
	"40414243444546474849" +
	"50515253545556575859" +
	"60616263646566676869" +
	"70717273747576777879" +
	"80818283848586878889" +
	"90919293949596979899"

// powers are the powers of ten.
var powers = [20]uint64{
	1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9,
	1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
}

func (e *encoder) float64(b []byte, f float64) []byte { return e.float(b, f, 64) }
func (e *encoder) float32(b []byte, f float32) []byte { return e.float(b, float64(f), 32) }

// float writes a number in the shortest form that reads back as the same.
func (e *encoder) float(b []byte, f float64, size int) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		e.fail(b, "is not a number that JSON can write")
		return b
	}
	format := byte('f')
	if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		format = 'e'
	}
	return strconv.AppendFloat(b, f, format, -1, size)
}

func (e *encoder) time(b []byte, t time.Time) []byte {
	if y := t.Year(); y < 0 || y > 9999 {
		e.fail(b, "has a year that RFC 3339 cannot write")
		return b
	}
	b = append(b, '"')
	b = t.AppendFormat(b, time.RFC3339Nano)
	return append(b, '"')
}

const hexDigits = "0123456789abcdef"

// string writes s with no more escapes than JSON asks for.
func (e *encoder) string(b []byte, s string) []byte {
	if isPlain(unsafe.Slice(unsafe.StringData(s), len(s))) {
		b = append(b, '"')
		b = append(b, s...)
		return append(b, '"')
	}
	return e.escaped(b, s)
}

// isPlain tells whether text is ASCII that stands in a string as it is.
func isPlain(text []byte) bool {
	for ; len(text) >= 8; text = text[8:] {
		if w := binary.LittleEndian.Uint64(text); (ends(w)|w)&eachHigh != 0 {
			return false
		}
	}
	w := uint64(' ' * ones) // two reads that meet or overlap, and spaces for the rest
	switch n := len(text); {
	case n >= 4:
		w = uint64(binary.LittleEndian.Uint32(text)) | uint64(binary.LittleEndian.Uint32(text[n-4:]))<<32
	case n >= 2:
		w = w<<32 | uint64(binary.LittleEndian.Uint16(text)) | uint64(binary.LittleEndian.Uint16(text[n-2:]))<<16
	case n == 1:
		w = w<<8 | uint64(text[0])
	}
	return (ends(w)|w)&eachHigh == 0
}

// escaped is string for a text that is more than plain.
func (e *encoder) escaped(b []byte, s string) []byte {
	before := b
	var d decoder
	d.begin(unsafe.Slice(unsafe.StringData(s), len(s)), dropped) // which only reads it
	b = append(b, '"')
	for i := 0; ; i++ {
		end := d.run(i)
		if d.err != nil {
			e.fail(before, "is not UTF-8")
			return before
		}
		b = append(b, s[i:end]...)
		if end == len(s) {
			return append(b, '"')
		}
		i = end
		switch c := s[i]; c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\b':
			b = append(b, '\\', 'b')
		case '\f':
			b = append(b, '\\', 'f')
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		default:
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
	}
}

// raw writes JSON that is written already, and null for none.
func (e *encoder) raw(b, text []byte) []byte {
	if len(text) == 0 {
		return append(b, "null"...)
	}
	var d decoder
	d.begin(text, copied)
	if err := d.finish(d.skip(0)); err != nil {
		e.fail(b, "is not JSON: "+err.Error())
		return b
	}
	e.ready = true
	return append(b, text...)
}

// quote makes a string of what another encoder wrote behind the rest of b.
func (e *encoder) quote(b []byte, inner *encoder) []byte {
	if inner.err != nil {
		e.fail(b[:inner.start], "holds JSON that cannot be written: "+inner.err.Error())
		return b
	}
	if inner.ready {
		return e.string(b[:inner.start], string(b[inner.start:])) // there can be lines in it
	}
	from := len(b)
	escapes := bytes.Count(b[inner.start:], []byte{'"'}) + bytes.Count(b[inner.start:], []byte{'\\'})
	b = slices.Grow(b, escapes+2)[:from+escapes+2]
	to := len(b) - 1
	b[to] = '"'
	for from > inner.start {
		from--
		to--
		c := b[from]
		b[to], b[to-1] = c, '\\' // what needs no escape is followed by what overwrites it
		to -= int(backslashed[c])
	}
	b[inner.start] = '"'
	return b
}

// backslashed is 1 for what JSON that is written already has to escape once more
// in a string.
var backslashed = [256]uint8{'"': 1, '\\': 1}

// secret writes a secret, to one who may see it.
func (e *encoder) secret(b []byte, s Secret) []byte {
	if e.reveal {
		return e.string(b, s.Reveal())
	}
	return e.string(b, redacted)
}

func (e *encoder) bytes(b, data []byte) []byte {
	b = append(b, '"')
	b = base64.StdEncoding.AppendEncode(b, data)
	return append(b, '"')
}
