package generator

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	yaml "go.yaml.in/yaml/v4"
)

// source is a document as it is written: its text and its tree of nodes, which
// know where they stand. Everything else about a document comes from
// kin-openapi; what a complaint needs to point at its cause comes from here,
// and so does the order of keys, which kin-openapi's maps do not keep.
type source struct {
	path       string
	files      fs.FS // nil for the operating system's
	data       []byte
	lines      []string
	root       *yaml.Node
	complaints Complaints
	warnings   Complaints // what is not as it should be, or not generated, and no reason to stop
}

// readSource reads a document. Where it cannot be made into a tree, the
// complaints say why and the root is nil.
func readSource(path string, files fs.FS) *source {
	s := &source{path: path, files: files}
	var err error
	if s.data, err = s.readFile(path); err != nil {
		s.complain(nil, "cannot be read: "+rootCause(err), "name a file that exists and that you may read")
		return s
	}
	s.lines = strings.Split(string(s.data), "\n")
	var document yaml.Node
	if err := yaml.Unmarshal(s.data, &document); err != nil {
		s.notYAML(err)
		return s
	}
	if len(document.Content) == 0 || document.Content[0].Kind != yaml.MappingNode {
		s.complain(nil, "is not an OpenAPI document: it is no mapping", "start it with `openapi: 3.1.0`")
		return s
	}
	s.root = document.Content[0]
	return s
}

func (s *source) readFile(name string) ([]byte, error) {
	if s.files != nil {
		return fs.ReadFile(s.files, filepath.ToSlash(name))
	}
	return os.ReadFile(name)
}

// beside is the path of a file that the document names.
func (s *source) beside(name string) string {
	return filepath.Join(filepath.Dir(s.path), filepath.FromSlash(name))
}

func (s *source) notYAML(err error) {
	var load *yaml.LoadError
	if !errors.As(err, &load) {
		s.complain(nil, "is not YAML: "+oneLine(err.Error()), "correct it")
		return
	}
	s.complainAt(load.Mark.Line, max(1, load.Mark.Column), "is not YAML: "+load.Message, "correct this line or the one above it")
}

// complain says what is wrong at a node; a nil node stands for the document.
func (s *source) complain(node *yaml.Node, message, advice string) {
	if node == nil {
		s.complaints = append(s.complaints, Complaint{File: s.path, Message: message, Advice: advice})
		return
	}
	s.complainAt(node.Line, node.Column, message, advice)
}

func (s *source) complainAt(line, column int, message, advice string) {
	s.complaints = append(s.complaints, s.complaint(line, column, message, advice))
}

func (s *source) complaint(line, column int, message, advice string) Complaint {
	c := Complaint{File: s.path, Line: line, Column: column, Message: message, Advice: advice}
	if 1 <= line && line <= len(s.lines) {
		c.Source = strings.TrimRight(s.lines[line-1], "\r")
	}
	return c
}

// err is every complaint so far, or nil.
func (s *source) err() error {
	if len(s.complaints) == 0 {
		return nil
	}
	return s.complaints.sorted()
}

// pointer is a JSON Pointer into the document. Following a document, one
// builds it step by step.
type pointer string

var (
	stepEscaper   = strings.NewReplacer("~", "~0", "/", "~1")
	stepUnescaper = strings.NewReplacer("~1", "/", "~0", "~")
)

func (p pointer) to(steps ...string) pointer {
	for _, step := range steps {
		p += pointer("/" + stepEscaper.Replace(step))
	}
	return p
}

func (p pointer) index(i int) pointer { return p.to(strconv.Itoa(i)) }

// last is the pointer's last step.
func (p pointer) last() string {
	step := string(p[strings.LastIndexByte(string(p), '/')+1:])
	return stepUnescaper.Replace(step)
}

// find returns the key and the value that a pointer leads to. Where the
// pointer leads nowhere, the value is nil and the key is the nearest that is
// there, so that a complaint always has a place.
func (s *source) find(p pointer) (key, value *yaml.Node) {
	key, value = s.root, s.root
	if p == "" {
		return key, value
	}
	for _, step := range strings.Split(string(p[1:]), "/") {
		step = stepUnescaper.Replace(step)
		k, v := child(value, step)
		if v == nil {
			return key, nil
		}
		key, value = k, v
	}
	return key, value
}

// child is the member or element of a node, with the node that names it.
func child(node *yaml.Node, step string) (key, value *yaml.Node) {
	node = dealias(node)
	switch node.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(node.Content); i += 2 {
			if node.Content[i].Value == step {
				return node.Content[i], node.Content[i+1]
			}
		}
	case yaml.SequenceNode:
		if i, err := strconv.Atoi(step); err == nil && 0 <= i && i < len(node.Content) {
			return node.Content[i], node.Content[i]
		}
	}
	return nil, nil
}

func dealias(node *yaml.Node) *yaml.Node {
	for node.Kind == yaml.AliasNode && node.Alias != nil {
		node = node.Alias
	}
	return node
}

// at complains about what stands at a pointer, or nearest to it.
func (s *source) at(p pointer, message, advice string) {
	key, _ := s.find(p)
	s.complain(key, message, advice)
}

// warn says what is left out of the code of what stands at a pointer: the
// document may have it, and there is no Go for it here.
func (s *source) warn(p pointer, message, advice string) {
	key, _ := s.find(p)
	if key == nil {
		key = s.root
	}
	s.warnings = append(s.warnings, s.complaint(key.Line, key.Column, message, advice))
}

// inOrder sorts the keys of a map that stands at a pointer as the document
// has them; those that it does not have come last, in the alphabet's order.
func inOrder[T any](s *source, p pointer, members map[string]T) []string {
	place := make(map[string]int)
	if _, node := s.find(p); node != nil && dealias(node).Kind == yaml.MappingNode {
		for i, n := range dealias(node).Content {
			place[n.Value] = i + 1
		}
	}
	keys := make([]string, 0, len(members))
	for key := range members {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b string) int {
		if x, y := place[a], place[b]; x != y && x > 0 && y > 0 {
			return x - y
		} else if x != y {
			return y - x
		}
		return strings.Compare(a, b)
	})
	return keys
}

// walk visits every mapping of the document, aliases once.
func (s *source) walk(visit func(p pointer, mapping *yaml.Node)) {
	seen := make(map[*yaml.Node]bool)
	var step func(p pointer, node *yaml.Node)
	step = func(p pointer, node *yaml.Node) {
		if node = dealias(node); seen[node] {
			return
		}
		seen[node] = true
		switch node.Kind {
		case yaml.MappingNode:
			visit(p, node)
			for i := 0; i+1 < len(node.Content); i += 2 {
				step(p.to(node.Content[i].Value), node.Content[i+1])
			}
		case yaml.SequenceNode:
			for i, n := range node.Content {
				step(p.index(i), n)
			}
		}
	}
	step("", s.root)
}

// oneLine makes one line of a text of several.
func oneLine(text string) string {
	return strings.Join(strings.Fields(text), " ")
}

// rootCause is the text of an operating system's error without the path,
// which the complaint names already.
func rootCause(err error) string {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err.Error()
	}
	return fmt.Sprint(err)
}
