package generator_test

import (
	"errors"
	"flag"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/solafon/solafon-go/generator"
)

var update = flag.Bool("update", false, "rewrite what the golden cases want")

// isCarried tells whether a file holds a part of the runtime. Those are compiled
// with every case and not kept with it: they do not come from its document.
func isCarried(name string) bool {
	_, err := os.Stat(filepath.Join("runtime", strings.TrimSuffix(path.Base(name), ".gen.go")+".go"))
	return err == nil
}

func cases(t *testing.T, kind string) []string {
	t.Helper()
	dirs, err := filepath.Glob(filepath.Join("testdata", kind, "*"))
	if err != nil || len(dirs) < 15 {
		t.Fatalf("%d %s cases, %v", len(dirs), kind, err)
	}
	return dirs
}

// TestGoldenPositive generates from each testdata/positive/NAME/spec.yaml,
// compares the result with want beside it, and compiles and vets all of it.
func TestGoldenPositive(t *testing.T) {
	module := t.TempDir()
	if err := os.WriteFile(filepath.Join(module, "go.mod"), []byte("module golden\n\ngo 1.26\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, dir := range cases(t, "positive") {
		name := filepath.Base(dir)
		t.Run(name, func(t *testing.T) {
			out, err := generator.Generate(generator.Config{Spec: filepath.Join(dir, "spec.yaml"), ImportPrefix: "golden/" + name})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := out.Write(filepath.Join(module, name)); err != nil {
				t.Fatal(err)
			}
			compareWant(t, out, filepath.Join(dir, "want"))
		})
	}
	vet := exec.Command("go", "vet", "./...")
	vet.Dir = module
	vet.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
	if text, err := vet.CombinedOutput(); err != nil {
		t.Errorf("go vet of what was generated: %v\n%s", err, text)
	}
}

func compareWant(t *testing.T, out *generator.Output, want string) {
	t.Helper()
	if *update {
		if err := os.RemoveAll(want); err != nil {
			t.Fatal(err)
		}
	}
	var names []string
	for _, name := range out.Names() {
		if isCarried(name) {
			continue
		}
		names = append(names, name)
		file := filepath.Join(want, filepath.FromSlash(name))
		if *update {
			if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, out.File(name), 0o644)); err != nil {
				t.Fatal(err)
			}
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Error(err)
		} else if diff := cmp.Diff(string(text), string(out.File(name))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	kept, err := filepath.Glob(filepath.Join(want, "*", "*"))
	if err != nil || len(kept) != len(names) {
		t.Errorf("want has %v, and %v was generated, %v", kept, names, err)
	}
}

// TestGoldenNegative generates from each testdata/negative/NAME/spec.yaml and
// compares the complaints with want.txt beside it, or what is said to be left out
// if there are none.
func TestGoldenNegative(t *testing.T) {
	for _, dir := range cases(t, "negative") {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			out, err := generator.Generate(generator.Config{Spec: "spec.yaml", Files: os.DirFS(dir)})
			var complaints generator.Complaints
			if err == nil {
				complaints = out.Warnings()
			} else if !errors.As(err, &complaints) {
				t.Fatalf("Generate: %v, want Complaints", err)
			}
			if len(complaints) == 0 {
				t.Fatal("there is nothing to complain about")
			}
			got, file := complaints.Error()+"\n", filepath.Join(dir, "want.txt")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
