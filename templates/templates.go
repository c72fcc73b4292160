// Package templates holds the text that files are made from: what oapi-codegen is
// given instead of its own templates, and the files of a new bot.
package templates

import "embed"

// Files holds the templates of generated code by name.
//
//go:embed *.tmpl
var Files embed.FS

// Projects holds what is written once and is its author's from then on: the files
// of a new bot under bot, those of a new platform under platform, those of either
// under module, and those of a command that is added to a bot under command. A
// file's path is that of its template without ".tmpl", where "dot-" at the start of
// a name stands for a dot and "NAME" for the command's name.
//
//go:embed bot platform module command
var Projects embed.FS
