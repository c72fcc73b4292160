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

// library is a decoder of other people, which reads into any type.
type library struct {
	name   string
	decode func(data []byte, v any) error
}

var checkedSonic = sonic.Config{ValidateString: true, NoValidateJSONMarshaler: true}.Froze()

var libraries = []library{
	{"encoding/json", json.Unmarshal},
	{"go-json-experiment/json", func(data []byte, v any) error { return jsonv2.Unmarshal(data, v) }},
	{"goccy/go-json", func(data []byte, v any) error { return goccy.UnmarshalNoEscape(data, v) }},
	{"segmentio/encoding", func(data []byte, v any) error {
		_, err := segmentio.Parse(data, v, segmentio.ZeroCopy)
		return err
	}},
	{"bytedance/sonic", func(data []byte, v any) error { return checkedSonic.Unmarshal(data, v) }},
}

// decoding is one decoder of one type: it can be run, and asked for what it
// makes of a text.
type decoding struct {
	name   string
	decode func(data []byte) error
	value  func() any
}

// into makes a decoding that reads into a value which is used again and again,
// so that nobody pays for a place to put it.
func into[T any](name string, decode func(data []byte, v *T) error) decoding {
	v, zero := new(T), *new(T)
	return decoding{name, func(data []byte) error { *v = zero; return decode(data, v) }, func() any { return v }}
}

// easyPointer is what easyjson generates methods for.
type easyPointer[T any] interface {
	*T
	easyjson.Unmarshaler
}

// others are the decodings of everyone else into a type of peers.
func others[T any, P easyPointer[T]]() []decoding {
	var list []decoding
	for _, l := range libraries {
		list = append(list, into(l.name, func(data []byte, v *T) error { return l.decode(data, v) }))
	}
	return append(list, into("easyjson", func(data []byte, v *T) error { return easyjson.Unmarshal(data, P(v)) }))
}

// jxPointer is what ogen generates methods for.
type jxPointer[T any] interface {
	*T
	Decode(d *jx.Decoder) error
}

// ogen is the decoding that ogen generates.
func ogen[T any, P jxPointer[T]]() []decoding {
	d := new(jx.Decoder)
	return []decoding{into("jx, as ogen generates", func(data []byte, v *T) error {
		d.ResetBytes(data)
		return P(v).Decode(d)
	})}
}

// ours are this project's decodings of a type, in place first.
func ours[T any](inPlace, copying func([]byte) (T, error)) []decoding {
	return []decoding{
		into("in place", func(data []byte, v *T) (err error) { *v, err = inPlace(data); return err }),
		into("copying", func(data []byte, v *T) (err error) { *v, err = copying(data); return err }),
	}
}

// decodings are all that decode a kind of input. ogen's code has no nested form
// of an update.
func decodings(k kind) []decoding {
	var list []decoding
	switch k {
	case update:
		list = append(ours(solafon.DecodeUpdateInPlace, solafon.DecodeUpdate), ogen[ogenapi.Update]()...)
		return append(list, others[peers.Update]()...)
	case nestedUpdate:
		return append(ours(solafon.DecodeUpdateInPlace, solafon.DecodeUpdate), others[peers.NestedUpdate]()...)
	case updates:
		list = append(ours(wire.DecodeUpdatesAnswerInPlace, wire.DecodeUpdatesAnswer), ogen[ogenapi.GetUpdatesOK]()...)
		return append(list, others[peers.UpdatesAnswer]()...)
	case message:
		list = append(ours(wire.DecodeMessageAnswerInPlace, wire.DecodeMessageAnswer), ogen[ogenapi.SendMessageOK]()...)
		return append(list, others[peers.MessageAnswer]()...)
	case me:
		list = append(ours(wire.DecodeMeAnswerInPlace, wire.DecodeMeAnswer), ogen[ogenapi.GetMeOK]()...)
		return append(list, others[peers.MeAnswer]()...)
	case webhookInfo:
		list = append(ours(wire.DecodeWebhookInfoAnswerInPlace, wire.DecodeWebhookInfoAnswer), ogen[ogenapi.GetWebhookInfoOK]()...)
		return append(list, others[peers.WebhookInfoAnswer]()...)
	case commands:
		list = append(ours(wire.DecodeCommandsAnswerInPlace, wire.DecodeCommandsAnswer), ogen[ogenapi.GetMyCommandsOK]()...)
		return append(list, others[peers.CommandsAnswer]()...)
	case settings:
		list = append(ours(wire.DecodeAppSettingsInPlace, wire.DecodeAppSettings), ogen[ogenapi.AppSettings]()...)
		return append(list, others[peers.AppSettings]()...)
	}
	panic(fmt.Sprintf("no decodings of kind %d", k))
}

// Result is what was measured of one input or value.
type Result struct {
	Name  string
	Size  int // of the JSON, in bytes
	Costs []measure.Cost
}

// Decode measures all decoders on all inputs. The first cost of each result is
// that of decoding in place.
func Decode(config measure.Config) ([]Result, error) {
	var results []Result
	for _, in := range inputs() {
		var contenders []measure.Contender
		for _, d := range decodings(in.kind) {
			contenders = append(contenders, measure.Contender{Name: d.name, Run: in.run(d.decode)})
		}
		costs, err := config.Compare(contenders)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", in.name, err)
		}
		results = append(results, Result{in.name, len(in.data), costs})
	}
	return results, nil
}

// run decodes the input again and again.
func (in input) run(decode func([]byte) error) func(n int) error {
	text := append([]byte(nil), in.data...)
	return func(n int) error {
		for range n {
			if in.escapes {
				copy(text, in.data)
			}
			if err := decode(text); err != nil {
				return err
			}
		}
		return nil
	}
}
