package generator

import (
	"cmp"
	"errors"
	"fmt"
	"go/token"
	"go/types"
	"maps"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
)

// model is what the emitters need of a document, and no more. Every Go name
// and every Go type is decided here, so that what the bindings declare and what
// the codec reads and writes cannot differ.
type model struct {
	Title       string
	Description string
	Tool        string // who makes the files
	Source      string // the document's file name
	Bindings    string // package name of the bindings
	Server      string // package name of the server's side; empty for none
	Import      string // import path of the bindings
	BaseURL     string
	Types       []*typeDef
	Operations  []*operation
	Webhooks    []*webhook
	Credentials []*credential
	Sentinels   []*sentinel
	Advice      []*advice
	Rate        rateHeaders
}

// rateHeaders names the headers that tell of the API's limit.
type rateHeaders struct{ Limit, Remaining, Reset string }

// advice is what to do about a failure: one of the document's responses.
type advice struct {
	Var     string
	Failure *sentinel
	Text    string
}

// poll is how an operation that fetches a list is called again and again.
type poll struct {
	Name        string // the method's
	ID          *field
	Least, Most time.Duration
}

// operation is a call that the client makes and the server answers.
type operation struct {
	ID          string // as the document has it
	Name        string // the method's
	Var         string // the variable that describes it
	Method      string
	Path        string
	Doc         string
	Params      []*parameter // of the path, in its order
	Body        *goType
	Result      *goType // nil where success says all
	Envelope    *envelope
	Failure     failure
	Status      int // of success
	Words       string
	Object      bool // success answers an object of which nothing is returned
	Idempotent  bool
	Credentials []*credential
	Anonymous   bool
	Sentinels   []*sentinel
	Advice      []*advice
	Poll        *poll
	Served      bool // the server's side has it
	spec        *openapi3.Operation
	outline     *openapi3.Operation // what stands for it in the outline
	at          pointer
}

// Authenticated tells whether the server's side has a credential to check.
func (o *operation) Authenticated() bool { return len(o.Credentials) > 0 }

type parameter struct {
	Name string // the Go parameter's, or the field's of a webhook's sender
	JSON string // as the document has it
	Doc  string
	Type *goType
}

// envelope names the members around a result.
type envelope struct{ OK, Result, Description string }

// failure names the members of a refusal.
type failure struct{ OK, Code, Description string }

// credential is a way to authenticate.
type credential struct {
	Name   string // as the document has it
	GoName string
	Var    string
	Option string // the function that sets it; empty where NewClient takes it
	Doc    string
	Header string
	Prefix string
	Bare   bool
	Client bool // an operation uses it
	Server bool // a webhook uses it
}

// sentinel is a kind of failure that callers can ask for.
type sentinel struct {
	Name     string
	Docs     []string
	Statuses []int
	Contains string
}

// webhook is a delivery that the server makes and the bindings receive.
type webhook struct {
	ID           string
	Name         string
	Doc          string
	Type         *typeDef
	Credentials  []*credential
	Headers      []*parameter
	AnswerWithin time.Duration
	spec         *openapi3.Operation
	outline      *openapi3.Operation // what stands for it in the outline
}

// builder makes a model of a document and complains about what it cannot
// express.
type builder struct {
	*document
	model
	names      scope
	components map[string]*goType // by name, of #/components/schemas
	defining   map[string]bool
	others     map[referred]*goType // of what is referred to and is no component; nil while it is made
	wrappers   map[string]bool      // components that become no type of their own
	payloads   map[string]*payload
	schemes    map[string]*credential
	sentinels  map[string]*sentinel
	methods    scope               // of the client
	advices    map[pointer]*advice // by the response that they are for
	deferred   []func()            // what has to wait for every type
}

// newModel decides everything about the code for a document.
func newModel(doc *document, config Config) (*model, error) {
	b := &builder{
		document:   doc,
		names:      maps.Clone(runtimeNames()),
		components: make(map[string]*goType),
		defining:   make(map[string]bool),
		others:     make(map[referred]*goType),
		wrappers:   make(map[string]bool),
		payloads:   make(map[string]*payload),
		schemes:    make(map[string]*credential),
		sentinels:  make(map[string]*sentinel),
		methods:    scope{"String": true, "GoString": true}, // the client's own
		advices:    make(map[pointer]*advice),
	}
	b.packages(config)
	b.credentials()
	b.findWrappers()
	b.reserveNames()
	if doc.Components != nil {
		at := pointer("/components/schemas")
		for _, name := range inOrder(doc.source, at, doc.Components.Schemas) {
			if !b.wrappers[name] {
				b.component(name)
			}
		}
	}
	doc.eachOperation(func(p pointer, route, method string, op *openapi3.Operation) {
		if strings.HasPrefix(string(p), "/webhooks/") {
			b.webhook(p, route, method, op)
		} else {
			b.operation(p, route, method, op)
		}
	})
	for _, later := range b.deferred {
		later()
	}
	b.pollNames()
	b.serve()
	b.checkCycles()
	b.finishCredentials()
	b.Sentinels = slices.SortedFunc(maps.Values(b.sentinels), func(x, y *sentinel) int { return strings.Compare(x.Name, y.Name) })
	return &b.model, doc.err()
}

// packages settles what the generated packages are called.
func (b *builder) packages(config Config) {
	b.Tool, b.Source = cmp.Or(config.Tool, "generator"), config.sourceName()
	b.Bindings, b.Server, b.Import = config.Package, config.ServerPackage, config.ImportPrefix
	if b.Info != nil {
		b.Title, b.Description = b.Info.Title, b.Info.Description
	}
	if len(b.Servers) > 0 && !strings.Contains(b.Servers[0].URL, "{") && strings.Contains(b.Servers[0].URL, "://") {
		b.BaseURL = strings.TrimRight(b.Servers[0].URL, "/")
	}
	names := b.extension("", b.Extensions, extPackages, "bindings", "server")
	b.Bindings = cmp.Or(b.Bindings, names.text("bindings"), "api")
	b.Server = cmp.Or(b.Server, names.text("server"), b.Bindings+"server")
	b.Import = path.Join(b.Import, b.Bindings)
	for _, name := range []string{b.Bindings, b.Server} {
		if !packageName(name) {
			b.at(pointer("").to(extPackages), fmt.Sprintf("%q is not a package name", name), "use small letters and digits, and no word of Go's own")
		}
	}
}

// value is what an extension says.
type value struct {
	members map[string]any
	at      pointer
}

func (v value) text(name string) string {
	text, _ := v.members[name].(string)
	return text
}

// extension reads an extension that is a mapping with some of the given keys.
func (b *builder) extension(p pointer, all map[string]any, name string, keys ...string) value {
	v := value{at: p.to(name)}
	raw, ok := all[name]
	if !ok {
		return v
	}
	members, ok := raw.(map[string]any)
	if !ok {
		b.at(v.at, name+" is not a mapping", "give it some of "+strings.Join(keys, ", "))
		return v
	}
	v.members = members
	for _, key := range slices.Sorted(maps.Keys(members)) {
		if !slices.Contains(keys, key) {
			b.at(v.at.to(key), fmt.Sprintf("%s has no %q", name, key), "use some of "+strings.Join(keys, ", "))
		}
	}
	return v
}

// flag reads an extension that is true or false.
func (b *builder) flag(p pointer, all map[string]any, name string) bool {
	raw, ok := all[name]
	if !ok {
		return false
	}
	on, ok := raw.(bool)
	if !ok {
		b.at(p.to(name), name+" is neither true nor false", "write true, or leave it out")
	}
	return on
}

// credentials reads the security schemes.
func (b *builder) credentials() {
	if b.Components == nil {
		return
	}
	at := pointer("/components/securitySchemes")
	for _, name := range inOrder(b.source, at, b.Components.SecuritySchemes) {
		scheme := b.Components.SecuritySchemes[name].Value
		c := &credential{Name: name, GoName: cmp.Or(goName(name), "Credential"), Doc: scheme.Description, Bare: b.flag(at.to(name), scheme.Extensions, extBare)}
		switch {
		case scheme.Type == "apiKey" && scheme.In == "header":
			c.Header = scheme.Name
		case scheme.Type == "http" && strings.EqualFold(scheme.Scheme, "bearer"), scheme.Type == "oauth2", scheme.Type == "openIdConnect":
			c.Header, c.Prefix = "Authorization", "Bearer "
		default:
			b.warn(at.to(name), fmt.Sprintf("a credential of type %s cannot be generated", strings.TrimSpace(scheme.Type+" "+scheme.Scheme+" "+scheme.In)),
				"use a bearer token or an apiKey in a header")
			continue
		}
		c.Var = "credential" + c.GoName
		b.schemes[name] = c
		b.Credentials = append(b.Credentials, c)
	}
}

// security finds the credentials that an operation takes, any one of which is
// enough, and whether it can do without.
func (b *builder) security(p pointer, op *openapi3.Operation) (list []*credential, anonymous bool) {
	requirements := b.T.Security
	if op.Security != nil {
		requirements = *op.Security
	}
	for _, requirement := range requirements {
		if len(requirement) == 0 {
			anonymous = true
		}
		if len(requirement) > 1 {
			b.warn(p.to("security"), "an operation that needs several credentials at once cannot be generated", "name alternatives, one credential each")
		}
		for _, name := range slices.Sorted(maps.Keys(requirement)) {
			if c := b.schemes[name]; c != nil && !slices.Contains(list, c) {
				list = append(list, c)
				break // all that can be sent is one
			}
		}
	}
	return list, anonymous
}

// finishCredentials drops what nothing uses and names the options. The
// credential that the document asks for by default is NewClient's own.
func (b *builder) finishCredentials() {
	var first *credential
	if len(b.T.Security) > 0 {
		for name := range b.T.Security[0] {
			first = b.schemes[name]
		}
	}
	b.Credentials = slices.DeleteFunc(b.Credentials, func(c *credential) bool { return !c.Client && !c.Server })
	for _, c := range b.Credentials {
		if c.Client && c == first {
			continue
		}
		c.Option = b.names.name("With"+c.GoName, "Credential")
	}
}

// Positional is the credential that NewClient takes.
func (m *model) Positional() *credential {
	for _, c := range m.Credentials {
		if c.Client && c.Option == "" {
			return c
		}
	}
	return nil
}

// reserveNames keeps the names of functions and methods that are made from
// the document from being given to types.
func (b *builder) reserveNames() {
	b.eachOperation(func(p pointer, path, _ string, op *openapi3.Operation) {
		if strings.HasPrefix(string(p), "/webhooks/") {
			b.names["New"+goName(path)+"Handler"] = true
		}
	})
}

// operation reads one operation.
func (b *builder) operation(p pointer, path, method string, op *openapi3.Operation) {
	o := &operation{ID: op.OperationID, Method: method, Path: path, spec: op, at: p}
	if o.ID == "" {
		o.ID = strings.ToLower(method) + " " + path
	}
	o.Name = b.methods.name(cmp.Or(goName(o.ID), "Operation"), "Operation")
	o.Var = "operation" + o.Name
	o.Doc = operationDoc(o.Name, op.Summary, op.Description)
	o.Credentials, o.Anonymous = b.security(p, op)
	for _, c := range o.Credentials {
		c.Client = true
	}
	if !b.parameters(p, o) {
		return
	}
	if body := op.RequestBody; body != nil && body.Value != nil {
		schema, at, ok := b.json(b.resolve(p.to("requestBody"), body.Ref), body.Value.Content)
		if !ok {
			return
		}
		if schema != nil {
			o.Body = b.typeOf(schema, at, o.Name+"Request")
		}
	}
	if !b.responses(p, o) {
		return
	}
	b.idempotent(p, o)
	b.poll(p, o)
	b.Operations = append(b.Operations, o)
}

// idempotent settles whether a call can be repeated without harm: what HTTP
// says of its method, unless the document knows better.
func (b *builder) idempotent(p pointer, o *operation) {
	switch o.Method {
	case http.MethodGet, http.MethodHead, http.MethodPut, http.MethodDelete, http.MethodOptions, http.MethodTrace:
		o.Idempotent = true
	}
	if _, ok := o.spec.Extensions[extIdempotent]; ok {
		o.Idempotent = b.flag(p, o.spec.Extensions, extIdempotent)
	}
}

// poll reads how an operation is polled.
func (b *builder) poll(p pointer, o *operation) {
	v := b.extension(p, o.spec.Extensions, extPoll, "method", "id", "least", "most")
	if v.members == nil {
		return
	}
	name := goName(v.text("method"))
	least, errLeast := time.ParseDuration(v.text("least"))
	most, errMost := time.ParseDuration(v.text("most"))
	var item *goType
	if o.Result != nil && o.Result.IsList() {
		item = o.Result.underlying().Elem
	}
	switch {
	case name == "":
		b.at(v.at, extPoll+" names no method", "let method name it, such as Updates")
	case errLeast != nil || errMost != nil || least <= 0 || most < least:
		b.at(v.at, "the waits between two fetches are not durations, least and most", "write them such as 1s and 5s")
	case len(o.Params) > 0 || o.Body != nil || item == nil || !item.IsStruct() || item.underlying().Def.Kind != structDef:
		b.at(v.at, fmt.Sprintf("%q cannot be polled", o.ID), "use an operation without parameters and body that returns a list of objects")
	default:
		path := item.underlying().Def.find(v.text("id"))
		if len(path) != 1 || !path[0].Type.comparable() {
			b.at(v.at, fmt.Sprintf("%q has no property %q to identify it", item.underlying().Def.Name, v.text("id")), "let id name a string or an integer")
			return
		}
		o.Poll = &poll{Name: name, ID: path[0], Least: least, Most: most}
	}
}

// serve settles which operations the server's side has: all whose patterns an
// http.ServeMux takes beside each other, which it alone can tell.
func (b *builder) serve() {
	mux := http.NewServeMux()
	for _, o := range b.Operations {
		if err := handle(mux, o.Pattern()); err != nil {
			b.warn(o.at, fmt.Sprintf("the server's side has no %q: %v", o.ID, err), "let no two paths match the same request")
			continue
		}
		o.Served = true
	}
}

// handle registers a pattern, of which package http says by a panic that it
// cannot be.
func handle(mux *http.ServeMux, pattern string) (err error) {
	defer func() {
		if reason := recover(); reason != nil {
			text, _, _ := strings.Cut(fmt.Sprint(reason), " (registered at")
			err = errors.New(oneLine(text))
		}
	}()
	mux.HandleFunc(pattern, func(http.ResponseWriter, *http.Request) {})
	return nil
}

// pollNames gives the methods that poll names of their own.
func (b *builder) pollNames() {
	for _, o := range b.Operations {
		if o.Poll == nil {
			continue
		}
		if b.methods[o.Poll.Name] {
			b.at(o.at.to(extPoll), fmt.Sprintf("the method %q has the name of another", o.Poll.Name), "give it another name")
		}
		b.methods[o.Poll.Name] = true
	}
}

// rateLimit reads which of a response's headers tell of the API's limit.
func (b *builder) rateLimit(at pointer, response *openapi3.Response) {
	for _, name := range inOrder(b.source, at.to("headers"), response.Headers) {
		ref := response.Headers[name]
		header := ref.Value
		if header == nil {
			continue
		}
		role, ok := header.Extensions[extRateLimit]
		if !ok {
			continue
		}
		target, known := map[any]*string{"limit": &b.Rate.Limit, "remaining": &b.Rate.Remaining, "reset": &b.Rate.Reset}[role]
		switch place := b.resolve(at.to("headers", name), ref.Ref).to(extRateLimit); {
		case !known:
			b.at(place, fmt.Sprintf("%s has no %v", extRateLimit, role), "write limit, remaining or reset")
		case *target != "" && *target != name:
			b.at(place, fmt.Sprintf("the headers %q and %q tell the same of the limit", *target, name), "let one header tell it")
		default:
			*target = name
		}
	}
}

// parameters reads those of the path, and tells whether the operation can do
// without the others, which cannot be generated.
func (b *builder) parameters(p pointer, o *operation) bool {
	byName := make(map[string]*parameter)
	ok := true
	read := func(at pointer, list openapi3.Parameters) {
		for i, ref := range list {
			at := b.resolve(at.index(i), ref.Ref)
			if param := ref.Value; param.In != "path" {
				b.warn(at, fmt.Sprintf("the %s parameter %q cannot be generated", param.In, param.Name), "take it out of the document, or give the operation a body")
				ok = ok && !param.Required
			} else {
				byName[param.Name] = &parameter{JSON: param.Name, Doc: param.Description, Type: b.parameterType(at, param)}
			}
		}
	}
	item := p[:strings.LastIndexByte(string(p), '/')]
	read(item.to("parameters"), b.Paths.Find(o.Path).Parameters)
	read(p.to("parameters"), o.spec.Parameters)
	names := make(scope)
	for _, part := range strings.Split(o.Path, "/") {
		name, isParam := strings.CutPrefix(part, "{")
		name, closed := strings.CutSuffix(name, "}")
		switch {
		case isParam && closed && byName[name] != nil:
			param := byName[name]
			param.Name = names.name(cmp.Or(lowerName(name), "param"), "Param")
			o.Params = append(o.Params, param)
		case strings.ContainsAny(part, "{}"):
			b.warn(item, fmt.Sprintf("the path's part %q cannot be generated", part), "let a parameter be the whole of a part")
			ok = false
		}
	}
	return ok
}

func (b *builder) parameterType(at pointer, param *openapi3.Parameter) *goType {
	if param.Schema == nil {
		b.warn(at, fmt.Sprintf("the parameter %q has no schema, and is taken for a string", param.Name), "give it one of type string or integer")
		return &goType{Kind: kindString}
	}
	t := b.typeOf(param.Schema, b.resolve(at.to("schema"), param.Schema.Ref), goName(param.Name))
	if k := t.underlying().Kind; k != kindString && k != kindInt && k != kindInt32 && k != kindNone {
		b.warn(at, fmt.Sprintf("the parameter %q of type %s is taken for a string", param.Name, t), "use type string or integer")
		return &goType{Kind: kindString}
	}
	return t
}

// json finds the schema of the JSON in a body, if it has any, and tells whether
// the body can be generated.
func (b *builder) json(at pointer, content openapi3.Content) (*openapi3.SchemaRef, pointer, bool) {
	at = at.to("content")
	kinds := inOrder(b.source, at, content)
	for _, kind := range kinds {
		if mediaType, _, _ := strings.Cut(kind, ";"); mediaType == "application/json" || mediaType == "*/*" || strings.HasSuffix(mediaType, "+json") {
			if content[kind] == nil || content[kind].Schema == nil {
				return nil, at, true
			}
			schema := content[kind].Schema
			return schema, b.resolve(at.to(kind, "schema"), schema.Ref), true
		}
	}
	if len(kinds) > 0 {
		b.warn(at, fmt.Sprintf("a body of %s cannot be generated", strings.Join(kinds, ", ")), "use application/json")
	}
	return nil, at, len(kinds) == 0
}

// responses reads what an operation answers: the first success is its result,
// and every failure has to have one format. It tells whether the result can be
// generated.
func (b *builder) responses(p pointer, o *operation) bool {
	responses := o.spec.Responses.Map()
	var formats []failure
	for _, status := range inOrder(b.source, p.to("responses"), responses) {
		ref := responses[status]
		own := goName(o.ID + " " + status)
		if ref.Ref != "" {
			own = goName(path.Base(ref.Ref))
		}
		at := b.resolve(p.to("responses", status), ref.Ref)
		code, err := strconv.Atoi(status)
		switch {
		case err == nil && code/100 == 2:
			if o.Status == 0 {
				o.Status = code
				if !b.result(at, o, ref.Value) {
					return false
				}
			}
		default:
			b.sentinel(at, o, code, own, ref.Value)
			b.rateLimit(at, ref.Value)
			if format, ok := b.failure(at, ref.Value); ok && !slices.Contains(formats, format) {
				if formats = append(formats, format); len(formats) > 1 {
					b.warn(at, fmt.Sprintf("the failures of %q have two formats", o.ID), "let all of an operation's failures have one")
					continue
				}
				o.Failure = format
			}
		}
	}
	if o.Status == 0 {
		o.Status = http.StatusOK
	}
	return true
}

// result reads the schema of success and takes its envelope off, and tells
// whether it can be generated.
func (b *builder) result(at pointer, o *operation, response *openapi3.Response) bool {
	schema, at, ok := b.json(at, response.Content)
	if schema == nil {
		return ok
	}
	object := b.flatten(schema.Value, at)
	if object == nil || object.envelope.members == nil {
		o.Result = b.typeOf(schema, at, o.Name+"Result")
		return true
	}
	e := &envelope{OK: object.envelope.text("ok"), Result: object.envelope.text("result"), Description: object.envelope.text("description")}
	o.Envelope = e
	for _, name := range []string{e.OK, e.Result} {
		if name != "" && object.property(name) == nil {
			b.at(at, fmt.Sprintf("the envelope of %q has no property %q, which %s names", o.ID, name, extEnvelope), "add the property, or correct the extension")
			return true
		}
	}
	if words := object.property(e.Description); words != nil {
		o.Words, _ = words.schema.Value.Const.(string)
	}
	if e.Result == "" {
		o.Object = true
		return true
	}
	if p := object.property(e.Result); p.schema.Value.Const == nil {
		o.Result = b.typeOf(p.schema, p.at, o.Name+"Result")
	}
	return true
}

// failure reads the format of a refusal.
func (b *builder) failure(at pointer, response *openapi3.Response) (failure, bool) {
	if len(response.Content) == 0 {
		return failure{}, false
	}
	schema, at, _ := b.json(at, response.Content)
	if schema == nil {
		return failure{}, false
	}
	object := b.flatten(schema.Value, at)
	if object == nil || object.failure.members == nil {
		return failure{}, false
	}
	f := failure{OK: object.failure.text("ok"), Code: object.failure.text("code"), Description: object.failure.text("description")}
	for _, name := range []string{f.OK, f.Code, f.Description} {
		if name != "" && object.property(name) == nil {
			b.at(object.failure.at, fmt.Sprintf("the failure has no property %q, which %s names", name, extFailure), "add the property, or correct the extension")
		}
	}
	return f, true
}

// sentinel reads the kind of failure that a response is.
func (b *builder) sentinel(at pointer, o *operation, status int, own string, response *openapi3.Response) {
	raw, ok := response.Extensions[extError]
	if !ok {
		return
	}
	name, isName := raw.(string)
	statuses, contains, help := []int{status}, "", ""
	if !isName {
		v := b.extension(at, response.Extensions, extError, "name", "status", "contains", "advice")
		help = v.text("advice")
		name, contains = v.text("name"), strings.ToLower(v.text("contains"))
		if list, ok := v.members["status"].([]any); ok {
			statuses = nil
			for i, item := range list {
				code, ok := item.(float64)
				if !ok {
					b.at(v.at.to("status").index(i), "is not an HTTP status", "write a number such as 404")
				}
				statuses = append(statuses, int(code))
			}
		}
	}
	if goName(name) == "" {
		b.at(at.to(extError), fmt.Sprintf("the name %q becomes no Go identifier", name), "give it letters or digits")
		return
	}
	key := "Err" + goName(name)
	s := b.sentinels[key]
	if s == nil {
		s = &sentinel{Name: b.names.name(key, "Failure"), Contains: contains}
		b.sentinels[key] = s
	}
	if response.Description != nil && !slices.Contains(s.Docs, *response.Description) {
		s.Docs = append(s.Docs, *response.Description)
	}
	s.Statuses = slices.Compact(slices.Sorted(slices.Values(append(s.Statuses, statuses...))))
	if !slices.Contains(o.Sentinels, s) {
		o.Sentinels = append(o.Sentinels, s)
	}
	if help == "" {
		return
	}
	if b.advices[at] == nil {
		b.advices[at] = &advice{Var: b.names.name("advice"+own, "Response"), Failure: s, Text: oneLine(help)}
		b.Advice = append(b.Advice, b.advices[at])
	}
	// What asks for words comes before what asks for a status alone.
	if s.Contains != "" {
		o.Advice = slices.Insert(o.Advice, 0, b.advices[at])
	} else {
		o.Advice = append(o.Advice, b.advices[at])
	}
}

// webhook reads one webhook: a delivery, its type and its headers.
func (b *builder) webhook(p pointer, key, method string, op *openapi3.Operation) {
	w := &webhook{ID: key, Name: cmp.Or(goName(key), "Webhook"), Doc: operationDoc("It", op.Summary, op.Description), AnswerWithin: 10 * time.Second, spec: op}
	if method != http.MethodPost {
		b.warn(p, fmt.Sprintf("a webhook by %s cannot be generated", method), "use post")
		return
	}
	if raw, ok := op.Extensions[extAnswerWithin]; ok {
		text, _ := raw.(string)
		within, err := time.ParseDuration(text)
		if err != nil || within < 2*time.Second {
			b.at(p.to(extAnswerWithin), fmt.Sprintf("%v is not a duration of two seconds or more", raw), "write one such as 10s")
		}
		w.AnswerWithin = within
	}
	w.Credentials, _ = b.security(p, op)
	for _, c := range w.Credentials {
		c.Server = true
	}
	headers := make(scope)
	for i, ref := range op.Parameters {
		at := b.resolve(p.to("parameters").index(i), ref.Ref)
		if ref.Value.In != "header" {
			b.warn(at, fmt.Sprintf("the %s parameter %q of a webhook cannot be generated", ref.Value.In, ref.Value.Name), "use headers")
		} else {
			name := goName(strings.TrimPrefix(strings.ToLower(ref.Value.Name), "x-"))
			w.Headers = append(w.Headers, &parameter{
				Name: headers.name(cmp.Or(name, "Header"), "Header"), JSON: ref.Value.Name, Doc: ref.Value.Description, Type: b.parameterType(at, ref.Value),
			})
		}
	}
	if op.RequestBody == nil || op.RequestBody.Value == nil {
		b.warn(p, fmt.Sprintf("the webhook %q has no body", key), "give it a requestBody of application/json")
		return
	}
	at := b.resolve(p.to("requestBody"), op.RequestBody.Ref)
	schema, at, ok := b.json(at, op.RequestBody.Value.Content)
	if schema == nil {
		if ok {
			b.warn(at, fmt.Sprintf("the webhook %q has no body", key), "give it a requestBody of application/json")
		}
		return
	}
	t := b.typeOf(schema, at, w.Name+"Payload")
	if t.Kind != kindNamed || t.Def.Kind != structDef {
		if t.Kind != kindNone {
			b.warn(at, fmt.Sprintf("a payload of type %s cannot be generated", t), "make it an object")
		}
		return
	}
	w.Type = t.Def
	w.Type.Decoded = true
	b.Webhooks = append(b.Webhooks, w)
}

func operationDoc(name, summary, description string) string {
	if summary == "" {
		summary, description = description, ""
	}
	return strings.TrimSpace(name + " " + uncapital(strings.TrimSpace(summary)) + "\n\n" + strings.TrimSpace(description))
}

// uncapital makes the first letter small unless its word is an initialism.
func uncapital(text string) string {
	word, _, _ := strings.Cut(text, " ")
	first, size := firstRune(text)
	if size == 0 {
		return text
	}
	if len(word) > size && word[size:] != strings.ToLower(word[size:]) {
		return text
	}
	return strings.ToLower(string(first)) + text[size:]
}

var packagePattern = regexp.MustCompile(`^[a-z][a-z0-9]*$`)

func packageName(name string) bool {
	return packagePattern.MatchString(name) && !token.IsKeyword(name) && types.Universe.Lookup(name) == nil
}
