package generator

import (
	"bytes"
	"embed"
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// What generated code needs at run time is a package of its own, so that it
// can be read and tested as one. The generator carries it into the output,
// without the parts that the output does not use.
//
//go:embed runtime/attempt.go runtime/call.go runtime/deadline.go runtime/decode.go runtime/deliver.go runtime/encode.go
//go:embed runtime/errors.go runtime/mask.go runtime/middleware.go runtime/number.go runtime/options.go runtime/poll.go runtime/rate.go
//go:embed runtime/retry.go runtime/secret.go runtime/serve.go runtime/skip.go runtime/text.go runtime/validate.go runtime/webhook.go
var runtimeFiles embed.FS

// carried names the runtime's files for the bindings and for the server.
func (o *output) carried() (bindings, server []string) {
	bindings = []string{"decode", "text", "number", "skip", "encode", "validate", "secret"}
	if len(o.Operations) > 0 {
		bindings = append(bindings, "attempt", "call", "errors", "mask", "middleware", "options", "poll", "rate", "retry")
		server = append(server, "serve")
	}
	if len(o.Webhooks) > 0 {
		bindings = append(bindings, "deadline", "webhook")
		server = append(server, "deliver")
	}
	return bindings, server
}

// carry adds the runtime to both packages.
func (o *output) carry() error {
	bindings, server := o.carried()
	for pkg, names := range map[string][]string{o.Bindings: bindings, o.Server: server} {
		if err := o.carryInto(pkg, names); err != nil {
			return err
		}
	}
	return nil
}

func (o *output) carryInto(pkg string, names []string) error {
	used := make(map[string]bool)
	for name := range o.files {
		if path.Dir(name) == pkg {
			maps.Copy(used, o.words[name])
		}
	}
	runtime, err := parsedRuntime()
	if err != nil {
		return err
	}
	files := make([]*runtimeFile, len(names))
	for i, name := range names {
		files[i] = runtime[name]
	}
	keep := usedDecls(files, used)
	for _, file := range files {
		if body := file.text(pkg, keep); body != nil {
			if err := o.add(pkg, file.name, body); err != nil {
				return err
			}
		}
	}
	return nil
}

// collect notes every identifier below a node.
func collect(node ast.Node, used map[string]bool) {
	ast.Inspect(node, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			used[id.Name] = true
		}
		return true
	})
}

// runtimeFile is a file of the runtime, parted into its declarations.
type runtimeFile struct {
	name  string
	src   []byte
	start int // where the declarations after the imports start
	decls []*runtimeDecl
}

type runtimeDecl struct {
	start, end int
	names      []string // what it declares; a method's receiver is not among it
	receiver   string
	uses       map[string]bool
}

// parsedRuntime holds the runtime's files by name, read once.
var parsedRuntime = sync.OnceValues(func() (map[string]*runtimeFile, error) {
	entries, err := runtimeFiles.ReadDir("runtime")
	if err != nil {
		return nil, err
	}
	files := make(map[string]*runtimeFile)
	for _, entry := range entries {
		name := strings.TrimSuffix(entry.Name(), ".go")
		if files[name], err = parseRuntime(name); err != nil {
			return nil, err
		}
	}
	return files, nil
})

func parseRuntime(name string) (*runtimeFile, error) {
	src, err := runtimeFiles.ReadFile("runtime/" + name + ".go")
	if err != nil {
		return nil, err
	}
	fset := token.NewFileSet()
	parsed, err := parser.ParseFile(fset, name, src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	offset := func(p token.Pos) int { return fset.Position(p).Offset }
	file := &runtimeFile{name: name, src: src}
	for _, decl := range parsed.Decls {
		d := &runtimeDecl{start: offset(decl.Pos()), end: offset(decl.End()), uses: make(map[string]bool)}
		collect(decl, d.uses)
		switch decl := decl.(type) {
		case *ast.FuncDecl:
			if decl.Doc != nil {
				d.start = offset(decl.Doc.Pos())
			}
			d.names = []string{decl.Name.Name}
			if decl.Recv != nil {
				d.receiver = receiverName(decl.Recv.List[0].Type)
			}
		case *ast.GenDecl:
			if decl.Tok == token.IMPORT {
				file.start = d.end
				continue
			}
			if decl.Doc != nil {
				d.start = offset(decl.Doc.Pos())
			}
			for _, spec := range decl.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					d.names = append(d.names, spec.Name.Name)
				case *ast.ValueSpec:
					for _, id := range spec.Names {
						d.names = append(d.names, id.Name)
					}
				}
			}
		}
		for _, own := range d.names {
			delete(d.uses, own)
		}
		file.decls = append(file.decls, d)
	}
	return file, nil
}

func receiverName(expr ast.Expr) string {
	switch e := expr.(type) {
	case *ast.StarExpr:
		return receiverName(e.X)
	case *ast.IndexExpr:
		return receiverName(e.X)
	case *ast.Ident:
		return e.Name
	}
	return ""
}

// usedDecls finds what is used, by its name alone: a name that means two things
// keeps both, which is never too little. Exported functions and types are for
// the people who import the package, except where their type is not kept.
func usedDecls(files []*runtimeFile, used map[string]bool) map[*runtimeDecl]bool {
	keep, kept := make(map[*runtimeDecl]bool), make(map[string]bool)
	for changed := true; changed; {
		changed = false
		for _, file := range files {
			for _, d := range file.decls {
				if keep[d] || !d.wanted(used, kept) {
					continue
				}
				keep[d], changed = true, true
				for name := range d.uses {
					used[name] = true
				}
				for _, name := range d.names {
					kept[name] = kept[name] || d.receiver == ""
				}
			}
		}
	}
	return keep
}

// onDemand are the exported names that are of no use to people unless what was
// generated uses them.
var onDemand = map[string]bool{"EncodeError": true, "ValidationError": true, "Secret": true, "NewSecret": true}

func (d *runtimeDecl) wanted(used, kept map[string]bool) bool {
	if d.receiver != "" && !kept[d.receiver] {
		return false
	}
	return slices.ContainsFunc(d.names, func(name string) bool {
		return used[name] || token.IsExported(name) && (d.receiver != "" || !onDemand[name])
	})
}

// text is the file with what is kept, or nil where nothing is.
func (f *runtimeFile) text(pkg string, keep map[*runtimeDecl]bool) []byte {
	var b bytes.Buffer
	header, _ := bytes.CutPrefix(f.src[:f.start], []byte("package runtime"))
	fmt.Fprintf(&b, "package %s%s", pkg, header)
	empty := true
	for _, d := range f.decls {
		if keep[d] {
			fmt.Fprintf(&b, "\n\n%s", f.src[d.start:d.end])
			empty = false
		}
	}
	if empty {
		return nil
	}
	b.WriteByte('\n')
	return b.Bytes()
}

// runtimeNames are the exported names of the runtime, which no type of a
// document can have.
var runtimeNames = sync.OnceValue(func() scope {
	names := scope{"NewClient": true}
	files, err := parsedRuntime()
	if err != nil {
		panic(err) // they are part of the program
	}
	for _, file := range files {
		for _, d := range file.decls {
			for _, name := range d.names {
				if d.receiver == "" && token.IsExported(name) {
					names[name] = true
				}
			}
		}
	}
	return names
})

var majorVersion = regexp.MustCompile(`^v[0-9]+$`)

// identifiers are the identifiers in a file, and those of them that stand before
// a point: package names among them. To find them in the text is enough, and
// costs less than to parse it.
func identifiers(src []byte) (all, qualifiers map[string]bool) {
	all, qualifiers = make(map[string]bool), make(map[string]bool)
	var s scanner.Scanner
	s.Init(token.NewFileSet().AddFile("", -1, len(src)), src, func(token.Position, string) {}, 0)
	last := ""
	for {
		_, tok, text := s.Scan()
		switch {
		case tok == token.EOF:
			return all, qualifiers
		case tok == token.IDENT:
			all[text] = true
		case tok == token.PERIOD && last != "":
			qualifiers[last] = true
		}
		last = text
		if tok != token.IDENT {
			last = ""
		}
	}
}

// dropImports takes out of a file the imports whose names are not used, so that a
// template can name all that it may need.
func dropImports(src []byte, used map[string]bool) ([]byte, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "", src, parser.ImportsOnly)
	if err != nil {
		return nil, err
	}
	lines := bytes.SplitAfter(src, []byte("\n"))
	for _, spec := range file.Imports {
		importPath, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, err
		}
		name := path.Base(importPath)
		if majorVersion.MatchString(name) {
			name = path.Base(path.Dir(importPath))
		}
		if spec.Name != nil {
			name = spec.Name.Name
		}
		if !used[name] {
			lines[fset.Position(spec.Pos()).Line-1] = nil
		}
	}
	return bytes.Replace(bytes.Join(lines, nil), []byte("import (\n)\n"), nil, 1), nil
}
