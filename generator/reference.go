package generator

import (
	"bytes"
	"fmt"
	"strings"
	"text/template"

	"github.com/solafon/solafon-go/templates"
)

// reference makes the list of every call, as a page to read.
func (o *output) reference(file string) error {
	text, err := templates.Files.ReadFile("reference.tmpl")
	if err != nil {
		return err
	}
	page, err := template.New("reference").Funcs(template.FuncMap{"cell": cell}).Parse(string(text))
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := page.Execute(&b, o.model); err != nil {
		return fmt.Errorf("%s cannot be written: %w", file, err)
	}
	return o.keep(file, b.Bytes())
}

// cell is a text in a table's cell.
func cell(text string) string { return strings.ReplaceAll(oneLine(text), "|", `\|`) }

// Header is what the page's first line says of where it comes from.
func (m *model) Header() string { return strings.TrimPrefix(m.header(), "// ") }

// Anchor is the name by which a page's other parts refer to an operation.
func (o *operation) Anchor() string { return strings.ToLower(o.Name) }

// Text is what the document says of the operation.
func (o *operation) Text() string { return paragraphs(o.spec.Summary, o.spec.Description) }

// Text is what the document says of the webhook.
func (w *webhook) Text() string { return paragraphs(w.spec.Summary, w.spec.Description) }

func paragraphs(list ...string) string {
	var texts []string
	for _, text := range list {
		if text = strings.TrimSpace(text); text != "" {
			texts = append(texts, text)
		}
	}
	if len(texts) == 0 {
		return "The document does not describe it."
	}
	return strings.Join(texts, "\n\n")
}

// CredentialNames are the credentials that the operation takes.
func (o *operation) CredentialNames() string {
	var names []string
	for _, c := range o.Credentials {
		names = append(names, "`"+c.Name+"`")
	}
	if o.Anonymous || len(names) == 0 {
		names = append(names, "none")
	}
	return strings.Join(names, " or ")
}

// CallLine is the line of Go that makes the call.
func (o *operation) CallLine(pkg string) string {
	args := []string{"ctx"}
	for _, p := range o.Params {
		args = append(args, p.Type.sample(pkg, 0))
	}
	if o.Body != nil {
		args = append(args, o.Body.sample(pkg, 0))
	}
	result := "err"
	if o.Result != nil {
		result = o.Result.variable() + ", err"
	}
	return fmt.Sprintf("%s := client.%s(%s)", result, o.Name, strings.Join(args, ", "))
}

// variable is what a value of the type is called where there is one of it.
func (t *goType) variable() string {
	switch u := t.underlying(); {
	case t.Kind == kindNamed:
		return lowerName(t.Def.Name)
	case u.Kind == kindList:
		return u.Elem.variable() + "s"
	}
	return "value"
}

// sample is a value of the type as Go writes it, with what the document
// requires.
func (t *goType) sample(pkg string, depth int) string {
	u := t.underlying()
	plain := *t
	plain.Pointer = false
	switch {
	case t.Pointer || depth > 3:
		return "nil"
	case u.Kind == kindString && t.Kind == kindNamed && t.Def.Kind == enumDef && len(t.Def.Values) > 0:
		return qualified(pkg, t.Def.Values[0].Name)
	case u.Kind == kindString:
		return `"…"`
	case u.Kind == kindSecret:
		return qualified(pkg, "NewSecret") + `("…")`
	case u.Kind == kindInt || u.Kind == kindInt32 || u.Kind == kindFloat || u.Kind == kindFloat32:
		return "456"
	case u.Kind == kindBool:
		return "true"
	case u.Kind == kindTime:
		return "time.Now()"
	case u.Kind == kindList:
		elem := u.Elem.sample(pkg, depth+1)
		if u.Elem.IsStruct() {
			elem = strings.TrimPrefix(elem, u.Elem.In(pkg))
		}
		return plain.In(pkg) + "{" + elem + "}"
	case u.Kind == kindNamed && u.Def.Kind == structDef:
		var members []string
		for _, f := range u.Def.Fields {
			if f.Required {
				members = append(members, f.Name+": "+f.Type.sample(pkg, depth+1))
			}
		}
		return plain.In(pkg) + "{" + strings.Join(members, ", ") + "}"
	case u.Kind == kindNamed:
		return plain.In(pkg) + "{}"
	}
	return "nil"
}

// PollLine is the line of Go that polls the operation.
func (o *operation) PollLine() string {
	return fmt.Sprintf("for %s, err := range client.%s(ctx) {", o.Item().variable(), o.Poll.Name)
}

// HandlerLine is the line of Go that makes the handler.
func (w *webhook) HandlerLine(pkg string) string {
	name := w.Type.Name
	return fmt.Sprintf("handler := %s.New%sHandler(func(ctx context.Context, %s %s.%s) error {", pkg, w.Name, lowerName(name), pkg, name)
}

// Within is how long an answer is waited for.
func (w *webhook) Within() string { return durationWords(w.AnswerWithin) }
