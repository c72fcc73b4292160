package runtime

import (
	"fmt"
	"math"
	"strconv"
)

// int64 reads a whole number.
func (d *decoder) int64(i int, null bool) (int64, int) {
	n, j, data := uint64(0), i, d.data
	if i+8 <= len(data) && data[i+7]-'0' <= 9 {
		if w := d.eight(i); eightDigits(w) {
			n, j = eightDigitsValue(w), i+8
		}
	}
	for ; j < len(data); j++ {
		digit := data[j] - '0'
		if digit > 9 {
			// A leading zero, a sign, more digits than surely fit, a fraction: all that
			// is not plain is looked at again.
			if digits := uint(j - i); digits-1 < 18 && closes(data[j]) && (digits == 1 || data[i] != '0') {
				return int64(n), j
			}
			break
		}
		n = n*10 + uint64(digit)
	}
	return d.wholeNumber(i, 64, null)
}

// eightDigits tells whether the eight bytes of a word are digits.
func eightDigits(w uint64) bool {
	const above = (0x7f - '9') * ones // added to more than '9', it sets the high bit
	return (w|(w+above)|(w-'0'*ones))&highBits == 0
}

// eightDigitsValue is the number that eight digits are, the first in the lowest
// bits. Neighbours are added up to pairs, those to fours, and those to the whole.
func eightDigitsValue(w uint64) uint64 {
	w -= '0' * ones
	w = (w*10 + w>>8) & 0x00ff00ff00ff00ff
	w = (w*100 + w>>16) & 0x0000ffff0000ffff
	return (w*10000 + w>>32) & 0xffffffff
}

// closes tells whether c is a comma or closes an object or a list.
func closes(c byte) bool { return c == ',' || c|' ' == '}' } // ']' and '}' differ in that bit

// integer reads a whole number of a type of its own.
func integer[T ~int32 | ~int64](d *decoder, i int, null bool) (T, int) {
	bits := 64
	if T(1<<31-1)+1 < 0 {
		bits = 32
	}
	n, end := d.wholeNumber(i, bits, null)
	return T(n), end
}

// int32 reads a whole number of 32 bits.
func (d *decoder) int32(i int, null bool) (int32, int) {
	n, end := d.wholeNumber(i, 32, null)
	return int32(n), end
}

// wholeNumber reads a whole number of so many bits, however it is written.
func (d *decoder) wholeNumber(i, bits int, null bool) (int64, int) {
	i = d.space(i)
	if null && d.has(i, "null") {
		return 0, i + len("null")
	}
	text, whole, end := d.number(i, "a whole number")
	if d.err != nil {
		return 0, end
	}
	if !whole {
		return 0, d.fail(i, "must be a whole number, without fraction or exponent")
	}
	n, err := strconv.ParseInt(view(text), 10, bits)
	if err != nil {
		return 0, d.fail(i, fmt.Sprintf("is out of range for a whole number of %d bits", bits))
	}
	return n, end
}

// number reads the text of a number, and tells whether it is written whole, with
// neither fraction nor exponent.
func (d *decoder) number(i int, what string) (text []byte, whole bool, end int) {
	i = d.space(i)
	digits := i
	if d.byte(i, '-') {
		digits++
	}
	end = d.digits(digits)
	if d.byte(digits, '0') {
		end = digits + 1
	}
	switch {
	case end == i:
		return nil, false, d.expected(i, what)
	case end == digits:
		return nil, false, d.fail(end, "is not a number: a digit is missing")
	}
	whole = true
	if d.byte(end, '.') {
		digits, whole = end+1, false
		if end = d.digits(digits); end == digits {
			return nil, false, d.fail(end, "is not a number: a digit is missing after the point")
		}
	}
	if d.byte(end, 'e') || d.byte(end, 'E') {
		digits, whole = end+1, false
		if d.byte(digits, '+') || d.byte(digits, '-') {
			digits++
		}
		if end = d.digits(digits); end == digits {
			return nil, false, d.fail(end, "is not a number: a digit is missing in the exponent")
		}
	}
	return d.data[i:end], whole, end
}

// digits is where the first byte from i on is that is no digit.
func (d *decoder) digits(i int) int {
	for i < len(d.data) && d.data[i]-'0' <= 9 {
		i++
	}
	return i
}

// float64 reads a number.
func (d *decoder) float64(i int, null bool) (float64, int) {
	i = d.space(i)
	if null && d.has(i, "null") {
		return 0, i + len("null")
	}
	text, _, end := d.number(i, "a number")
	if d.err != nil {
		return 0, end
	}
	f, err := strconv.ParseFloat(view(text), 64)
	if err != nil {
		return 0, d.fail(i, "is out of range for a number of 64 bits")
	}
	return f, end
}

// float32 reads a number of 32 bits.
func (d *decoder) float32(i int, null bool) (float32, int) {
	f, end := d.float64(i, null)
	if math.Abs(f) > math.MaxFloat32 {
		return 0, d.fail(d.space(i), "is out of range for a number of 32 bits")
	}
	return float32(f), end
}
