// Package templates holds the text that generated files are made from: what
// oapi-codegen is given instead of its own templates.
package templates

import "embed"

// Files holds the templates by name.
//
//go:embed *.tmpl
var Files embed.FS
