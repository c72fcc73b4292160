package solafon

import (
	"testing"
	"encoding/json"
	"fmt"
	"strings"
)

var tmpInputs = map[string]string{
	"page": `{"update_id":123,"message_id":123,"from":{"id":456,"email":"user@example.com","name":"John","language":"en"},"chat":{"id":456,"type":"private"},"date":1704067200,"text":"/start"}`,
	"alpha": `{"chat":{"id":456,"type":"private"},"date":1704067200,"from":{"email":"user@example.com","id":456,"language":"en","name":"John"},"message_id":123,"text":"/start","update_id":123}`,
	"nested": `{"update_id":123,"message":{"message_id":123,"from":{"id":456,"email":"user@example.com","name":"John","language":"en"},"chat":{"id":456,"type":"private"},"date":1704067200,"text":"/start"}}`,
	"cyr": `{"update_id":123,"message_id":123,"from":{"id":456,"email":"user@example.com","name":"John","language":"en"},"chat":{"id":456,"type":"private"},"date":1704067200,"text":"`+strings.Repeat("Съешь же ещё этих мягких французских булок, да выпей чаю 👋 ", 31)+`"}`,
	"ascii": `{"update_id":123,"message_id":123,"from":{"id":456,"email":"user@example.com","name":"John","language":"en"},"chat":{"id":456,"type":"private"},"date":1704067200,"text":"`+strings.Repeat("The quick brown fox jumps over the lazy dog. ", 65536/45)+`"}`,
}

func BenchmarkTmp(b *testing.B) {
	type U Update
	for _, name := range []string{"page","alpha","nested","cyr","ascii"} {
		data := []byte(tmpInputs[name])
		b.Run(fmt.Sprint(name, len(data)), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				if _, err := DecodeUpdateInPlace(data); err != nil { b.Fatal(err) }
			}
		})
		b.Run(name+"/copy", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := DecodeUpdate(data); err != nil { b.Fatal(err) }
			}
		})
	}
	_ = json.Marshal
}
