package generator

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/dave/jennifer/jen"
)

// maxMarks is how many members one variable can mark as seen.
const maxMarks = 64

// marked are the members that have to be seen before an object ends, as many
// together as one variable can mark. A payload's identifier is not among them:
// not every form has it.
func (def *typeDef) marked() [][]*field {
	var list []*field
	for _, f := range def.Fields {
		if f.Required && (def.Payload == nil || f != def.Payload.ID) {
			list = append(list, f)
		}
	}
	return slices.Collect(slices.Chunk(list, maxMarks))
}

// seenName is the variable that marks the members of a group as seen.
func seenName(group int) string {
	if group == 0 {
		return "seen"
	}
	return fmt.Sprintf("seen%d", group+1)
}

// bit is the constant that marks a member as seen. Those of a payload, which more
// than one method uses, have the type in their names.
func (def *typeDef) bit(f *field) string {
	if def.Payload != nil {
		return "has" + def.Name + f.Name
	}
	return "has" + f.Name
}

// nested is the constant that marks a payload's member that holds the others.
func (def *typeDef) nested() string { return "has" + def.Name + "Nested" }

// mark is the variable and the constant that mark a member as seen; they are
// empty where nobody asks for it.
func (def *typeDef) mark(f *field) (seen, bit string) {
	for i, group := range def.marked() {
		if slices.Contains(group, f) {
			return seenName(i), def.bit(f)
		}
	}
	if p := def.Payload; p != nil && (f == p.ID || f == p.BareID) {
		return "seen", def.bit(f)
	}
	return "", ""
}

// required is the constant that holds the marks of a group together.
func (def *typeDef) required(group int) string {
	name := "required"
	if def.Payload != nil {
		name += def.Name
	}
	return strings.Replace(seenName(group), "seen", name, 1)
}

// bits declares the marks.
func (def *typeDef) bits() []jen.Code {
	var list []jen.Code
	groups := def.marked()
	if def.Payload != nil && len(groups) == 0 {
		groups = [][]*field{nil}
	}
	for i, group := range groups {
		var names []string
		for _, f := range group {
			names = append(names, def.bit(f))
		}
		together := strings.Join(names, " | ")
		if len(group) > 4 {
			together = fmt.Sprintf("1<<%d - 1", len(group)) // they come first
		}
		if p := def.Payload; p != nil {
			names = append(names, def.bit(p.ID))
			if p.BareID != nil && !slices.Contains(group, p.BareID) {
				names = append(names, def.bit(p.BareID))
			}
			if p.Under != "" {
				names = append(names, def.nested())
			}
		}
		defs := []jen.Code{code("%s uint64 = 1 << iota", names[0])}
		for _, name := range names[1:] {
			defs = append(defs, code("%s", name))
		}
		if len(group) > 1 {
			defs = append(defs, code("%s = %s", def.required(i), together))
		}
		list = append(list, jen.Const().Defs(defs...))
	}
	return list
}

// require makes the statements that fail for what was not seen when the object
// ended.
func (def *typeDef) require() []jen.Code {
	var list []jen.Code
	for i, group := range def.marked() {
		seen, broken := seenName(i), ""
		names := make([]string, len(group))
		for j, f := range group {
			names[j] = fmt.Sprintf("%q", f.JSON)
		}
		if broken = fmt.Sprintf("%s&%s == 0", seen, def.bit(group[0])); len(group) > 1 {
			broken = fmt.Sprintf("%s&%[2]s != %[2]s", seen, def.required(i))
		}
		list = append(list, jen.If(code("%s", broken)).Block(code("i = d.missing(i, %s, %s)", seen, strings.Join(names, ", "))))
	}
	return list
}

// read makes the statements that read one member, whose value is at a place.
func (def *typeDef) read(f *field, at string) []jen.Code {
	if f.Lenient && !f.Required {
		return def.readLenient(f, at)
	}
	target := "v." + f.Name
	seen, bit := def.mark(f)
	var mark []jen.Code
	if bit != "" {
		mark = []jen.Code{code("%s |= %s", seen, bit)}
	}
	switch null := f.Type.takesNull(); {
	case f.Required && !f.Type.Pointer && (!f.Nullable || !f.Type.nillable()):
		return append(readValue(f.Type, target, at, notNull), mark...)
	case null && (f.Required || bit == ""):
		return append(readValue(f.Type, target, at, orNull), mark...)
	case f.Required: // null is a value like any other
		return append(orNil(f.Type, target, at), mark...)
	case bit == "":
		return orNil(f.Type, target, at)
	default: // null is as good as nothing
		return append(readValue(f.Type, target, at, orNull), jen.If(code("%s |= %s", seen, bit), code("d.byte(i-1, 'l')")).Block(
			code("%s &^= %s // it was null", seen, bit)))
	}
}

// readLenient makes the statements that read a member that may have another
// form. What was tried must not have changed the text that is then skipped.
func (def *typeDef) readLenient(f *field, at string) []jen.Code {
	strict := *f
	strict.Lenient = false
	statements := append([]jen.Code{code("before, value := *d, %s", at), code("d.escapes = copied")}, def.read(&strict, "value")...)
	return append(statements,
		code("d.escapes = before.escapes"),
		jen.If(code("d.err != nil")).Block(
			code("d.undo(before) // it has another form"),
			code("v.%s, i = %s, d.skip(value)", f.Name, f.Type.zero()),
		),
	)
}

// takesNull tells whether the reader of a type can be told what to make of
// null.
func (t *goType) takesNull() bool {
	switch u := t.underlying(); {
	case u.Kind == kindList || u.Kind == kindMap:
		return true // it always makes nil of it
	case t.Pointer:
		return u.Kind == kindText
	default:
		return !t.IsStruct()
	}
}

// orNil makes the statements that read a value or a null.
func orNil(t *goType, target, at string) []jen.Code {
	return []jen.Code{jen.If(code("next, null := d.null(%s)", at), code("null")).Block(
		code("%s, i = %s, next", target, t.zero()),
	).Else().Block(readValue(t, target, "next", notNull)...)}
}

// readValue makes the statements that read a value.
func readValue(t *goType, target, at, null string) []jen.Code {
	plain := *t
	plain.Pointer = false
	switch {
	case t.Kind == kindText && t.Elem.IsStruct():
		return []jen.Code{code("%s, i = inner(d, %s, %s, (*%s).decode)", target, at, null, t.Elem)}
	case t.IsStruct() && t.Pointer:
		return []jen.Code{code("%s = new(%s)", target, &plain), code("i = %s.decode(d, %s)", target, at)}
	case t.IsStruct():
		return []jen.Code{code("%s = %s", target, t.zero()), code("i = %s.decode(d, %s)", target, at)}
	case t.Pointer:
		return []jen.Code{code("%s = new(%s)", target, &plain), code("*%s, i = %s", target, decodeExpr(&plain, at, null))}
	default:
		return []jen.Code{code("%s, i = %s", target, decodeExpr(t, at, null))}
	}
}

// spelling is a member's name as decoders compare it: with its quotes and the
// colon, as it is spelt plainly.
type spelling string

func spell(name string) spelling { return spelling(plainJSON(name) + ":") }

// word is what decoder.name returns for the name.
func (s spelling) word() spelling {
	word := s[:min(len(s), 8)]
	if colon := strings.IndexByte(string(word), ':'); colon >= 0 {
		word = word[:colon+1]
	}
	return word
}

// number is a text of up to eight bytes as a word.
func (s spelling) number() uint64 {
	var eight [8]byte
	copy(eight[:], s)
	return binary.LittleEndian.Uint64(eight[:])
}

// comparison is a condition that two expressions are equal, with what it says
// to a reader.
type comparison struct{ left, right, says string }

// rest are the conditions that what follows the word stands there too.
func (s spelling) rest() []comparison {
	var list []comparison
	for from := len(s.word()); from < len(s); from += 8 {
		part := s[from:min(len(s), from+8)]
		eight := fmt.Sprintf("d.eight(i+%d)", from)
		if n := len(part); n < 8 {
			eight += fmt.Sprintf("&%#x", uint64(1)<<(8*n)-1)
		}
		list = append(list, comparison{eight, fmt.Sprintf("%#x", part.number()), string(part)})
	}
	return list
}

// condition joins comparisons to one that all of them are true.
func condition(list []comparison) string {
	parts := make([]string, len(list))
	for i, c := range list {
		parts[i] = c.left + " == " + c.right
	}
	return strings.Join(parts, " && ")
}

// opposite joins comparisons to the condition that one of them is not true.
func opposite(list []comparison) string {
	parts := make([]string, len(list))
	for i, c := range list {
		parts[i] = c.left + " != " + c.right
	}
	return strings.Join(parts, " || ")
}

// remark is the text that comparisons are about.
func remark(list []comparison) string {
	text := ""
	for _, c := range list {
		text += c.says
	}
	if text == "" {
		return ""
	}
	return " // " + oneWord(text)
}

// oneWord is a part of a name as a comment can show it.
func oneWord(text string) string {
	quoted := strconv.Quote(strings.ToValidUTF8(text, "…"))
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
}

// member is a member of an object with the statements that read it from a place.
type member struct {
	name string
	read func(at string) []jen.Code
	when []comparison // without them the member is one of the others
}

// members makes the loop over an object's members that starts at the name at i.
// other is the statement that reads those that are not named here.
func members(list []member, other string) jen.Code {
	byWord := make(map[spelling][]member)
	var words []spelling
	for _, m := range list {
		word := spell(m.name).word()
		if byWord[word] == nil {
			words = append(words, word)
		}
		byWord[word] = append(byWord[word], m)
	}
	var cases []jen.Code
	for _, word := range words {
		cases = append(cases, code("case %#x: // %s", word.number(), oneWord(string(word))))
		cases = append(cases, alternatives(byWord[word], other)...)
	}
	cases = append(cases, code("default:"), code("%s", other))
	return jen.For(code("name := i"), code("i >= 0"), code("i = d.next(i, name)")).Block(
		code("name = i"),
		jen.Switch(code("d.name(i)")).Block(cases...),
	)
}

// alternatives makes the statements for the members whose names begin with the
// same word.
func alternatives(list []member, other string) []jen.Code {
	if len(list) == 1 {
		is := list[0].is()
		if read := list[0].read(list[0].at()); len(is) == 0 {
			return read
		} else {
			return append([]jen.Code{code("if %s {%s", opposite(is), remark(is)), code("%s", other), code("break"), code("}")}, read...)
		}
	}
	statements := []jen.Code{code("switch {")}
	for _, m := range list {
		is := m.is()
		statements = append(statements, code("case %s:%s", cmp.Or(condition(is), "true"), remark(is)))
		statements = append(statements, m.read(m.at())...)
	}
	return append(statements, code("default:"), code("%s", other), code("}"))
}

// at is where the member's value is.
func (m member) at() string { return fmt.Sprintf("i+%d", len(spell(m.name))) }

// is are the conditions that this is the member, its first word being right.
func (m member) is() []comparison { return slices.Concat(m.when, spell(m.name).rest()) }

// decoder makes the method that reads a struct.
func (c *codec) decoder(def *typeDef) {
	var list []member
	for _, f := range def.Fields {
		list = append(list, member{name: f.JSON, read: func(at string) []jen.Code { return def.read(f, at) }})
	}
	body := def.bits()
	for i := range def.marked() {
		body = append(body, code("var %s uint64", seenName(i)))
	}
	other := "i = d.other(i)"
	if def.Extra != nil {
		other = "i = v.decodeOther(d, i)"
	}
	body = append(body, code("i = d.object(i)"), members(list, other))
	if required := def.require(); len(required) > 0 {
		body = append(append(append(body, code("i = ^i")), required...), code("return i"))
	} else {
		body = append(body, code("return ^i"))
	}
	c.Func().Params(jen.Id("v").Op("*").Id(def.Name)).Id("decode").Params(jen.Id("d").Op("*").Id("decoder"), jen.Id("i").Int()).Int().Block(body...)
	c.Line()
	if def.Extra != nil {
		c.otherDecoder(def)
	}
}

// otherDecoder makes the method that reads a member which the document does not
// name, and keeps it.
func (c *codec) otherDecoder(def *typeDef) {
	body := []jen.Code{
		code("key, i := d.otherKey(i)"),
		jen.If(code("i > len(d.data)")).Block(code("return i")),
		jen.If(code("v.%s == nil", def.ExtraName)).Block(code("v.%s = make(map[string]%s)", def.ExtraName, def.Extra)),
	}
	body = append(body, readElement(def.Extra, "value")...)
	body = append(body, code("v.%s[key] = value", def.ExtraName), code("return i"))
	c.doc(fmt.Sprintf("decodeOther reads a member that %s has no field for.", def.Name))
	c.Func().Params(jen.Id("v").Op("*").Id(def.Name)).Id("decodeOther").Params(jen.Id("d").Op("*").Id("decoder"), jen.Id("i").Int()).Int().Block(body...)
	c.Line()
}

// payloadDecoder makes the methods that read a payload in each of its forms.
func (c *codec) payloadDecoder(def *typeDef) {
	p, id, nested := def.Payload, def.bit(def.Payload.ID), def.nested()
	c.doc(fmt.Sprintf("The members of %s that its decoder has to have seen.", def.Name))
	for _, bits := range def.bits() {
		c.Add(bits)
		c.Line()
	}
	method := func(name string) *jen.Statement {
		return c.Func().Params(jen.Id("v").Op("*").Id(def.Name)).Id(name)
	}
	var outside []comparison
	if p.Under != "" {
		outside = []comparison{{left: "seen&" + nested, right: "0"}}
	}
	identifier := member{name: p.ID.JSON, read: func(at string) []jen.Code { return def.read(p.ID, at) }}
	list := []member{identifier}
	list[0].when = outside
	if p.Under != "" {
		list = append(list, member{name: p.Under, when: outside, read: func(at string) []jen.Code {
			return []jen.Code{
				jen.If(code("next, null := d.null(%s)", at), code("null")).Block(code("i = next")).Else().Block(code("return v.decodeNested(d, i, seen)")),
			}
		}})
	}
	for _, f := range def.Fields {
		if f != p.ID {
			list = append(list, member{name: f.JSON, read: func(at string) []jen.Code { return def.read(f, at) }})
		}
	}

	body := []jen.Code{code("start := d.space(i)"), code("i, seen := v.decodeMembers(d, start, 0)")}
	if p.BareID != nil {
		without := id
		if p.Under != "" {
			without = "(" + id + "|" + nested + ")"
		}
		body = append(body, jen.If(code("seen&%s == 0 && seen&%s != 0", without, def.bit(p.BareID))).Block(
			code("v.%s = v.%s // a bare payload", p.ID.Name, p.BareID.Name), code("seen |= %s", id)))
	}
	body = append(body, jen.If(code("seen&%s == 0", id)).Block(code("i = d.missing(i, 0, %q)", p.ID.JSON)))
	switch required := def.require(); {
	case p.Under != "" && len(required) > 0:
		body = append(body, jen.If(code("%s", condition(outside))).Block(required...))
	default:
		body = append(body, required...)
	}
	body = append(body, jen.If(code("d.err == nil && d.escapes != inPlace")).Block(code("v.Raw = d.source()[start:i:i]")), code("return i"))
	method("decode").Params(jen.Id("d").Op("*").Id("decoder"), jen.Id("i").Int()).Int().Block(body...)
	c.Line()

	what := fmt.Sprintf("decodeMembers reads the members of a %s.", def.Name)
	if p.Under != "" {
		what = fmt.Sprintf("decodeMembers reads the members of a %s, or those that stand under\n%q where seen says that it is nested.", def.Name, p.Under)
	}
	parameters := []jen.Code{jen.Id("d").Op("*").Id("decoder"), jen.Id("i").Int(), jen.Id("seen").Uint64()}
	c.doc(what)
	method("decodeMembers").Params(parameters...).Params(jen.Int(), jen.Uint64()).Block(
		code("i = d.object(i)"), members(list, "i = d.other(i)"), code("return ^i, seen"))
	c.Line()
	if p.Under == "" {
		return
	}
	under := member{name: p.Under, read: func(at string) []jen.Code {
		return []jen.Code{
			jen.If(code("next, null := d.null(%s)", at), code("null")).Block(code("i = next"), jen.Break()),
			code("*v = %s{%s: v.%s}", def.Name, p.ID.Name, p.ID.Name),
			code("i, seen = v.decodeMembers(d, %s, seen&%s|%s)", at, id, nested),
			jen.Add(def.require()...),
		}
	}}
	c.doc(fmt.Sprintf("decodeNested reads what is left of a %s from its member %q on. What\nstands there is all that counts but for the identifier.", def.Name, p.Under))
	method("decodeNested").Params(parameters...).Params(jen.Int(), jen.Uint64()).Block(
		members([]member{identifier, under}, "i = d.other(i)"), code("return ^i, seen"))
	c.Line()
}

// readElement makes the statements that read the value at i into a new variable.
func readElement(t *goType, name string) []jen.Code {
	declared := code("var %s %s", name, t)
	if t.Pointer {
		return append([]jen.Code{declared}, orNil(t, name, "i")...)
	}
	return append([]jen.Code{declared}, readValue(t, name, "i", notNull)...)
}

// listDecoder makes the function that reads a list.
func (c *codec) listDecoder(name string, list *goType) {
	item := readValue(list.Elem, "list[len(list)-1]", "i", notNull)
	switch {
	case list.Elem.Pointer:
		item = orNil(list.Elem, "list[len(list)-1]", "i")
	case list.Elem.IsStruct(): // the element is zero already
		item = []jen.Code{code("i = list[len(list)-1].decode(d, i)")}
	}
	body := slices.Concat([]jen.Code{code("list = longer(d, list, start, i)")}, item, []jen.Code{code("i = d.nextElement(i, len(list)-1)")})
	c.Func().Id("decode"+name).Params(jen.Id("d").Op("*").Id("decoder"), jen.Id("i").Int()).Params(code("%s", list), jen.Int()).Block(
		jen.If(code("next, null := d.null(i)"), code("null")).Block(code("return nil, next")),
		code("start, list := i, %s{}", list),
		code("i = d.array(i)"),
		jen.For(code("i >= 0")).Block(body...),
		code("return list, ^i"),
	)
	c.Line()
}

// mapDecoder makes the function that reads an object whose members have any
// names.
func (c *codec) mapDecoder(name string, t *goType) {
	body := slices.Concat(
		[]jen.Code{code("name = i"), code("key, i = d.key(i)")},
		readElement(t.Elem, "value"),
		[]jen.Code{code("members[key] = value")})
	c.Func().Id("decode"+name).Params(jen.Id("d").Op("*").Id("decoder"), jen.Id("i").Int()).Params(code("%s", t), jen.Int()).Block(
		jen.If(code("next, null := d.null(i)"), code("null")).Block(code("return nil, next")),
		code("members := make(%s)", t),
		code("var key string"),
		code("i = d.object(i)"),
		jen.For(code("name := i"), code("i >= 0"), code("i = d.next(i, name)")).Block(body...),
		code("return members, ^i"),
	)
	c.Line()
}
