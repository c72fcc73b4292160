package generator_test

import (
	"net/url"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/oapi-codegen/oapi-codegen/v2/pkg/codegen"

	"github.com/solafon/solafon-go/generator"
	"github.com/solafon/solafon-go/spec"
)

// BenchmarkGenerate makes the bindings of the real document, and lets
// oapi-codegen make its own in turn. "ratio" is our time over theirs.
func BenchmarkGenerate(b *testing.B) {
	data, err := spec.Files.ReadFile(spec.Document)
	if err != nil {
		b.Fatal(err)
	}
	var ours, theirs time.Duration
	round := func() {
		start := time.Now()
		if _, err := generator.Generate(generator.Config{Spec: spec.Document, Files: spec.Files}); err != nil {
			b.Fatal(err)
		}
		ours += time.Since(start)
		start = time.Now()
		doc, err := openapi3.NewLoader().LoadFromDataWithPath(data, &url.URL{Path: spec.Document})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := codegen.Generate(doc, codegen.Configuration{
			PackageName:   "api",
			Generate:      codegen.GenerateOptions{Models: true, Client: true, StdHTTPServer: true},
			OutputOptions: codegen.OutputOptions{SkipPrune: true, ResolveTypeNameCollisions: true},
		}); err != nil {
			b.Fatal(err)
		}
		theirs += time.Since(start)
	}
	round() // warm
	ours, theirs = 0, 0
	b.ResetTimer()
	for range b.N {
		round()
	}
	b.ReportMetric(ours.Seconds()/theirs.Seconds(), "ratio")
}
