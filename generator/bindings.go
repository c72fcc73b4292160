package generator

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/oapi-codegen/oapi-codegen/v2/pkg/codegen"

	"github.com/solafon/solafon-go/templates"
)

// oapiCodegen is taken for the length of a run: oapi-codegen keeps its state
// in package variables, its table of template functions among them.
var oapiCodegen sync.Mutex

// userTemplates are oapi-codegen's templates and what each is replaced by.
// Those that are empty made what this project makes elsewhere.
var userTemplates = map[string]string{
	"typedef.tmpl":                         "types.tmpl",
	"client.tmpl":                          "client.tmpl",
	"stdhttp/std-http-interface.tmpl":      "server.tmpl",
	"stdhttp/std-http-receiver.tmpl":       "webhook.tmpl",
	"webhook-initiator.tmpl":               "sender.tmpl",
	"additional-properties.tmpl":           "",
	"callback-initiator.tmpl":              "",
	"client-with-responses.tmpl":           "",
	"constants.tmpl":                       "",
	"imports.tmpl":                         "",
	"param-types.tmpl":                     "",
	"request-bodies.tmpl":                  "",
	"stdhttp/std-http-handler.tmpl":        "",
	"stdhttp/std-http-middleware.tmpl":     "",
	"union-and-additional-properties.tmpl": "",
	"union.tmpl":                           "",
}

// empty is a template of nothing but a line's end. It has an action because a
// template of white space alone does not replace one that is there, and two
// lines because oapi-codegen takes one line for the name of a file, or for an
// address to fetch.
const empty = "{{``}}\n{{``}}"

// fileMark starts a file in the one text that oapi-codegen returns. A document
// can hold a NUL too, as an escape; comment and quote let none through.
const fileMark = "\x00file "

// bindings makes the types, the client, the server's interface and both sides
// of the webhooks: oapi-codegen runs the templates, and the templates look up what
// the model decided. What it is given is an outline of the model: the document
// itself may have more than it can read.
func (o *output) bindings() error {
	oapiCodegen.Lock()
	defer oapiCodegen.Unlock()
	before := maps.Clone(codegen.TemplateFunctions)
	defer func() {
		clear(codegen.TemplateFunctions)
		maps.Copy(codegen.TemplateFunctions, before)
	}()
	maps.Copy(codegen.TemplateFunctions, o.functions())

	texts := make(map[string]string, len(userTemplates))
	for theirs, ours := range userTemplates {
		texts[theirs] = empty
		if ours != "" {
			text, err := templates.Files.ReadFile(ours)
			if err != nil {
				return err
			}
			texts[theirs] = string(text)
		}
	}
	text, err := runOapiCodegen(o.outline(), codegen.Configuration{
		PackageName: o.Bindings,
		Generate:    codegen.GenerateOptions{Models: true, Client: true, StdHTTPServer: true},
		OutputOptions: codegen.OutputOptions{
			SkipFmt:                   true, // each file is formatted on its own
			SkipPrune:                 true, // it would take away what only a webhook uses
			ResolveTypeNameCollisions: true,
			NameNormalizer:            string(codegen.NameNormalizerFunctionToCamelCaseWithInitialisms),
			UserTemplates:             texts,
		},
	})
	if err != nil {
		return fmt.Errorf("oapi-codegen cannot run the templates: %w", err)
	}
	return o.split(text)
}

// outline is a document with an operation for each of the model's, and a schema
// if there are types, which is all that the templates are run for.
func (o *output) outline() *openapi3.T {
	doc := &openapi3.T{OpenAPI: "3.1.0", Info: &openapi3.Info{Title: "outline", Version: "1"}, Paths: openapi3.NewPaths(), Webhooks: make(map[string]*openapi3.PathItem)}
	if len(o.Types) > 0 {
		doc.Components = &openapi3.Components{Schemas: openapi3.Schemas{"Outline": {Value: openapi3.NewObjectSchema()}}}
	}
	done := "Done."
	operation := func(id string) *openapi3.Operation {
		return &openapi3.Operation{OperationID: id, Responses: openapi3.NewResponses(openapi3.WithStatus(200, &openapi3.ResponseRef{Value: &openapi3.Response{Description: &done}}))}
	}
	for i, op := range o.Operations {
		op.outline = operation(fmt.Sprintf("operation%d", i))
		doc.Paths.Set(fmt.Sprintf("/%d", i), &openapi3.PathItem{Post: op.outline})
	}
	for i, w := range o.Webhooks {
		w.outline = operation(fmt.Sprintf("webhook%d", i))
		doc.Webhooks[fmt.Sprintf("webhook%d", i)] = &openapi3.PathItem{Post: w.outline}
	}
	return doc
}

// runOapiCodegen runs oapi-codegen, which panics on some documents that it does
// not expect.
func runOapiCodegen(doc *openapi3.T, config codegen.Configuration) (text string, err error) {
	defer func() {
		if reason := recover(); reason != nil {
			err = fmt.Errorf("panic: %v", reason)
		}
	}()
	return codegen.Generate(doc, config)
}

// split parts what oapi-codegen returned into files.
func (o *output) split(text string) error {
	for _, part := range strings.Split(text, fileMark)[1:] {
		where, body, _ := strings.Cut(part, "\n")
		pkg, name, _ := strings.Cut(where, "/")
		if _, done := o.files[where+suffix]; done {
			continue // a template that oapi-codegen runs for several groups of types
		}
		if err := o.add(pkg, name, []byte(body)); err != nil {
			return err
		}
	}
	return nil
}

// functions are what the templates can call.
func (o *output) functions() map[string]any {
	return map[string]any{
		"model": func() *model { return o.model },
		"operations": func(defs []codegen.OperationDefinition) []*operation {
			return chosen(o.Operations, defs, func(op *operation) *openapi3.Operation { return op.outline })
		},
		"served": func(defs []codegen.OperationDefinition) []*operation {
			return slices.DeleteFunc(chosen(o.Operations, defs, func(op *operation) *openapi3.Operation { return op.outline }),
				func(op *operation) bool { return !op.Served })
		},
		"webhooks": func(defs []codegen.OperationDefinition) []*webhook {
			return chosen(o.Webhooks, defs, func(w *webhook) *openapi3.Operation { return w.outline })
		},
		"comment": comment,
		"file":    func(pkg, name string) string { return fileMark + pkg + "/" + name },
		"quote":   func(s string) string { return fmt.Sprintf("%q", s) },
		"lower":   lowerName,
		"join":    strings.Join,
	}
}

// chosen are those of the model's that oapi-codegen hands to a template, in the
// document's order, which oapi-codegen does not keep.
func chosen[T any](all []T, defs []codegen.OperationDefinition, spec func(T) *openapi3.Operation) []T {
	handed := make(map[*openapi3.Operation]bool, len(defs))
	for _, def := range defs {
		handed[def.Spec] = true
	}
	return slices.DeleteFunc(slices.Clone(all), func(item T) bool { return !handed[spec(item)] })
}

var lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n")

// comment makes a doc comment, wrapped to 80 columns, with a blank line between
// paragraphs and without control characters.
func comment(text string) string {
	const width = 77
	var b strings.Builder
	text = lineEnds.Replace(strings.TrimSpace(text))
	text = strings.Map(func(r rune) rune {
		if r != '\n' && unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text)
	for i, paragraph := range strings.Split(text, "\n\n") {
		if i > 0 {
			b.WriteString("//\n")
		}
		column := 0
		for _, word := range strings.Fields(paragraph) {
			length := utf8.RuneCountInString(word)
			if column > 0 && column+1+length > width {
				b.WriteString("\n")
				column = 0
			}
			if column == 0 {
				b.WriteString("// ")
			} else {
				b.WriteString(" ")
				column++
			}
			b.WriteString(word)
			column += length
		}
		if column > 0 {
			b.WriteString("\n")
		}
	}
	return strings.TrimSuffix(b.String(), "\n")
}
