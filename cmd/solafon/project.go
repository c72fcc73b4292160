package main

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/printer"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"text/template"

	"github.com/solafon/solafon-go/generator"
	"github.com/solafon/solafon-go/spec"
	"github.com/solafon/solafon-go/templates"
)

// projectFile is a file of a new project, by its path in the project's folder.
type projectFile struct {
	path string
	text []byte
}

// render makes the files of a kind of project. "NAME" in a file's name becomes
// name.
func render(kind string, data any, name string) ([]projectFile, error) {
	var files []projectFile
	err := fs.WalkDir(templates.Projects, kind, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := fs.ReadFile(templates.Projects, file)
		if err != nil {
			return err
		}
		t, err := template.New(file).Parse(string(text))
		if err != nil {
			return err
		}
		var b bytes.Buffer
		if err := t.Execute(&b, data); err != nil {
			return err
		}
		target := strings.TrimSuffix(strings.TrimPrefix(file, kind+"/"), ".tmpl")
		target = strings.ReplaceAll(strings.ReplaceAll(target, "dot-", "."), "NAME", name)
		made := b.Bytes()
		if path.Ext(target) == ".go" {
			if made, err = format.Source(made); err != nil {
				return fmt.Errorf("%s: %w", file, err)
			}
		}
		files = append(files, projectFile{filepath.FromSlash(target), made})
		return nil
	})
	return files, err
}

// writeNew writes a project's files into a new folder: all of them or none.
func writeNew(dir string, files []projectFile) (err error) {
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		return fmt.Errorf("%s has files in it and is left alone: name another folder", dir)
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s cannot be used: %w; name another folder", dir, err)
	}
	parent := filepath.Dir(dir)
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return err
	}
	temp, err := os.MkdirTemp(parent, ".new-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.RemoveAll(temp)
		}
	}()
	if err := os.Chmod(temp, 0o755); err != nil {
		return err
	}
	for _, f := range files {
		file := filepath.Join(temp, f.path)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file, f.text, 0o644); err != nil {
			return err
		}
	}
	if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) { // it is empty
		return err
	}
	return os.Rename(temp, dir)
}

// platformMethods are the methods of the platform's server, as the bindings have
// them, with bodies that refuse every call.
func platformMethods() ([]string, error) {
	output, err := generator.Generate(generator.Config{Spec: spec.Document, Files: spec.Files, Tool: tool, ImportPrefix: ownModule + "/gen"})
	if err != nil {
		return nil, err
	}
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, "server.gen.go", output.File("platform/server.gen.go"), 0)
	if err != nil {
		return nil, err
	}
	var methods []string
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok || spec.Name.Name != "Server" {
			return true
		}
		for _, m := range spec.Type.(*ast.InterfaceType).Methods.List {
			methods = append(methods, stub(files, m.Names[0].Name, m.Type.(*ast.FuncType)))
		}
		return false
	})
	return methods, nil
}

// stub is a method that refuses: a call without a credential as the API documents
// it, any other as not written yet.
func stub(files *token.FileSet, name string, signature *ast.FuncType) string {
	var b bytes.Buffer
	printer.Fprint(&b, files, signature)
	results := "nil, "
	if len(signature.Results.List) == 1 {
		results = ""
	}
	if strings.HasPrefix(name, "Authenticate") {
		credential := signature.Params.List[1].Names[0].Name
		return fmt.Sprintf("func (s *server) %s%s {\nif %s == \"\" {\nreturn nil, &platform.Failure{Status: http.StatusUnauthorized}\n}\nreturn ctx, nil\n}\n",
			name, strings.TrimPrefix(b.String(), "func"), credential)
	}
	return fmt.Sprintf("func (s *server) %s%s {\nreturn %snotImplemented(%q)\n}\n", name, strings.TrimPrefix(b.String(), "func"), results, name)
}
