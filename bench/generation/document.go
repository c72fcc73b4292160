// Package generation measures making bindings: this project's generator beside
// oapi-codegen and ogen, over documents of growing size.
package generation

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// Document makes an OpenAPI document of so many operations. The same number and
// seed make the same document: a schema for each operation's request and
// answer, which refer to each other as those of a real API do.
func Document(operations int, seed uint64) []byte {
	m := &maker{Rand: rand.New(rand.NewPCG(seed, uint64(operations)))}
	m.line(0, `openapi: 3.0.3`)
	m.line(0, `info: { title: An API of %d operations, version: "1.0" }`, operations)
	m.line(0, `paths:`)
	for i := range operations {
		m.operation(i)
	}
	m.line(0, `components:`)
	m.line(1, `schemas:`)
	for i := range operations {
		m.schema("Request", i)
		m.schema("Answer", i)
	}
	return []byte(m.String())
}

type maker struct {
	*rand.Rand
	strings.Builder
}

func (m *maker) line(depth int, format string, args ...any) {
	fmt.Fprintf(m, strings.Repeat("  ", depth)+format+"\n", args...)
}

func (m *maker) word() string {
	words := []string{"account", "address", "amount", "balance", "channel", "comment", "currency", "customer", "delivery", "description", "discount", "email", "language", "location", "member", "message", "number", "order", "payment", "picture", "price", "product", "reason", "region", "status", "subject", "title", "token", "update", "version", "webhook", "weight"}
	return words[m.IntN(len(words))]
}

func (m *maker) operation(i int) {
	method := []string{"post", "put", "patch"}[i%3]
	m.line(1, `/%s/%d/{id}:`, m.word(), i)
	m.line(2, `%s:`, method)
	m.line(3, `operationId: %s%d`, method+strings.ToUpper(m.word()[:1])+m.word(), i)
	m.line(3, `summary: Changes the %s of number %d.`, m.word(), i)
	m.line(3, `parameters: [{ name: id, in: path, required: true, schema: { type: integer, format: int64 } }]`)
	m.line(3, `requestBody: { required: true, content: { application/json: { schema: { $ref: "#/components/schemas/Request%d" } } } }`, i)
	m.line(3, `responses: { "200": { description: It is changed., content: { application/json: { schema: { $ref: "#/components/schemas/Answer%d" } } } } }`, i)
}

func (m *maker) schema(kind string, i int) {
	m.line(2, `%s%d:`, kind, i)
	m.line(3, `type: object`)
	m.line(3, `description: The %s of operation %d.`, strings.ToLower(kind), i)
	m.line(3, `required: [id, kind]`)
	m.line(3, `properties:`)
	m.line(4, `id: { type: integer, format: int64, description: The number. }`)
	m.line(4, `kind: { type: string, description: What it is. }`)
	for j := range 4 + m.IntN(6) {
		name := fmt.Sprintf("%s_%d", m.word(), j)
		switch m.IntN(7) {
		case 0:
			m.line(4, `%s: { type: integer, format: int64 }`, name)
		case 1:
			m.line(4, `%s: { type: boolean, description: Whether there is a %s. }`, name, m.word())
		case 2:
			m.line(4, `%s: { type: array, items: { type: string } }`, name)
		case 3:
			m.line(4, `%s: { type: string, format: date-time }`, name)
		case 4:
			if i > 0 {
				m.line(4, `%s: { $ref: "#/components/schemas/%s%d" }`, name, kind, m.IntN(i))
				continue
			}
			fallthrough
		default:
			m.line(4, `%s: { type: string, maxLength: %d, description: The %s. }`, name, 10+m.IntN(90), m.word())
		}
	}
}
