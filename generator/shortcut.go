package generator

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// shortcut is a method of a request that sets what belongs together: one
// property, and the fixed values that go with it.
type shortcut struct {
	Name  string
	Doc   string
	Param string
	path  []*field // to the property: one, or one inside another
	fixed []fixedValue
}

// fixedValue is a property that a shortcut always sets to the same.
type fixedValue struct {
	field *field
	text  string // as the document has it
	value string // as Go writes it
}

// shortcuts reads a schema's extension for them.
func (b *builder) shortcuts(def *typeDef, schema *openapi3.Schema, at pointer) {
	members, ok := schema.Extensions[extBuilders].(map[string]any)
	at = at.to(extBuilders)
	if !ok {
		b.at(at, extBuilders+" is not a mapping", "give it a name with sets, with and description")
		return
	}
	names := make(scope)
	for _, name := range methodNames {
		names[name] = true
	}
	for _, f := range def.Fields {
		names[f.Name] = true
	}
	for _, name := range inOrder(b.source, at, members) {
		v := b.extension(at, members, name, "sets", "with", "description")
		if goName(name) == "" {
			b.at(at.to(name), fmt.Sprintf("the name %q becomes no Go identifier", name), "give it letters or digits")
			continue
		}
		s := &shortcut{Name: names.name("With"+goName(name), "Value"), Doc: v.text("description")}
		if s.path = def.find(v.text("sets")); s.path == nil {
			b.at(v.at, fmt.Sprintf("%q leads to no property that can be set", v.text("sets")), "name a property, or one inside another as outer/inner")
			continue
		}
		s.Param = lowerName(s.last().JSON)
		with, _ := v.members["with"].(map[string]any)
		for _, property := range slices.Sorted(maps.Keys(with)) {
			fixed := fixedValue{text: fmt.Sprint(with[property])}
			if path := def.find(property); len(path) == 1 {
				fixed.field = path[0]
				fixed.value = fixed.field.Type.literal(fixed.text)
			}
			if fixed.value == "" {
				b.at(v.at.to("with", property), fmt.Sprintf("the property %q cannot be set to %v", property, with[property]), "name a string property and one of its values")
				continue
			}
			s.fixed = append(s.fixed, fixed)
		}
		def.Builders = append(def.Builders, s)
	}
}

// find follows a path of properties: one, or one inside an object.
func (def *typeDef) find(path string) []*field {
	var found []*field
	steps := strings.Split(path, "/")
	for i, step := range steps {
		at := slices.IndexFunc(def.Fields, func(f *field) bool { return f.JSON == step })
		if at < 0 || i > 1 {
			return nil
		}
		f := def.Fields[at]
		found = append(found, f)
		if i == len(steps)-1 {
			break
		}
		inner := f.Type.underlying()
		if inner.Kind == kindText {
			inner = inner.Elem.underlying()
		}
		if inner.Kind != kindNamed || inner.Def.Kind != structDef {
			return nil
		}
		def = inner.Def
	}
	return found
}

// literal is a value of a string type as Go writes it, by the name that an enum
// gives it; it is empty where there is none.
func (t *goType) literal(text string) string {
	quoted := fmt.Sprintf("%q", text)
	if t.Kind == kindNamed && t.Def.Kind == enumDef {
		for _, v := range t.Def.Values {
			if v.Literal == quoted {
				return v.Name
			}
		}
		return ""
	}
	if t.Kind != kindString || t.Pointer {
		return ""
	}
	return quoted
}

func (s *shortcut) last() *field { return s.path[len(s.path)-1] }

// Signature is the method's parameter: a list takes its elements one by one.
func (s *shortcut) Signature() string {
	t := s.last().Type
	if t.IsList() {
		return s.Param + " ..." + t.underlying().Elem.String()
	}
	plain := *t
	plain.Pointer = false
	return s.Param + " " + plain.String()
}

// Statements are the method's body, but for its return.
func (s *shortcut) Statements() []string {
	var list []string
	for _, f := range s.fixed {
		list = append(list, fmt.Sprintf("v.%s = %s", f.field.Name, f.value))
	}
	value := s.Param
	if t := s.last().Type; t.IsList() {
		value = fmt.Sprintf("append(%s{}, %s...)", t, s.Param)
	} else if t.Pointer {
		value = "&" + value
	}
	if len(s.path) == 1 {
		return append(list, fmt.Sprintf("v.%s = %s", s.path[0].Name, value))
	}
	outer, local := s.path[0], lowerName(s.path[0].JSON)
	if !outer.Type.Pointer {
		return append(list, fmt.Sprintf("v.%s.%s = %s", outer.Name, s.last().Name, value))
	}
	plain := *outer.Type
	plain.Pointer = false
	return append(list,
		fmt.Sprintf("var %s %s", local, &plain),
		fmt.Sprintf("if v.%s != nil {\n%s = *v.%s\n}", outer.Name, local, outer.Name),
		fmt.Sprintf("%s.%s = %s", local, s.last().Name, value),
		fmt.Sprintf("v.%s = &%s", outer.Name, local),
	)
}

// broken is the condition under which a value says that it has what the shortcut
// sets, and does not; it is empty for one that fixes nothing.
func (s *shortcut) broken(receiver string) string {
	if len(s.fixed) == 0 {
		return ""
	}
	var conditions []string
	for _, f := range s.fixed {
		conditions = append(conditions, fmt.Sprintf("%s.%s == %s", receiver, f.field.Name, f.value))
	}
	target := receiver + "." + s.path[0].Name
	var empty []string
	if len(s.path) == 2 {
		if s.path[0].Type.Pointer {
			empty = append(empty, target+" == nil")
		}
		target += "." + s.path[1].Name
	}
	if last := s.last(); last.Type.IsList() {
		empty = append(empty, fmt.Sprintf("len(%s) == 0", target))
	} else {
		empty = append(empty, fmt.Sprintf("%s == %s", target, last.Type.zero()))
	}
	return strings.Join(conditions, " && ") + " && (" + strings.Join(empty, " || ") + ")"
}

// place is where the property is, in the API's own names.
func (s *shortcut) place() string {
	names := make([]string, len(s.path))
	for i, f := range s.path {
		names[i] = f.JSON
	}
	return strings.Join(names, ".")
}

func (s *shortcut) reason() string {
	names := make([]string, len(s.fixed))
	for i, f := range s.fixed {
		names[i] = f.field.JSON + " is " + f.text
	}
	return "must not be empty where " + strings.Join(names, " and ") + ": use " + s.Name
}
