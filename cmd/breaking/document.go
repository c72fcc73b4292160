package main

import (
	"fmt"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/oasdiff/oasdiff/checker"
	"github.com/oasdiff/oasdiff/diff"
	"github.com/oasdiff/oasdiff/load"
)

// documentChanges compares two documents.
func documentChanges(before, after string) ([]change, error) {
	var infos []*load.SpecInfo
	for _, file := range []string{before, after} {
		loader := openapi3.NewLoader()
		loader.IsExternalRefsAllowed = true
		info, err := load.NewSpecInfo(loader, load.NewSource(file))
		if err != nil {
			return nil, fmt.Errorf("the document cannot be read: %w; compare with a revision that has spec/openapi.yaml", err)
		}
		infos = append(infos, info)
	}
	difference, sources, err := diff.GetWithOperationsSourcesMap(diff.NewConfig(), infos[0], infos[1])
	if err != nil {
		return nil, fmt.Errorf("the documents cannot be compared: %w", err)
	}
	var list []change
	words := checker.NewDefaultLocalizer()
	config := checker.NewConfig(checker.GetAllChecks())
	for _, c := range checker.CheckBackwardCompatibilityUntilLevel(config, difference, sources, checker.INFO) {
		list = append(list, change{c.IsBreaking(), strings.TrimSpace(c.GetOperation() + " " + c.GetPath()), c.GetUncolorizedText(words)})
	}
	return list, nil
}
