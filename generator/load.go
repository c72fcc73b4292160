package generator

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	yaml "go.yaml.in/yaml/v4"
)

// extensions are the keys of this project's own. spec/README.md says what each
// takes and what is generated from it.
const extensionPrefix = "x-bindings-"

var extensions = []string{
	extAnswerWithin, extBare, extBuilders, extEnvelope, extError, extFailure, extIdempotent, extLenient, extOptional,
	extPackages, extPayload, extPoll, extPrivate, extRateLimit,
}

const (
	extAnswerWithin = extensionPrefix + "answer-within"
	extBare         = extensionPrefix + "bare"
	extBuilders     = extensionPrefix + "builders"
	extEnvelope     = extensionPrefix + "envelope"
	extError        = extensionPrefix + "error"
	extFailure      = extensionPrefix + "failure"
	extIdempotent   = extensionPrefix + "idempotent"
	extLenient      = extensionPrefix + "lenient"
	extOptional     = extensionPrefix + "optional"
	extPackages     = extensionPrefix + "packages"
	extPayload      = extensionPrefix + "payload"
	extPoll         = extensionPrefix + "poll"
	extPrivate      = extensionPrefix + "private"
	extRateLimit    = extensionPrefix + "rate-limit"
)

// document is what the generator starts from: a document that has passed every
// check that can be made without knowing what will be generated from it.
type document struct {
	*source
	*openapi3.T
}

// load reads and checks a document.
func load(path string, files fs.FS) (*document, error) {
	src := readSource(path, files)
	if src.root == nil {
		return nil, src.err()
	}
	src.checkVersion()
	src.checkKeys()
	src.checkRefs()
	if err := src.err(); err != nil {
		return nil, err
	}
	loader := openapi3.NewLoader()
	loader.IncludeOrigin = true
	loader.IsExternalRefsAllowed = true
	loader.ReadFromURIFunc = func(_ *openapi3.Loader, location *url.URL) ([]byte, error) {
		if location.Scheme != "" || location.Host != "" {
			return nil, fmt.Errorf("%s is on the network", location)
		}
		return src.readFile(filepath.FromSlash(location.Path))
	}
	t, err := loader.LoadFromDataWithPath(src.data, &url.URL{Path: filepath.ToSlash(path)})
	if err != nil {
		src.complaints = append(src.complaints, src.kinComplaint(err))
		return nil, src.err()
	}
	doc := &document{source: src, T: t}
	doc.validate(loader)
	doc.checkOperationIDs()
	doc.checkExamples()
	return doc, doc.err()
}

var versionPattern = regexp.MustCompile(`^3\.[0-2](\.\d+)?(-.*)?$`)

func (s *source) checkVersion() {
	if key, _ := child(s.root, "swagger"); key != nil {
		s.complain(key, "is a Swagger 2.0 document, and OpenAPI 3.0 or later is wanted", "convert it with swagger2openapi")
		return
	}
	_, version := child(s.root, "openapi")
	switch {
	case version == nil:
		s.complain(s.root, "is not an OpenAPI document: it has no `openapi`", "start it with `openapi: 3.1.0`")
	case strings.HasPrefix(version.Value, "1.") || strings.HasPrefix(version.Value, "2."):
		s.complain(version, fmt.Sprintf("OpenAPI %s is too old", version.Value), "bring the document to 3.0 or later")
	case !versionPattern.MatchString(version.Value):
		s.complain(version, fmt.Sprintf("OpenAPI %q is not a version that is known", version.Value), "use 3.0, 3.1 or 3.2")
	}
}

// checkKeys complains about keys that stand twice and about extensions of ours
// that do not exist.
func (s *source) checkKeys() {
	s.walk(func(_ pointer, mapping *yaml.Node) {
		seen := make(map[string]bool)
		for i := 0; i+1 < len(mapping.Content); i += 2 {
			key := mapping.Content[i]
			if seen[key.Value] {
				s.complain(key, fmt.Sprintf("the key %q stands twice", key.Value), "remove one of them")
			}
			seen[key.Value] = true
			if strings.HasPrefix(key.Value, extensionPrefix) && !slices.Contains(extensions, key.Value) {
				s.complain(key, fmt.Sprintf("there is no extension %q", key.Value), "use one of "+strings.Join(extensions, ", "))
			}
		}
	})
}

// checkRefs complains about references that lead nowhere.
func (s *source) checkRefs() {
	s.walk(func(p pointer, mapping *yaml.Node) {
		_, ref := child(mapping, "$ref")
		if ref == nil || ref.Kind != yaml.ScalarNode || p.last() == "properties" {
			return
		}
		file, fragment, _ := strings.Cut(ref.Value, "#")
		switch {
		case strings.Contains(file, "://"):
			s.complain(ref, fmt.Sprintf("$ref %q leads to the network", ref.Value), "keep what it refers to in a file beside the document")
		case file != "":
			if _, err := s.readFile(s.beside(file)); err != nil {
				s.complain(ref, fmt.Sprintf("$ref %q leads to a file that cannot be read: %s", ref.Value, rootCause(err)), "correct it, or add the file")
			}
		case strings.HasPrefix(fragment, "/"):
			s.checkRef(p, ref, pointer(fragment))
		}
	})
}

func (s *source) checkRef(from pointer, ref *yaml.Node, to pointer) {
	if unescaped, err := url.PathUnescape(string(to)); err == nil {
		to = pointer(unescaped)
	}
	key, value := s.find(to)
	if value == nil {
		s.complain(ref, fmt.Sprintf("$ref %q leads nowhere", ref.Value), "define it, or refer to something that "+s.has(key)+" has")
		return
	}
	// Following references alone must come to something that is not one.
	for seen := map[*yaml.Node]bool{}; ; {
		if seen[value] {
			s.complain(ref, fmt.Sprintf("$ref %q goes in a circle", ref.Value), "let one of the references lead to a definition")
			return
		}
		seen[value] = true
		_, next := child(value, "$ref")
		if next == nil || !strings.HasPrefix(next.Value, "#/") || len(dealias(value).Content) > 2 {
			return
		}
		if _, value = s.find(pointer(next.Value[1:])); value == nil {
			return
		}
	}
}

func (s *source) has(key *yaml.Node) string {
	if key == s.root {
		return "the document"
	}
	return key.Value
}

// validate runs kin-openapi's own checks. Examples are not among them: it
// takes one that stands in a file for null.
func (d *document) validate(loader *openapi3.Loader) {
	err := d.T.Validate(loader.Context,
		openapi3.EnableMultiError(), openapi3.DisableExamplesValidation(), openapi3.AllowExtraSiblingFields("summary", "description", "pathItems"),
		openapi3.DisableSchemaPatternValidation())
	var several openapi3.MultiError
	if !errors.As(err, &several) && err != nil {
		several = openapi3.MultiError{err}
	}
	// What can be read can be generated from. Documents in use are wrong in small
	// things, and only a credential that nobody describes leaves no way to go on.
	for _, err := range several {
		var undefined *openapi3.SecurityRequirementSchemeUndefinedError
		if errors.As(err, &undefined) {
			d.undefinedCredential(undefined)
			continue
		}
		d.warnings = append(d.warnings, d.kinComplaint(err))
	}
}

// kinComplaint is a complaint of kin-openapi's, at the place that its innermost
// error names.
func (s *source) kinComplaint(err error) Complaint {
	var origin *openapi3.Origin
	for inner := err; inner != nil; inner = errors.Unwrap(inner) {
		if v := reflect.Indirect(reflect.ValueOf(inner)); v.Kind() == reflect.Struct {
			if field := v.FieldByName("Origin"); field.IsValid() && field.CanInterface() {
				if o, ok := field.Interface().(*openapi3.Origin); ok && o != nil && o.Key != nil {
					origin = o
				}
			}
		}
	}
	message, advice := oneLine(err.Error()), "see the OpenAPI specification"
	if origin == nil {
		return Complaint{File: s.path, Message: message, Advice: advice}
	}
	return s.complaint(origin.Key.Line, origin.Key.Column, message, advice)
}

// undefinedCredential complains at each place that asks for a credential which
// no security scheme describes.
func (s *source) undefinedCredential(undefined *openapi3.SecurityRequirementSchemeUndefinedError) {
	s.walk(func(p pointer, mapping *yaml.Node) {
		_, security := child(mapping, "security")
		if security == nil || dealias(security).Kind != yaml.SequenceNode {
			return
		}
		for _, requirement := range dealias(security).Content {
			for i := 0; i+1 < len(requirement.Content); i += 2 {
				name := requirement.Content[i]
				if _, scheme := s.find(pointer("/components/securitySchemes").to(name.Value)); scheme == nil {
					s.complain(name, fmt.Sprintf("there is no credential %q", name.Value), "describe it under components.securitySchemes, or use one that is there")
				}
			}
		}
	})
}

// checkOperationIDs complains about operations that have one name, which none
// can: what differs in no more than case is given two names later.
func (d *document) checkOperationIDs() {
	first := make(map[string]pointer)
	d.eachOperation(func(p pointer, _, _ string, op *openapi3.Operation) {
		if op.OperationID == "" {
			return
		}
		if other, ok := first[op.OperationID]; ok {
			_, node := d.find(other.to("operationId"))
			d.at(p.to("operationId"), fmt.Sprintf("the operation %q has the name of the one in line %d", op.OperationID, node.Line), "give each operation a name of its own")
			return
		}
		first[op.OperationID] = p
	})
}

// eachOperation visits every operation and every webhook in the document's
// order.
func (d *document) eachOperation(visit func(p pointer, path, method string, op *openapi3.Operation)) {
	sections := []struct {
		name  string
		items map[string]*openapi3.PathItem
	}{{"paths", d.Paths.Map()}, {"webhooks", d.Webhooks}}
	for _, section := range sections {
		base := pointer("").to(section.name)
		for _, path := range inOrder(d.source, base, section.items) {
			item := section.items[path]
			operations := make(map[string]*openapi3.Operation)
			for method, op := range item.Operations() {
				operations[strings.ToLower(method)] = op
			}
			for _, method := range inOrder(d.source, base.to(path), operations) {
				visit(base.to(path, method), path, strings.ToUpper(method), operations[method])
			}
		}
	}
}

// checkExamples complains about examples that do not fit their schemas.
func (d *document) checkExamples() {
	content := func(p pointer, content openapi3.Content) {
		for _, mediaType := range inOrder(d.source, p, content) {
			d.checkMediaType(p.to(mediaType), content[mediaType])
		}
	}
	d.eachOperation(func(p pointer, _, _ string, op *openapi3.Operation) {
		if body := op.RequestBody; body != nil && body.Value != nil {
			content(d.resolve(p.to("requestBody"), body.Ref).to("content"), body.Value.Content)
		}
		for status, response := range op.Responses.Map() {
			if response.Value != nil {
				content(d.resolve(p.to("responses", status), response.Ref).to("content"), response.Value.Content)
			}
		}
	})
}

// resolve is the pointer of what a reference at p leads to.
func (d *document) resolve(p pointer, ref string) pointer {
	if strings.HasPrefix(ref, "#/") {
		return pointer(ref[1:])
	}
	return p
}

func (d *document) checkMediaType(p pointer, media *openapi3.MediaType) {
	if media == nil || media.Schema == nil || media.Schema.Value == nil {
		return
	}
	if media.Example != nil {
		d.checkExample(p.to("example"), media.Schema.Value, media.Example)
	}
	for _, name := range inOrder(d.source, p.to("examples"), media.Examples) {
		example := media.Examples[name].Value
		at := d.resolve(p.to("examples", name), media.Examples[name].Ref)
		switch {
		case example == nil:
		case example.ExternalValue != "":
			d.checkExternal(at.to("externalValue"), media.Schema.Value, example.ExternalValue)
		case example.Value != nil:
			d.checkExample(at.to("value"), media.Schema.Value, example.Value)
		}
	}
}

// checkExternal checks an example that stands in a file of its own.
func (d *document) checkExternal(p pointer, schema *openapi3.Schema, file string) {
	data, err := d.readFile(d.beside(file))
	if err != nil {
		d.at(p, fmt.Sprintf("the example %q cannot be read: %s", file, rootCause(err)), "correct the name, or add the file beside the document")
		return
	}
	var value any
	if err := json.Unmarshal(data, &value); err != nil {
		d.at(p, fmt.Sprintf("the example %q is not JSON: %s", file, err), "correct the file")
		return
	}
	d.checkExample(p, schema, value)
}

func (d *document) checkExample(p pointer, schema *openapi3.Schema, value any) {
	err := d.T.ValidateSchemaJSON(schema, value, openapi3.MultiErrors())
	if err == nil {
		return
	}
	var several openapi3.MultiError
	if !errors.As(err, &several) {
		several = openapi3.MultiError{err}
	}
	for _, err := range several {
		reason, where := oneLine(err.Error()), ""
		var fault *openapi3.SchemaError
		if errors.As(err, &fault) {
			reason = oneLine(fault.Reason)
			if steps := fault.JSONPointer(); len(steps) > 0 {
				where = "/" + strings.Join(steps, "/") + ": "
			}
		}
		d.warn(p, "the example does not fit its schema: "+where+reason, "correct the example or the schema")
	}
}

// Extensions lists the keys of this project's own that a document can have.
func Extensions() []string { return slices.Clone(extensions) }
