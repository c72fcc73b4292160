//go:build tools

// Package tools pins the versions of what development needs and no package
// imports: `go tool` and `go run` find them through go.mod.
package tools

import (
	_ "honnef.co/go/tools/cmd/staticcheck"
)
