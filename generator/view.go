package generator

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// What templates ask of the model: each method is a piece of Go or of a doc
// comment that would be hard to read inside a template.

// ClientDoc is the doc comment of the client's method.
func (o *operation) ClientDoc() string {
	doc := o.Doc + "\n\n" + fmt.Sprintf("It is %s %s", o.Method, o.Path)
	if len(o.Credentials) > 0 {
		names := make([]string, len(o.Credentials))
		for i, c := range o.Credentials {
			names[i] = c.Name
		}
		doc += " and needs the " + strings.Join(names, " or the ")
	}
	doc += ". Every failure is an *Error"
	if len(o.Sentinels) > 0 {
		names := make([]string, len(o.Sentinels))
		for i, s := range o.Sentinels {
			names[i] = s.Name
		}
		doc += "; the document names " + strings.Join(names, ", ")
	}
	return doc + ". " + o.Repeated("The call")
}

// Repeated says when a call is repeated.
func (o *operation) Repeated(call string) string {
	if o.Idempotent {
		return call + " is repeated after 429, after 5xx and after a connection that was lost."
	}
	return call + " is repeated after 429, and where nothing was sent; never once it may have arrived."
}

// PollDoc is the doc comment of the method that polls the operation.
func (o *operation) PollDoc() string {
	def := o.Result.underlying().Elem.underlying().Def
	return fmt.Sprintf(`%[1]s calls %[2]s again and again, and yields each %[3]s once, in the order in which they come: one whose %[4]s is that of one of the latest 65,536 is dropped. After a call that brought nothing it waits, %[5]s at first and %[6]s in the end.

A call that fails is yielded as an error, beside a zero %[3]s, and the iteration goes on: with a wait that grows from %[5]s to a minute, or as long as the API asks. It ends with ctx, or when the loop is left; ctx.Err() tells which.`,
		o.Poll.Name, o.Name, def.Name, o.Poll.ID.Name, durationWords(o.Poll.Least), durationWords(o.Poll.Most))
}

// Item is what the operation returns a list of.
func (o *operation) Item() *goType { return o.Result.underlying().Elem }

// LeastExpr and MostExpr are the waits between two fetches, as Go.
func (p *poll) LeastExpr() string { return durationExpr(p.Least) }
func (p *poll) MostExpr() string  { return durationExpr(p.Most) }

// ServerDoc is the doc comment of the server's method.
func (o *operation) ServerDoc() string {
	return fmt.Sprintf("%s\n\nIt answers %s %s.", o.Doc, o.Method, o.Path)
}

// Pattern is the operation's path as http.ServeMux has it.
func (o *operation) Pattern() string {
	pattern := o.Path
	for _, p := range o.Params {
		pattern = strings.Replace(pattern, "{"+p.JSON+"}", "{"+p.Name+"}", 1) // which is an identifier
	}
	if strings.HasSuffix(pattern, "/") {
		pattern += "{$}"
	}
	return o.Method + " " + pattern
}

// HasErr tells whether the server's function has declared err before it calls
// the method.
func (o *operation) HasErr() bool {
	for _, p := range o.Params {
		if !p.IsString() {
			return true
		}
	}
	return o.Authenticated()
}

// ResultType is what the method returns, seen from a package.
func (o *operation) ResultType(pkg string) string {
	if o.Result.IsStruct() {
		return "*" + o.Result.In(pkg)
	}
	return o.Result.In(pkg)
}

// ZeroResult is what the method returns beside an error.
func (o *operation) ZeroResult() string {
	if o.Result.IsStruct() {
		return "nil"
	}
	return o.Result.zero()
}

// Checked tells whether a request's body has rules to keep to.
func (o *operation) Checked() bool {
	return o.Body.IsStruct() && o.Body.underlying().Def.hasRules()
}

// EncodeBody writes the request's body, with its secrets.
func (o *operation) EncodeBody() string {
	switch {
	case !o.Body.IsStruct():
		return "encodeBody(func(e *encoder, b []byte) []byte { return " + encodeExpr(o.Body, "req") + " })"
	case o.Body.underlying().Def.holdsSecret(make(map[*typeDef]bool)):
		return "req.RevealJSON()"
	default:
		return "req.MarshalJSON()"
	}
}

// DecodeResult reads the result where it is not a struct. A list is never nil,
// so that null and [] are the same to callers.
func (o *operation) DecodeResult() string {
	read := "result, i = " + decodeExpr(o.Result, "i", notNull)
	if o.Result.IsList() {
		read = "if " + read + "; result == nil { result = " + o.Result.String() + "{} }"
	}
	return read + "; return i"
}

// PathExpr is the operation's path with its parameters in it.
func (o *operation) PathExpr() string {
	rest, expr := o.Path, []string{}
	for _, p := range o.Params {
		before, after, _ := strings.Cut(rest, "{"+p.JSON+"}")
		expr = append(expr, strconv.Quote(before), p.Format(""))
		rest = after
	}
	if rest != "" || len(expr) == 0 {
		expr = append(expr, strconv.Quote(rest))
	}
	return strings.Join(expr, "+")
}

// IsString tells whether the parameter's text is its value.
func (p *parameter) IsString() bool { return p.Type.underlying().Kind == kindString }

// Zero is the value at which a header is not sent.
func (p *parameter) Zero() string { return p.Type.zero() }

// Format is the parameter as text: one of the path, escaped, or the field of a
// sender.
func (p *parameter) Format(receiver string) string {
	switch name := p.Name; {
	case !p.IsString() && receiver == "":
		return fmt.Sprintf("strconv.FormatInt(int64(%s), 10)", name)
	case !p.IsString():
		return fmt.Sprintf("strconv.FormatInt(int64(%s.%s), 10)", receiver, name)
	case receiver == "":
		return fmt.Sprintf("url.PathEscape(string(%s))", name)
	default:
		return fmt.Sprintf("string(%s.%s)", receiver, name)
	}
}

// StatusWords lists the statuses for people, StatusList for Go.
func (s *sentinel) StatusWords() string { return s.list(" or ") }
func (s *sentinel) StatusList() string  { return s.list(", ") }

func (s *sentinel) list(separator string) string {
	list := make([]string, len(s.Statuses))
	for i, status := range s.Statuses {
		list[i] = strconv.Itoa(status)
	}
	return strings.Join(list, separator)
}

// ContainsWords says what else the sentinel asks for.
func (s *sentinel) ContainsWords() string {
	if s.Contains == "" {
		return ""
	}
	return fmt.Sprintf(" whose description has %q", s.Contains)
}

// Text is the sentinel as an error of its own.
func (s *sentinel) Text() string {
	if s.Contains != "" {
		return s.Contains
	}
	return strings.ToLower(http.StatusText(s.Statuses[0]))
}

// HandlerDoc is the doc comment of the function that makes the handler.
func (w *webhook) HandlerDoc() string {
	doc := fmt.Sprintf("New%sHandler receives deliveries and passes each to receive.", w.Name)
	if w.Doc != "" {
		doc += "\n\n" + w.Doc
	}
	return doc + fmt.Sprintf(`

It answers 200 when receive returns nil; 503 when it returns an *Unavailable, and 500 when it returns any other error or panics; 405 for any method but POST; 401 where a credential is asked for and the delivery does not carry it; 415 for a body that is not JSON by its content type; 413 for one above the limit, 1 MiB unless WithMaxBody says otherwise; and 400 for one that cannot be decoded, with the words of the *DecodeError.

The context that receive gets ends %s after the delivery came in, unless WithTimeout says otherwise, so that there is time to answer within %s. receive has to return by then; what takes longer is for later.`, durationWords(w.receiveWithin()), durationWords(w.AnswerWithin))
}

func (w *webhook) receiveWithin() time.Duration { return w.AnswerWithin - time.Second }

// ReceiveWithin is how long the receiving function has, as Go.
func (w *webhook) ReceiveWithin() string { return durationExpr(w.receiveWithin()) }

// Timeout is how long the sender waits, as Go.
func (w *webhook) Timeout() string { return durationExpr(w.AnswerWithin) }

func durationExpr(d time.Duration) string {
	if d == time.Second {
		return "time.Second"
	}
	if d%time.Second == 0 {
		return fmt.Sprintf("%d * time.Second", d/time.Second)
	}
	return fmt.Sprintf("%d * time.Millisecond", d.Milliseconds())
}

func durationWords(d time.Duration) string {
	if d == time.Second {
		return "1 second"
	}
	if d%time.Second == 0 {
		return fmt.Sprintf("%d seconds", d/time.Second)
	}
	return d.String()
}

// LogID is what the handler's log says of a payload.
func (w *webhook) LogID() string {
	if p := w.Type.Payload; p != nil {
		return fmt.Sprintf("slog.Any(%q, v.%s)", p.ID.JSON, p.ID.Name)
	}
	return fmt.Sprintf("slog.String(%q, %q)", "webhook", w.ID)
}

// PrivateTexts lists what the handler never logs of a payload.
func (w *webhook) PrivateTexts() string {
	list := privateTexts(w.Type, "v", make(map[*typeDef]bool))
	if len(list) == 0 {
		return "nil"
	}
	return "[]string{" + strings.Join(list, ", ") + "}"
}

func privateTexts(def *typeDef, at string, inside map[*typeDef]bool) []string {
	if inside[def] {
		return nil
	}
	inside[def] = true
	defer delete(inside, def)
	var list []string
	for _, f := range def.Fields {
		u := f.Type.underlying()
		switch {
		case f.Type.Pointer:
		case f.Private && u.Kind == kindString:
			list = append(list, at+"."+f.Name)
		case u.Kind == kindNamed && u.Def.Kind == structDef:
			list = append(list, privateTexts(u.Def, at+"."+f.Name, inside)...)
		}
	}
	return list
}

// Go is the headers as the client is made with them.
func (h rateHeaders) Go() string {
	var list []string
	for _, pair := range [][2]string{{"limit", h.Limit}, {"remaining", h.Remaining}, {"reset", h.Reset}} {
		if pair[1] != "" {
			list = append(list, fmt.Sprintf("%s: %q", pair[0], pair[1]))
		}
	}
	return "rateHeaders{" + strings.Join(list, ", ") + "}"
}
