// Package spec holds the one document that everything in gen/ is made from:
// the Solafon Bot API as OpenAPI 3.1, with its examples.
package spec

import "embed"

// Document is the name of the OpenAPI document in Files.
const Document = "openapi.yaml"

// Files holds the document and, under examples/, the JSON that it refers to.
//
//go:embed openapi.yaml examples/*.json
var Files embed.FS

//go:generate go run ../cmd/solafon generate --strict
