// Package generator makes Go bindings of an OpenAPI document: types, a client,
// a codec that reads and writes JSON without reflection, a handler for each
// webhook, and, as a second package, the server's side of it all.
//
// Generate runs the whole pipeline and returns the files in memory. It knows
// nothing of any one API: names, paths and fields come from the document,
// through OpenAPI's own keywords first and x-bindings- extensions where it has
// none.
package generator

import (
	"io/fs"
	"path"
	"path/filepath"
)

// Config says what to generate from which document.
type Config struct {
	// Spec is the path of the document. Files that it refers to are found
	// beside it.
	Spec string
	// Files is where the document and what it refers to are read; nil stands for
	// the operating system's files.
	Files fs.FS
	// Package and ServerPackage name the two generated packages. Left empty,
	// the document's x-bindings-packages names them, or else they are "api" and
	// "apiserver".
	Package, ServerPackage string
	// Tool is who the files' first line says made them; left empty, it is
	// "generator". Only files with the same name there are overwritten.
	Tool string
	// ImportPrefix is the import path of the folder that the output goes to;
	// the server's side imports the bindings from under it.
	ImportPrefix string
	// Reference is where a page that lists every call goes, relative to the
	// folder that the output goes to and with slashes; left empty, none is made.
	Reference string
}

func (c Config) sourceName() string { return filepath.Base(c.Spec) }

// Generate makes the bindings of a document. The error is of type Complaints
// when the document is at fault; it then holds everything that is wrong with
// it. What a document may have and there is no Go for is left out, and
// Output.Warnings says what. The same document gives the same bytes every time.
func Generate(config Config) (*Output, error) {
	doc, err := load(config.Spec, config.Files)
	if err != nil {
		return nil, err
	}
	m, err := newModel(doc, config)
	if err != nil {
		return nil, err
	}
	out := &output{model: m, files: make(map[string][]byte), words: make(map[string]map[string]bool)}
	if err := out.bindings(); err != nil {
		return nil, err
	}
	if err := out.codec(); err != nil {
		return nil, err
	}
	if err := out.carry(); err != nil {
		return nil, err
	}
	if config.Reference != "" {
		if err := out.reference(path.Clean(config.Reference)); err != nil {
			return nil, err
		}
	}
	return &Output{files: out.files, mark: m.mark(), header: m.header(), warnings: doc.warnings.sorted()}, nil
}
