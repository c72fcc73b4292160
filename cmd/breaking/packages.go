package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"golang.org/x/exp/apidiff"
	"golang.org/x/tools/go/packages"
)

// goChanges compares the packages below gen/ of two folders.
func goChanges(ctx context.Context, before, after string) ([]change, error) {
	old, err := generated(ctx, before)
	if err != nil {
		return nil, err
	}
	current, err := generated(ctx, after)
	if err != nil {
		return nil, err
	}
	var list []change
	for _, path := range slices.Sorted(maps.Keys(old)) {
		if current[path] == nil {
			list = append(list, change{true, path, "the package is gone"})
			continue
		}
		for _, c := range apidiff.Changes(old[path].Types, current[path].Types).Changes {
			list = append(list, change{!c.Compatible, old[path].Name, c.Message})
		}
	}
	for _, path := range slices.Sorted(maps.Keys(current)) {
		if old[path] == nil {
			list = append(list, change{false, path, "the package is new"})
		}
	}
	return list, nil
}

// generated are the packages below gen/, by their paths.
func generated(ctx context.Context, dir string) (map[string]*packages.Package, error) {
	config := &packages.Config{
		Context: ctx, Dir: dir,
		Mode: packages.NeedName | packages.NeedTypes | packages.NeedSyntax | packages.NeedTypesInfo | packages.NeedImports | packages.NeedDeps,
	}
	list, err := packages.Load(config, "./gen/...")
	if err != nil {
		return nil, fmt.Errorf("the packages cannot be read: %w", err)
	}
	found := make(map[string]*packages.Package)
	for _, p := range list {
		for _, e := range p.Errors {
			err = errors.Join(err, e)
		}
		found[p.PkgPath] = p
	}
	if err != nil {
		return nil, fmt.Errorf("the packages in %s/gen cannot be compiled: %s", dir, strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	return found, nil
}
