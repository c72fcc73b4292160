package codec

import (
	"encoding/json"
	"fmt"

	"github.com/bytedance/sonic"
	"github.com/go-faster/jx"
	jsonv2 "github.com/go-json-experiment/json"
	goccy "github.com/goccy/go-json"
	"github.com/mailru/easyjson"
	segmentio "github.com/segmentio/encoding/json"

	"github.com/solafon/solafon-go/bench/measure"
	"github.com/solafon/solafon-go/bench/peers"
	"github.com/solafon/solafon-go/bench/peers/ogenapi"
	"github.com/solafon/solafon-go/bench/wire"
	"github.com/solafon/solafon-go/gen/solafon"
)

// encoding is one encoder of one value. What it returns is good until it is
// called again.
type encoding struct {
	name, note string
	encode     func() ([]byte, error)
}

// writer is an encoder of other people, which writes any type.
type writer struct {
	name   string
	encode func(v any) ([]byte, error)
}

var segmentioRoom []byte

var writers = []writer{
	{"encoding/json", json.Marshal},
	{"go-json-experiment/json", func(v any) ([]byte, error) { return jsonv2.Marshal(v) }},
	{"goccy/go-json", func(v any) ([]byte, error) { return goccy.MarshalNoEscape(v) }},
	{"segmentio/encoding", func(v any) (_ []byte, err error) {
		segmentioRoom, err = segmentio.Append(segmentioRoom[:0], v, 0)
		return segmentioRoom, err
	}},
	{"bytedance/sonic", sonic.ConfigDefault.Marshal},
}

// appender is what this project generates.
type appender interface {
	AppendJSON(dst []byte) ([]byte, error)
	MarshalJSON() ([]byte, error)
}

func ourEncodings(v appender) []encoding {
	var room []byte
	return []encoding{
		{"into room", "", func() (_ []byte, err error) { room, err = v.AppendJSON(room[:0]); return room, err }},
		{"MarshalJSON", "", v.MarshalJSON},
	}
}

// jxEncoder is what ogen generates.
type jxEncoder interface{ Encode(e *jx.Encoder) }

func ogenEncoding(v jxEncoder) encoding {
	e := new(jx.Encoder)
	return encoding{"jx, as ogen generates", "", func() ([]byte, error) {
		e.Reset()
		v.Encode(e)
		return e.Bytes(), nil
	}}
}

func otherEncodings(v easyjson.Marshaler) []encoding {
	var list []encoding
	for _, w := range writers {
		list = append(list, encoding{w.name, "", func() ([]byte, error) { return w.encode(v) }})
	}
	return append(list, encoding{"easyjson", "", func() ([]byte, error) { return easyjson.Marshal(v) }})
}

// decoded is a value as a decoder makes it of a text.
func decoded[T any](decode func([]byte, *T) error, text []byte) *T {
	v := new(T)
	if err := decode(text, v); err != nil {
		panic(err) // the texts are part of the program
	}
	return v
}

// request is sendMessage with buttons, in which a string holds JSON.
var request = solafon.SendMessageRequest{ChatID: 456, Text: "What would you like?"}.WithButtons(
	solafon.Button{Text: "Buy", Action: "buy"}, solafon.Button{Text: "Узнать больше", Action: "more"})

// requestOf writes the request as others have to: first what goes into the
// string, and then what is around it.
func requestOf(w writer) encoding {
	metadata := peers.MessageMetadata{Buttons: []peers.Button{{Text: "Buy", Action: "buy"}, {Text: "Узнать больше", Action: "more"}}}
	return encoding{w.name, "", func() ([]byte, error) {
		inner, err := w.encode(&metadata)
		if err != nil {
			return nil, err
		}
		return w.encode(&peers.SendMessageRequest{ChatID: 456, Text: "What would you like?", MessageType: "button", Metadata: string(inner)})
	}}
}

// ogenRequest has no more than a string for the metadata, and takes it ready.
func ogenRequest() encoding {
	inner, err := request.Metadata.MarshalJSON()
	if err != nil {
		panic(err)
	}
	e := ogenEncoding(&ogenapi.SendMessageRequest{
		ChatID: 456, Text: "What would you like?",
		MessageType: ogenapi.NewOptMessageType(ogenapi.MessageTypeButton), Metadata: ogenapi.NewOptString(string(inner)),
	})
	e.note = "is given the JSON in the string ready made"
	return e
}

type value struct {
	name      string
	encodings []encoding
}

func values() []value {
	var requests []encoding
	for _, w := range append(writers, writer{"easyjson", func(v any) ([]byte, error) { return easyjson.Marshal(v.(easyjson.Marshaler)) }}) {
		requests = append(requests, requestOf(w))
	}
	update := func(text []byte) []encoding {
		list := ourEncodings(decoded(func(b []byte, u *solafon.Update) (err error) { *u, err = solafon.DecodeUpdate(b); return err }, text))
		list = append(list, ogenEncoding(decoded(func(b []byte, u *ogenapi.Update) error { return u.Decode(jx.DecodeBytes(b)) }, text)))
		return append(list, otherEncodings(decoded(func(b []byte, u *peers.Update) error { return json.Unmarshal(b, u) }, text))...)
	}
	var batch []byte
	for _, in := range inputs() {
		if in.kind == updates {
			batch = in.data
		}
	}
	answers := ourEncodings(decoded(func(b []byte, u *wire.UpdatesAnswer) (err error) { *u, err = wire.DecodeUpdatesAnswer(b); return err }, batch))
	answers = append(answers, ogenEncoding(decoded(func(b []byte, u *ogenapi.GetUpdatesOK) error { return u.Decode(jx.DecodeBytes(b)) }, batch)))
	answers = append(answers, otherEncodings(decoded(func(b []byte, u *peers.UpdatesAnswer) error { return json.Unmarshal(b, u) }, batch))...)
	return []value{
		{"sendMessage with buttons", append(append(ourEncodings(request), ogenRequest()), requests...)},
		{"an update", update([]byte(page))},
		{"a batch of 100", answers},
	}
}

// Encode measures all encoders on all values. The first cost of each result is
// that of appending to room that is there.
func Encode(config measure.Config) ([]Result, error) {
	var results []Result
	for _, v := range values() {
		var contenders []measure.Contender
		size := 0
		for _, e := range v.encodings {
			text, err := e.encode()
			if err != nil {
				return nil, fmt.Errorf("%s: %s: %w", v.name, e.name, err)
			}
			if size == 0 {
				size = len(text)
			}
			contenders = append(contenders, measure.Contender{Name: e.name, Note: e.note, Run: func(n int) error {
				for range n {
					if _, err := e.encode(); err != nil {
						return err
					}
				}
				return nil
			}})
		}
		costs, err := config.Compare(contenders)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", v.name, err)
		}
		results = append(results, Result{v.name, size, costs})
	}
	return results, nil
}
