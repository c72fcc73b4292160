package runtime

// skip reads a value of any kind and forgets it.
func (d *decoder) skip(i int) int {
	escapes := d.escapes
	d.escapes = dropped
	i = d.value(i)
	d.escapes = escapes
	return i
}

// value reads a value of any kind.
func (d *decoder) value(i int) int {
	if i = d.space(i); i == len(d.data) {
		return d.expected(i, "a value")
	}
	switch c := d.data[i]; {
	case c == '{':
		return d.members(i)
	case c == '[':
		return d.elements(i)
	case c == '"':
		_, i = d.string(i, notNull)
		return i
	case c == '-' || '0' <= c && c <= '9':
		_, _, i = d.number(i, "a number")
		return i
	case d.has(i, "true"), d.has(i, "null"):
		return i + 4
	case d.has(i, "false"):
		return i + 5
	}
	return d.expected(i, "a value")
}

// members reads an object of any kind.
func (d *decoder) members(i int) int {
	i = d.object(i)
	for name := i; i >= 0; i = d.next(i, name) {
		name = i
		_, i = d.key(i)
		i = d.value(i)
	}
	return ^i
}

// elements reads a list of any kind.
func (d *decoder) elements(i int) int {
	i = d.array(i)
	for index := 0; i >= 0; index++ {
		i = d.nextElement(d.value(i), index)
	}
	return ^i
}

// raw reads a value of any kind and returns its text, which shares the
// decoder's data.
func (d *decoder) raw(i int, null bool) ([]byte, int) {
	i = d.space(i)
	end := d.skip(i)
	if d.err != nil || null && d.has(i, "null") {
		return nil, end
	}
	return d.source()[i:end:end], end
}

// tag looks ahead for a member of the object at i that holds a string, and
// returns that. It moves nothing.
func (d *decoder) tag(i int, name string) string {
	var ahead decoder
	ahead.begin(d.data, copied)
	ahead.depth = d.depth
	tag := ""
	i = ahead.object(i)
	for at := i; i >= 0; i = ahead.next(i, at) {
		at = i
		key, value := ahead.key(i)
		if value = ahead.space(value); key == name && ahead.byte(value, '"') {
			tag, i = ahead.string(value, notNull)
		} else {
			i = ahead.skip(value)
		}
	}
	return tag
}
