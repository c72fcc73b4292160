package generator

import (
	"fmt"
	"strings"

	"github.com/dave/jennifer/jen"
)

// encodeExpr is an expression that writes a value behind b and returns that.
func encodeExpr(t *goType, value string) string {
	u := t.underlying()
	switch isEnum := t.Kind == kindNamed && t.Def.Kind == enumDef; {
	case u.Kind == kindList || u.Kind == kindMap:
		return fmt.Sprintf("%s(e, b, %s)", helperName("encode", u), value)
	case t.IsStruct():
		return value + ".encode(e, b)"
	case u.Kind == kindInt || u.Kind == kindInt32:
		if t.String() != "int64" {
			value = "int64(" + value + ")"
		}
		return fmt.Sprintf("appendInt(b, %s)", value)
	case u.Kind == kindBool:
		return fmt.Sprintf("strconv.AppendBool(b, %s)", value)
	case isEnum:
		return fmt.Sprintf("e.string(b, string(%s))", value)
	default:
		return fmt.Sprintf("e.%s(b, %s)", scanners[u.Kind], value)
	}
}

// writeValue makes the statements that write a value.
func writeValue(t *goType, value string) []jen.Code {
	plain := *t
	plain.Pointer = false
	null := code(`b = append(b, "null"...)`)
	switch {
	case t.Kind == kindText && t.Elem.IsStruct():
		return []jen.Code{code("inner := encoder{start: len(b), reveal: e.reveal}"), code("b = %s.encode(&inner, b)", value), code("b = e.quote(b, &inner)")}
	case t.Kind == kindText:
		return []jen.Code{code("b = e.string(b, string(%s))", value)}
	case t.Pointer && t.IsStruct():
		return []jen.Code{jen.If(code("%s == nil", value)).Block(null).Else().Block(code("b = %s", encodeExpr(&plain, value)))}
	case t.Pointer:
		return []jen.Code{jen.If(code("%s == nil", value)).Block(null).Else().Block(code("b = %s", encodeExpr(&plain, "*"+value)))}
	default:
		return []jen.Code{code("b = %s", encodeExpr(t, value))}
	}
}

// encoder makes the method that writes a struct.
func (c *codec) encoder(def *typeDef) {
	var body []jen.Code
	opened := "{" // what stands between the members that were written and the next
	certain := len(def.Fields) > 0 && def.Fields[0].Required
	if !certain {
		body = append(body, code("b = append(b, '{')"))
		opened = ""
	}
	for i, f := range def.Fields {
		value := "v." + f.Name
		var member []jen.Code
		switch name := spell(f.JSON); {
		case i == 0 || certain:
			member = []jen.Code{code("b = append(b, %s...)", goString(opened+string(name)))}
		default: // what comes before it may not be there
			member = []jen.Code{code("b = append(comma(b), %s...)", goString(string(name)))}
		}
		plain := *f.Type
		plain.Pointer = false
		switch {
		case !f.Required && f.Type.Kind == kindText:
			body = append(body, jen.If(code("%s != nil", value)).Block(append(member, writeValue(f.Type, value)...)...))
		case !f.Required && f.Type.Pointer:
			dereferenced := value
			if !f.Type.IsStruct() {
				dereferenced = "*" + value
			}
			body = append(body, jen.If(code("%s != nil", value)).Block(append(member, code("b = %s", encodeExpr(&plain, dereferenced)))...))
		case !f.Required:
			body = append(body, jen.If(code("%s", f.Type.nonzero(value))).Block(append(member, writeValue(f.Type, value)...)...))
		case f.Nullable && f.Type.nillable():
			body = append(append(body, member...), jen.If(code("%s == nil", value)).Block(code(`b = append(b, "null"...)`)).Else().Block(writeValue(f.Type, value)...))
		default:
			body = append(append(body, member...), writeValue(f.Type, value)...)
		}
		if f.Required {
			opened, certain = ",", true
		}
	}
	if def.Extra != nil {
		extra := "v." + def.ExtraName
		body = append(body, jen.If(code("len(%s) > 0", extra)).Block(eachMember(def.Extra, extra))) // sorting none costs too
	}
	body = append(body, code("return append(b, '}')"))
	c.encodeMethod(def, body...)
}

func (c *codec) encodeMethod(def *typeDef, body ...jen.Code) {
	c.Func().Params(jen.Id("v").Op("*").Id(def.Name)).Id("encode").
		Params(jen.Id("e").Op("*").Id("encoder"), jen.Id("b").Index().Byte()).Index().Byte().Block(body...)
	c.Line()
}

// eachMember makes the loop that writes the members of a map, in the order of
// their names.
func eachMember(elem *goType, members string) jen.Code {
	return jen.For(code("_, key := range slices.Sorted(maps.Keys(%s))", members)).Block(append(
		[]jen.Code{code("b = e.key(b, key)"), code("value := %s[key]", members)}, writeValue(elem, "value")...)...)
}

// listEncoder makes the function that writes a list.
func (c *codec) listEncoder(name string, list *goType) {
	c.encodeFunc(name, "list", list,
		code("b = append(b, '[')"),
		jen.For(code("i := range list")).Block(append([]jen.Code{
			jen.If(code("i > 0")).Block(code("b = append(b, ',')")),
		}, writeValue(list.Elem, "list[i]")...)...),
		code("return append(b, ']')"),
	)
}

// mapEncoder makes the function that writes a map.
func (c *codec) mapEncoder(name string, t *goType) {
	c.encodeFunc(name, "members", t,
		code("b = append(b, '{')"), eachMember(t.Elem, "members"), code("return append(b, '}')"))
}

func (c *codec) encodeFunc(name, parameter string, t *goType, body ...jen.Code) {
	c.Func().Id("encode"+name).Params(jen.Id("e").Op("*").Id("encoder"), jen.Id("b").Index().Byte(), jen.Id(parameter).Id(t.String())).Index().Byte().Block(body...)
	c.Line()
}

// goString writes a string as a person would: with back quotes if that is easier
// to read.
func goString(s string) string {
	if !strings.ContainsAny(s, "`\\") {
		return "`" + s + "`"
	}
	return fmt.Sprintf("%q", s)
}
