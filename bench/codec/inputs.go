// Package codec measures reading and writing JSON: this project's generated
// code beside the libraries that people use instead, on the same bytes and the
// same fields.
package codec

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"

	"github.com/solafon/solafon-go/spec"
)

// input is a JSON text to decode.
type input struct {
	name string
	kind kind
	data []byte
	// escapes tells that decoding in place changes the text, so that every run,
	// whoever's it is, begins with a copy of it.
	escapes bool
}

// kind is which type an input is decoded into.
type kind int

const (
	update kind = iota
	nestedUpdate
	updates
	message
	me
	webhookInfo
	commands
	settings
)

const (
	page         = `{"update_id":123,"message_id":123,"from":{"id":456,"email":"user@example.com","name":"John","language":"en"},"chat":{"id":456,"type":"private"},"date":1704067200,"text":"/start"}`
	alphabetical = `{"chat":{"id":456,"type":"private"},"date":1704067200,"from":{"email":"user@example.com","id":456,"language":"en","name":"John"},"message_id":123,"text":"/start","update_id":123}`
	nested       = `{"update_id":123,"message":{"message_id":123,"from":{"id":456,"email":"user@example.com","name":"John","language":"en"},"chat":{"id":456,"type":"private"},"date":1704067200,"text":"/start"}}`
)

// pangram is a text that has every letter of its alphabet, and an emoji.
const pangram = "Съешь же ещё этих мягких французских булок, да выпей чаю 👋 "

// inputs are the texts, each as a server writes it: without spaces.
func inputs() []input {
	cyrillic := []rune(strings.Repeat(pangram, 4000/len([]rune(pangram))+1))
	withText := func(text string) []byte {
		quoted, err := json.Marshal(text)
		if err != nil {
			panic(err) // a string can always be written
		}
		plain := strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(string(quoted))
		return []byte(strings.Replace(page, `"/start"`, plain, 1))
	}
	escapes := strings.Repeat(`\"да\"\n\u003cb\u003e\ud83d\ude00\t`, 20)
	batch := make([]string, 100)
	for i := range batch {
		batch[i] = strings.ReplaceAll(alphabetical, "123", fmt.Sprint(123+i))
	}
	log := `{"id":11,"appId":7,"url":"https://your-server.com/webhook","method":"POST","statusCode":200,"request":` + quote(alphabetical) + `,"response":"OK","duration":42,"createdAt":"2024-01-01T00:00:00Z"}`
	list := []input{
		{name: "update, the page's order", data: []byte(page)},
		{name: "update, the server's order", data: []byte(alphabetical)},
		{name: "update, nested", kind: nestedUpdate, data: []byte(nested)},
		{name: "3.3 KB of Cyrillic with emoji", data: withText(string(cyrillic[:1700]))},
		{name: "4,000 characters of Cyrillic with emoji", data: withText(string(cyrillic[:4000]))},
		{name: "a text of escapes", data: []byte(strings.Replace(page, `"/start"`, `"`+escapes+`"`, 1)), escapes: true},
		{name: "64 KiB of ASCII", data: withText(strings.Repeat("The quick brown fox jumps over the lazy dog. ", 64<<10/45+1)[:64<<10])},
		{name: "unknown fields in front", data: []byte(`{"app":{"id":7,"tags":["a","b"],"beta":true},"trace":"9f2c41d0","retry":null,"weight":0.25,` + page[1:])},
		{name: "batch of 100", kind: updates, data: []byte(`{"ok":true,"result":[` + strings.Join(batch, ",") + `]}`)},
		{name: "settings with 10 logs", kind: settings, data: []byte(`{"app":` + appOf("getAppSettings") + `,"commands":[],"webhookLogs":[` + strings.TrimSuffix(strings.Repeat(log+",", 10), ",") + `]}`), escapes: true},
		{name: "answer of sendMessage", kind: message, data: answer("sendMessage")},
		{name: "answer of getMe", kind: me, data: answer("getMe")},
		{name: "answer of getWebhookInfo", kind: webhookInfo, data: answer("getWebhookInfo")},
		{name: "answer of getMyCommands", kind: commands, data: answer("getMyCommands")},
	}
	return list
}

func quote(s string) string {
	quoted, err := json.Marshal(s)
	if err != nil {
		panic(err) // a string can always be written
	}
	return string(quoted)
}

// answer is the document's example of an operation's answer, without spaces.
func answer(operation string) []byte {
	data, err := fs.ReadFile(spec.Files, "examples/"+operation+".answer.json")
	if err != nil {
		panic(err) // it is part of the program
	}
	var compact json.RawMessage
	if err := json.Unmarshal(data, &compact); err != nil {
		panic(err)
	}
	compact, err = json.Marshal(compact)
	if err != nil {
		panic(err)
	}
	return compact
}

func appOf(operation string) string {
	var settings struct{ App json.RawMessage }
	if err := json.Unmarshal(answer(operation), &settings); err != nil {
		panic(err)
	}
	return strings.Replace(string(settings.App), ".123456Z", "Z", 1) // ogen writes no fractions of a second
}
