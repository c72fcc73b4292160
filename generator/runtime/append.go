package runtime

import (
	"encoding/base64"
	"math"
	"strconv"
	"time"
	"unicode/utf8"
)

// EncodeError tells why a value cannot be written as JSON.
type EncodeError struct {
	// Path is the JSON Pointer (RFC 6901) of the value, as far as it is known.
	Path string
	// Reason says what is wrong.
	Reason string
}

// Error says where and why on one line.
func (e *EncodeError) Error() string {
	at := strconv.Quote(e.Path) // a path can hold whatever a member's name can
	return at[1:len(at)-1] + ": " + e.Reason
}

// encoder appends JSON to data. The first failure stays in err.
type encoder struct {
	data   []byte
	name   string // of the member that is being written
	reveal bool   // secrets are written, and not what stands for them
	err    *EncodeError
}

// finish returns what was written, or what was there before and the failure.
func (e *encoder) finish(before []byte) ([]byte, error) {
	if e.err != nil {
		return before, e.err
	}
	return e.data, nil
}

func (e *encoder) fail(reason string) {
	if e.err == nil {
		e.err = &EncodeError{Path: "/" + e.name, Reason: reason}
	}
}

func (e *encoder) open(c byte)  { e.data = append(e.data, c) }
func (e *encoder) close(c byte) { e.data = append(e.data, c) }

// member starts a member of an object whose name needs no escapes.
func (e *encoder) member(name string) {
	e.comma('{')
	e.name = name
	e.data = append(e.data, '"')
	e.data = append(e.data, name...)
	e.data = append(e.data, '"', ':')
}

// anyMember starts a member of an object.
func (e *encoder) anyMember(name string) {
	e.comma('{')
	e.name = name
	e.string(name)
	e.data = append(e.data, ':')
}

// comma parts a member or an element from the one before it, if there is one.
func (e *encoder) comma(opening byte) {
	if e.data[len(e.data)-1] != opening {
		e.data = append(e.data, ',')
	}
}

func (e *encoder) null()             { e.data = append(e.data, "null"...) }
func (e *encoder) bool(b bool)       { e.data = strconv.AppendBool(e.data, b) }
func (e *encoder) int(n int64)       { e.data = strconv.AppendInt(e.data, n, 10) }
func (e *encoder) float64(f float64) { e.float(f, 64) }
func (e *encoder) float32(f float32) { e.float(float64(f), 32) }
func (e *encoder) time(t time.Time) {
	if y := t.Year(); y < 0 || y > 9999 {
		e.fail("has a year that RFC 3339 cannot write")
		return
	}
	e.data = append(e.data, '"')
	e.data = t.AppendFormat(e.data, time.RFC3339Nano)
	e.data = append(e.data, '"')
}

// float writes a number in the shortest form that reads back as the same.
func (e *encoder) float(f float64, bits int) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		e.fail("is not a number that JSON can write")
		return
	}
	format := byte('f')
	if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		format = 'e'
	}
	e.data = strconv.AppendFloat(e.data, f, format, -1, bits)
}

const hexDigits = "0123456789abcdef"

// string writes s with no more escapes than JSON asks for.
func (e *encoder) string(s string) {
	e.data = append(e.data, '"')
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && size == 1 {
				e.fail("is not UTF-8")
				return
			}
			i += size
			continue
		}
		if c >= ' ' && c != '"' && c != '\\' {
			i++
			continue
		}
		e.data = append(e.data, s[from:i]...)
		switch c {
		case '"', '\\':
			e.data = append(e.data, '\\', c)
		case '\b':
			e.data = append(e.data, '\\', 'b')
		case '\f':
			e.data = append(e.data, '\\', 'f')
		case '\n':
			e.data = append(e.data, '\\', 'n')
		case '\r':
			e.data = append(e.data, '\\', 'r')
		case '\t':
			e.data = append(e.data, '\\', 't')
		default:
			e.data = append(e.data, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		i++
		from = i
	}
	e.data = append(e.data, s[from:]...)
	e.data = append(e.data, '"')
}

// raw writes JSON that is written already, and null for none.
func (e *encoder) raw(text []byte) {
	if len(text) == 0 {
		e.null()
		return
	}
	var d decoder
	d.begin(text, copied)
	if err := d.finish(d.skip(0)); err != nil {
		e.fail("is not JSON: " + err.Error())
		return
	}
	e.data = append(e.data, text...)
}

// inner writes what another encoder wrote as a string that holds JSON.
func (e *encoder) inner(inner *encoder) {
	if inner.err != nil {
		e.fail("holds JSON that cannot be written: " + inner.err.Error())
		return
	}
	e.string(string(inner.data))
}

// secret writes a secret, to one who may see it.
func (e *encoder) secret(s Secret) {
	if e.reveal {
		e.string(s.Reveal())
		return
	}
	e.string(redacted)
}

func (e *encoder) bytes(b []byte) { e.string(base64.StdEncoding.EncodeToString(b)) }
