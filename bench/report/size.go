package report

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Size is how much code reads and writes one payload.
type Size struct {
	Name      string
	Functions int
	Lines     int // of source
	Bytes     int // of machine code, in this program
}

// sized says which functions are whose: by the folder of their source, below
// this module's, and by their names as the linker has them.
var sized = []struct {
	name, dir, pkg string
	counts         func(name string, f *ast.FuncDecl) bool
}{
	{"this project, what is generated for the payload", "../gen/solafon", "github.com/solafon/solafon-go/gen/solafon",
		named(`(\(\*?(Update|User|Chat)\)\.(decode|decodeMembers|decodeNested|encode|AppendJSON|MarshalJSON|UnmarshalJSON)|DecodeUpdate|DecodeUpdateInPlace)`)},
	{"this project, what all payloads share", "../gen/solafon", "github.com/solafon/solafon-go/gen/solafon",
		named(`(\(\*(decoder|encoder)\)\..*|appendInt|isPlain|stops|ends|wide|zero|closes|comma|openPath|eightDigits|eightDigitsValue|longer|unmarshal|inner)`)},
	{"easyjson", "peers", "github.com/solafon/solafon-go/bench/peers",
		func(name string, f *ast.FuncDecl) bool { // its functions have numbers, and the type as a parameter
			return named(`\(\*?(Update|User|Chat)\)\..*`)(name, f) || strings.HasPrefix(name, "easyjson") && takes(f, "Update", "User", "Chat")
		}},
	{"ogen", "peers/ogenapi", "github.com/solafon/solafon-go/bench/peers/ogenapi",
		named(`\(\*?(Update|User|Chat|ChatType|OptInt64|OptString|OptChatType)\)\.(Decode|Encode|encodeFields|MarshalJSON|UnmarshalJSON|Validate)`)},
}

func named(pattern string) func(string, *ast.FuncDecl) bool {
	whole := regexp.MustCompile("^" + pattern + "$")
	return func(name string, _ *ast.FuncDecl) bool { return whole.MatchString(name) }
}

// takes tells whether a parameter of a function is of one of the types, or
// points to one.
func takes(f *ast.FuncDecl, types ...string) bool {
	return slices.ContainsFunc(f.Type.Params.List, func(p *ast.Field) bool {
		t := p.Type
		if star, ok := t.(*ast.StarExpr); ok {
			t = star.X
		}
		id, ok := t.(*ast.Ident)
		return ok && slices.Contains(types, id.Name)
	})
}

// Sizes reads the source and this program's own symbols. It has to be run in
// this module's folder.
func Sizes() ([]Size, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	symbols, err := exec.Command("go", "tool", "nm", "-size", program).Output()
	if err != nil {
		return nil, fmt.Errorf("this program's symbols cannot be read: %w", err)
	}
	var list []Size
	for _, s := range sized {
		size := Size{Name: s.name}
		functions, err := count(&size, s.dir, s.counts)
		if err != nil {
			return nil, err
		}
		size.Bytes = machineCode(symbols, s.pkg, functions)
		list = append(list, size)
	}
	return list, nil
}

// count adds up the functions of a folder that count, and returns their names.
func count(size *Size, dir string, counts func(string, *ast.FuncDecl) bool) (map[string]bool, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	functions := make(map[string]bool)
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		for _, decl := range file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && counts(functionName(f), f) {
				functions[functionName(f)] = true
				size.Functions++
				size.Lines += fset.Position(f.End()).Line - fset.Position(f.Pos()).Line + 1
			}
		}
	}
	return functions, nil
}

// functionName is a function's name as the linker has it, without its package.
func functionName(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return f.Name.Name
	}
	switch t := f.Recv.List[0].Type.(type) {
	case *ast.StarExpr:
		if id, ok := t.X.(*ast.Ident); ok {
			return "(*" + id.Name + ")." + f.Name.Name
		}
	case *ast.Ident:
		return "(" + t.Name + ")." + f.Name.Name
	}
	return f.Name.Name
}

var closure = regexp.MustCompile(`(\.func\d+|\.\d+|-range\d+|\.deferwrap\d+)+$`)

// machineCode adds up the functions' sizes, with those of the functions inside
// them.
func machineCode(symbols []byte, pkg string, functions map[string]bool) int {
	total := 0
	for line := range bytes.Lines(symbols) {
		fields := strings.Fields(string(line)) // address, size, kind, name
		if len(fields) < 4 || fields[2] != "T" && fields[2] != "t" {
			continue
		}
		name, ok := strings.CutPrefix(fields[3], pkg+".")
		if !ok {
			continue
		}
		name = closure.ReplaceAllString(name, "")
		if method, after, found := strings.Cut(name, "."); found && !strings.HasPrefix(name, "(") {
			name = "(" + method + ")." + after
		}
		if n, err := strconv.Atoi(fields[1]); err == nil && functions[name] {
			total += n
		}
	}
	return total
}
