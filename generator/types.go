package generator

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// kind is the sort of a Go type.
type kind int

const (
	kindNone kind = iota // there was a complaint
	kindAny              // any JSON, kept as it is
	kindString
	kindSecret // a string that must not be seen
	kindBool
	kindInt
	kindInt32
	kindFloat
	kindFloat32
	kindTime
	kindBytes
	kindList
	kindMap
	kindText  // a string that itself holds JSON
	kindNamed // one of the model's own types
)

// goType is the Go type of a value.
type goType struct {
	Kind    kind
	Elem    *goType  // of a list, a map or a text
	Def     *typeDef // of a named type
	Pointer bool
}

var kindNames = map[kind]string{
	kindNone: "none", kindAny: "json.RawMessage", kindString: "string", kindSecret: "Secret", kindBool: "bool", kindInt: "int64", kindInt32: "int32",
	kindFloat: "float64", kindFloat32: "float32", kindTime: "time.Time", kindBytes: "[]byte",
}

// String is the type as Go writes it inside the bindings.
func (t *goType) String() string { return t.In("") }

// In is the type as Go writes it in another package, which knows the bindings
// by the given name.
func (t *goType) In(pkg string) string {
	star := ""
	if t.Pointer {
		star = "*"
	}
	switch t.Kind {
	case kindList:
		return star + "[]" + t.Elem.In(pkg)
	case kindMap:
		return star + "map[string]" + t.Elem.In(pkg)
	case kindText:
		return star + t.Elem.In(pkg)
	case kindNamed:
		return star + qualified(pkg, t.Def.Name)
	case kindSecret:
		return star + qualified(pkg, kindNames[kindSecret])
	default:
		return star + kindNames[t.Kind]
	}
}

func qualified(pkg, name string) string {
	if pkg != "" {
		return pkg + "." + name
	}
	return name
}

// underlying looks through aliases and enums.
func (t *goType) underlying() *goType {
	for t.Kind == kindNamed && (t.Def.Kind == aliasDef || t.Def.Kind == enumDef) && t.Def.Base != nil {
		t = t.Def.Base
	}
	return t
}

// IsStruct tells whether values have a decode method of their own.
func (t *goType) IsStruct() bool {
	u := t.underlying()
	return u.Kind == kindNamed && (u.Def.Kind == structDef || u.Def.Kind == unionDef)
}

// IsList tells whether null stands for an empty list.
func (t *goType) IsList() bool { return t.underlying().Kind == kindList }

// nillable tells whether the type's zero value is nil without a pointer.
func (t *goType) nillable() bool {
	switch t.underlying().Kind {
	case kindAny, kindBytes, kindList, kindMap:
		return true
	}
	return false
}

// comparable tells whether values can identify what they belong to.
func (t *goType) comparable() bool {
	k := t.underlying().Kind
	return !t.Pointer && (k == kindString || k == kindInt || k == kindInt32)
}

// defKind is the sort of a type declaration.
type defKind int

const (
	structDef defKind = iota
	enumDef
	unionDef
	aliasDef
)

// typeDef is a type that the bindings declare.
type typeDef struct {
	Name       string
	Doc        string
	Deprecated bool
	Kind       defKind
	Fields     []*field
	Extra      *goType // of members that no field has; nil where they are dropped
	ExtraName  string
	Base       *goType // of an enum or an alias
	Values     []enumValue
	Variants   []variant
	Tag        string // the property that tells a union's variants apart
	Payload    *payload
	Decoded    bool // it has a DecodeX function
	Builders   []*shortcut
	at         pointer
}

// IsEnum and the like are for templates.
func (t *typeDef) IsEnum() bool  { return t.Kind == enumDef }
func (t *typeDef) IsUnion() bool { return t.Kind == unionDef }
func (t *typeDef) IsAlias() bool { return t.Kind == aliasDef }

type enumValue struct {
	Name    string
	Literal string
}

// variant is one of a union's alternatives.
type variant struct {
	Name string
	Tags []string
	Def  *typeDef
}

// field is a property of an object.
type field struct {
	Name       string
	JSON       string
	Doc        string
	Deprecated bool
	Type       *goType
	Required   bool
	Nullable   bool
	Private    bool
	Lenient    bool // a value of another form is left out
	Rules      rules
	at         pointer
}

// Tag is the field's struct tag. It is for reading: the codec has methods of its
// own. A name that package encoding/json takes in no tag is not in it.
func (f *field) Tag() string {
	switch {
	case f.JSON == "" || strings.ContainsAny(f.JSON, "\"\\`,"):
		return "`json:\"-\"`"
	case f.Required:
		return fmt.Sprintf("`json:%q`", f.JSON)
	}
	return fmt.Sprintf("`json:%q`", f.JSON+",omitzero")
}

// rules are what a value must keep to beyond its type.
type rules struct {
	MinLength, MinItems uint64
	MaxLength, MaxItems *uint64
	Minimum, Maximum    *float64
	Pattern             string
	URI                 bool
}

// payload is how the forms of a payload are told apart.
type payload struct {
	Type   string // the component that the Go type is made from
	ID     *field // what identifies it
	Under  string // the member that holds a nested payload; empty where there is none
	BareID *field // what identifies a payload without ID; nil where there is none
}

// object is an object schema with its allOf merged.
type object struct {
	properties []property
	required   map[string]bool
	additional *openapi3.SchemaRef
	free       bool // additionalProperties: true
	at         pointer
	envelope   value
	failure    value
}

type property struct {
	name   string
	schema *openapi3.SchemaRef
	own    pointer // where it stands
	at     pointer // where its schema is defined
}

func (o *object) property(name string) *property {
	for i := range o.properties {
		if o.properties[i].name == name {
			return &o.properties[i]
		}
	}
	return nil
}

// flatten merges an object's own properties with those of its allOf. It is nil
// where the schema is no object.
func (b *builder) flatten(schema *openapi3.Schema, at pointer) *object {
	o := &object{required: make(map[string]bool), at: at}
	if !b.merge(o, schema, at, make(map[*openapi3.Schema]bool)) {
		return nil
	}
	return o
}

func (b *builder) merge(o *object, schema *openapi3.Schema, at pointer, inside map[*openapi3.Schema]bool) bool {
	if inside[schema] {
		b.warn(at, "an allOf goes in a circle, and no type can be made of it", "let an object not be part of itself")
		return false
	}
	inside[schema] = true
	defer delete(inside, schema)
	isObject := schema.Type.Permits("object") && schema.Type != nil || len(schema.Properties) > 0
	for i, ref := range schema.AllOf {
		if b.merge(o, ref.Value, b.resolve(at.to("allOf").index(i), ref.Ref), inside) {
			isObject = true
		}
	}
	if _, ok := schema.Extensions[extEnvelope]; ok {
		o.envelope = b.extension(at, schema.Extensions, extEnvelope, "ok", "result", "description")
	}
	if _, ok := schema.Extensions[extFailure]; ok {
		o.failure = b.extension(at, schema.Extensions, extFailure, "ok", "code", "description")
	}
	for _, name := range inOrder(b.source, at.to("properties"), schema.Properties) {
		ref := schema.Properties[name]
		own := at.to("properties", name)
		p := property{name: name, schema: ref, own: own, at: b.resolve(own, ref.Ref)}
		if known := o.property(name); known != nil {
			*known = p
		} else {
			o.properties = append(o.properties, p)
		}
	}
	for _, name := range schema.Required {
		o.required[name] = true
	}
	if extra := schema.AdditionalProperties; extra.Schema != nil {
		o.additional = extra.Schema
	} else if extra.Has != nil && *extra.Has {
		o.free = true
	}
	return isObject
}

// findWrappers finds the components that become no type: envelopes and
// failures, which callers never see, and the forms of payloads.
func (b *builder) findWrappers() {
	if b.Components == nil {
		return
	}
	base := pointer("/components/schemas")
	for _, name := range inOrder(b.source, base, b.Components.Schemas) {
		schema, at := b.Components.Schemas[name].Value, base.to(name)
		if _, ok := schema.Extensions[extPayload]; ok {
			b.readPayload(name, schema, at)
		} else if len(schema.AllOf) > 0 || len(schema.Properties) > 0 {
			if o := b.flatten(schema, at); o != nil && (o.envelope.members != nil || o.failure.members != nil) {
				b.wrappers[name] = true
			}
		}
	}
}

// readPayload reads how the forms of a payload are told apart.
func (b *builder) readPayload(name string, schema *openapi3.Schema, at pointer) {
	v := b.extension(at, schema.Extensions, extPayload, "type", "id", "nested", "bare")
	if v.members == nil {
		return
	}
	b.wrappers[name] = true
	p := &payload{Type: v.text("type")}
	component := b.Components.Schemas[p.Type]
	if component == nil {
		b.at(v.at.to("type"), fmt.Sprintf("the payload's type %q is no schema of the document", p.Type), "name one of components.schemas")
		return
	}
	flat := b.flatten(component.Value, pointer("/components/schemas").to(p.Type))
	id := v.text("id")
	if flat == nil || flat.property(id) == nil {
		b.at(v.at, fmt.Sprintf("the payload has no property %q to identify it", id), "let id name a property of "+p.Type)
		return
	}
	if v.members["nested"] != nil {
		nested := b.extension(v.at, v.members, "nested", "schema", "under")
		if p.Under = nested.text("under"); p.Under == "" || flat.property(p.Under) != nil {
			b.at(nested.at, fmt.Sprintf("%q cannot hold a nested payload", p.Under), "let under name a member that "+p.Type+" does not have")
		}
		b.wrappers[nested.text("schema")] = true
	}
	if v.members["bare"] != nil {
		bare := b.extension(v.at, v.members, "bare", "schema", "id")
		if flat.property(bare.text("id")) == nil {
			b.at(bare.at, fmt.Sprintf("the payload has no property %q to identify it", bare.text("id")), "let id name a property of "+p.Type)
			return
		}
		p.BareID = &field{JSON: bare.text("id")}
		b.wrappers[bare.text("schema")] = true
	}
	p.ID = &field{JSON: id}
	b.payloads[name] = p
}

// finishPayload ties a payload to the fields of its type.
func (b *builder) finishPayload(p *payload, t *goType, at pointer) {
	if t.Kind != kindNamed || t.Def.Payload != nil {
		return
	}
	t.Def.Payload, t.Def.Decoded = p, true
	find := func(f *field) *field {
		for _, candidate := range t.Def.Fields {
			if candidate.JSON == f.JSON {
				return candidate
			}
		}
		return f
	}
	p.ID = find(p.ID)
	if !p.ID.Required {
		b.at(at, fmt.Sprintf("the property %q identifies the payload and is not required", p.ID.JSON), "add it to required")
	}
	if p.BareID != nil {
		p.BareID = find(p.BareID)
		if p.ID.Type.String() != p.BareID.Type.String() {
			b.at(at, fmt.Sprintf("the properties %q and %q identify one payload and have two types", p.ID.JSON, p.BareID.JSON), "give them one type")
		}
	}
	if len(t.Def.Fields) > 60 {
		b.at(at, "a payload of more than 60 properties cannot be generated", "part it into objects")
	}
}

const componentRef = "#/components/schemas/"

// component is the type of #/components/schemas/NAME.
func (b *builder) component(name string) *goType {
	if t := b.components[name]; t != nil {
		return t
	}
	at := pointer("/components/schemas").to(name)
	if p := b.payloads[name]; p != nil {
		t := b.component(p.Type)
		b.components[name] = t
		b.deferred = append(b.deferred, func() { b.finishPayload(p, t, at) })
		return t
	}
	if _, ok := b.Components.Schemas[name].Value.Extensions[extPayload]; ok {
		return &goType{} // whose extension there was a complaint about
	}
	if b.defining[name] {
		b.warn(at, fmt.Sprintf("%q is defined by itself, and no type can be made of it", name), "let an object stand between")
		return &goType{Kind: kindAny}
	}
	b.defining[name] = true
	ref := b.Components.Schemas[name]
	if ref.Ref != "" {
		t := b.typeOf(ref, b.resolve(at, ref.Ref), name)
		b.components[name] = t
		return t
	}
	t := b.define(ref.Value, at, name, func(t *goType) { b.components[name] = t })
	if t.Kind != kindNamed || t.Def.at != at {
		t = b.alias(t, ref.Value, at, name)
	}
	b.components[name] = t
	return t
}

// alias gives a name to a type that has none of its own.
func (b *builder) alias(t *goType, schema *openapi3.Schema, at pointer, name string) *goType {
	if t.Kind == kindNone {
		return t
	}
	plain := *t
	plain.Pointer = false
	def := b.declare(aliasDef, schema, at, name)
	def.Base = &plain
	return &goType{Kind: kindNamed, Def: def}
}

// declare adds a type to the model under a name of its own.
func (b *builder) declare(kind defKind, schema *openapi3.Schema, at pointer, name string) *typeDef {
	def := &typeDef{Kind: kind, Name: b.names.name(cmp.Or(goName(name), "Schema"), "Schema"), Deprecated: schema.Deprecated, at: at}
	def.Doc = typeDoc(def.Name, schema)
	b.Types = append(b.Types, def)
	return def
}

// typeOf is the type of a schema wherever one stands. hint names it should it
// need a name and have none.
func (b *builder) typeOf(ref *openapi3.SchemaRef, at pointer, hint string) *goType {
	if ref.Value == nil {
		return &goType{Kind: kindAny}
	}
	if name, ok := strings.CutPrefix(ref.Ref, componentRef); ok && b.isComponent(name, ref) {
		return b.component(name)
	}
	if ref.Ref != "" {
		return b.elsewhere(ref, at)
	}
	return b.define(ref.Value, at, hint, func(*goType) {})
}

// elsewhere is the type of what a reference leads to that is no component of
// this document: it is made once, however many refer to it, and can hold itself.
func (b *builder) elsewhere(ref *openapi3.SchemaRef, at pointer) *goType {
	key := referred{place: place(ref.Value)}
	if key.place.File == "" && key.place.Line == 0 {
		key.schema = ref.Value
	}
	if t, ok := b.others[key]; ok {
		if t == nil {
			b.warn(at, fmt.Sprintf("%q is defined by itself, and no type can be made of it", ref.Ref), "let an object stand between")
			return &goType{Kind: kindAny}
		}
		return t
	}
	b.others[key] = nil
	file, fragment, _ := strings.Cut(ref.Ref, "#")
	hint := strings.TrimSuffix(path.Base(file), path.Ext(file))
	if fragment != "" {
		hint = path.Base(fragment)
	}
	t := b.define(ref.Value, at, hint, func(t *goType) { b.others[key] = t })
	b.others[key] = t
	return t
}

// referred is a schema that is referred to: where it is written, or itself if
// that is not known.
type referred struct {
	place  openapi3.Location
	schema *openapi3.Schema
}

// isComponent tells whether a reference leads to a component of this document
// and not to one of that name in another file.
func (b *builder) isComponent(name string, ref *openapi3.SchemaRef) bool {
	if b.Components == nil {
		return false
	}
	component := b.Components.Schemas[name]
	if component == nil || component.Value == nil {
		return false
	}
	// A reference with keywords beside it gets a copy of what it leads to,
	// which comes from the same place.
	return component.Value == ref.Value || place(component.Value) == place(ref.Value)
}

// place is where a schema is written; it is zero where that is not known.
func place(schema *openapi3.Schema) openapi3.Location {
	if schema.Origin == nil || schema.Origin.Key == nil {
		return openapi3.Location{}
	}
	key := schema.Origin.Key
	return openapi3.Location{File: key.File, Line: key.Line, Column: key.Column}
}

// define makes the type of a schema. early is told of a type that has a name
// before its parts are made, so that it can be part of itself.
func (b *builder) define(schema *openapi3.Schema, at pointer, hint string, early func(*goType)) *goType {
	b.inexpressible(schema, at)
	if schema.DynamicRef != "" {
		return &goType{Kind: kindAny}
	}
	if alternative, ok := b.nullableAlternative(schema, at, hint); ok {
		return alternative
	}
	if len(schema.AllOf) == 1 && len(schema.Properties) == 0 {
		part := schema.AllOf[0]
		return b.typeOf(part, b.resolve(at.to("allOf").index(0), part.Ref), hint)
	}
	kinds := slices.DeleteFunc(slices.Clone(schema.Type.Slice()), func(t string) bool { return t == "null" })
	if len(kinds) == 0 && (len(schema.Properties) > 0 || len(schema.AllOf) > 0) {
		kinds = []string{"object"}
	}
	switch {
	case len(schema.OneOf) > 0 || len(schema.AnyOf) > 0:
		return b.union(schema, at, hint, early)
	case len(kinds) == 0 && len(schema.Enum) > 0:
		return b.enum(schema, at, hint, &goType{Kind: kindString})
	case len(kinds) == 0:
		return &goType{Kind: kindAny}
	case len(kinds) > 1:
		b.warn(at.to("type"), fmt.Sprintf("a value of several types (%s) cannot be generated", strings.Join(kinds, ", ")), "give it one type, or leave type out to keep the JSON as it is")
		return &goType{Kind: kindAny}
	}
	switch kinds[0] {
	case "string":
		return b.stringType(schema, at, hint)
	case "integer":
		base := &goType{Kind: kindInt}
		if schema.Format == "int32" {
			base.Kind = kindInt32
		}
		if len(schema.Enum) > 0 {
			return b.enum(schema, at, hint, base)
		}
		return base
	case "number":
		if schema.Format == "float" {
			return &goType{Kind: kindFloat32}
		}
		return &goType{Kind: kindFloat}
	case "boolean":
		return &goType{Kind: kindBool}
	case "array":
		return b.list(schema, at, hint)
	case "object":
		return b.objectType(schema, at, hint, early)
	}
	b.warn(at.to("type"), fmt.Sprintf("the type %q cannot be generated", kinds[0]), "use string, integer, number, boolean, array or object")
	return &goType{Kind: kindAny}
}

// inexpressible names the keywords that change what a value can be in ways that
// no Go type follows. The type is made as if they were not there.
func (b *builder) inexpressible(schema *openapi3.Schema, at pointer) {
	keywords := map[string]bool{
		"not": schema.Not != nil, "if": schema.If != nil, "patternProperties": len(schema.PatternProperties) > 0,
		"prefixItems": len(schema.PrefixItems) > 0, "dependentSchemas": len(schema.DependentSchemas) > 0,
		"dependentRequired": len(schema.DependentRequired) > 0, "contains": schema.Contains != nil,
		"propertyNames": schema.PropertyNames != nil, "unevaluatedItems": schema.UnevaluatedItems.Schema != nil || schema.UnevaluatedItems.Has != nil,
		"unevaluatedProperties": schema.UnevaluatedProperties.Schema != nil || schema.UnevaluatedProperties.Has != nil,
		"$dynamicRef":           schema.DynamicRef != "",
	}
	for _, keyword := range slices.Sorted(maps.Keys(keywords)) {
		if keywords[keyword] {
			b.warn(at.to(keyword), fmt.Sprintf("the keyword %q cannot be generated", keyword), "describe the value without it")
		}
	}
}

// nullableAlternative reads oneOf or anyOf of one schema and null.
func (b *builder) nullableAlternative(schema *openapi3.Schema, at pointer, hint string) (*goType, bool) {
	for keyword, list := range map[string]openapi3.SchemaRefs{"oneOf": schema.OneOf, "anyOf": schema.AnyOf} {
		if len(list) != 2 {
			continue
		}
		for i, ref := range list {
			if list[1-i].Value.Type.Is("null") {
				return b.typeOf(ref, b.resolve(at.to(keyword).index(i), ref.Ref), hint), true
			}
		}
	}
	return nil, false
}

// nullable tells whether null is among a schema's values.
func nullable(ref *openapi3.SchemaRef) bool {
	schema := ref.Value
	if schema.Nullable || schema.Type != nil && slices.Contains(schema.Type.Slice(), "null") {
		return true
	}
	for _, list := range []openapi3.SchemaRefs{schema.OneOf, schema.AnyOf} {
		for _, alternative := range list {
			if alternative.Value.Type.Is("null") {
				return true
			}
		}
	}
	return false
}

func (b *builder) stringType(schema *openapi3.Schema, at pointer, hint string) *goType {
	switch {
	case len(schema.Enum) > 0:
		return b.enum(schema, at, hint, &goType{Kind: kindString})
	case schema.ContentSchema != nil:
		if schema.ContentMediaType != "application/json" || schema.ContentEncoding != "" {
			b.warn(at.to("contentSchema"), "a contentSchema of anything but plain JSON cannot be generated", "set contentMediaType to application/json, without contentEncoding")
			return &goType{Kind: kindString}
		}
		ref := schema.ContentSchema
		elem := b.typeOf(ref, b.resolve(at.to("contentSchema"), ref.Ref), hint)
		if elem.Kind != kindNone && !elem.IsStruct() {
			b.warn(at.to("contentSchema"), fmt.Sprintf("a string that holds JSON of type %s cannot be generated", elem), "let it hold an object")
			return &goType{Kind: kindString}
		}
		return &goType{Kind: kindText, Elem: elem}
	case schema.Format == "date-time":
		return &goType{Kind: kindTime}
	case schema.Format == "byte":
		return &goType{Kind: kindBytes}
	case schema.Format == "password":
		return &goType{Kind: kindSecret}
	}
	return &goType{Kind: kindString}
}

func (b *builder) enum(schema *openapi3.Schema, at pointer, hint string, base *goType) *goType {
	def := b.declare(enumDef, schema, at, hint)
	def.Base = base
	for i, raw := range schema.Enum {
		literal, word := "", fmt.Sprint(raw)
		switch v := raw.(type) {
		case nil:
			continue
		case string:
			if base.Kind == kindString {
				literal = strconv.Quote(v)
			}
		case float64:
			if base.Kind != kindString && v == float64(int64(v)) {
				literal = strconv.FormatInt(int64(v), 10)
				word = strings.Replace(literal, "-", "minus ", 1)
			}
		case int, int64, uint64:
			if base.Kind != kindString {
				literal = fmt.Sprint(v)
				word = strings.Replace(literal, "-", "minus ", 1)
			}
		}
		if literal == "" {
			b.warn(at.to("enum").index(i), fmt.Sprintf("the enum's value %v is not of type %s", raw, base), "use values of the schema's type")
			continue
		}
		name := capitals(word)
		if name == "" {
			name = "Value" + strconv.Itoa(i+1)
		}
		name = b.names.name(def.Name+name, "")
		def.Values = append(def.Values, enumValue{Name: name, Literal: literal})
	}
	return &goType{Kind: kindNamed, Def: def}
}

func (b *builder) list(schema *openapi3.Schema, at pointer, hint string) *goType {
	elem := &goType{Kind: kindAny}
	if schema.Items != nil && len(schema.PrefixItems) == 0 {
		elem = b.element(schema.Items, b.resolve(at.to("items"), schema.Items.Ref), hint+"Item")
	}
	if elem.Kind == kindNone {
		return elem
	}
	return &goType{Kind: kindList, Elem: elem}
}

// element is the type of what stands in a list or a map.
func (b *builder) element(ref *openapi3.SchemaRef, at pointer, hint string) *goType {
	t := b.typeOf(ref, at, hint)
	if nullable(ref) && !t.nillable() && t.Kind != kindNone {
		pointer := *t
		pointer.Pointer = true
		return &pointer
	}
	return t
}

// objectType makes a struct, or a map of an object that has no properties.
func (b *builder) objectType(schema *openapi3.Schema, at pointer, hint string, early func(*goType)) *goType {
	o := b.flatten(schema, at)
	if o == nil {
		b.warn(at.to("allOf"), "an allOf of anything but objects cannot be generated", "let each of its parts be an object")
		return &goType{Kind: kindAny}
	}
	for i, part := range schema.AllOf {
		b.inexpressible(part.Value, b.resolve(at.to("allOf").index(i), part.Ref))
		if len(part.Value.OneOf) > 0 || len(part.Value.AnyOf) > 0 {
			b.warn(at.to("allOf").index(i), "alternatives inside an allOf cannot be generated", "describe the properties without them")
			o.free = true // what only an alternative has is kept as it is
		}
	}
	if schema.If != nil || len(schema.PatternProperties) > 0 || len(schema.DependentSchemas) > 0 {
		o.free = true
	}
	var extra *goType
	if o.additional != nil {
		extra = b.element(o.additional, b.resolve(at.to("additionalProperties"), o.additional.Ref), hint+"Value")
	} else if o.free || len(o.properties) == 0 {
		extra = &goType{Kind: kindAny}
	}
	if len(o.properties) == 0 {
		return &goType{Kind: kindMap, Elem: extra}
	}
	def := b.declare(structDef, schema, at, hint)
	def.Extra = extra
	t := &goType{Kind: kindNamed, Def: def}
	early(t)
	b.fields(def, o)
	if _, ok := schema.Extensions[extBuilders]; ok {
		b.deferred = append(b.deferred, func() { b.shortcuts(def, schema, at) })
	}
	return t
}

// methodNames are the methods that structs have; no field can be called so.
var methodNames = []string{"MarshalJSON", "UnmarshalJSON", "AppendJSON", "Validate"}

func (b *builder) fields(def *typeDef, o *object) {
	names := make(scope)
	for _, name := range methodNames {
		names[name] = true
	}
	for _, p := range o.properties {
		f := &field{
			Name: names.name(cmp.Or(goName(p.name), "Field"), "Field"), JSON: p.name, Required: o.required[p.name], Nullable: nullable(p.schema),
			Doc: p.schema.Value.Description, Deprecated: p.schema.Value.Deprecated,
			Private: b.flag(p.at, p.schema.Value.Extensions, extPrivate), Lenient: b.lenient(p), at: p.own,
		}
		delete(o.required, p.name)
		if p.schema.Ref != "" {
			f.Doc = b.siblingDescription(p)
		}
		f.Type = b.fieldType(f, p, def.Name+f.Name)
		f.Rules = b.rules(p)
		def.Fields = append(def.Fields, f)
	}
	for _, name := range slices.Sorted(maps.Keys(o.required)) {
		b.warn(o.at, fmt.Sprintf("the property %q is required and not described", name), "describe it under properties, or take it out of required")
	}
	if def.Extra != nil {
		def.ExtraName = names.name("AdditionalProperties", "Field")
	}
}

// lenient tells whether a property's value may have another form than its schema
// has. The word stands beside a $ref, or in the schema itself.
func (b *builder) lenient(p property) bool {
	_, beside := b.find(p.own.to(extLenient))
	return beside != nil && beside.Value == "true" || b.flag(p.at, p.schema.Value.Extensions, extLenient)
}

// siblingDescription is what stands beside a property's $ref.
func (b *builder) siblingDescription(p property) string {
	if _, text := b.find(p.own.to("description")); text != nil {
		return text.Value
	}
	return ""
}

// fieldType settles whether a field is a pointer: only where absence or null
// must be told from the zero value.
func (b *builder) fieldType(f *field, p property, hint string) *goType {
	t := *b.typeOf(p.schema, p.at, hint)
	schema := p.schema.Value
	switch optional, _ := schema.Extensions[extOptional].(string); {
	case optional != "" && optional != "pointer":
		b.at(p.at.to(extOptional), fmt.Sprintf("%s has no %q", extOptional, optional), `write "pointer", or leave it out`)
	case t.Kind == kindNone || t.nillable():
	case t.Kind == kindText:
		t.Pointer = true
	case t.IsStruct():
		t.Pointer = f.Nullable || !f.Required
	case f.Nullable || optional == "pointer" && !f.Required:
		t.Pointer = true
	case !f.Required && schema.Default != nil:
		t.Pointer = zeroIsAValue(schema)
	}
	return &t
}

// zeroIsAValue tells whether a property's absence, which stands for its
// default, has to be told from its zero value.
func zeroIsAValue(schema *openapi3.Schema) bool {
	switch v := schema.Default.(type) {
	case bool:
		return v
	case string:
		return v != "" && schema.MinLength == 0 && (len(schema.Enum) == 0 || slices.Contains(schema.Enum, any("")))
	case float64:
		return v != 0
	case int:
		return v != 0
	case int64, uint64:
		return fmt.Sprint(v) != "0"
	}
	return false
}

func (b *builder) rules(p property) rules {
	schema := p.schema.Value
	r := rules{
		MinLength: schema.MinLength, MaxLength: schema.MaxLength, MinItems: schema.MinItems, MaxItems: schema.MaxItems,
		Minimum: schema.Min, Maximum: schema.Max, Pattern: schema.Pattern, URI: schema.Format == "uri",
	}
	if _, err := regexp.Compile(r.Pattern); err != nil {
		b.warn(p.at.to("pattern"), fmt.Sprintf("the pattern %q is one that Go cannot match", r.Pattern), "write it without lookaround and backreferences")
		r.Pattern = ""
	}
	return r
}

// union makes a type of alternatives that a property tells apart.
func (b *builder) union(schema *openapi3.Schema, at pointer, hint string, early func(*goType)) *goType {
	keyword, list := "oneOf", schema.OneOf
	if len(list) == 0 {
		keyword, list = "anyOf", schema.AnyOf
	}
	if schema.Discriminator == nil || len(schema.Properties) > 0 || len(schema.OneOf) > 0 && len(schema.AnyOf) > 0 {
		b.warn(at.to(keyword), fmt.Sprintf("%s without a discriminator, or beside other keywords, cannot be generated", keyword),
			"add a discriminator, describe one object with all the properties, or use "+extPayload)
		return &goType{Kind: kindAny}
	}
	def := b.declare(unionDef, schema, at, hint)
	def.Tag = schema.Discriminator.PropertyName
	t := &goType{Kind: kindNamed, Def: def}
	early(t)
	tags := make(map[string][]string)
	for tag, ref := range schema.Discriminator.Mapping {
		name := strings.TrimPrefix(ref.Ref, componentRef)
		tags[name] = append(tags[name], tag)
	}
	names := scope{"Raw": true}
	for i, ref := range list {
		name, ok := strings.CutPrefix(ref.Ref, componentRef)
		if !ok {
			b.warn(at.to(keyword).index(i), "an alternative without a name cannot be generated", "move it to components.schemas and refer to it")
			continue
		}
		alternative := b.typeOf(ref, b.resolve(at, ref.Ref), name)
		if alternative.Kind == kindNone {
			continue
		}
		if !alternative.IsStruct() {
			b.warn(at.to(keyword).index(i), fmt.Sprintf("an alternative of type %s cannot be told apart by a property", alternative), "let it be an object")
			continue
		}
		v := variant{Name: names.name(alternative.Def.Name, "Variant"), Def: alternative.Def, Tags: slices.Sorted(slices.Values(tags[name]))}
		if len(v.Tags) == 0 {
			v.Tags = []string{name}
		}
		def.Variants = append(def.Variants, v)
	}
	return t
}

// checkCycles makes pointers of the fields in which structs hold themselves as a
// value: Go has no type for what never ends.
func (b *builder) checkCycles() {
	const entered, left = 1, 2
	state := make(map[*typeDef]int)
	var visit func(def *typeDef)
	visit = func(def *typeDef) {
		state[def] = entered
		for _, f := range def.Fields {
			if u := f.Type.underlying(); !f.Type.Pointer && u.Kind == kindNamed && u.Def.Kind == structDef {
				if state[u.Def] == entered {
					b.warn(f.at, fmt.Sprintf("%s holds itself through the required property %q, and no value can end", u.Def.Name, f.JSON), "make one property of the circle optional")
					f.Type.Pointer = true
				} else if state[u.Def] == 0 {
					visit(u.Def)
				}
			}
		}
		state[def] = left
	}
	for _, def := range b.Types {
		if state[def] == 0 {
			visit(def)
		}
	}
}

// typeDoc is the doc comment of a type, which starts with its name.
func typeDoc(name string, schema *openapi3.Schema) string {
	text := strings.TrimSpace(schema.Description)
	if text == "" {
		text = strings.TrimSpace(schema.Title)
	}
	if text == "" {
		return name + " has no description in the document."
	}
	if first, _, _ := strings.Cut(text, " "); first == name {
		return text
	}
	return name + ": " + text
}
