package generator

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/dave/jennifer/jen"
)

// codec makes the decoders and encoders: for every type, one that walks the
// bytes once and one that appends, with nothing looked up at run time.
func (o *output) codec() error {
	if len(o.Types)+len(o.Operations) == 0 {
		return nil
	}
	c := &codec{File: jen.NewFile(o.Bindings), helpers: make(map[string]bool)}
	c.NoFormat = true // add formats every file
	for _, def := range o.Types {
		switch def.Kind {
		case structDef:
			c.structCodec(def)
		case unionDef:
			c.unionCodec(def)
		}
	}
	for _, op := range o.Operations {
		for _, t := range []*goType{op.Result, op.Body} {
			if t != nil {
				c.helper(t)
			}
		}
	}
	c.patterns()
	var b bytes.Buffer
	if err := c.Render(&b); err != nil {
		return fmt.Errorf("the codec cannot be written: %w", err)
	}
	return o.add(o.Bindings, "codec", withImports(b.Bytes()))
}

// codec is the file that is being made. jennifer writes the statements; the
// expressions in them are short enough to be read as Go.
type codec struct {
	*jen.File
	helpers map[string]bool // of lists and maps, by name
	regexps []string
}

// withImports names what the codec's expressions may need; what they do not is
// dropped again.
func withImports(src []byte) []byte {
	head, rest, _ := bytes.Cut(src, []byte("\n"))
	const imports = "\n\nimport (\n\t\"bytes\"\n\t\"encoding/base64\"\n\t\"encoding/json\"\n\t\"maps\"\n\t\"net/url\"\n\t\"regexp\"\n\t\"slices\"\n\t\"strconv\"\n\t\"strings\"\n\t\"time\"\n\t\"unicode/utf8\"\n)\n"
	return slices.Concat(head, []byte(imports), rest)
}

// doc writes a doc comment.
func (c *codec) doc(text string) { c.Add(jen.Comment(comment(text))) }

// code is Go as it is written, a line a statement.
func code(format string, args ...any) jen.Code {
	return jen.Id(fmt.Sprintf(format, args...))
}

var scanners = map[kind]string{
	kindAny: "raw", kindString: "string", kindSecret: "secret", kindBool: "bool", kindInt: "int64", kindInt32: "int32", kindFloat: "float64",
	kindFloat32: "float32", kindTime: "time", kindBytes: "bytes",
}

// decodeExpr is an expression that reads the value at a place, which is not a
// struct, and returns it and where to go on. null is what becomes of null.
func decodeExpr(t *goType, at, null string) string {
	u := t.underlying()
	switch isEnum := t.Kind == kindNamed && t.Def.Kind == enumDef; {
	case u.Kind == kindList || u.Kind == kindMap:
		return fmt.Sprintf("%s(d, %s)", helperName("decode", u), at)
	case isEnum && u.Kind == kindString:
		return fmt.Sprintf("enum[%s](d, %s, %s)", t.Def.Name, at, null)
	case isEnum:
		return fmt.Sprintf("integer[%s](d, %s, %s)", t.Def.Name, at, null)
	default:
		return fmt.Sprintf("d.%s(%s, %s)", scanners[u.Kind], at, null)
	}
}

// What a reader makes of null, as the runtime has it.
const (
	notNull = "notNull"
	orNull  = "orNull"
)

// helperName names the function for a list or a map by what is in it.
func helperName(verb string, t *goType) string {
	name := ""
	for ; t.Kind == kindList || t.Kind == kindMap; t = t.Elem.underlying() {
		if t.Kind == kindList {
			name = "List" + name
		} else {
			name = "Map" + name
		}
		if t.Elem.Pointer {
			name = "Nullable" + name
		}
		if e := t.Elem; e.Kind == kindNamed && e.Def.Kind == enumDef {
			return verb + e.Def.Name + name
		}
	}
	if t.Kind == kindNamed {
		return verb + t.Def.Name + name
	}
	scanner := scanners[t.Kind]
	return verb + strings.ToUpper(scanner[:1]) + scanner[1:] + name
}

// zero is the type's zero value as Go writes it.
func (t *goType) zero() string {
	u := t.underlying()
	switch {
	case t.Pointer || t.nillable() || u.Kind == kindText:
		return "nil"
	case u.Kind == kindString:
		return `""`
	case u.Kind == kindBool:
		return "false"
	case u.Kind == kindTime:
		return "time.Time{}"
	case u.Kind == kindSecret:
		return "Secret{}"
	case u.Kind == kindNamed:
		return t.String() + "{}"
	default:
		return "0"
	}
}

// nonzero is a condition: that a field has something to write.
func (t *goType) nonzero(value string) string {
	switch u := t.underlying(); {
	case t.Pointer:
		return value + " != nil"
	case u.Kind == kindBool:
		return value
	case u.Kind == kindTime:
		return "!" + value + ".IsZero()"
	case u.Kind == kindSecret:
		return value + " != (Secret{})"
	case t.nillable() && u.Kind != kindAny && u.Kind != kindBytes:
		return value + " != nil"
	case t.nillable():
		return "len(" + value + ") > 0"
	default:
		return value + " != " + t.zero()
	}
}

// structCodec makes a struct's methods.
func (c *codec) structCodec(def *typeDef) {
	c.public(def)
	for _, f := range def.Fields {
		c.helper(f.Type)
	}
	if def.Extra != nil {
		c.helper(&goType{Kind: kindMap, Elem: def.Extra})
	}
	if def.Payload != nil {
		c.payloadDecoder(def)
	} else {
		c.decoder(def)
	}
	c.encoder(def)
	if def.hasRules() {
		c.validator(def)
	}
}

// public makes the exported methods.
func (c *codec) public(def *typeDef) {
	name := def.Name
	if def.Decoded {
		what := fmt.Sprintf("%s reads the JSON of a %s", "Decode"+name, name)
		if def.Payload != nil {
			what += ", in whichever form it has"
		}
		c.doc(what + ". What it returns shares\nnothing with data. Any failure is a *DecodeError.")
		c.entry("Decode"+name, def, "bytes.Clone(data), copied")
		c.doc(fmt.Sprintf("Decode%sInPlace reads the JSON of a %s without copying it: strings share\ndata, and escapes in them are undone where they stand. The caller gives data up\nand never changes it again. Any failure is a *DecodeError.", name, name))
		c.entry("Decode"+name+"InPlace", def, "data, inPlace")
	}
	c.doc("UnmarshalJSON reads v from JSON. As encoding/json has it, null leaves v as it\nis. A failure is a *DecodeError, and leaves v as it is too.")
	c.Func().Params(jen.Id("v").Op("*").Id(name)).Id("UnmarshalJSON").Params(jen.Id("data").Index().Byte()).Error().Block(
		code("return unmarshal(v, data, (*%s).decode)", name),
	)
	c.Line()
	c.doc("MarshalJSON writes v as JSON. A failure is an *EncodeError.")
	c.Func().Params(jen.Id("v").Id(name)).Id("MarshalJSON").Params().Params(jen.Index().Byte(), jen.Error()).Block(
		code("var e encoder"),
		code("room := rooms.Get().(*[]byte)"),
		code("*room = v.encode(&e, (*room)[:0])"),
		code("return e.exactly(room)"),
	)
	c.Line()
	c.doc("AppendJSON writes v as JSON behind dst. After a failure, which is an\n*EncodeError, it returns dst as it was.")
	c.Func().Params(jen.Id("v").Id(name)).Id("AppendJSON").Params(jen.Id("dst").Index().Byte()).Params(jen.Index().Byte(), jen.Error()).Block(
		code("e := encoder{start: len(dst)}"),
		code("return e.appended(dst, v.encode(&e, dst))"),
	)
	c.Line()
	c.revealer(def)
}

// entry makes a function that decodes a whole text.
func (c *codec) entry(name string, def *typeDef, text string) {
	c.Func().Id(name).Params(jen.Id("data").Index().Byte()).Params(jen.Id("v").Id(def.Name), jen.Err().Error()).Block(
		code("var d decoder"),
		code("d.begin(%s)", text),
		jen.If(code("err := d.finish(v.decode(&d, 0))"), code("err != nil")).Block(code("return %s{}, err", def.Name)),
		code("return v, nil"),
	)
	c.Line()
}

// revealer makes the method that writes a type with its secrets shown.
func (c *codec) revealer(def *typeDef) {
	if !def.holdsSecret(make(map[*typeDef]bool)) {
		return
	}
	c.doc("RevealJSON writes v as JSON with its secrets, for the side that hands them\nout; MarshalJSON writes \"[redacted]\" for them. A failure is an *EncodeError.")
	c.Func().Params(jen.Id("v").Id(def.Name)).Id("RevealJSON").Params().Params(jen.Index().Byte(), jen.Error()).Block(
		code("e := encoder{reveal: true}"),
		code("room := rooms.Get().(*[]byte)"),
		code("*room = v.encode(&e, (*room)[:0])"),
		code("return e.exactly(room)"),
	)
	c.Line()
}

// holdsSecret tells whether there is a secret in a type's values.
func (def *typeDef) holdsSecret(inside map[*typeDef]bool) bool {
	if inside[def] {
		return false
	}
	inside[def] = true
	types := []*goType{def.Extra}
	for _, f := range def.Fields {
		types = append(types, f.Type)
	}
	for _, v := range def.Variants {
		types = append(types, &goType{Kind: kindNamed, Def: v.Def})
	}
	return slices.ContainsFunc(types, func(t *goType) bool { return t != nil && t.holdsSecret(inside) })
}

func (t *goType) holdsSecret(inside map[*typeDef]bool) bool {
	switch u := t.underlying(); u.Kind {
	case kindSecret:
		return true
	case kindList, kindMap, kindText:
		return u.Elem.holdsSecret(inside)
	case kindNamed:
		return u.Def.holdsSecret(inside)
	}
	return false
}

// helper makes the functions that read and write a list or a map, once for
// each type.
func (c *codec) helper(t *goType) {
	if t.Kind == kindText {
		return
	}
	u := t.underlying()
	if u.Kind != kindList && u.Kind != kindMap {
		return
	}
	name := helperName("", u)
	if c.helpers[name] {
		return
	}
	c.helpers[name] = true
	c.helper(u.Elem)
	if u.Kind == kindList {
		c.listDecoder(name, u)
		c.listEncoder(name, u)
		return
	}
	c.mapDecoder(name, u)
	c.mapEncoder(name, u)
}

// plainJSON is a string as the runtime's encoder writes it, with no more escapes
// than JSON asks for.
func plainJSON(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ':
			control, _ := json.Marshal(string(r))
			b.Write(bytes.Trim(control, `"`))
		default:
			b.WriteRune(r)
		}
	}
	return `"` + b.String() + `"`
}

// unionCodec makes a union's methods.
func (c *codec) unionCodec(def *typeDef) {
	c.public(def)
	var decode, encode []jen.Code
	for _, v := range def.Variants {
		tags := make([]jen.Code, len(v.Tags))
		for i, tag := range v.Tags {
			tags[i] = jen.Lit(tag)
		}
		decode = append(decode, jen.Case(tags...).Block(code("v.%s = new(%s)", v.Name, v.Def.Name), code("return v.%s.decode(d, i)", v.Name)))
		encode = append(encode, jen.Case(code("v.%s != nil", v.Name)).Block(code("return v.%s.encode(e, b)", v.Name)))
	}
	decode = append(decode, jen.Default().Block(code("v.Raw, i = d.raw(i, notNull)"), code("return i")))
	encode = append(encode, jen.Default().Block(code("return e.raw(b, v.Raw)")))
	c.Func().Params(jen.Id("v").Op("*").Id(def.Name)).Id("decode").Params(jen.Id("d").Op("*").Id("decoder"), jen.Id("i").Int()).Int().Block(
		jen.Switch(code("d.tag(i, %q)", def.Tag)).Block(decode...),
	)
	c.Line()
	c.encodeMethod(def, jen.Switch().Block(encode...))
}

// hasRules tells whether there is anything to validate in a type.
func (def *typeDef) hasRules() bool { return def.rulesInside(make(map[*typeDef]bool)) }

func (def *typeDef) rulesInside(inside map[*typeDef]bool) bool {
	if inside[def] {
		return false
	}
	inside[def] = true
	if len(def.Builders) > 0 {
		return true
	}
	for _, f := range def.Fields {
		if len(f.checks("", nil)) > 0 {
			return true
		}
		if nested := f.Type.validated(); nested != nil && nested.rulesInside(inside) {
			return true
		}
	}
	return false
}

// validated is the struct whose rules a value has to keep to: its own type, or
// that of its elements.
func (t *goType) validated() *typeDef {
	u := t.underlying()
	if u.Kind == kindText || u.Kind == kindList {
		u = u.Elem.underlying()
	}
	if u.Kind == kindNamed && u.Def.Kind == structDef {
		return u.Def
	}
	return nil
}

// check is a condition that breaks a rule, and the rule in words.
type check struct{ broken, reason string }

// checks lists the rules of a field's own value.
func (f *field) checks(value string, c *codec) []check {
	var list []check
	add := func(broken, reason string) { list = append(list, check{broken, reason}) }
	r := f.Rules
	switch u := f.Type.underlying(); u.Kind {
	case kindString:
		if f.Type.Kind == kindNamed && f.Type.Def.Kind == enumDef {
			return nil // values that the document does not name are let through
		}
		if r.MinLength == 1 {
			add(value+` == ""`, "must not be empty")
		} else if r.MinLength > 1 {
			add(fmt.Sprintf("utf8.RuneCountInString(%s) < %d", value, r.MinLength), fmt.Sprintf("must have at least %d characters", r.MinLength))
		}
		if r.MaxLength != nil {
			add(fmt.Sprintf("utf8.RuneCountInString(%s) > %d", value, *r.MaxLength), fmt.Sprintf("must have at most %d characters", *r.MaxLength))
		}
		if r.URI {
			add("!absoluteURL("+value+")", "must be an absolute URL")
		}
		if r.Pattern != "" {
			add("!"+c.pattern(r.Pattern, value), patternWords(r.Pattern))
		}
	case kindInt, kindInt32, kindFloat, kindFloat32:
		if r.Minimum != nil {
			number := strconv.FormatFloat(*r.Minimum, 'f', -1, 64)
			add(value+" < "+number, "must be at least "+number)
		}
		if r.Maximum != nil {
			number := strconv.FormatFloat(*r.Maximum, 'f', -1, 64)
			add(value+" > "+number, "must be at most "+number)
		}
	case kindList:
		if r.MinItems == 1 {
			add(fmt.Sprintf("len(%s) == 0", value), "must not be empty")
		} else if r.MinItems > 1 {
			add(fmt.Sprintf("len(%s) < %d", value, r.MinItems), fmt.Sprintf("must have at least %d elements", r.MinItems))
		}
		if r.MaxItems != nil {
			add(fmt.Sprintf("len(%s) > %d", value, *r.MaxItems), fmt.Sprintf("must have at most %d elements", *r.MaxItems))
		}
	}
	return list
}

var plainPrefix = regexp.MustCompile(`^\^[A-Za-z0-9/:_-]+$`)

// patternWords says a pattern in words where it is one that people write for
// what JSON Schema has no keyword of its own.
func patternWords(pattern string) string {
	switch {
	case plainPrefix.MatchString(pattern):
		return "must start with " + pattern[1:]
	case pattern == `\S`:
		return "must hold more than white space"
	}
	return "must match " + pattern
}

// pattern is an expression that matches a value.
func (c *codec) pattern(pattern, value string) string {
	if plainPrefix.MatchString(pattern) {
		return fmt.Sprintf("strings.HasPrefix(%s, %q)", value, pattern[1:])
	}
	if c == nil {
		return ""
	}
	i := 0
	for i < len(c.regexps) && c.regexps[i] != pattern {
		i++
	}
	if i == len(c.regexps) {
		c.regexps = append(c.regexps, pattern)
	}
	return fmt.Sprintf("pattern%d.MatchString(%s)", i+1, value)
}

// patterns declares the regular expressions.
func (c *codec) patterns() {
	for i, pattern := range c.regexps {
		c.Var().Id(fmt.Sprintf("pattern%d", i+1)).Op("=").Add(code("regexp.MustCompile(%q)", pattern))
	}
}

// validator makes the method that checks the rules.
func (c *codec) validator(def *typeDef) {
	c.doc("Validate checks what the document asks of the values beyond their types. A\nfailure is a *ValidationError.")
	c.Func().Params(jen.Id("v").Op("*").Id(def.Name)).Id("Validate").Params().Error().BlockFunc(func(g *jen.Group) {
		for _, f := range def.Fields {
			for _, s := range c.validateField(f) {
				g.Add(s)
			}
		}
		for _, s := range def.Builders {
			if condition := s.broken("v"); condition != "" {
				g.If(code("%s", condition)).Block(code("return &ValidationError{Path: %q, Reason: %q}", s.place(), s.reason()))
			}
		}
		g.Return(jen.Nil())
	})
	c.Line()
}

func (c *codec) validateField(f *field) []jen.Code {
	target, value := "v."+f.Name, "v."+f.Name
	if f.Type.Pointer && !f.Type.IsStruct() {
		value = "*" + value
	}
	var body []jen.Code
	for _, check := range f.checks(value, c) {
		body = append(body, jen.If(code("%s", check.broken)).Block(code("return &ValidationError{Path: %q, Reason: %q}", f.JSON, check.reason)))
	}
	if nested := f.Type.validated(); nested != nil && nested.hasRules() {
		if f.Type.underlying().Kind == kindList {
			body = append(body, jen.For(code("i := range %s", target)).Block(
				jen.If(code("err := %s[i].Validate()", target), code("err != nil")).Block(code(`return below(err, "%s["+strconv.Itoa(i)+"]")`, f.JSON))))
		} else {
			body = append(body, jen.If(code("err := %s.Validate()", target), code("err != nil")).Block(code("return below(err, %q)", f.JSON)))
		}
	}
	if len(body) == 0 {
		return nil
	}
	switch {
	case f.Type.Pointer:
		return []jen.Code{jen.If(code("%s != nil", target)).Block(body...)}
	case !f.Required && (!f.Type.nillable() || len(f.checks(value, c)) > 0):
		return []jen.Code{jen.If(code("%s", f.Type.nonzero(target))).Block(body...)}
	}
	return body
}
