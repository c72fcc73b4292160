package generation

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"testing/fstest"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/oapi-codegen/oapi-codegen/v2/pkg/codegen"
	ogenspec "github.com/ogen-go/ogen"
	"github.com/ogen-go/ogen/gen"

	"github.com/solafon/solafon-go/bench/measure"
	"github.com/solafon/solafon-go/generator"
)

// seed makes the documents the same in every run.
const seed = 20240101

// Result is what was measured of one document.
type Result struct {
	Operations int
	Bytes      int // of the document
	Here       []measure.Cost
	Process    []Whole
}

// Whole is what a whole process takes, from its start to its end.
type Whole struct {
	Name string
	Time time.Duration
	Peak int64 // of its memory, in bytes
}

func solafon(document []byte) error {
	_, err := generator.Generate(generator.Config{Spec: "openapi.yaml", Files: fstest.MapFS{"openapi.yaml": {Data: document}}})
	return err
}

// codegenConfig asks oapi-codegen for what this project generates too: types, a
// client and a server's interface.
var codegenConfig = codegen.Configuration{
	PackageName:   "api",
	Generate:      codegen.GenerateOptions{Models: true, Client: true, StdHTTPServer: true},
	OutputOptions: codegen.OutputOptions{SkipPrune: true, ResolveTypeNameCollisions: true},
}

func oapiCodegen(document []byte) error {
	loader := openapi3.NewLoader()
	doc, err := loader.LoadFromDataWithPath(document, &url.URL{Path: "openapi.yaml"})
	if err != nil {
		return err
	}
	_, err = codegen.Generate(doc, codegenConfig)
	return err
}

// discard takes ogen's files and drops them.
type discard struct{}

func (discard) WriteFile(string, []byte) error { return nil }

func ogen(document []byte) error {
	parsed, err := ogenspec.Parse(document)
	if err != nil {
		return err
	}
	g, err := gen.NewGenerator(parsed, gen.Options{})
	if err != nil {
		return err
	}
	return g.WriteSource(discard{}, "api")
}

// Measure generates from documents of so many operations, in this process and,
// with the commands in a folder, in processes of their own.
func Measure(ctx context.Context, config measure.Config, sizes []int) ([]Result, error) {
	dir, err := os.MkdirTemp("", "generation")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if err := build(ctx, dir); err != nil {
		return nil, err
	}
	var results []Result
	for _, operations := range sizes {
		document := Document(operations, seed)
		result := Result{Operations: operations, Bytes: len(document)}
		var contenders []measure.Contender
		for _, c := range []struct {
			name     string
			generate func([]byte) error
		}{{"solafon generate", solafon}, {"oapi-codegen", oapiCodegen}, {"ogen", ogen}} {
			contenders = append(contenders, measure.Contender{Name: c.name, Run: func(n int) error {
				runtime.GC() // what others left is not this one's to collect
				for range n {
					if err := c.generate(document); err != nil {
						return fmt.Errorf("%s: %w", c.name, err)
					}
				}
				return nil
			}})
		}
		if result.Here, err = config.Compare(contenders); err != nil {
			return nil, err
		}
		if result.Process, err = processes(ctx, dir, document); err != nil {
			return nil, err
		}
		results = append(results, result)
	}
	return results, nil
}

// build makes the commands that are measured. It has to be run in this module's
// folder.
func build(ctx context.Context, dir string) error {
	for name, c := range map[string]struct{ module, pkg string }{
		"solafon":      {"..", "./cmd/solafon"}, // the commands of its module need more than this one has
		"oapi-codegen": {".", "github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen"},
		"ogen":         {".", "github.com/ogen-go/ogen/cmd/ogen"},
	} {
		cmd := exec.CommandContext(ctx, "go", "build", "-o", filepath.Join(dir, name), c.pkg)
		cmd.Dir = c.module
		if said, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%s cannot be built: %w: %s", name, err, said)
		}
	}
	return nil
}

// processes runs each command three times on a document and keeps the median.
func processes(ctx context.Context, dir string, document []byte) ([]Whole, error) {
	spec := filepath.Join(dir, "openapi.yaml")
	if err := os.WriteFile(spec, document, 0o600); err != nil {
		return nil, err
	}
	out := filepath.Join(dir, "out")
	config := filepath.Join(dir, "oapi-codegen.yaml")
	if err := os.WriteFile(config, []byte("package: api\noutput: "+filepath.Join(dir, "api.go")+"\ngenerate: { models: true, client: true, std-http-server: true }\noutput-options: { skip-prune: true, resolve-type-name-collisions: true }\n"), 0o600); err != nil {
		return nil, err
	}
	var list []Whole
	for _, args := range [][]string{
		{"solafon", "generate", "--spec", spec, "--out", out},
		{"oapi-codegen", "--config", config, spec},
		{"ogen", "--target", filepath.Join(dir, "ogen.out"), "--clean", spec},
	} {
		var times, peaks []int64
		for range 3 {
			took, peak, err := watched(exec.CommandContext(ctx, filepath.Join(dir, args[0]), args[1:]...))
			if err != nil {
				return nil, fmt.Errorf("%s: %w", args[0], err)
			}
			times, peaks = append(times, int64(took)), append(peaks, peak)
		}
		list = append(list, Whole{args[0], time.Duration(measure.Median(times)), measure.Median(peaks)})
	}
	return list, nil
}

// watched runs a process and asks again and again for its peak memory, until it
// ends: what the system says of it afterwards has its parent's memory in it.
func watched(cmd *exec.Cmd) (took time.Duration, peak int64, err error) {
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, 0, err
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	for tick := time.Tick(5 * time.Millisecond); ; {
		select {
		case err := <-done:
			if err != nil {
				err = fmt.Errorf("%w: %.500s", err, said.String())
			}
			return time.Since(start), peak, err
		case <-tick:
			peak = max(peak, peakOf(cmd.Process.Pid))
		}
	}
}

var highWater = regexp.MustCompile(`VmHWM:\s*(\d+) kB`)

// peakOf is the most memory that a process has had, or 0 if that cannot be told.
func peakOf(pid int) int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	found := highWater.FindSubmatch(status)
	if found == nil {
		return 0
	}
	kib, _ := strconv.ParseInt(string(found[1]), 10, 64)
	return kib << 10
}
